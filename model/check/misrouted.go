package check

import (
	"fmt"

	"pgtui/model"
	"pgtui/model/board"
)

// misrouted: a server gets connections that Patroni reports it must not get. One
// finding a service, with the word of each HAProxy as evidence.
func misrouted(in Input, report func(model.Finding)) {
	for _, r := range in.Board.Routes {
		f := model.Finding{Severity: model.Critical, Service: r.Service,
			Hint: "HAProxy drops a server after three failed checks; if it persists, see the service page"}
		for _, v := range r.Views {
			if v.Verdict == model.Mismatch && !byProof(&v) && !byPort(&v) && !byStranger(&v) {
				f.Evidence = append(f.Evidence, v.Label()+": "+v.Why)
			}
		}
		if n := len(f.Evidence); n > 0 {
			f.Summary = fmt.Sprintf("%s goes to the wrong server on %s", r.Name(), onNodes(n, len(r.Views)))
			report(f)
		}
	}
}

// byProof reports whether real connections made the view a mismatch: they have
// findings of their own.
func byProof(v *board.View) bool {
	return v.Proven != nil && (v.Proven.Against != "" || v.Proven.Dead != "")
}

// byStranger reports whether only another cluster's Patroni at a server's address
// made the view a mismatch: that is a finding of its own.
func byStranger(v *board.View) bool {
	stranger := false
	for i := range v.Cells {
		c := &v.Cells[i]
		switch {
		case c.Share == 0:
		case c.Foreign != "":
			stranger = true
		case c.Allowed != 0 && c.Allowed != 200:
			return false
		}
	}
	return stranger
}

// byPort reports whether only a port that takes no connections, or a full queue,
// made the view a mismatch: these are findings of their own.
func byPort(v *board.View) bool {
	shut := false
	for i := range v.Cells {
		c := &v.Cells[i]
		if c.Share > 0 && c.Allowed != 0 && c.Allowed != 200 {
			return false
		}
		shut = shut || c.Share > 0 && (c.Shut != "" || c.Full != "")
	}
	return shut
}

// onNodes is "every HAProxy node" or "1 of 3 HAProxy nodes".
func onNodes(n, all int) string {
	if n == all {
		return "every HAProxy node"
	}
	return fmt.Sprintf("%d of %d HAProxy nodes", n, all)
}

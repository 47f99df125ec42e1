package check

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
)

// haproxyDisagree: two HAProxies send the same service to different servers. For
// some seconds after a change that is as it must be: each of them checks alone.
// Ports that are closed have findings of their own.
func haproxyDisagree(in Input, report func(model.Finding)) {
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		if r.Verdict != model.Mismatch || r.Agreed || !openDiffer(r) {
			continue
		}
		f := model.Finding{Severity: model.Warning, Service: r.Service,
			Summary:  fmt.Sprintf("HAProxy nodes disagree about %s", r.Name()),
			Evidence: []string{r.Why},
			Hint:     "pgtui diff " + string(in.Board.Cluster.Name) + " shows whether their files differ"}
		if why := whyDiffer(in, r); why.text != "" {
			f.Summary, f.Hint = f.Summary+": "+why.text, why.hint
		}
		if now := changing(r); now != "" {
			f.Evidence = append(f.Evidence, "checks are about to change: "+now)
			f.Hint = "check again in a few seconds, when the checks have ended; if it persists, " + f.Hint
		}
		report(f)
	}
}

// openDiffer reports whether HAProxies whose port takes clients send them to
// different servers.
func openDiffer(r *board.Route) bool {
	var first *board.View
	for i := range r.Views {
		v := &r.Views[i]
		if v.Verdict == model.Unknown || v.Closed != "" {
			continue
		}
		if first == nil {
			first = v
		} else if !slices.Equal(v.Serving, first.Serving) || (v.Serving == nil) != (first.Serving == nil) {
			return true
		}
	}
	return false
}

// whyDiffer is why one server gets connections from some HAProxies and none
// from others, where the evidence shows it.
func whyDiffer(in Input, r *board.Route) cause {
	svc := in.Board.Cluster.Service(r.Service)
	if svc == nil {
		return cause{}
	}
	servers, _ := svc.Servers()
	for i := range servers {
		name := servers[i].Name
		var without []*board.View
		with := 0
		for k := range r.Views {
			v := &r.Views[k]
			c := cellOf(v, name)
			switch {
			case c == nil || c.Verdict == model.Unknown || v.Closed != "" || v.Verdict == model.Settling:
			case c.Share > 0 || c.Verdict == model.Standby:
				with++
			default:
				without = append(without, v)
			}
		}
		if with == 0 || len(without) == 0 {
			continue
		}
		labels := make([]string, len(without))
		for k, v := range without {
			labels[k] = v.Label()
		}
		if unreachable(cellOf(without[0], name)) {
			return cause{fmt.Sprintf("HAProxy on %s cannot reach Patroni on %s (%s), but %s can", strings.Join(labels, ", "), name, cellOf(without[0], name).Check, others(with)),
				fmt.Sprintf("ssh %s %s; if that fails, check the network and the firewall between the two nodes", without[0].HAProxy, askPatroni(svc, name))}
		}
		if why := whyOut(in, r, name); why.text != "" {
			return cause{fmt.Sprintf("%s on %s", why.text, strings.Join(labels, ", ")), why.hint}
		}
	}
	return cause{}
}

// others is "1 other HAProxy" or "2 other HAProxies".
func others(n int) string {
	if n == 1 {
		return "1 other HAProxy node"
	}
	return fmt.Sprintf("%d other HAProxy nodes", n)
}

// changing names the servers that a HAProxy is about to take out, or in.
func changing(r *board.Route) string {
	var parts []string
	for i := range r.Views {
		for k := range r.Views[i].Cells {
			if c := &r.Views[i].Cells[k]; c.Turning() {
				parts = append(parts, fmt.Sprintf("%s is %s on %s", c.Instance, c.Status, r.Views[i].Label()))
			}
		}
	}
	return strings.Join(parts, ", ")
}

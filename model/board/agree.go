package board

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/model"
)

// agree compares the views of a route and gives it one verdict: what all the
// HAProxies that answer say. Those that do not are in Silent; they hide nothing
// of what the others say.
func agree(r *Route) {
	if len(r.Views) == 0 {
		r.Verdict, r.Why = model.Unknown, "no HAProxy node exposes it"
		return
	}
	known := make([]*View, 0, len(r.Views))
	for i := range r.Views {
		if v := &r.Views[i]; v.Verdict == model.Unknown {
			r.Silent = append(r.Silent, v.HAProxy)
		} else {
			known = append(known, v)
		}
	}
	if len(known) == 0 {
		r.Verdict, r.Why = model.Unknown, r.Views[0].Why
		if len(r.Views) > 1 {
			r.Why = fmt.Sprintf("no current state from any of its %d HAProxy nodes; %s: %s", len(r.Views), r.Views[0].Label(), r.Views[0].Why)
		}
		return
	}
	r.Verdict, r.Why = common(known)
	if r.Verdict != model.Settling && (r.Verdict != model.Mismatch || sameServing(known)) {
		r.Serving = known[0].Serving
	}
	r.Agreed = r.Serving != nil
	if len(r.Silent) > 0 {
		r.Why += fmt.Sprintf("; %d of %d HAProxy nodes answer, no current state from %s", len(known), len(r.Views), r.silentLabels())
	}
}

// common is the verdict of views that are known, and its sentence: their own
// where they agree, the worst one first.
func common(known []*View) (model.Verdict, string) {
	if !sameServing(known) {
		return disagreement(known)
	}
	worst := known[0]
	for _, v := range known[1:] {
		if v.Verdict != model.Serving && worst.Verdict == model.Serving {
			worst = v
		}
	}
	return worst.Verdict, worst.Why
}

// sameServing reports whether all views give new connections to the same servers.
func sameServing(views []*View) bool {
	for _, v := range views[1:] {
		if !sameNames(v.Serving, views[0].Serving) || (v.Serving == nil) != (views[0].Serving == nil) {
			return false
		}
	}
	return true
}

// silentLabels names the HAProxies of which the route is unknown.
func (r *Route) silentLabels() string {
	var out []string
	for i := range r.Views {
		if v := &r.Views[i]; v.Verdict == model.Unknown {
			out = append(out, v.Label())
		}
	}
	return strings.Join(out, ", ")
}

// Label is what the node of the view is called: its nodename, else its host.
func (v *View) Label() string {
	if v.Node != "" {
		return v.Node
	}
	return string(v.HAProxy)
}

// ClosedWord is what closes the port: "paused", "stopped" or "full"; "" when
// nothing does.
func (v *View) ClosedWord() string {
	switch {
	case v.Closed == "":
		return ""
	case v.Frontend.Status == "PAUSED":
		return "paused"
	case v.Frontend.Status == "STOP":
		return "stopped"
	}
	return "full"
}

// ClosedWord is that of the first view when every HAProxy that answers has the
// port closed; "" otherwise.
func (r *Route) ClosedWord() string {
	word := ""
	for i := range r.Views {
		switch w := r.Views[i].ClosedWord(); {
		case r.Views[i].Verdict == model.Unknown:
		case w == "":
			return ""
		case word == "":
			word = w
		}
	}
	return word
}

// Word is the state of a route in a word: what closes its port, else its verdict.
// A route that is empty by design is EmptyByDesign.
func (b *Board) Word(r *Route) string {
	switch closed := r.ClosedWord(); {
	case closed != "":
		return "port " + closed
	case r.Verdict == model.Empty && b.ByDesign(r):
		return model.EmptyByDesign
	}
	return string(r.Verdict)
}

// Agreement is how many views are known and say the same as the most, and how
// many views there are.
func (r *Route) Agreement() (same, all int) {
	count := map[string]int{}
	for i := range r.Views {
		if r.Views[i].Verdict != model.Unknown {
			k := servingText(&r.Views[i])
			count[k]++
			same = max(same, count[k])
		}
	}
	return same, len(r.Views)
}

// disagreement words a route whose HAProxies differ. While one of them is
// settling after a reload the difference is expected and is called settling.
func disagreement(known []*View) (model.Verdict, string) {
	var parts []string
	verdict := model.Mismatch
	for _, v := range known {
		if v.Verdict == model.Settling {
			verdict = model.Settling
		}
		parts = append(parts, v.Label()+" → "+servingText(v))
	}
	return verdict, "HAProxy nodes disagree: " + strings.Join(parts, "; ")
}

// servingText is who a view reports as serving, else its verdict.
func servingText(v *View) string {
	if len(v.Serving) == 0 || v.Verdict == model.Unknown || v.Verdict == model.Settling {
		return string(v.Verdict)
	}
	return model.Join(v.Serving)
}

// sameNames compares two sets of names; their order does not count.
func sameNames(a, b []model.InstanceName) bool {
	if slices.Equal(a, b) {
		return true
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// deadEnd reports whether a client that connects now gets no server the service is
// for, whichever of the HAProxies that are known it queries: they have no server,
// or only such as take no connections or fail Patroni's check.
func (r *Route) deadEnd() bool {
	known := false
	for i := range r.Views {
		v := &r.Views[i]
		switch v.Verdict {
		case model.Unknown:
			continue
		case model.Empty:
		case model.Mismatch:
			if slices.ContainsFunc(v.Cells, func(c Cell) bool { return c.takes() }) {
				return false
			}
		default:
			return false
		}
		known = true
	}
	return known
}

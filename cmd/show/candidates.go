package show

import (
	"cmp"
	"fmt"
	"strings"

	"pgtui/internal/text"
	"pgtui/model/candidate"
)

// candidateWidth is the width of the text of Candidates, in cells.
const candidateWidth = 80

// gateMark is the sign of a gate's verdict.
func gateMark(v candidate.Verdict) string {
	return cmp.Or(map[candidate.Verdict]string{candidate.Pass: "●", candidate.Note: "·", candidate.Risk: "!", candidate.No: "✕"}[v], "?")
}

// gateHue is the colour of a gate's verdict.
func gateHue(v candidate.Verdict) hue {
	return map[candidate.Verdict]hue{candidate.Pass: green, candidate.Risk: yellow, candidate.No: red}[v]
}

// Candidates is who can take over: the answer first, then each member with the
// gates that it does not pass, all of them with every.
func Candidates(w Out, t *candidate.Table, every bool) {
	wrapped(w, "", gateMark(t.Verdict())+" "+t.Summary())
	leader := string(t.Leader)
	if leader == "" {
		leader = "unknown"
		if t.Why != "" {
			leader += ": " + t.Why
		}
	}
	wrapped(w, "  ", fmt.Sprintf("%s, leader %s", t.Cluster, leader))
	wrapped(w, "  ", "expected gap for clients of the leader: "+t.Gap.Text())
	wrapped(w, "  ", sessionsText(t.Ports))
	fmt.Fprintf(w, "\n%s\n", t.Cluster)
	gates(w, t.Gates, every)
	for i := range t.Candidates {
		c := &t.Candidates[i]
		fmt.Fprintf(w, "\n%s  %s\n", c.Instance, w.tint(gateHue(c.Able()), gateMark(c.Able())+" "+c.Able().Words()))
		gates(w, c.Gates, every)
	}
	fmt.Fprintln(w, "\nthe gap")
	for _, p := range t.Gap.Parts {
		wrapped(w, "  ", p)
	}
	fmt.Fprintln(w)
	wrapped(w, "", t.Rules)
}

// gates prints those that are not passed, or every one. Gates with the same
// verdict and reason are one line.
func gates(w Out, all []candidate.Gate, every bool) {
	done := make([]bool, len(all))
	shown := 0
	for i := range all {
		g := &all[i]
		if done[i] || g.Verdict == candidate.Pass && !every {
			continue
		}
		name, what := gateName(g)
		names := []string{name}
		for k := i + 1; k < len(all); k++ {
			more, same := gateName(&all[k])
			if h := &all[k]; same == what && h.Verdict == g.Verdict && h.Try == g.Try && h.Risk == g.Risk {
				names, done[k] = append(names, more), true
			}
		}
		shown++
		line := gateMark(g.Verdict) + " " + strings.Join(names, ", ") + ": " + what
		if g.Risk != "" && g.Verdict != candidate.Pass {
			line += " (" + g.Risk + ")"
		}
		if g.By != "" && g.Verdict == candidate.No {
			line += " (" + g.Refusal() + ")"
		}
		wrapped(w, "  ", line)
		if g.Try != "" && g.Verdict != candidate.Pass {
			wrapped(w, "    ", "try: "+g.Try)
		}
	}
	if shown == 0 {
		fmt.Fprintf(w, "  %s passed: %s\n", gateMark(candidate.Pass), text.Plural(len(all), "gate"))
	}
}

// gateName is what a gate is called, and its reason. A view of HAProxy is called
// by its port and its node.
func gateName(g *candidate.Gate) (name, what string) {
	where, why, ok := strings.Cut(g.What, ": ")
	if g.Service == "" || !ok {
		return g.Name, g.What
	}
	return where, why
}

// sessionsText is which sessions a takeover ends.
func sessionsText(ports []candidate.Port) string {
	var parts []string
	for _, p := range ports {
		n := "unknown"
		if p.Known {
			n = fmt.Sprint(p.Sessions)
		}
		parts = append(parts, fmt.Sprintf("%d %s %s", p.Port, p.Service, n))
	}
	if len(parts) == 0 {
		return "sessions that a takeover ends: unknown"
	}
	return "sessions that a takeover ends: " + strings.Join(parts, ", ")
}

// wrapped prints one text in lines of candidateWidth, the later ones indented
// further.
func wrapped(w Out, indent, s string) {
	line := indent
	for i, word := range strings.Fields(w.line(s, 600)) {
		switch {
		case i == 0:
			line += word
		case len([]rune(line))+1+len([]rune(word)) > candidateWidth:
			fmt.Fprintln(w, line)
			line = indent + "    " + word
		default:
			line += " " + word
		}
	}
	fmt.Fprintln(w, line)
}

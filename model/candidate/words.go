package candidate

import (
	"strings"

	"pgtui/model"
)

// Summary is who can take over, in one sentence.
func (t *Table) Summary() string {
	best := t.Best()
	names := make([]model.InstanceName, len(best))
	for i, c := range best {
		names[i] = c.Instance
	}
	switch t.Verdict() {
	case Pass:
		return model.Join(names) + " can take over"
	case Risk:
		out := model.Join(names) + " can take over, with a risk"
		if why := t.risks(best); len(why) > 0 {
			out += ": " + strings.Join(why, ", ")
		}
		return out
	case No:
		if len(t.Candidates) == 0 {
			return "no member can take over: there is no other member"
		}
		return "no member can take over"
	}
	out := "it is unknown whether a member can take over"
	for i := range t.Gates {
		if g := &t.Gates[i]; g.Verdict == Unknown && !lengthens(g.Name) {
			return out + ": " + g.What
		}
	}
	for i := range t.Candidates {
		if g := t.Candidates[i].Worst(); t.Candidates[i].Verdict == Unknown && g != nil {
			return out + ": " + string(t.Candidates[i].Instance) + ", " + g.Name + ": " + g.What
		}
	}
	return out
}

// Text is how long it is, "2.5 s to 6 s".
func (g Gap) Text() string {
	if g.Open {
		return about(g.Low) + " or longer"
	}
	return about(g.Low) + " to " + about(g.High)
}

// risks are the names of the risks of the best candidates and of the cluster, each
// once.
func (t *Table) risks(best []*Candidate) []string {
	var out []string
	seen := map[string]bool{}
	add := func(gates []Gate) {
		for i := range gates {
			if g := &gates[i]; Rank(g.Verdict) >= Rank(Risk) && g.Risk != "" && !seen[g.Risk] {
				seen[g.Risk] = true
				out = append(out, g.Risk)
			}
		}
	}
	add(t.Gates)
	for _, c := range best {
		add(c.Gates)
	}
	return out
}

// Worst is the first of the gates with the worst verdict, nil when every gate is
// passed.
func (c *Candidate) Worst() *Gate {
	var out *Gate
	for i := range c.Gates {
		if g := &c.Gates[i]; g.Verdict != Pass && (out == nil || Rank(g.Verdict) > Rank(out.Verdict)) {
			out = g
		}
	}
	return out
}

// Refusal is how Patroni refuses by the gate, in words.
func (g *Gate) Refusal() string {
	if g.By == "B" {
		return "the leader's Patroni refuses it with 503"
	}
	return "the Patroni that gets the call refuses it with 412"
}

// Words is what the candidate's verdict means.
func (v Verdict) Words() string {
	switch v {
	case Pass, Note:
		return "can take over"
	case Risk:
		return "can take over, with a risk"
	case No:
		return "cannot take over"
	}
	return "unknown"
}

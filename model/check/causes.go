package check

import (
	"slices"
	"strings"

	"pgtui/model"
)

// link says that findings of one code follow from findings of another.
type link struct {
	effects, causes string // codes, apart by spaces
	when            func(in Input, effect, cause *model.Finding) bool
}

// links are what is known of causes. A finding that no link explains is a cause of its
// own. No link goes from drift to health: what clients feel never hides behind a file.
func links() []link {
	return []link{
		{"patroni-silent haproxy-silent leader-silent node-unread pool-unread clock-skew member-state not-patroni port-closed", nodeLostCode, sameNode},
		{"service-empty service-on-backup haproxy-disagree vip", nodeLostCode, blames},
		{"patroni-silent service-empty service-on-backup haproxy-disagree vip dcs-trouble paused", leaderSilentCode, ofLeader},
		{"patroni-silent service-empty vip dcs-trouble paused", noLeaderCode, ofLeader},
		{"dcs-trouble paused", nodeLostCode, ofLeader},
		{"leader-silent service-empty service-on-backup haproxy-disagree", "patroni-silent", ofSilent},
		{"service-empty service-on-backup vip", silentCode, noneAnswers},
		{"vip", "haproxy-silent", sameNode},
		{"service-empty vip", "no-leader member-unlisted", leaderOnly},
		{"service-empty service-on-backup not-patroni haproxy-disagree", "foreign-patroni", blames},
		{"haproxy-disagree", "two-primaries", leaderOnly},
		{"leader-read-only service-empty check-yes-port-no replica-not-streaming", "member-state", blames},
		{"service-empty service-on-backup", "server-by-hand", sameBackend},
		{"server-by-hand drain-hidden", "overdue", blames},
		{"proof-differs check-yes-port-no pool-waiting", "pool-paused pool-disabled pool-full pool-stalled", blames},
		{"config-drift section-missing", "half-wiped", sameNode},
		{"config-drift", "config-unloaded", sameNode},
		{"running-differs", "config-drift", sameNode},
	}
}

// sameNode: both are about one node.
func sameNode(in Input, e, c *model.Finding) bool {
	return hostOf(in, e) != "" && hostOf(in, e) == hostOf(in, c)
}

// hostOf is the node that a finding is about, the one of its instance included.
func hostOf(in Input, f *model.Finding) model.Host {
	if m := in.Board.Member(f.Instance); f.Host == "" && m != nil {
		return m.Host
	}
	return f.Host
}

// blames: the effect is about the instance of the cause, or names it as its reason.
func blames(in Input, e, c *model.Finding) bool {
	switch {
	case c.Instance == "":
		return false
	case e.Instance != "":
		return e.Instance == c.Instance
	case e.Code == "vip":
		return hostOf(in, e) == hostOf(in, c) || e.Host == "" && ledBy(in, c.Instance)
	}
	return word(e.Summary, string(c.Instance)) || leaderOnly(in, e, c) && ledBy(in, c.Instance)
}

// ledBy reports whether the instance is the leader that the cluster has, or lost.
func ledBy(in Input, name model.InstanceName) bool {
	m := in.Board.Member(name)
	return m != nil && led(in, m)
}

// silentCode is the finding of a Patroni that does not answer.
const silentCode = "patroni-silent"

// noneAnswers: Patroni answers on no member, so nothing else is known to be the reason.
func noneAnswers(in Input, _, _ *model.Finding) bool { return in.Board.KnownMembers() == 0 }

// ofSilent: the effect blames a silent Patroni, and is not the finding that explains it.
func ofSilent(in Input, e, c *model.Finding) bool {
	return (e.Code != leaderSilentCode || e.Severity != model.Critical) && blames(in, e, c)
}

// ofLeader: the cause is the loss of the leader, and the effect is a service that lacks a
// server because of it, the Patroni that the cause names, the free key in the DCS, or the
// pause that its summary speaks of.
func ofLeader(in Input, e, c *model.Finding) bool {
	switch {
	case c.Severity != model.Critical:
		return false
	case e.Code == "dcs-trouble":
		return e.Severity != model.Critical && in.Board.Leader == ""
	case e.Code == "paused":
		return in.Board.Paused && strings.Contains(c.Summary, "paused")
	case e.Code == "patroni-silent":
		return word(c.Summary, string(e.Instance))
	}
	return leaderOnly(in, e, c) || blames(in, e, c)
}

// leaderOnly: the effect is about a service that only the leader serves, or about the
// leader's VIP.
func leaderOnly(in Input, e, _ *model.Finding) bool {
	svc := in.Board.Cluster.Service(e.Service)
	return e.Code == "vip" || svc != nil && model.LockOnly(svc.Check, in.Board.Cluster.Standby)
}

// sameBackend: both are about one service, and the effect names the server.
func sameBackend(_ Input, e, c *model.Finding) bool {
	return e.Service == c.Service && word(e.Summary, string(c.Instance))
}

// word reports whether s has name as a word: pg-test-1 is not in pg-test-10.
func word(s, name string) bool {
	for from := 0; name != ""; {
		i := strings.Index(s[from:], name)
		if i < 0 {
			break
		}
		i += from
		from = i + len(name)
		if !inName(s, i-1) && !inName(s, from) {
			return true
		}
	}
	return false
}

// inName reports whether the byte of s at i can be part of an instance's name.
func inName(s string, i int) bool {
	return i >= 0 && i < len(s) && (s[i] == '-' || s[i] == '_' || s[i] >= '0' && s[i] <= '9' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z')
}

// Causes makes a tree of findings, which are sorted: one cause for each thing that is
// wrong, with what follows from it. Causes that say the same of several nodes are one.
func Causes(in Input, findings []model.Finding) []model.Cause {
	under := explained(in, findings)
	var out []model.Cause
	place := make([]int, len(findings)) // of the cause of each finding that has none above it
	for i := range findings {
		if under[i] >= 0 {
			continue
		}
		at := slices.IndexFunc(out, func(c model.Cause) bool { return says(in, &c.Finding, &findings[i]) })
		if at < 0 {
			out, at = append(out, model.Cause{Finding: findings[i]}), len(out)
			out[at].Evidence = nil
		}
		out[at].Same = append(out[at].Same, i)
		place[i] = at
	}
	for i := range findings {
		if under[i] >= 0 {
			c := &out[place[under[i]]]
			c.Effects = append(c.Effects, i)
			c.Severity = min(c.Severity, findings[i].Severity)
		}
	}
	for i := range out {
		together(in, &out[i], findings)
	}
	slices.SortStableFunc(out, func(a, b model.Cause) int { return int(a.Severity) - int(b.Severity) })
	return out
}

// explained is, for each finding, the place of the one at the root of it; -1 for one that
// stands by itself.
func explained(in Input, findings []model.Finding) []int {
	under := make([]int, len(findings))
	for i := range under {
		under[i] = -1
	}
	if len(findings) < 2 {
		return under
	}
	for _, l := range links() {
		for i := range findings {
			if e := &findings[i]; under[i] < 0 && has(l.effects, e.Code) {
				under[i] = slices.IndexFunc(findings, func(c model.Finding) bool {
					return has(l.causes, c.Code) && (e.Drift || !c.Drift) && l.when(in, e, &c)
				})
			}
		}
	}
	for i := range under { // a cause may be an effect itself
		for n := 0; under[i] >= 0 && under[under[i]] >= 0 && n < len(findings); n++ {
			under[i] = under[under[i]]
		}
	}
	return under
}

// has reports whether code is one of codes, which are apart by spaces.
func has(codes, code string) bool { return slices.Contains(strings.Fields(codes), code) }

// says reports whether two findings say the same of two nodes or instances.
func says(in Input, a, b *model.Finding) bool {
	return a.Code == b.Code && a.Service == b.Service && a.Due.IsZero() && b.Due.IsZero() && subject(in, a) != "" && subject(in, b) != "" &&
		strings.ReplaceAll(a.Summary, subject(in, a), "") == strings.ReplaceAll(b.Summary, subject(in, b), "")
}

// subject is what a finding's summary calls its instance or node.
func subject(in Input, f *model.Finding) string {
	for _, s := range []string{string(f.Instance), labelOf(in, f.Host), string(f.Host)} {
		if s != "" && word(f.Summary, s) {
			return s
		}
	}
	return ""
}

// together makes the summary and the evidence of a cause those of all findings that say
// the same. The command is that of the first; it is for one node after the other.
func together(in Input, c *model.Cause, findings []model.Finding) {
	first := &findings[c.Same[0]]
	var names []string
	for _, i := range c.Same {
		f := &findings[i]
		name := subject(in, f)
		names = append(names, name)
		for _, e := range f.Evidence {
			if len(c.Same) > 1 {
				e = name + ": " + e
			}
			c.Evidence = append(c.Evidence, e)
		}
	}
	if len(names) > 1 {
		c.Summary = strings.ReplaceAll(many(first.Summary, names[0]), names[0], strings.Join(names, ", "))
	}
}

// many is a sentence that begins with a name, with the verb for several of them.
func many(s, name string) string {
	for one, all := range map[string]string{" is ": " are ", " was ": " were ", " has ": " have ", " does ": " do "} {
		if rest, ok := strings.CutPrefix(s, name+one); ok {
			return name + all + rest
		}
	}
	return s
}

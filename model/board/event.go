package board

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
)

// Event is one transition that was seen: what it is about, before and after.
type Event struct {
	At       time.Time // when it was noticed; it happened since the snapshot before
	Cluster  model.ClusterName
	Kind     string // leader, member, route, finding; in the console also run (a reload or an action ended) and inventory (it was read again), which have no state before
	Subject  string // "pg-test-2", "primary 5433", a finding's code
	Before   string
	After    string
	Severity model.Severity // how bad After is
	Drift    bool           // a finding that is a difference from the inventory
	About    FindingKey     // which finding it is about; zero for the other kinds
}

// String is the event as one line, without its time.
func (e Event) String() string {
	switch {
	case e.Kind == "finding" && e.After == "":
		return fmt.Sprintf("%s  %s: gone (%s)", e.Cluster, e.Subject, e.Before)
	case e.Kind == "finding":
		return fmt.Sprintf("%s  %s: %s", e.Cluster, e.Subject, e.After)
	}
	return fmt.Sprintf("%s  %s  %s → %s", e.Cluster, e.Subject, e.Before, e.After)
}

// Events are the transitions between two boards of the same cluster, in the
// order leader, members, routes, findings. Ages, lags and counters are not
// transitions, and neither is what follows from a finding that is there.
func Events(before, after *Board) []Event {
	var out []Event
	add := func(kind, subject, was, is string, sev model.Severity) {
		if was != is {
			out = append(out, Event{At: after.Judged, Cluster: after.Cluster.Name, Kind: kind, Subject: subject, Before: was, After: is, Severity: sev})
		}
	}
	add("leader", "leader", leaderWord(before), leaderWord(after), worseIf(after.Leader == "", model.Critical))
	was := map[model.InstanceName]Member{}
	for _, m := range before.Members {
		was[m.Instance] = m
	}
	for _, m := range after.Members {
		old, ok := was[m.Instance]
		if ok {
			add("member", string(m.Instance), before.memberWord(old), after.memberWord(m), worseIf(!m.Known, model.Warning))
		}
	}
	for i := range after.Routes {
		r := &after.Routes[i]
		if old := before.Route(r.Service); old != nil {
			add("route", fmt.Sprintf("%s %s", r.Service, r.Port), before.routeWord(old), after.routeWord(r), worseIf(r.Verdict != model.Serving && !after.ByDesign(r), model.Warning))
		}
	}
	return append(out, findingEvents(before, after)...)
}

func findingEvents(before, after *Board) []Event {
	was, is := found(before), found(after)
	var out []Event
	add := func(f *model.Finding, gone bool) {
		e := Event{At: after.Judged, Cluster: after.Cluster.Name, Kind: "finding", Subject: f.Code, After: f.Summary, Severity: f.Severity, Drift: f.Drift, About: KeyOf(f)}
		if gone {
			e.Before, e.After, e.Severity = f.Summary, "", model.Info
		}
		out = append(out, e)
	}
	for i := range after.Causes {
		if c := &after.Causes[i]; slices.ContainsFunc(c.Same, func(k int) bool { return !was[KeyOf(&after.Findings[k])] }) {
			add(&c.Finding, false)
		}
	}
	for i := range before.Causes {
		if c := &before.Causes[i]; !slices.ContainsFunc(c.Same, func(k int) bool { return is[KeyOf(&before.Findings[k])] }) {
			add(&c.Finding, true)
		}
	}
	return out
}

// FindingKey says which findings of two boards of a cluster are one and the same: their
// summaries change while they last.
type FindingKey struct {
	Code     string
	Service  model.ServiceName
	Instance model.InstanceName
	Host     model.Host
}

// KeyOf is the key of a finding.
func KeyOf(f *model.Finding) FindingKey {
	return FindingKey{f.Code, f.Service, f.Instance, f.Host}
}

// found are the findings of a board, those that follow from others included: what turns from a
// cause into an effect is no event.
func found(b *Board) map[FindingKey]bool {
	out := make(map[FindingKey]bool, len(b.Findings))
	for i := range b.Findings {
		out[KeyOf(&b.Findings[i])] = true
	}
	return out
}

func worseIf(bad bool, s model.Severity) model.Severity {
	if bad {
		return s
	}
	return model.Info
}

func leaderWord(b *Board) string {
	switch {
	case b.Leader == "" && (b.LeaderUnsure || b.KnownMembers() < len(b.Members)):
		return "unknown"
	case b.Leader == "":
		return "none"
	case b.LeaderBy == "dcs":
		return string(b.Leader) + " (by DCS)"
	}
	return fmt.Sprintf("%s (TL %d)", b.Leader, b.Timeline)
}

// memberWord is a member's role and state. A leader whose PostgreSQL runs is a leader and no
// more, and a primary that the DCS names, or of which it is unknown whether it holds the
// leader key, is no other thing than the leader.
func (b *Board) memberWord(m Member) string {
	leads := m.Role == "leader" || m.Role == "primary" && (b.Leader == m.Instance || b.LeaderUnsure)
	switch {
	case !m.Known:
		return "unknown"
	case leads && m.State == "running":
		return "leader"
	case leads:
		return "leader " + m.State
	case m.Role == "primary":
		return "primary without the leader key"
	}
	return strings.ReplaceAll(m.Role, "_", " ") + " " + m.State
}

// routeWord is who serves a route, or its word when there is no single answer.
func (b *Board) routeWord(r *Route) string {
	if r.Agreed && len(r.Serving) > 0 && (r.Verdict == model.Serving || r.Verdict == model.BackupServing) {
		return model.Join(r.Serving)
	}
	return b.Word(r)
}

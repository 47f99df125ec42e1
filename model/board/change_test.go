package board

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/model"
)

var changeT0 = time.Date(2026, 11, 30, 3, 12, 0, 0, time.UTC)

// happened are events of pg-test from lines "SECOND KIND SUBJECT: BEFORE → AFTER", the newest first.
func happened(lines ...string) []Event {
	var out []Event
	for _, line := range lines {
		var ev Event
		var second int
		head, states, _ := strings.Cut(line, ": ")
		parts := strings.SplitN(head, " ", 3)
		if _, err := fmt.Sscan(parts[0], &second); err != nil {
			panic(err)
		}
		ev.At, ev.Cluster, ev.Kind, ev.Subject = changeT0.Add(time.Duration(second)*time.Second), "pg-test", parts[1], parts[2]
		ev.Severity = model.Info
		ev.Before, ev.After, _ = strings.Cut(states, " → ")
		if ev.After == "unknown" || ev.After == "none" || ev.After == "no server" || ev.Kind == "finding" && ev.After != "" {
			ev.Severity = model.Warning
		}
		if ev.Kind == "finding" {
			ev.About = FindingKey{Code: ev.Subject}
		}
		out = append(out, ev)
	}
	slices.Reverse(out)
	return out
}

// gathered are changes as lines, the newest first.
func gathered(changes []Change) string {
	var out []string
	for i := range changes {
		c := &changes[i]
		out = append(out, fmt.Sprintf("%d-%d %s %s: %s", int(c.From.Sub(changeT0).Seconds()), int(c.At.Sub(changeT0).Seconds()), c.Kind, strings.Join(c.Subjects, ", "), strings.Join(c.Path, " → ")))
	}
	return strings.Join(out, "\n")
}

// TestChangesOfAFailover: what a failover does to a subject is one change, and services that
// move together are one.
func TestChangesOfAFailover(t *testing.T) {
	events := happened(
		"0 member pg-test-1: leader → unknown",
		"1 leader leader: pg-test-1 (TL 1) → none",
		"1 member pg-test-3: replica streaming → replica running",
		"2 route primary 5433: pg-test-1 → no server",
		"3 route default 5436: pg-test-1 → no server",
		"3 finding node-lost:  → pg-test-1 is lost",
		"33 leader leader: none → pg-test-2 (TL 2)",
		"33 member pg-test-2: replica streaming → leader",
		"34 route primary 5433: no server → pg-test-2",
		"34 route default 5436: no server → pg-test-2",
		"34 route replica 5434: pg-test-2, pg-test-3 → pg-test-3",
		"34 finding node-lost: pg-test-1 is lost → ",
		"36 member pg-test-3: replica running → replica streaming",
		"60 member pg-test-1: unknown → replica streaming",
	)
	changes := Changes(events)
	want := strings.Join([]string{
		"0-60 member pg-test-1: leader → unknown → replica streaming",
		"2-34 route primary 5433, default 5436: pg-test-1 → no server → pg-test-2",
		"34-34 route replica 5434: pg-test-2, pg-test-3 → pg-test-3",
		"1-33 leader leader: pg-test-1 (TL 1) → none → pg-test-2 (TL 2)",
		"33-33 member pg-test-2: replica streaming → leader",
	}, "\n")
	sorted := func(s string) string { l := strings.Split(s, "\n"); slices.Sort(l); return strings.Join(l, "\n") }
	if got := gathered(changes); sorted(got) != sorted(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	n := 0
	for i, c := range changes {
		if n += len(c.Events); i > 0 && c.At.After(changes[i-1].At) {
			t.Errorf("change %d is newer than the one before it", i)
		}
		if !slices.IsSortedFunc(c.Events, func(a, b Event) int { return a.At.Compare(b.At) }) {
			t.Errorf("events of %s are not in order", c.Subject())
		}
	}
	if n != len(events)-4 { // those of pg-test-3 and of the finding that is gone
		t.Errorf("%d of %d events are in a change", n, len(events))
	}
	if each := Each(events); len(each) != len(events) || each[0].Subject() != "pg-test-1" || each[0].At != events[0].At {
		t.Errorf("each event: %s", gathered(each))
	}
}

// TestChangesKeepApart: incidents, clusters, findings and paths that differ.
func TestChangesKeepApart(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		events     []Event
	}{
		{"two incidents", "46-46 route a 1: y → x\n0-0 route a 1: x → y", happened("0 route a 1: x → y", "46 route a 1: y → x")},
		{"one incident that goes on", "0-90 route a 1: x → y → x → y", happened("0 route a 1: x → y", "45 route a 1: y → x", "90 route a 1: x → y")},
		{"another path", "1-1 route b 2: x → z\n0-0 route a 1: x → y", happened("0 route a 1: x → y", "1 route b 2: x → z")},
		{"a route that came back is kept", "0-3 route a 1: x → no server → x", happened("0 route a 1: x → no server", "3 route a 1: no server → x")},
		{"a member that was unknown is kept", "0-3 member m: replica → unknown → replica", happened("0 member m: replica → unknown", "3 member m: unknown → replica")},
		{"an event is missing", "0-3 route a 1: x → y → z → x", happened("0 route a 1: x → y", "3 route a 1: z → x")},
		{"none", "", nil},
	} {
		if got := gathered(Changes(tt.events)); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
	two := happened("0 route a 1: x → y", "1 route a 1: y → x")
	two[0].Cluster = "pg-meta"
	if got := Changes(two); len(got) != 2 {
		t.Errorf("two clusters: %s", gathered(got))
	}
	two = happened("0 finding lag:  → one", "1 finding lag:  → another")
	two[0].About.Instance = "pg-test-2"
	if got := Changes(two); len(got) != 2 {
		t.Errorf("a finding of two instances: %s", gathered(got))
	}
}

// TestSteadyPath: states that pass while the nodes answer one after the other are not in it.
func TestSteadyPath(t *testing.T) {
	for want, lines := range map[string][]string{
		"x → none → y":     {"0 route a 1: x → x, y", "1 route a 1: x, y → none", "20 route a 1: none → mismatch", "21 route a 1: mismatch → y"},
		"x → y":            {"0 route a 1: x → none", "2 route a 1: none → y"},
		"x → none → x":     {"0 route a 1: x → none", "2 route a 1: none → x"},
		"x → none → x → y": {"0 route a 1: x → none", "9 route a 1: none → x", "19 route a 1: x → y"},
	} {
		c := Changes(happened(lines...))
		if got := strings.Join(c[0].Steady(3*time.Second), " → "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestALeaderIsCalledLeader: a member that runs as a primary is the leader as soon as the DCS
// names it, and while it is unknown who holds the key; no event is made of that.
func TestALeaderIsCalledLeader(t *testing.T) {
	c := &model.Cluster{Name: "pg-test"}
	of := func(role, state string, leader model.InstanceName, unsure bool) *Board {
		return &Board{Cluster: c, Leader: leader, LeaderUnsure: unsure, Members: []Member{{Instance: "pg-test-1", Known: true, Role: role, State: state}}}
	}
	leads := of("leader", "running", "pg-test-1", false)
	for _, tt := range []struct {
		before *Board
		want   string // the event of the member, "" for none
	}{
		{of("primary", "running", "pg-test-1", false), ""},
		{of("primary", "running", "", true), ""},
		{of("primary", "running", "pg-test-2", false), "primary without the leader key → leader"},
		{of("leader", "in recovery", "pg-test-1", false), "leader in recovery → leader"},
		{of("replica", "streaming", "pg-test-2", false), "replica streaming → leader"},
		{of("sync_standby", "streaming", "pg-test-2", false), "sync standby streaming → leader"},
	} {
		got := ""
		for _, ev := range Events(tt.before, leads) {
			if ev.Kind == "member" {
				got = ev.Before + " → " + ev.After
			}
		}
		if got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.before.Members[0].Role, tt.before.Members[0].State, got, tt.want)
		}
	}
}

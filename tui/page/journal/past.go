package journal

import (
	"cmp"
	"slices"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/tui/page"
	"pgtui/tui/widget"
)

// mostPast is how many changes the page keeps of what happened before.
const mostPast = 1000

// sameRun is how far apart the console and the audit file may date the end of a run.
const sameRun = 5 * time.Second

// past are the runs of the audit file and the ends of timelines in Patroni's history, the
// newest first, in the zone of the screen. Either may be nil. An end of a timeline that the
// console saw itself is left out.
func past(runs *plan.History, lines *[]action.TimelineSwitch, cluster model.ClusterName, e page.Env) []board.Change {
	var events []board.Event
	if runs != nil {
		for i := range runs.Runs {
			if r := &runs.Runs[i]; cluster == "" || r.Cluster == "" || r.Cluster == cluster {
				events = append(events, runEvent(r))
			}
		}
	}
	if lines != nil {
		events = append(events, lineEvents(*lines, cluster, e.Since)...)
	}
	slices.SortStableFunc(events, func(a, b board.Event) int { return b.At.Compare(a.At) })
	events = events[:min(len(events), mostPast)]
	for i := range events {
		events[i].At = events[i].At.In(e.Now.Location())
	}
	return board.Each(events)
}

// runEvent is a run of the audit file as an event, at its end where that is recorded.
func runEvent(r *plan.Run) board.Event {
	ev := board.Event{At: r.At, Cluster: r.Cluster, Kind: "run", Subject: r.What(), Severity: model.Info}
	if r.Interrupted || r.At.IsZero() {
		ev.At = r.Began
	}
	if r.Failed() {
		ev.Severity = model.Warning
	}
	who, ended := cmp.Or(r.Who.SudoUser, r.Who.User), cmp.Or(r.Ended(), plan.RunUnknown)
	if ev.After = widget.F("%s, by %s", ended, widget.Data(who)).Local(); r.Changed() != "" {
		ev.After = widget.F("%s, by %s: %s", ended, widget.Data(who), widget.Data(r.Changed())).Local()
	}
	return ev
}

// lineEvents are the ends of timelines before since: each is a change of the leader. One
// without a time has no place among events.
func lineEvents(lines []action.TimelineSwitch, cluster model.ClusterName, since time.Time) (out []board.Event) {
	was := ""
	for _, l := range lines {
		before := widget.F("TL %d", l.Timeline).Local()
		if was != "" {
			before = widget.F("%s (TL %d)", widget.Data(was), l.Timeline).Local()
		}
		was = l.Leader
		at, err := time.Parse(time.RFC3339, l.At)
		if err != nil || !at.Before(since) {
			continue
		}
		after := widget.F("TL %d", l.Timeline+1).Local()
		if l.Leader != "" {
			after = widget.F("%s (TL %d)", widget.Data(l.Leader), l.Timeline+1).Local()
		}
		out = append(out, board.Event{At: at, Cluster: cluster, Kind: "leader", Subject: "leader", Before: before, After: after, Severity: model.Info})
	}
	return out
}

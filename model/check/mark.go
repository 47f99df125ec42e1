package check

import (
	"slices"
	"time"

	"pgtui/model"
)

// markFor is the newest action of pgtui's audit file that explains what is seen of
// an instance behind a service on a HAProxy; nil when there is none.
func markFor(in Input, name model.InstanceName, svc model.ServiceName, h model.Host, actions ...string) *model.Mark {
	all := in.Snap.Marks[in.Board.Cluster.Name]
	for i := range slices.Backward(all) {
		m := &all[i]
		if slices.Contains(actions, m.Action) && m.Instance == name &&
			(svc == "" || len(m.Services) == 0 || slices.Contains(m.Services, svc)) && (h == "" || len(m.HAProxy) == 0 || slices.Contains(m.HAProxy, h)) {
			return m
		}
	}
	return nil
}

// takers are the actions that take a server out.
func takers() []string { return []string{"drain", "maint", "weight", "maintenance"} }

// byWhom is "drained by alice@admin since 14:02 UTC, until 16:00 UTC: patching", or
// that the audit file does not have it; "" when the audit file was not read.
func byWhom(in Input, word string, m *model.Mark) string {
	switch {
	case m != nil:
		return word + " " + since(m, in.Now)
	case in.Snap.Marks == nil:
		return ""
	}
	return word + ", by whom unknown"
}

// since is "by alice@admin since 14:02 UTC, until 16:00 UTC: patching".
func since(m *model.Mark, now time.Time) string {
	s := "by " + m.Who + " since " + clock(m.At, now)
	if !m.Until.IsZero() {
		s += ", until " + clock(m.Until, now)
	}
	if m.Why != "" {
		s += ": " + m.Why
	}
	return s
}

// clock is a time of day in UTC, with its date when it is another one than today.
func clock(t, now time.Time) string {
	t = t.UTC()
	if t.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return t.Format("15:04") + " UTC"
	}
	return t.Format("2006-01-02 15:04") + " UTC"
}

// and joins a clause to a summary.
func and(summary, clause string) string {
	if clause == "" {
		return summary
	}
	return summary + "; " + clause
}

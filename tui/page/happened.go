package page

import (
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// happened is what an event changed, before and after.
func happened(ev *board.Event) widget.Line {
	m := severityMark(ev.Severity)
	tone := m.tone
	if ev.Severity == model.Info {
		tone = theme.Plain
	}
	switch {
	case ev.Kind == "finding" && ev.After == "":
		return widget.T(theme.Dim, "resolved: "+ev.Before)
	case ev.Kind == "finding":
		return widget.T(tone, ev.After)
	}
	return widget.T(theme.Dim, ev.Before+" → ").Add(tone, ev.After)
}

// latest are the newest events that are meant, as lines, at most n.
func latest(e Env, n int, meant func(*board.Event) bool) []widget.Line {
	var out []widget.Line
	for i := range e.Events {
		ev := &e.Events[i]
		if len(out) >= n {
			break
		}
		if meant(ev) {
			m := severityMark(ev.Severity)
			l := widget.P(" ").Add(theme.Dim, clock(ev.At, e.Now)+" ").Add(m.tone, m.shape+" ").Add(theme.Plain, ev.Subject+"  ")
			out = append(out, widget.Join(l, happened(ev)))
		}
	}
	return out
}

package page

import (
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Happened is what an event changed, before and after.
func Happened(ev *board.Event) widget.Line {
	m := SeverityMark(ev.Severity)
	tone := m.Tone
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

// Latest are the newest events that are meant, as lines, at most n.
func Latest(e Env, n int, meant func(*board.Event) bool) []widget.Line {
	var out []widget.Line
	for i := range e.Events {
		ev := &e.Events[i]
		if len(out) >= n {
			break
		}
		if meant(ev) {
			m := SeverityMark(ev.Severity)
			l := widget.P(" ").Add(theme.Dim, Clock(ev.At, e.Now)+" ").Add(m.Tone, m.Shape+" ").Add(theme.Plain, ev.Subject+"  ")
			out = append(out, widget.Join(l, Happened(ev)))
		}
	}
	return out
}

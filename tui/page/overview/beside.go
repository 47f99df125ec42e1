package overview

import (
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// wideFrom is from how many cells the board has a second pane, and tallFrom from how
// many lines a page has room for sentences in full.
const (
	wideFrom = 160
	tallFrom = 34
)

// wide reports whether findings and events are drawn beside the board.
func wide(e page.Env) bool { return e.W >= wideFrom && e.H >= 14 }

// panes puts the board of e on the left and findings and events on the right of it.
func panes(b *board.Board, e page.Env, left func(page.Env) []widget.Line) []widget.Line {
	l, r := e, e
	l.W = min(max(e.W*5/8, 105), 128)
	r.W = e.W - l.W - 2
	lines, beside := widget.Fit(left(l), e.H), widget.Fit(findingsPane(b, r), e.H)
	out := make([]widget.Line, e.H)
	for i := range out {
		out[i] = widget.Join(lines[i].Pad(l.W), widget.T(theme.Dim, "│"), beside[i].Trunc(r.W))
	}
	return out
}

// findingsPane is what is wrong, in full, and below it what has happened, in the lines
// that e has.
func findingsPane(b *board.Board, e page.Env) []widget.Line {
	most := e.H / 2
	if len(b.Causes) == 0 {
		most = e.H - 3
	}
	events := latest(b, e, most)
	room := e.H
	if len(events) > 0 {
		room -= min(len(events)+2, most)
	}
	out := []widget.Line{page.FindingsTitle(b.Counts())}
	if len(b.Causes) == 0 && !e.Pending(b) {
		out = []widget.Line{widget.T(theme.Head, " FINDINGS").Add(theme.Dim, " none"), nil}
	}
	for i := range b.Causes {
		lines := causeLines(b, &b.Causes[i], e)
		if len(out)+len(lines) > room-1 && i > 0 || len(out)+1 > room-1 {
			out = append(out, moreFindings(len(b.Causes)-i))
			break
		}
		out = append(append(out, lines...), nil)
	}
	if len(events) == 0 {
		return out
	}
	out = append(widget.Fit(out, min(max(len(out), 1), room)), widget.T(theme.Head, " EVENTS"))
	return append(out, events...)
}

// longFrom is from how many lines a page has room for a fact in several.
const longFrom = 16

// withMore puts more behind a line, and below it where a page has room.
func withMore(l, more widget.Line, e page.Env) []widget.Line {
	if e.H < longFrom || l.Width()+more.Width() <= e.W || more.Width() == 0 {
		return []widget.Line{widget.Join(l, more).Trunc(e.W)}
	}
	return append([]widget.Line{l}, page.WrappedRaw(more[0].Tone, strings.TrimLeft(more.String(), "; :"), "   ", e.W, 4)...)
}

// moreFindings says that there are n more, and where.
func moreFindings(n int) widget.Line {
	return widget.T(theme.Dim, widget.F(" … %s: ", text.Plural(n, "more finding"))).Add(theme.Key, "f")
}

// causeLines is one thing that is wrong, what follows from it, and the next step.
func causeLines(b *board.Board, c *model.Cause, e page.Env) []widget.Line {
	out := causeHead(c, e, 5)
	for _, i := range c.Effects {
		out = append(out, page.Labelled(widget.T(theme.Dim, "   └"), theme.Dim, widget.Words(b.Findings[i].Summary), 5, e.W, 5)...)
	}
	if c.Hint != "" {
		out = append(out, page.Labelled(widget.T(theme.Key, "   →"), theme.Plain, widget.Words(c.Hint), 5, e.W, 6)...)
	}
	return out
}

// causeHead is the sentence of a cause behind its mark, in at most most lines.
func causeHead(c *model.Cause, e page.Env, most int) []widget.Line {
	return page.FindingLines(&c.Finding, most, e.W)
}

// latest are the newest changes of the cluster, in at most most lines; the findings are
// drawn already.
func latest(b *board.Board, e page.Env, most int) (out []widget.Line) {
	for i := range e.Changes {
		c := &e.Changes[i]
		if c.Cluster != b.Cluster.Name || c.Kind == "finding" {
			continue
		}
		lines := page.ChangeLines(c, e)
		if len(out)+len(lines) > most {
			break
		}
		out = append(out, lines...)
	}
	return out
}

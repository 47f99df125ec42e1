package overview

import (
	"cmp"
	"fmt"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// spot is what all HAProxies together say of one instance in one service: a
// field of the board's matrix.
type spot struct {
	verdict  model.Verdict // what those that are known say; Mismatch when they differ
	known    int           // HAProxies that are known
	serving  int           // of those, how many send it new connections
	share    int           // percent of new connections, 0 when they differ about it
	allowed  int           // Patroni's answer to the check; 0 is unknown
	sessions int64
	why      string
	note     string
	shut     bool           // it is sent connections, and its port takes none, or its pgbouncer lets none through
	held     model.PoolHold // of those: what its pgbouncer reports
	full     bool           // it is sent connections, and its queue is full
	closed   string         // what closes the service's port on every HAProxy that is known
	each     []string       // "pg-test-1: serves", where they differ
	asking   bool           // none is known, and one has not been tried yet
}

// spotOf gathers the cells of one instance over a route's views.
func spotOf(e page.Env, r *board.Route, inst model.InstanceName) spot {
	s := spot{verdict: model.Unknown, share: -1, closed: r.ClosedWord()}
	for i := range r.Views {
		v := &r.Views[i]
		c := page.CellOf(v, inst)
		if c.Allowed != 0 {
			s.allowed = c.Allowed
		}
		if s.note == "" {
			s.note = c.Note
		}
		if v.Verdict == model.Unknown {
			if s.why == "" {
				s.why = v.Why
			}
			s.asking = s.asking || e.ProxyNotProbed(v.HAProxy)
			continue
		}
		s.known++
		s.sessions += c.Sessions
		if c.Share > 0 {
			s.serving++
			s.shut, s.held = s.shut || c.Shut != "", cmp.Or(s.held, c.PoolHeld)
			s.full = s.full || c.Full != ""
		}
		switch {
		case s.known == 1:
			s.verdict, s.share, s.why = c.Verdict, c.Share, c.Why
		case s.verdict != c.Verdict:
			s.verdict, s.share = model.Mismatch, 0
		case s.share != c.Share:
			s.share = 0
		}
		s.each = append(s.each, v.Label()+": "+page.VerdictMark(c.Verdict).Word)
	}
	s.share, s.asking = max(s.share, 0), s.asking && s.known == 0
	if s.verdict == model.Mismatch {
		s.why = "HAProxy nodes differ: " + strings.Join(s.each, ", ")
	}
	return s
}

// line draws the spot in w cells.
func (s spot) line(w int) widget.Line {
	m := page.VerdictMark(s.verdict)
	if s.asking {
		return page.Probing().Line()
	}
	if s.verdict == model.BackupServing {
		m.Word = "serves (backup)"
		if w < 20 {
			m.Word = "serves bkp"
		}
	}
	if s.verdict == model.Refused && s.allowed > 0 {
		m.Word = fmt.Sprint(s.allowed)
	}
	if s.verdict == model.Mismatch {
		m = page.Mark{Shape: page.Differs, Word: "differs", Tone: theme.Warn}
		if s.serving > 0 {
			m = page.Mark{Shape: "●", Word: fmt.Sprintf("serves %d/%d", s.serving, s.known), Tone: theme.Warn}
		}
	}
	switch {
	case s.shut:
		m = page.Mark{Shape: "✕", Word: s.held.Word(), Tone: theme.Bad}
		if w < 15 && s.held != "" {
			m.Word = string(s.held)
		}
	case s.full:
		m = page.Mark{Shape: "✕", Word: "queue full", Tone: theme.Bad}
	case s.closed != "" && s.verdict == model.Draining:
		m = page.Mark{Shape: "✕", Word: "port " + s.closed, Tone: theme.Bad}
	}
	out := m.Line()
	if s.serving > 0 && s.share > 0 && s.share < 100 {
		out = out.Add(m.Tone, fmt.Sprintf(" %d%%", s.share))
	}
	if s.note != "" && !s.shut && !s.full {
		out = out.Add(theme.Warn, " "+page.Differs)
	}
	if s.serving > 0 && s.sessions > 0 {
		tail := fmt.Sprintf("%d conn", s.sessions)
		if gap := w - out.Width() - len(tail); gap > 1 {
			out = out.Add(theme.Plain, strings.Repeat(" ", gap)).Add(theme.Dim, tail)
		}
	}
	return out
}

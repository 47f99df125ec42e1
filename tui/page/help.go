package page

import (
	tea "charm.land/bubbletea/v2"

	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Help lists the keys of the page below it, and what the shapes mean.
type Help struct {
	of   string
	sets []HelpSet
	top  int
}

// HelpSet is a group of bindings under a title.
type HelpSet struct {
	Title string
	Keys  []keys.Binding
}

// NewHelp explains the bindings that are executed on the page of that title.
func NewHelp(of string, sets []HelpSet) *Help { return &Help{of: of, sets: sets} }

// Title of the page.
func (p *Help) Title() string { return "help" }

// Keys of the help itself.
func (p *Help) Keys(Env) []keys.Binding { return keys.Moves() }

// Do scrolls.
func (p *Help) Do(a keys.Action, e Env) (Page, Intent) {
	if i, ok := scroll(a, p.top, len(p.lines(e)), e.H); ok {
		q := *p
		q.top = i
		return &q, nil
	}
	return p, nil
}

// Update changes nothing.
func (p *Help) Update(tea.Msg, Env) (Page, Intent) { return p, nil }

// View draws the part that fits.
func (p *Help) View(e Env) []widget.Line { return scrolled(p.lines(e), p.top, e) }

func (p *Help) lines(e Env) []widget.Line {
	var out []widget.Line
	for _, s := range p.sets {
		if len(s.Keys) == 0 {
			continue
		}
		out = append(out, widget.T(theme.Head, " "+s.Title))
		for _, b := range s.Keys {
			if !b.Enabled() {
				continue
			}
			h := b.Help()
			out = append(out, labelled(widget.T(theme.Key, "   "+h.Key), theme.Plain, h.Desc, 14, e.W, 3)...)
		}
		out = append(out, nil)
	}
	out = append(out, widget.T(theme.Head, " SHAPES"))
	for _, l := range legend() {
		m := verdictMark(l.v)
		out = append(out, labelled(widget.T(m.tone, "   "+m.shape+" "+m.word), theme.Plain, l.text, 23, e.W, 4)...)
	}
	return append(out, labelled(widget.T(theme.Warn, "   "+differs), theme.Plain,
		"promise, permission and reality differ; the sentence under the board says how", 23, e.W, 4)...)
}

package page

import (
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Help lists the keys of the page below it, and what the shapes mean.
type Help struct {
	sets []HelpSet
	top  int
}

// HelpSet is a group of keys under a title.
type HelpSet struct {
	Title widget.Words
	Keys  keys.Table
}

// NewHelp explains rows of the table of keys.
func NewHelp(sets []HelpSet) *Help { return &Help{sets: sets} }

// HelpScreen is the page in the registry: its key opens it. Space pages, as in a pager.
func HelpScreen() Screen {
	return Screen{Name: "help", Keys: append([]keys.Row{{Keys: "space", Action: keys.PageDown, Label: "next page", Help: "a page down"}}, keys.Moves()...)}
}

// Scope of the page's keys.
func (p *Help) Scope() string { return "help" }

// Title of the page.
func (p *Help) Title() widget.Line { return widget.P("help") }

// Do scrolls.
func (p *Help) Do(a keys.Action, e Env) (Page, Intent) {
	q := *p
	col, n := p.columns(e)
	q.top = Scroll(a, p.top, len(p.lines(col)), e.H*n)
	return &q, nil
}

// columns are how many columns the page has, and what one of them has for itself.
func (p *Help) columns(e Env) (Env, int) {
	n := max(e.W/60, 1)
	if n > 1 {
		e.W = e.W/n - 1
	}
	return e, n
}

// View draws the part that fits, from the second column on where the screen is wide.
func (p *Help) View(e Env) []widget.Line {
	col, n := p.columns(e)
	all := e
	all.H *= n
	lines := Scrolled(p.lines(col), p.top, all)
	if n == 1 {
		return lines
	}
	out := make([]widget.Line, min(len(lines), e.H))
	for i, l := range lines {
		out[i%e.H] = widget.Join(out[i%e.H], l.Pad(col.W+1))
	}
	return out
}

// HelpOf is what a row says of its keys.
func HelpOf(r keys.Row) widget.Words {
	if r.Own {
		return widget.F("%s", widget.Data(r.Help))
	}
	return widget.Words(r.Help)
}

func (p *Help) lines(e Env) []widget.Line {
	var out []widget.Line
	for _, s := range p.sets {
		if len(s.Keys) == 0 {
			continue
		}
		out = append(out, widget.T(theme.Head, " "+s.Title))
		for _, r := range s.Keys {
			out = append(out, Labelled(widget.Raw(theme.Key, "   "+r.Shown()), theme.Plain, HelpOf(r), 14, e.W, 3)...)
		}
		out = append(out, nil)
	}
	out = append(out, widget.T(theme.Head, " SHAPES"))
	for _, l := range legend() {
		out = append(out, Labelled(widget.Join(widget.P("   "), VerdictMark(l.verdict).Line()), theme.Plain, widget.Words(l.text), 23, e.W, 4)...)
	}
	for _, l := range cells() {
		out = append(out, Labelled(widget.P(widget.Words("   "+l[0])), theme.Plain, widget.Words(l[1]), 23, e.W, 4)...)
	}
	return append(out, Labelled(widget.T(theme.Warn, "   "+Differs), theme.Plain,
		"declared, allowed and actual state differ; the sentence under the board explains how", 23, e.W, 4)...)
}

// cells are what the cells of the fleet's ports show, and what it means.
func cells() [][2]string {
	return [][2]string{
		{"→ 2,3", "the fleet: instances 2 and 3 get the new connections of the port"},
		{"→ 1 bkp", "the fleet: instance 1 gets them as backup"},
		{"→ 3" + Part(2, 3), "2 of the 3 HAProxies report that, and the third does not answer"},
		{"NONE", "the fleet: empty; – means empty by design"},
	}
}

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

// HelpScreen is the page in the registry: its key opens it.
func HelpScreen() Screen { return Screen{Name: "help", Keys: keys.Moves()} }

// Scope of the page's keys.
func (p *Help) Scope() string { return "help" }

// Title of the page.
func (p *Help) Title() widget.Line { return widget.P("help") }

// Do scrolls.
func (p *Help) Do(a keys.Action, e Env) (Page, Intent) {
	q := *p
	q.top = Scroll(a, p.top, len(p.lines(e)), e.H)
	return &q, nil
}

// View draws the part that fits.
func (p *Help) View(e Env) []widget.Line { return Scrolled(p.lines(e), p.top, e) }

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

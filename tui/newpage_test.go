package tui

import (
	"slices"
	"testing"

	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// tally is a page as a file of tui/page adds it: with tallyScreen as a line of
// screens, nothing else names it.
type tally struct{ n int }

func tallyScreen() page.Screen {
	return page.Screen{Name: "tally", Help: "counts what is pressed", Open: func(page.Place, page.Env) page.Page { return &tally{} },
		Keys: []keys.Row{{Keys: "x", Action: "count", Label: "count", Help: "one more"}, {Keys: "f", Action: keys.Findings, Help: "what is wrong", Opens: "findings"}}}
}

func (p *tally) Scope() string      { return "tally" }
func (p *tally) Title() widget.Line { return widget.P("tally") }
func (p *tally) View(page.Env) []widget.Line {
	return []widget.Line{widget.T(theme.Plain, widget.Words(" so many: "+string(rune('0'+p.n))))}
}
func (p *tally) Do(a keys.Action, _ page.Env) (page.Page, page.Intent) {
	if a == "count" {
		return &tally{p.n + 1}, nil
	}
	return p, nil
}

// TestAPageIsOneFileAndOneLine: the palette, the footer, the help, the list of
// keys and the operator's own keys know a page from its line in the registry.
func TestAPageIsOneFileAndOneLine(t *testing.T) {
	r := newRig(t, newWorld(), 100, 50, func(d *fake) { d.Keys = map[string][]string{"screen-tally": {"ctrl+t"}} })
	all := append(screens(), tallyScreen())
	r.m.register(all)
	if names := page.Table(all).Actions(); !slices.Contains(names, "count") || !slices.Contains(names, "screen-tally") {
		t.Errorf("the actions are %q", names)
	}
	r.press(":")
	r.typing("tally")
	r.want("tally", "screen", "counts what is pressed")
	r.press("enter", "x", "x")
	r.want("pgtui tally", "so many: 2", " x count ")
	r.press("?")
	r.want("HERE: tally", "one more", "ctrl-t", "tally: counts what is pressed")
	r.press("esc", "f")
	r.want("pgtui tally › findings")
	r.press("1", "ctrl+t", "x")
	r.want("pgtui tally", "so many: 1")
}

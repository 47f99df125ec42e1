package tui

import (
	"bytes"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// ended is a program that ends with its first message.
type ended struct{}

func (ended) Init() tea.Cmd                         { return tea.Quit }
func (m ended) Update(tea.Msg) (tea.Model, tea.Cmd) { return m, nil }
func (ended) View() tea.View                        { return tea.NewView("x") }

// TestBubbleTeaKeepsItsTickerWhereFramesLooks fails with a version of Bubble Tea
// that does not: the console would draw at one rate then, and cost more at rest.
func TestBubbleTeaKeepsItsTickerWhereFramesLooks(t *testing.T) {
	p := tea.NewProgram(ended{}, tea.WithInput(nil), tea.WithOutput(&bytes.Buffer{}), tea.WithoutSignalHandler())
	if tickerOf(p) != nil {
		t.Fatal("there is a ticker before the program runs")
	}
	if _, err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if tickerOf(p) == nil {
		t.Fatal("no ticker was found")
	}
}

func TestFramesComeWithTheKeys(t *testing.T) {
	f := frameRate{program: &tea.Program{}, ticker: time.NewTicker(time.Hour)}
	defer f.ticker.Stop()
	steps := []struct {
		what string
		do   func(time.Time)
		at   time.Duration
		want time.Duration
	}{
		{"opened", f.rest, 0, 0}, {"still being looked at", f.rest, calmAfter - time.Millisecond, 0},
		{"nobody types", f.rest, calmAfter, calmFrame}, {"a key", f.hurry, 3 * time.Second, quickFrame},
		{"a moment later", f.rest, 4 * time.Second, quickFrame}, {"calm again", f.rest, 5 * time.Second, calmFrame},
	}
	for _, s := range steps {
		if s.do(t0.Add(s.at)); f.now != s.want {
			t.Errorf("%s: a frame each %v, want %v", s.what, f.now, s.want)
		}
		if typing := s.want == quickFrame; typing != (f.collect != 0) {
			t.Errorf("%s: the collector is another than at rest: %v", s.what, !typing)
		}
	}
}

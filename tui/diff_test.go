package tui

import (
	"context"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/tui/theme"
)

// topOf is the first line of the page.
func topOf(r *rig) string { return strings.Split(r.screen(), "\n")[1] }

func TestChangesAreVisitedOneByOne(t *testing.T) {
	w := newWorld()
	for width, want := range map[int][]string{80: {"▸ change", "@@ -13,9 +13,9 @@", "▸ change"}, 160: {"▸ change", "··", "▸ change"}} {
		r := newRig(t, w, width, 12, func(d *fake) { d.Start, d.Plan = "pg-test", planning(hunky(w)) })
		r.press("d")
		for i, key := range []string{".", "}", "{"} {
			if r.press(key); !strings.HasPrefix(strings.TrimSpace(topOf(r)), want[i]) {
				t.Errorf("%d wide, %s: %q is on top, want %q", width, key, topOf(r), want[i])
			}
		}
	}
}

func TestTheSameTextStaysInSightWhenThePageGetsWider(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 80, 12, func(d *fake) { d.Start, d.Plan = "pg-test", planning(hunky(w)) })
	r.press("d", ".", ".", "j")
	for _, width := range []int{80, 160, 40, 200, 80} {
		r.send(tea.WindowSizeMsg{Width: width, Height: 12})
		if !strings.Contains(topOf(r), "option http-keep-alive") {
			t.Errorf("%d wide: %q is on top", width, topOf(r))
		}
	}
	r.send(tea.WindowSizeMsg{Width: 160, Height: 12})
	r.press("j", "k")
	if !strings.Contains(topOf(r), "option http-keep-alive") {
		t.Errorf("down and up again: %q is on top", topOf(r))
	}
}

// A page that was left before its plan came asks for it again when it comes back.
func TestAPlanThatNeverReachedItsPageIsAskedForAgain(t *testing.T) {
	for _, tt := range []struct{ leave, back []string }{
		{[]string{"6"}, []string{"<"}},
		{[]string{"6", "7"}, []string{"<", "<"}},
	} {
		r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
		r.lazy = true
		r.press("d")
		r.want("reading the inventory and the service files")
		r.lazy = false
		r.press(tt.leave...)
		r.press(tt.back...)
		r.want("3 of 3 nodes would change")
		r.wantNot("reading the inventory and the service files")
	}
	// A plan that is there is kept.
	plans := 0
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" }, func(d *fake) {
		p := d.Plan
		d.Plan = func(ctx context.Context, inv *model.Inventory, c model.ClusterName, hosts []model.Host) (plan.Plan, error) {
			plans++
			return p(ctx, inv, c, hosts)
		}
	})
	r.press("d", "6", "<")
	r.want("3 of 3 nodes would change")
	if plans != 1 {
		t.Errorf("%d plans were made", plans)
	}
}

func TestWhatADiffDoesCanBeGivenAKey(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	r.press("d")
	names := Keys().Actions()
	for _, row := range r.m.rows(r.m.env(20)) {
		if !slices.Contains(names, string(row.Action)) {
			t.Errorf("the configuration does not know the action %s", row.Action)
		}
	}
	r.press("?")
	r.want("the next change", "the change before")
}

// Changed words are told from the rest of their line by more than a colour.
func TestChangedWordsAreSeenWithoutColours(t *testing.T) {
	for _, name := range []string{"terminal", "dark", "light", "colour-blind", "none"} {
		th := theme.New(theme.Options{Name: name, ASCII: true})
		for word, line := range map[theme.Tone]theme.Tone{theme.AddedWord: theme.Added, theme.GoneWord: theme.Removed} {
			if seq := th.Open(word, false); !strings.HasPrefix(seq, "\x1b[7") || strings.HasPrefix(th.Open(line, false), "\x1b[7") {
				t.Errorf("%s: %q on %q", name, seq, th.Open(line, false))
			}
		}
	}
}

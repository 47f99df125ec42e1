package tui

import (
	"fmt"
	"testing"
)

// TestPaletteIsAsTallAsItHasRoom: it lists what is found in the lower half of the screen, counts the
// rest, and reports at once that there is nothing.
func TestPaletteIsAsTallAsItHasRoom(t *testing.T) {
	for h, want := range map[int]int{24: 10, 50: 23} {
		r := newRig(t, newWorld(), 100, h, func(d *fake) { d.Start = "pg-test" })
		r.press(":")
		p := r.m.palette
		if n := len(p.list(100, h-4)); n != want {
			t.Errorf("%d lines of %d: %d of the palette, want %d", h, p.hits, n, want)
		}
		r.want(fmt.Sprintf("… %d more: type to narrow", p.hits-want+1))
	}
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	r.press(":")
	r.typing("zzzzzz")
	r.want("   no match")
}

// TestPaletteFindsByWhatItDoes: a word of the help finds a choice, after those that have it in
// their names; no screen is listed twice.
func TestPaletteFindsByWhatItDoes(t *testing.T) {
	for typed, want := range map[string]string{"dsn": "copy-dsn", "changed": "events"} {
		r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
		r.press(":")
		r.typing(typed)
		r.want(want)
	}
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	seen := map[string]bool{}
	for _, c := range r.m.choices(r.m.env(20)) {
		if screen := c.kind == "screen" || c.kind == "key"; screen && seen[c.name] {
			t.Errorf("%s is listed twice", c.name)
		}
		seen[c.name] = seen[c.name] || c.kind == "screen"
	}
}

// TestDSNEverywhere: D copies how a client reaches what is under the cursor.
func TestDSNEverywhere(t *testing.T) {
	r := newRig(t, newWorld(), 120, 30, func(d *fake) { d.Start = "pg-test" })
	r.press("D")
	r.want("sent to the terminal's clipboard: postgres://")
	r.press("esc", "D")
	r.want("sent to the terminal's clipboard: postgres://")
}

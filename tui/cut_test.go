package tui

import (
	"slices"
	"strings"
	"testing"

	"pgtui/tui/widget"
)

// TestWhatIsCutCanBeRead: at 80×24 what ends in "…" is in full on the same page, further
// down or under the cursor, or on the page that a key opens.
func TestWhatIsCutCanBeRead(t *testing.T) {
	seen := map[string]bool{}
	everyPage(t, 80, 24, []string{"failing", "drift", "drained", "held"}, func(name string, r *rig) {
		for _, c := range cuts(r) {
			key := r.m.top().Scope() + "\x00" + c
			if seen[key] {
				continue
			}
			seen[key] = true
			if full := r.uncut(c); !r.reaches(full) {
				t.Errorf("%s: %q is cut, and no key shows %q:\n%s", name, c, full, r.screen())
			}
		}
	})
}

// TestNothingIsCutBesideEmptyLines: at 120×40 and 200×50 a page on which a line is cut
// fills two thirds of the screen.
func TestNothingIsCutBesideEmptyLines(t *testing.T) {
	for _, z := range [][2]int{{120, 40}, {200, 50}} {
		everyPage(t, z[0], z[1], nil, func(name string, r *rig) {
			empty := 0
			for _, l := range strings.Split(r.screen(), "\n") {
				if strings.TrimSpace(l) == "" {
					empty++
				}
			}
			if c := cuts(r); len(c) > 0 && empty*3 > z[1] {
				t.Errorf("%s at %v: %q is cut while %d of %d lines are empty:\n%s", name, z, c, empty, z[1], r.screen())
			}
		})
	}
}

// TestAPageFitsOrSaysThatItContinues: a page does not draw more lines than are seen.
func TestAPageFitsOrSaysThatItGoesOn(t *testing.T) {
	for _, z := range append(sizes(), [2]int{40, 12}) {
		everyPage(t, z[0], z[1], nil, func(name string, r *rig) {
			e := r.m.env(r.m.bodyHeight())
			if n := len(r.m.body(e)); n > e.H {
				t.Errorf("%s at %v: %d lines, %d are seen:\n%s", name, z, n, e.H, r.screen())
			}
		})
	}
}

// everyPage visits every page at that size in those situations, in all where none is named.
func everyPage(t *testing.T, w, h int, names []string, visit func(name string, r *rig)) {
	for _, s := range situations() {
		if len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		walk(s.w, func(name string, r *rig) {
			if r.m.dialog == nil && r.m.palette == nil {
				visit(s.name+", "+name, r)
			}
		}, talkative(eventful(newRig(t, s.w, w, h, func(d *fake) { d.Ran = ranLately }))))
	}
}

// cuts are the beginnings of the texts of the page that are cut on the screen.
func cuts(r *rig) (out []string) {
	for _, l := range r.m.lines()[len(r.m.head()):] {
		text := ""
		for _, s := range l.Trunc(r.m.w) {
			if s.Cut {
				if i := strings.LastIndex(text, "  "); i >= 0 {
					text = text[i:]
				}
				if text = strings.TrimLeft(strings.TrimSpace(text), "▸✕!·≠‼ "); !slices.Contains(out, text) {
					out = append(out, text)
				}
				text = ""
				continue
			}
			text += s.Text
		}
	}
	return out
}

// uncut is the text that begins with c where the same page has room for it; c where it
// does not show there.
func (r *rig) uncut(c string) string {
	for _, z := range [][2]int{{400, 300}, {150, 300}, {80, 300}, {110, 300}} {
		m := r.m
		m.w, m.h = z[0], z[1]
		for _, l := range m.lines() {
			text := l.Trunc(m.w).String()
			if i := strings.Index(text, c); i >= 0 && !l.Trunc(m.w).IsCut() {
				full, _, _ := strings.Cut(text[i:], "  ")
				return strings.TrimSpace(full)
			}
		}
	}
	return c
}

// reaches reports whether the screen shows the text, or what a few keys lead to.
func (r *rig) reaches(text string) bool {
	was := *r
	defer func() { *r = was }()
	text = squeezed(text)
	shown := func() bool {
		var all []widget.Line
		for _, l := range r.m.lines() {
			all = append(all, l.Trunc(r.m.w))
		}
		s := ""
		for _, l := range all {
			s += l.String()
		}
		return strings.Contains(squeezed(s), text)
	}
	down := func() bool {
		for range 12 {
			if shown() {
				return true
			}
			r.press("pgdown")
		}
		return shown()
	}
	if shown() {
		return true
	}
	row := r.m
	r.press("g")
	for range 14 {
		if shown() {
			return true
		}
		row = r.m
		for _, key := range []string{"tab", "enter", "f", "i"} {
			r.m = row
			if r.press(key); down() {
				return true
			}
			if key != "f" {
				continue
			}
			for range 8 {
				list := r.m
				if r.press("tab"); down() {
					return true
				}
				r.m = list
				r.press("j")
			}
		}
		r.m = row
		r.press("j")
	}
	r.m = was.m
	return down()
}

// squeezed is text without white space.
func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }

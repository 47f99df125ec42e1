package tui

import (
	"strings"
	"testing"

	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
)

// TestEveryScreenHasAKeyFromEverywhere: what the palette lists is one key away.
func TestEveryScreenHasAKeyFromEverywhere(t *testing.T) {
	seen := map[string]string{}
	for _, s := range screens() {
		if s.Open == nil {
			continue
		}
		if s.Key == "" && s.Letter == "" {
			t.Errorf("no key opens %s from everywhere", s.Name)
		}
		for _, k := range []string{s.Key, s.Letter} {
			if other := seen[k]; k != "" && other != "" {
				t.Errorf("%s opens %s and %s", k, other, s.Name)
			}
			seen[k] = s.Name
		}
	}
	for _, r := range keys.Global() {
		for _, k := range r.Names() {
			if seen[k] != "" {
				t.Errorf("%s is %s everywhere, and opens %s", k, r.Action, seen[k])
			}
		}
	}
}

// TestALetterWorksOnEveryPage: a letter opens its screen from every page, of the
// cluster that the page is of, unless the page has it for something of its own.
func TestALetterWorksOnEveryPage(t *testing.T) {
	tried := 0
	for _, from := range screens() {
		for _, to := range screens() {
			if from.Open == nil || to.Letter == "" || from.Name == to.Name {
				continue
			}
			r := newRig(t, newWorld(), 120, 40, func(d *fake) { d.Start = "pg-test" })
			e := r.m.env(r.m.bodyHeight())
			if !from.Offered(e) || !to.Offered(e) {
				continue
			}
			r.drain(r.m.jump(from, page.Place{Cluster: "pg-test", Service: "primary", Instance: "pg-test-2"}, e))
			own, _ := page.Table(screens()).Remap(nil).In(from.Name).Find(to.Letter)
			if own.Scope == from.Name && own.Opens != to.Name {
				continue
			}
			tried++
			r.press(to.Letter)
			if got := r.m.top().Scope(); got != to.Name {
				t.Errorf("%s on %s: the page is %s", to.Letter, from.Name, got)
			}
			if p, ok := r.m.top().(page.Placed); ok && from.Name != "fleet" {
				if c := p.Place(r.m.env(r.m.bodyHeight())).Cluster; c != "pg-test" && c != "" {
					t.Errorf("%s on %s: the page is of %s", to.Letter, from.Name, c)
				}
			}
		}
	}
	if tried < 150 {
		t.Errorf("only %d tried: the test is broken", tried)
	}
}

// TestAKeyThatDoesNothingHasALine says how to get to what it does, and where the keys
// of the page are listed. It is not kept as a message.
func TestAKeyThatDoesNothingHasALine(t *testing.T) {
	r := newRig(t, newWorld(), 100, 24)
	kept := len(r.m.messages)
	r.press("%")
	r.want("no key % on this page; ? lists the keys here")
	r.press("/")
	r.typing("nothing-like-this")
	r.press("enter", "d")
	r.want("d opens the diff of a cluster: open a cluster first")
	r.press("f11")
	r.want("open a cluster first") // it types nothing
	r.m.say(theme.Bad, "it failed")
	r.press("%")
	r.want("it failed")
	if got := len(r.m.messages); got != kept+1 {
		t.Errorf("kept: %v", r.m.messages[kept:])
	}
	r = newRig(t, newWorld(), 100, 24, func(d *fake) { d.Start, d.Access = "pg-test", nil })
	r.press("a")
	r.want("no key a on this page")
}

// TestThePaletteSuggestsTheNearestName: a mistyped place is listed and enter opens it; a
// mistyped action is only named.
func TestThePaletteSuggestsTheNearestName(t *testing.T) {
	open := func(typed string) *rig {
		r := newRig(t, newWorld(), 120, 30)
		r.press(":")
		r.typing(typed)
		return r
	}
	for typed, path := range map[string]string{"topologz": "fleet › topology", "pg-tesst": "fleet › pg-test", "trace pg-tets primary": "fleet › trace primary"} {
		r := open(typed)
		r.want("did you mean this?")
		r.press("enter")
		if got := r.path(); got != path {
			t.Errorf("%s leads to %s, expected %s", typed, got, path)
		}
	}
	r := open("drainn pg-test-2")
	r.wantNot("did you mean this?")
	r.press("enter")
	r.want("no match: drainn pg-test-2 · did you mean drain pg-test-2?")
	if got := r.path(); got != "fleet" {
		t.Errorf("a mistyped action leads to %s", got)
	}
	r = open("zzzzzzzz")
	r.press("enter")
	r.want("no match: zzzzzzzz")
	if strings.Contains(r.screen(), "did you mean") {
		t.Error(r.screen())
	}
}

package tui

import (
	"regexp"
	"strings"
	"testing"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/tui/widget"
)

// inChinese runs what do does in Chinese.
func inChinese(do func()) {
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	do()
}

// chinesePages are the pages whose Chinese frames are held, by the keys that lead there from
// the board.
func chinesePages() map[string][]string {
	return map[string][]string{"fleet": {"esc"}, "board": {}, "service": {"j", "enter"}, "findings": {"f"}, "whatif": {"w"}, "topology": {"t", "j"},
		"instance": {"i"}, "node": {"n", "j"}, "events": {"e"}, "confirm": {"r", "r"}, "actions": {"x"}, "access": {"a"}, "components": {"c"}, "help": {"?"}}
}

// TestChineseFrames holds every page in Chinese: nothing but names and the programs' own words
// is in English, and no line is wider than the screen.
func TestChineseFrames(t *testing.T) {
	for _, s := range situations() {
		if s.name != "healthy" && s.name != "failing" && s.name != "drift" {
			continue
		}
		for name, steps := range chinesePages() {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				inChinese(func() {
					got := frames(t, s.w, func(r *rig) { r.press(steps...) }, func(d *fake) { d.Start = "pg-test" })
					golden(t, "zh/"+name+"/"+s.name, got)
					left(t, got)
				})
			})
		}
	}
}

// left reports the English that is left on a Chinese screen.
func left(t *testing.T, screen string) {
	t.Helper()
	for _, l := range strings.Split(screen, "\n") {
		for _, run := range english.FindAllString(text.Clean(l), -1) {
			if len(strings.Fields(run)) > 2 && !kept.MatchString(run) {
				t.Errorf("English is left: %q in %q", run, strings.TrimSpace(l))
			}
		}
		if w := widget.Width(l); w > 200 {
			t.Errorf("%d cells: %q", w, l)
		}
	}
}

var (
	// english is a run of words; names of instances, addresses and times are none.
	english = regexp.MustCompile(`(?:\b[A-Za-z]{2,}\b[,:;]? ){2,}[A-Za-z]{2,}\b`)
	// kept is what stays: commands, and the words of Patroni, HAProxy and PostgreSQL.
	kept = regexp.MustCompile(`pgtui|patroni reload|patronictl|systemctl|pg_|curl|ssh|sudo|show servers state|option httpchk`)
)

package reload

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"pgtui/internal/fuzz"
	"pgtui/internal/text"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// toned writes a line with its keyword, its comment and its changed words in brackets.
func toned(l widget.Line) string {
	open := map[theme.Tone]string{theme.Keyword: "<>", theme.Dim: "()", theme.AddedWord: "[]"}
	var b strings.Builder
	for _, s := range l {
		if o := open[s.Tone]; o != "" {
			b.WriteString(o[:1] + s.Text + o[1:])
		} else {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

func TestCodeIsTonedQuietly(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"   ":                      "   ",
		"listen pg-test-primary":   "<listen pg-test-primary>",
		"    mode tcp":             "    <mode> tcp",
		"\tserver  pg-1 1.1.1.1:6": "    <server  pg-1> 1.1.1.1:6",
		"    server":               "    <server>",
		"server # none":            "<server> (# none)",
		"    # servers":            "    (# servers)",
		"bind *:1 # a # b":         "<bind> *:1 (# a # b)",
		`acl x str "a#b" 'c#' # d`: `<acl> x str "a#b" 'c#' (# d)`,
		`acl x str a\#b '\'# c`:    `<acl> x str a\#b '\'(# c)`,
		`acl x "\"#" #`:            `<acl> x "\"#" (#)`,
		"a\x1b[2Jb\u202ec":         "<abc>",
	} {
		if got := toned(page.Code(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestChangedWordsAreToned(t *testing.T) {
	for _, tt := range []struct {
		text  string
		words [][2]int
		want  string
	}{
		{"weight 50", [][2]int{{7, 9}}, "weight [50]"},
		{"\tmode", [][2]int{{0, 1}, {2, 3}}, "[    ]m[o]de"},
		{"日本", [][2]int{{1, 3}, {0, 2}, {3, 6}}, "日[本]"},
		{"ab", [][2]int{{1, 9}, {-1, 1}, {1, 1}, {1, 2}, {0, 1}}, "a[b]"},
		{"a\x1b[2Jb", [][2]int{{0, 1}}, "ab"},
		{"", [][2]int{{0, 0}}, ""},
	} {
		if got := toned(page.Changed(page.DiffLine{Text: tt.text, Words: tt.words}, theme.Added, theme.AddedWord)); got != tt.want {
			t.Errorf("%q %v: got %q, want %q", tt.text, tt.words, got, tt.want)
		}
	}
}

// A line whose first change is out of sight is cut in its middle, both lines of
// a pair at the same cell.
func TestTheFirstChangeIsInSight(t *testing.T) {
	old := page.DiffLine{Kind: '-', Text: "server pg-test-1 10.10.10.11:6432 weight 100", Words: [][2]int{{41, 44}}, Pair: 1, Old: 9}
	new := page.DiffLine{Kind: '+', Text: "server pg-test-1 10.10.10.11:6432 weight 5", Words: [][2]int{{41, 42}}, Pair: 1, New: 9}
	for _, tt := range []struct {
		room, left int
		old, new   string
	}{
		{44, 0, "server pg-test-1 10.10.10.11:6432 weight 100", "server pg-test-1 10.10.10.11:6432 weight 5"},
		{43, 0, "server pg-test-1 10.10.10.1…6432 weight 100", "server pg-test-1 10.10.10.1…6432 weight 5"},
		{20, 0, "server…32 weight 100", "server…32 weight 5"},
		{6, 0, "se…100", "se…5"},
		{1, 0, "…", "…"},
		{20, 16, "…10.10.10.11:6432 w…", "…10.10.10.11:6432 w…"},
		{20, 32, "… weight 100", "… weight 5"},
		{20, 48, "", ""},
	} {
		var d document
		d.block([]page.DiffLine{old}, []page.DiffLine{new}, 0)
		r := d.split.rows[0]
		if a, b := r.old.fitted(tt.left, tt.room).String(), r.new.fitted(tt.left, tt.room).String(); a != tt.old || b != tt.new {
			t.Errorf("%d cells from %d: got %q and %q, want %q and %q", tt.room, tt.left, a, b, tt.old, tt.new)
		}
	}
}

// FuzzCode: what is toned is what was cleaned, and spans never leave the line.
func FuzzCode(f *testing.F) {
	fuzz.Target(f)
	f.Add("    server pg-test-1 10.10.10.11:6432 check # x", 4, 10)
	f.Add("acl \"a # \\\" b\" 'c", 1, 2)
	f.Add("日\t\x1b]0;x\x07\xff", 0, 3)
	th := theme.New(theme.Options{})
	f.Fuzz(func(t *testing.T, raw string, from, to int) {
		want := text.Clean(page.Spaced(raw))
		if got := page.Code(raw).String(); got != want {
			t.Fatalf("code of %q: %q, want %q", raw, got, want)
		}
		l := page.DiffLine{Kind: '+', Text: raw, Words: [][2]int{{from, to}}, Pair: 1}
		if got := page.Changed(l, theme.Added, theme.AddedWord).String(); got != want {
			t.Fatalf("%q with words %d..%d: %q, want %q", raw, from, to, got, want)
		}
		var d document
		d.code([]page.DiffLine{{Kind: '-', Text: raw, Pair: 1}, l, {Kind: ' ', Text: raw}})
		for _, r := range d.split.rows {
			for _, w := range []int{1, 20, 139, 140, 200} {
				screen := widget.Render([]widget.Line{d.draw(r, w, from%64)}, w, 1, th)
				if n := ansi.StringWidth(screen); n > w {
					t.Fatalf("%q takes %d cells of %d: %q", raw, n, w, screen)
				}
			}
		}
	})
}

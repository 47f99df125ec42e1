package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgtui/internal/fuzz"
	"pgtui/internal/text"
)

// marked writes a line with its changed words in brackets.
func marked(text string, words [][2]int) string {
	var b strings.Builder
	at := 0
	for _, w := range words {
		b.WriteString(text[at:w[0]] + "[" + text[w[0]:w[1]] + "]")
		at = w[1]
	}
	return b.String() + text[at:]
}

func TestChangedWords(t *testing.T) {
	tests := []struct{ old, new, removed, added string }{
		{"weight 100", "weight 50", "weight [100]", "weight [50]"},
		{"same", "same", "same", "same"},
		{"server pg-test-1 10.10.10.11:6432 check", "server pg-test-2 10.10.10.12:6432 check", "server pg-test-[1] 10.10.10.[11]:6432 check", "server pg-test-[2] 10.10.10.[12]:6432 check"},
		{"10.10.10.11:6432", "10.10.10.12:5432", "10.10.10.[11:6432]", "10.10.10.[12:5432]"}, // one mark between them
		{"weight 100", "weight 100 backup", "weight 100", "weight 100 [backup]"},
		{"weight 100 ", "weight 100", "weight 100[ ]", "weight 100"},
		{"\tmode tcp", "    mode tcp", "[\t]mode tcp", "[    ]mode tcp"},
		{"mode tcp", "mode http", "mode [tcp]", "mode [http]"},
		{"# größe 日本語 x", "# größe 日本 x", "# größe [日本語] x", "# größe [日本] x"},
		{"", "a b", "", "[a b]"},
		{"maxconn 3000 # a_b", "maxconn 5000 # a_c", "maxconn [3000] # [a_b]", "maxconn [5000] # [a_c]"},
	}
	for _, tt := range tests {
		r, a := changedWords(tt.old, tt.new)
		if got := marked(tt.old, r); got != tt.removed {
			t.Errorf("%q → %q: removed %q, want %q", tt.old, tt.new, got, tt.removed)
		}
		if got := marked(tt.new, a); got != tt.added {
			t.Errorf("%q → %q: added %q, want %q", tt.old, tt.new, got, tt.added)
		}
	}
	if r, a := changedWords("weight 100", "weight 50"); !slices.Equal(r, [][2]int{{7, 10}}) || !slices.Equal(a, [][2]int{{7, 9}}) {
		t.Errorf("in bytes: %v and %v", r, a)
	}
}

func TestTokens(t *testing.T) {
	got := strings.Join(tokens("  server pg_1 *:5433\té1\u0301\u3000x"), "|")
	if want := "  |server| |pg_1| |*|:|5433|\t|é1\u0301|\u3000|x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// paired writes the first hunk: kind, pair and text with its changed words in brackets.
func paired(old, new string) string {
	var out []string
	for _, l := range Diff([]byte(old), []byte(new))[0].Lines {
		out = append(out, fmt.Sprintf("%s%d %s", l.Kind.Mark(), l.Pair, marked(l.Text, l.Words)))
	}
	return strings.Join(out, "\n")
}

func TestRemovedLinesFindWhatTookTheirPlace(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"one server goes, another's weight changes",
			"server a 10.0.0.1:6432 weight 100\nserver b 10.0.0.2:6432 weight 100\n",
			"server b 10.0.0.2:6432 weight 50\n",
			"-0 server a 10.0.0.1:6432 weight 100\n-1 server b 10.0.0.2:6432 weight [100]\n+1 server b 10.0.0.2:6432 weight [50]"},
		{"the same server sooner than the most pairs",
			"server a 10.0.0.1:6432 weight 100\nserver b 10.0.0.2:6432 weight 100\nend\n",
			"server b 10.0.0.2:6432 weight 50\nserver c 10.0.0.3:6432 weight 50\nend\n",
			"-0 server a 10.0.0.1:6432 weight 100\n-1 server b 10.0.0.2:6432 weight [100]\n+1 server b 10.0.0.2:6432 weight [50]\n+0 server c 10.0.0.3:6432 weight 50\n 0 end"},
		{"in order only",
			"mode tcp\nmaxconn 3000\n",
			"maxconn 5000\nmode http\n",
			"-0 mode tcp\n-1 maxconn [3000]\n+1 maxconn [5000]\n+0 mode http"},
		{"nothing in common",
			"option httpchk\n", "balance leastconn\n",
			"-0 option httpchk\n+0 balance leastconn"},
		{"two blocks count on",
			"bind *:1\nsame\nbind *:3\n", "bind *:2\nsame\nbind *:4\n",
			"-1 bind *:[1]\n+1 bind *:[2]\n 0 same\n-2 bind *:[3]\n+2 bind *:[4]"},
		{"a secret that cannot be shown",
			"user x insecure-password tiger\n", "user x insecure-password lion\n",
			"-1 user x insecure-password [********]\n+1 user x insecure-password [********]"},
		{"only the line end",
			"user x insecure-password tiger\n", "user x insecure-password tiger",
			"-1 user x insecure-password ********\n+1 user x insecure-password ********"},
		{"lines without words",
			"x\n#---\n", "x\n\n", " 0 x\n-0 #---\n+0 "},
		{"spelled out characters count as they are shown",
			"bind a\x1bb c\n", "bind a\x1bb d\n",
			"-1 bind a\\x1bb [c]\n+1 bind a\\x1bb [d]"},
	}
	for _, tt := range tests {
		if got := paired(tt.old, tt.new); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// A block too large to align is paired as its lines stand, in time.
func TestAHugeBlockIsPaired(t *testing.T) {
	var old, new strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&old, "server s%d weight 100\n", i)
		fmt.Fprintf(&new, "server s%d weight 50\n", i)
	}
	h := Diff([]byte(old.String()), []byte(new.String()))
	pairs := 0
	for _, l := range h[0].Lines {
		pairs = max(pairs, l.Pair)
		if len(l.Words) != 1 {
			t.Fatalf("%q has %v", l.Text, l.Words)
		}
	}
	if pairs != 3000 {
		t.Errorf("%d pairs", pairs)
	}
}

// FuzzWords: spans lie in their line, in order, apart and at characters, and
// lines that differ have some.
func FuzzWords(f *testing.F) {
	fuzz.Target(f)
	f.Add("server a 10.0.0.1:6432 weight 100", "server a 10.0.0.2:6432 weight 50 backup")
	f.Add("日本語 x", "日本 x\t ")
	f.Add("\xff\xfe a", "a \xff")
	f.Fuzz(func(t *testing.T, old, new string) {
		old, new = text.Printable(old), text.Printable(new)
		r, a := changedWords(old, new)
		for _, side := range []struct {
			text  string
			words [][2]int
		}{{old, r}, {new, a}} {
			at := -1
			for _, w := range side.words {
				if w[0] <= at || w[1] <= w[0] || w[1] > len(side.text) || !utf8.ValidString(side.text[w[0]:w[1]]) {
					t.Fatalf("%v in %q", side.words, side.text)
				}
				at = w[1]
			}
		}
		if len(r)+len(a) == 0 && old != new {
			t.Fatalf("%q and %q do not differ", old, new)
		}
		if strings.Join(tokens(old), "") != old {
			t.Fatalf("tokens of %q: %q", old, tokens(old))
		}
	})
}

package haproxy

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgtui/internal/fuzz"
)

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
		text []string // unquoted; nil when a quote is not closed
	}{
		{"  server a 1:2 weight 5 # heavy\n", []string{"server", "a", "1:2", "weight", "5"}, []string{"server", "a", "1:2", "weight", "5"}},
		{`a "b # c" d`, []string{"a", `"b # c"`, "d"}, []string{"a", "b # c", "d"}},
		{`a 'b\' c`, []string{"a", `'b\'`, "c"}, []string{"a", `b\`, "c"}},
		{`"a\" b" c`, []string{`"a\" b"`, "c"}, []string{`a" b`, "c"}},
		{`a\ b\# c#d`, []string{`a\ b\#`, "c"}, []string{"a b#", "c"}},
		{"a\tb\vc\r\n", []string{"a", "b", "c"}, []string{"a", "b", "c"}},
		{`a "b c`, []string{"a", `"b c`}, nil},
		{`""`, []string{`""`}, []string{""}},
		{`a\`, []string{`a\`}, []string{`a\`}},
		{"# only\n", nil, []string{}},
	} {
		got := Words(tt.line)
		text, all := []string{}, true
		for _, w := range got {
			s, ok := Unquote(w)
			text, all = append(text, s), all && ok
		}
		if !slices.Equal(got, tt.want) || all != (tt.text != nil) || all && !slices.Equal(text, tt.text) {
			t.Errorf("%q: %q, unquoted %q, closed %v", tt.line, got, text, all)
		}
	}
}

func TestSections(t *testing.T) {
	const text = `# service: pg-test-primary
global
    bind *:1
listen pg-test-primary
    bind *:5433
    option httpchk
    http-check send meth OPTIONS uri /primary
    default-server inter 3s weight 100
    server pg-test-1 10.10.10.11:6432 check port 8008
    server pg-test-2 10.10.10.12:6432 check port 8008 weight 50 backup
frontend web
    bind 10.0.0.1:443,10.0.0.2:443 ssl crt /x.pem  # two
    bind /run/web.sock
backend web
    option httpchk GET /up
    server a 10.0.0.3:80 weight 1 weight 2
`
	want := []Section{
		{File: "a.cfg", Kind: "listen", Name: "pg-test-primary", Binds: []string{"*:5433"}, Check: "/primary",
			Settings: []string{"option httpchk", "http-check send meth OPTIONS", "default-server inter 3s weight 100"}, Servers: []ServerLine{
				{Name: "pg-test-1", Addr: "10.10.10.11:6432", CheckPort: "8008", Rest: []string{"check"}},
				{Name: "pg-test-2", Addr: "10.10.10.12:6432", CheckPort: "8008", Weight: "50", Backup: true, Rest: []string{"check"}}}},
		{File: "a.cfg", Kind: "frontend", Name: "web", Binds: []string{"10.0.0.1:443,10.0.0.2:443", "/run/web.sock"}, Settings: []string{"bind ssl crt /x.pem"}},
		{File: "a.cfg", Kind: "backend", Name: "web", Check: "/up", Settings: []string{"option httpchk GET"},
			Servers: []ServerLine{{Name: "a", Addr: "10.0.0.3:80", Weight: "2", Rest: []string{"weight", "1"}}}},
	}
	got := Sections("a.cfg", []byte(text))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if a, b := got[0].WeightOf(&got[0].Servers[0]), got[0].WeightOf(&got[0].Servers[1]); a != "100" || b != "50" {
		t.Errorf("weights %q and %q, want that of default-server and its own", a, b)
	}
	if s := Sections("b.cfg", []byte("listen x\n server y 1.2.3.4:5 check\n"))[0]; s.WeightOf(&s.Servers[0]) != "" {
		t.Errorf("a weight that no line sets: %+v", s)
	}
}

// TestDifferencesOfOtherSections: what runs beside the lines of a section is no
// difference where those servers have no line of their own.
func TestDifferencesOfOtherSections(t *testing.T) {
	px := &Proxy{Name: "web", Servers: []ServerRow{{Name: "a", UserWeight: 7}}}
	for text, want := range map[string]string{
		"frontend web\n bind :80\n":                                  "",
		"listen web\n server-template a 1-3 x.local:80\n":            "",
		"listen web\n bind :80\n":                                    "f: server a runs, the file does not have it",
		"listen web\n server a 1:2\n":                                "",
		"listen web\n default-server weight 8\n server a 1:2\n":      "f: server a runs with weight 7, the file has 8",
		"listen web\n server a 1:2 backup\n":                         "f: server a runs as a regular server, the file has a backup",
		"listen web\n server a 1:2 weight 7\n server b 1:2\n":        "f: server b does not run",
		"listen web\n server a 1:2 weight 7\n server-template b 3 x": "",
	} {
		sec := Sections("f", []byte(text))[0]
		if got := strings.Join(sec.Differences(px), "; "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzSections(f *testing.F) {
	fuzz.Target(f)
	f.Add("a.cfg", []byte("listen a\n bind *:5433\n server b c:1 weight 2 backup\n"))
	f.Add("\x1b.cfg", []byte("frontend \"x y\"\n bind :1,:2-9 ssl\n"))
	f.Add("b.cfg", []byte("listen \"a b\" # c\n server x\\ y 1:1 weight\nlisten\nbind\nserver\nhttp-check send uri\n"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		odd := func(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) && !strings.Contains(s, "\t") }
		sections := Sections(name, b)
		for _, s := range sections {
			text := s.File + s.Kind + s.Name + s.Check + strings.Join(append(s.Binds, s.Settings...), "")
			for _, v := range s.Servers {
				text += v.Name + v.Addr + v.CheckPort + v.Weight + strings.Join(v.Rest, "")
			}
			if odd(text) {
				t.Fatalf("%q", text)
			}
		}
		for _, c := range Clashes(sections) {
			if c.Port < 1 || c.Port > 65535 || len(c.Sections) < 2 {
				t.Fatalf("%+v", c)
			}
		}
	})
}

// FuzzWords: a line of the words of a line has the same words.
func FuzzWords(f *testing.F) {
	fuzz.Target(f)
	f.Add(`server "a b" 'c\' \# # d`)
	f.Add("server \\\r ")
	f.Fuzz(func(t *testing.T, line string) {
		line, _, _ = strings.Cut(line, "\n")
		words := Words(line)
		for _, w := range words {
			if w == "" || !slices.Equal(Words(w), []string{w}) {
				t.Fatalf("%q: the word %q is not one", line, w)
			}
		}
		if again := Words(strings.Join(words, " ")); !slices.Equal(again, words) {
			t.Fatalf("%q: %q, again %q", line, words, again)
		}
	})
}

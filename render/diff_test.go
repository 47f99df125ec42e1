package render

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"pgtui/internal/fuzz"
	"pgtui/internal/text"
)

const primaryCfg = `# ansible managed: 2026-11-20 09:30:00
#---------------------------------------------------------------------
# service: pg-test-primary @ 10.10.10.11:5433
#---------------------------------------------------------------------
# service instances 10.10.10.11, 10.10.10.12
# service backups   
listen pg-test-primary
    bind *:5433
    mode tcp
    maxconn 5000
    balance roundrobin
    option httpchk
    option http-keep-alive
    http-check send meth OPTIONS uri /primary
    http-check expect status 200
    default-server inter 2s fastinter 1s downinter 2s rise 3 fall 3 weight 100

    # servers
    server pg-test-1 10.10.10.11:6432 check port 8008 weight 100 
    server pg-test-2 10.10.10.12:6432 check port 8008 weight 100 
`

func edit(s string, pairs ...string) []byte {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			panic("not in the file: " + pairs[i])
		}
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	return []byte(s)
}

func TestUnified(t *testing.T) {
	old := []byte(primaryCfg)
	tests := []struct {
		name     string
		old, new []byte
		want     string
	}{
		{name: "same file", old: old, new: old},
		{name: "Pigsty upgraded: only the template's date moved", old: old, new: edit(primaryCfg, "2026-11-20", "2026-12-01")},
		{
			name: "one weight", old: old, new: edit(primaryCfg, "2026-11-20", "2026-12-01", "12:6432 check port 8008 weight 100", "12:6432 check port 8008 weight 50"),
			want: "--- a/f.cfg\n+++ b/f.cfg\n@@ -17,4 +17,4 @@\n \n     # servers\n" +
				"     server pg-test-1 10.10.10.11:6432 check port 8008 weight 100 \n" +
				"-    server pg-test-2 10.10.10.12:6432 check port 8008 weight 100 \n" +
				"+    server pg-test-2 10.10.10.12:6432 check port 8008 weight 50 \n",
		},
		{
			name: "another comment than the date is a difference", old: []byte("# by hand: a\n"), new: []byte("# by hand: b\n"),
			want: "--- a/f.cfg\n+++ b/f.cfg\n@@ -1 +1 @@\n-# by hand: a\n+# by hand: b\n",
		},
		{
			name: "the date line itself went away", old: []byte("# ansible managed: 1\nlisten a\n"), new: []byte("listen a\n"),
			want: "--- a/f.cfg\n+++ b/f.cfg\n@@ -1,2 +1 @@\n-# ansible managed: 1\n listen a\n",
		},
		{name: "service retired", old: []byte("listen a\n"), want: "--- a/f.cfg\n+++ /dev/null\n@@ -1 +0,0 @@\n-listen a\n"},
		{name: "service added", new: []byte("listen a\n"), want: "--- /dev/null\n+++ b/f.cfg\n@@ -0,0 +1 @@\n+listen a\n"},
		{name: "empty file retired", old: []byte{}, want: "--- a/f.cfg\n+++ /dev/null\n"},
		{
			name: "last line end lost", old: []byte("a\nb\n"), new: []byte("a\nb"),
			want: "--- a/f.cfg\n+++ b/f.cfg\n@@ -1,2 +1,2 @@\n a\n-b\n+b\n\\ No newline at end of file\n",
		},
		{
			name: "a password and an escape sequence", old: []byte("user x insecure-password tiger\n"), new: []byte("user x insecure-password lion\nlisten \x1b[2J\u202e\n"),
			want: "--- a/f.cfg\n+++ b/f.cfg\n@@ -1 +1,2 @@\n-user x insecure-password ********\n+user x insecure-password ********\n+listen \\x1b[2J\\u202e\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Unified("f.cfg", tt.old, tt.new); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

func TestMaskSecrets(t *testing.T) {
	tests := map[string]string{
		"    user haproxy insecure-password haproxy":             "    user haproxy insecure-password ********",
		"user admin password $6$salt$hash groups admin":          "user admin password ********",
		"\tstats auth admin:pigsty":                              "\tstats auth admin:********",
		"# password: tiger":                                      "# password: ********",
		`http-check send hdr Authorization "Basic cGlnOnN0eQ=="`: `http-check send hdr Authorization ********`,
		"server pg-test-1 10.10.10.11:6432 check":                "server pg-test-1 10.10.10.11:6432 check",
		"user x password":                                        "user x password",
		"":                                                       "",
		"   ":                                                    "   ",
	}
	for in, want := range tests {
		if got := MaskSecrets(in); got != want {
			t.Errorf("MaskSecrets(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestKeepDate(t *testing.T) {
	want, have := []byte("# ansible managed: new\nlisten a\n"), []byte("# ansible managed: old\nlisten b\n")
	got := KeepDate(want, have)
	if string(got) != "# ansible managed: old\nlisten a\n" {
		t.Errorf("got %q", got)
	}
	if string(want) != "# ansible managed: new\nlisten a\n" {
		t.Errorf("the argument changed: %q", want)
	}
}

// FuzzDiff: a diff never prints what a terminal obeys, and replaying its
// lines over plain files gives the new file.
func FuzzDiff(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte(primaryCfg), edit(primaryCfg, "weight 100 \n", "weight 50 \n"))
	f.Add([]byte("a\nb\nc"), []byte("a\nc\n"))
	f.Add([]byte("x\x1b]0;t\x07\r\n"), []byte("x\xff\n"))
	f.Fuzz(func(t *testing.T, old, new []byte) {
		raw := Unified("f", old, new)
		for _, r := range raw {
			if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
				t.Fatalf("%q is not printable in %q", r, raw)
			}
		}
		if SameFile(old, new) != (raw == "") {
			t.Fatalf("same is %v, diff is %q", SameFile(old, new), raw)
		}
		plain := func(b []byte) bool {
			for l := range strings.Lines(string(b)) {
				l = strings.TrimSuffix(l, "\n")
				if text.Printable(MaskSecrets(l)) != l {
					return false
				}
			}
			return true
		}
		if plain(old) && plain(new) {
			if got := replay(string(KeepDate(old, new)), Diff(old, new)); got != string(new) {
				t.Fatalf("replay gives %q, want %q", got, new)
			}
		}
	})
}

// replay applies hunks to a file.
func replay(old string, hunks []Hunk) string {
	var lines []string
	for l := range strings.Lines(old) {
		lines = append(lines, l)
	}
	var b strings.Builder
	at := 0
	for _, h := range hunks {
		start := h.OldStart - 1
		if h.OldCount == 0 {
			start = h.OldStart
		}
		for ; at < start; at++ {
			b.WriteString(lines[at])
		}
		for _, l := range h.Lines {
			text := l.Text
			if !l.NoEOL {
				text += "\n"
			}
			if l.Kind != LineAdded {
				at++
			}
			if l.Kind != LineRemoved {
				b.WriteString(text)
			}
		}
	}
	for ; at < len(lines); at++ {
		b.WriteString(lines[at])
	}
	return b.String()
}

// BenchmarkDiff: a file of 200 servers with one weight changed; budget 2 ms.
func BenchmarkDiff(b *testing.B) {
	var old bytes.Buffer
	old.WriteString(primaryCfg)
	for i := range 200 {
		fmt.Fprintf(&old, "    server pg-test-%d 10.10.%d.%d:6432 check port 8008 weight 100 \n", i+3, i/250, i%250)
	}
	after := bytes.Replace(old.Bytes(), []byte("pg-test-99 10.10.0.96:6432 check port 8008 weight 100"), []byte("pg-test-99 10.10.0.96:6432 check port 8008 weight 50"), 1)
	if len(Diff(old.Bytes(), after)) != 1 {
		b.Fatal("the benchmark compares equal files")
	}
	for b.Loop() {
		Diff(old.Bytes(), after)
	}
}

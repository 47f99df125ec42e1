package apply

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/internal/fuzz"
)

// TestRename: nobody but pgtui knows the staging directory.
func TestRename(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, root, staged, in, want string }{
		{"a node", "", "/etc/haproxy/.pgtui-1/conf.d", "parsing [/etc/haproxy/.pgtui-1/conf.d/a.cfg:3] : x", "parsing [/etc/haproxy/conf.d/a.cfg:3] : x"},
		{"a sandbox", "/tmp/s", "/tmp/s/etc/haproxy/.pgtui-1/conf.d", "[/tmp/s/etc/haproxy/.pgtui-1/conf.d/a.cfg:3]", "[/etc/haproxy/conf.d/a.cfg:3]"},
		{"a sandbox that hides its root", "/tmp/s", "/tmp/s/etc/haproxy/.pgtui-1/conf.d", "[/etc/haproxy/.pgtui-1/conf.d/a.cfg:3]", "[/etc/haproxy/conf.d/a.cfg:3]"},
		{"another file", "", "/etc/haproxy/.pgtui-1/conf.d", "[/etc/haproxy/haproxy.cfg:3]", "[/etc/haproxy/haproxy.cfg:3]"},
		{"before anything was staged", "", "", "mv: no", "mv: no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &run{dir: "/etc/haproxy/conf.d", root: tt.root, staged: tt.staged}
			if got := r.rename(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzParseEvent: any line of a node becomes one event that is safe to print,
// and following it never panics.
func FuzzParseEvent(f *testing.F) {
	fuzz.Target(f)
	for _, l := range append(slices.Clone(good), "@text check [ALERT] (1) : [/x:1] : \x1b[2J", "@state new", "@fail", "@", "@begin nonsense", "mv: cannot stat", "@ok backup") {
		f.Add(l)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e := parseEvent(line)
		if _, known := eventKind(e.kind); !known {
			t.Fatalf("kind %q", e.kind)
		}
		if strings.ContainsAny(e.text+e.step, "\x1b\x00\r\n\x7f") {
			t.Fatalf("not safe to print: %q", e.text)
		}
		r := &run{now: time.Now, reached: map[string]bool{}}
		r.line(line)
		r.line("@begin check")
		r.line("@text check " + line)
		r.line("@fail check " + line)
		if r.err == nil {
			t.Fatal("a failure was lost")
		}
	})
}

package transport

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgtui/internal/fuzz"
)

func TestStream(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		out      string
		noise    string
		lines    []string
		exit     int
		done     bool
	}{
		{name: "plain", in: ready + "\na\nb\n\nEND 0\n", out: "a\nb\n", lines: []string{"a", "b"}, done: true},
		{name: "no last line feed", in: ready + "\na\nb\nEND 2\n", out: "a\nb", lines: []string{"a", "b"}, exit: 2, done: true},
		{name: "no output", in: ready + "\n\nEND 0\n", done: true},
		{name: "empty lines", in: ready + "\n\n\na\n\n\nEND 0\n", out: "\n\na\n\n", lines: []string{"", "", "a", ""}, done: true},
		{name: "a banner first", in: "Welcome!\n" + ready + "\r\na\n\nEND 0\n", out: "a\n", noise: "Welcome!\n", lines: []string{"a"}, done: true},
		{name: "never ready", in: "Welcome!\nEND 0\n", noise: "Welcome!\nEND 0\n"},
		{name: "cut off", in: ready + "\na\nb", out: "a\nb", lines: []string{"a"}},
		{name: "looks like the end", in: ready + "\nEND x\nEND 256\nxEND 0\n\nEND 0\n", out: "END x\nEND 256\nxEND 0\n", lines: []string{"END x", "END 256", "xEND 0"}, done: true},
		{name: "more after the end", in: ready + "\na\n\nEND 0\nb\nEND 1\n", out: "a\n", lines: []string{"a"}, done: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, size := range []int{1, 3, 1000} {
				var lines []string
				s := newStream("END", func(l string) { lines = append(lines, l) }, false)
				for part := range slices.Chunk([]byte(tc.in), size) {
					s.Write(part)
				}
				if string(s.out) != tc.out || string(s.noise) != tc.noise || s.exit != tc.exit || s.done != tc.done || !slices.Equal(lines, tc.lines) {
					t.Errorf("in parts of %d: out %q noise %q lines %q exit %d done %v", size, s.out, s.noise, lines, s.exit, s.done)
				}
			}
		})
	}
}

func TestStreamIsBounded(t *testing.T) {
	longest := 0
	s := newStream("END", func(l string) { longest = max(longest, len(l)) }, false)
	s.Write([]byte(ready + "\n"))
	long := bytes.Repeat([]byte("x"), 1<<20)
	for range 10 {
		s.Write(long)
	}
	s.Write([]byte("\n\nEND 5\n"))
	if len(s.out) != maxStdout || !s.truncated || longest != maxLine || !s.done || s.exit != 5 {
		t.Errorf("%d bytes, truncated %v, longest line %d, done %v, exit %d", len(s.out), s.truncated, longest, s.done, s.exit)
	}
	quiet := newStream("END", nil, false)
	for range 100 {
		quiet.Write([]byte(strings.Repeat("y", 1000) + "\n"))
	}
	if len(quiet.noise) > 6<<10 {
		t.Errorf("%d bytes of banner", len(quiet.noise))
	}
}

func FuzzStream(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte("a\nb\n"), 2)
	f.Add([]byte("\n\n"), 1)
	f.Add([]byte("END 0"), 3)
	f.Fuzz(func(t *testing.T, out []byte, size int) {
		in := slices.Concat([]byte(ready+"\n"), out, []byte("\nENDWORD 9\n"))
		if bytes.Contains(out, []byte("ENDWORD")) {
			return
		}
		s := newStream("ENDWORD", nil, false)
		for part := range slices.Chunk(in, max(1, size%64)) {
			s.Write(part)
		}
		if !s.done || s.exit != 9 || !bytes.Equal(s.out, out) {
			t.Fatalf("done %v exit %d out %q, want %q", s.done, s.exit, s.out, out)
		}
	})
}

package model

import (
	"slices"
	"testing"
)

// TestEditorOpensAtTheLine: each editor has its own way to name a line, and one
// that is unknown gets the file.
func TestEditorOpensAtTheLine(t *testing.T) {
	for _, tt := range []struct {
		words []string
		file  string
		line  int
		want  []string
	}{
		{[]string{"vim"}, "pigsty.yml", 12, []string{"vim", "+12", "pigsty.yml"}},
		{[]string{"/usr/bin/nano", "-w"}, "pigsty.yml", 12, []string{"/usr/bin/nano", "-w", "+12", "pigsty.yml"}},
		{[]string{"emacsclient", "-nw"}, "a/b.yml", 1, []string{"emacsclient", "-nw", "+1", "a/b.yml"}},
		{[]string{"code", "--wait"}, "pigsty.yml", 7, []string{"code", "--wait", "-g", "pigsty.yml:7"}},
		{[]string{"hx"}, "pigsty.yml", 7, []string{"hx", "pigsty.yml:7"}},
		{[]string{"ed"}, "pigsty.yml", 7, []string{"ed", "pigsty.yml"}},
		{[]string{"vi"}, "pigsty.yml", 0, []string{"vi", "pigsty.yml"}},
		{[]string{"vi"}, "-c:q", 3, []string{"vi", "+3", "./-c:q"}},
	} {
		if got := Editor(tt.words, tt.file, tt.line).Argv; !slices.Equal(got, tt.want) {
			t.Errorf("%q %s:%d: %q, expected %q", tt.words, tt.file, tt.line, got, tt.want)
		}
	}
}

// TestKeeps: a shell's exit code is that of the last command in it, which is no
// failure of the shell.
func TestKeeps(t *testing.T) {
	for _, tt := range []struct {
		keep Keep
		exit int
		want bool
	}{
		{KeepFailed, 0, false}, {KeepFailed, 2, true}, {KeepRefused, 1, false}, {KeepRefused, 255, true}, {KeepAlways, 0, true},
	} {
		p := Program{Keep: tt.keep}
		if got := p.Keeps(tt.exit); got != tt.want {
			t.Errorf("%d after exit %d: %v", tt.keep, tt.exit, got)
		}
	}
}

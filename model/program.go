package model

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Program is a program that gets the operator's terminal: a shell, psql, an
// editor, a command of the configuration.
type Program struct {
	// Title names it in a message: "the shell on 10.10.10.11".
	Title string
	// Argv is the program and its arguments. Other users of this machine can see
	// them, so that none is a secret.
	Argv []string
	Env  []string // NAME=value, beside the environment of pgtui
	Dir  string   // to start it in; "" is pgtui's own directory
	Node string   // address of the node it runs on; "" is this machine
	// Keep says when what it printed stays on the screen until a key is pressed.
	Keep Keep
}

// Keep is when the output of a program stays on the screen.
type Keep int

// The zero Keep is for programs whose exit code shows a failure.
const (
	KeepFailed  Keep = iota // after an exit code other than 0
	KeepRefused             // after 255 only, ssh's own: other codes are of the last command in the shell
	KeepAlways              // it prints and ends
)

// Keeps reports whether the output stays after an exit code.
func (p *Program) Keeps(exit int) bool {
	switch p.Keep {
	case KeepAlways:
		return true
	case KeepRefused:
		return exit == sshFailed
	}
	return exit != 0
}

// sshFailed is ssh's exit code where the connection failed.
const sshFailed = 255

// Editor is the program that edits a file at a line; line 0 leaves the place to
// it. words are the editor and its own arguments, as $VISUAL has them. An editor
// that pgtui does not know gets the file only.
func Editor(words []string, file string, line int) Program {
	if strings.HasPrefix(file, "-") {
		file = "./" + file
	}
	at := strconv.Itoa(line)
	args := []string{file}
	switch name := filepath.Base(words[0]); {
	case line < 1:
	case slices.Contains([]string{"vi", "vim", "nvim", "view", "gvim", "nano", "pico", "emacs", "emacsclient", "micro", "joe", "jed", "kak", "ne", "mg"}, name):
		args = []string{"+" + at, file}
	case slices.Contains([]string{"code", "codium", "code-insiders", "cursor"}, name):
		args = []string{"-g", file + ":" + at}
	case slices.Contains([]string{"hx", "helix", "subl", "zed"}, name):
		args = []string{file + ":" + at}
	}
	return Program{Title: filepath.Base(words[0]) + " " + file, Argv: slices.Concat(words, args)}
}

package widget

import (
	"unicode/utf8"

	"pgtui/internal/text"
)

// Input is one line of typed text. It has no blinking cursor: a screen on
// which nothing happens sends nothing.
type Input struct {
	Value string
	Max   int // characters it holds; 0 means 200
}

// Key applies one key by its name; typed is the text that the key types.
// It reports whether the key was one of editing.
func (in Input) Key(name, typed string) (Input, bool) {
	switch name {
	case "backspace":
		if in.Value != "" {
			_, n := utf8.DecodeLastRuneInString(in.Value)
			in.Value = in.Value[:len(in.Value)-n]
		}
		return in, true
	case "ctrl+u", "ctrl+w":
		in.Value = ""
		return in, true
	}
	typed = text.Clean(typed)
	if typed == "" {
		return in, false
	}
	limit := in.Max
	if limit == 0 {
		limit = 200
	}
	if utf8.RuneCountInString(in.Value)+utf8.RuneCountInString(typed) <= limit {
		in.Value += typed
	}
	return in, true
}

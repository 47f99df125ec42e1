package widget

import (
	"charm.land/bubbles/v2/textinput"

	"pgtui/tui/theme"
)

// NewInput is a line of text to edit, most characters long, with its caret at
// the end. The caret does not blink: a screen on which nothing happens sends
// nothing. Ctrl-v is not bound: only the terminal pastes.
func NewInput(value string, most int) textinput.Model {
	in := textinput.New()
	in.CharLimit = most
	in.SetVirtualCursor(false)
	in.KeyMap.Paste.SetEnabled(false)
	in.Focus()
	in.SetValue(value)
	return in
}

// InputLine is the text of in with its caret, in at most w cells: what is in
// front of the caret keeps its end.
func InputLine(in textinput.Model, tone theme.Tone, w int) Line {
	text, at := []rune(in.Value()), in.Position()
	return Raw(tone, Tail(string(text[:at]), max(w-1, 1))).AddRaw(theme.Key, "▏").AddRaw(tone, string(text[at:])).Trunc(w)
}

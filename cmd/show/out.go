package show

import (
	"fmt"
	"io"
	"strings"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
)

// Out is where an answer is printed as text, and how. The zero value of the rest
// cuts long texts and has no colours.
type Out struct {
	io.Writer           // in the language of the process
	File      io.Writer // for what files and logs have; nil is Writer
	Wide      bool      // every column, and no text is cut
	Colour    bool      // the terminal's own 16 colours
}

// mostText bounds a text that is not cut, in characters.
const mostText = 4096

// line is a text in one line of at most limit characters, of all with Wide.
func (o Out) line(s string, limit int) string {
	if o.Wide {
		limit = mostText
	}
	return text.Line(s, limit)
}

// wider is a line of a table with the columns that only -o wide has.
func (o Out) wider(line, more string) string {
	if o.Wide {
		return line + "\t" + more
	}
	return line
}

// hue is a colour of the terminal; the zero value is none.
type hue int

// The colours, by their code in SGR.
const (
	red    hue = 31
	green  hue = 32
	yellow hue = 33
	cyan   hue = 36
)

// tint is a word of pgtui in a colour.
func (o Out) tint(h hue, s string) string {
	if !o.Colour { // Writer translates it
		return s
	}
	return o.tintRaw(h, lang.Text(s))
}

// tintRaw is a text in a colour, as it is.
func (o Out) tintRaw(h hue, s string) string {
	if !o.Colour || h == 0 || s == "" {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", h, s)
}

// file is where goes what a file or a log has.
func (o Out) file() io.Writer {
	if o.File != nil {
		return o.File
	}
	return o
}

// Health is the sign and the word of a health.
func (o Out) Health(h model.Health) string {
	return o.tint(hueOf(h), Mark(h)+" "+h.String())
}

// hueOf is the colour of a health.
func hueOf(h model.Health) hue {
	switch h {
	case model.HealthOK:
		return green
	case model.HealthDown:
		return red
	}
	return yellow
}

// severity is the word of a severity.
func (o Out) severity(s model.Severity) string {
	switch s {
	case model.Critical:
		return o.tint(red, s.String())
	case model.Warning:
		return o.tint(yellow, s.String())
	}
	return s.String()
}

// verdict is the word for a verdict; those that are as they should be on one
// service and not on another have no colour.
func (o Out) verdict(v model.Verdict, word string) string {
	switch v {
	case model.Serving:
		return o.tint(green, word)
	case model.Down, model.Missing, model.Empty, model.Mismatch:
		if word != model.EmptyByDesign {
			return o.tint(red, word)
		}
	case model.Settling, model.Draining, model.Maint, model.Unknown:
		return o.tint(yellow, word)
	}
	return word
}

// Unified prints a unified diff.
func (o Out) Unified(diff string) {
	for line := range strings.Lines(diff) {
		switch rest := strings.TrimSuffix(line, "\n"); {
		case strings.HasPrefix(rest, "+++"), strings.HasPrefix(rest, "---"):
		case strings.HasPrefix(rest, "+"):
			line = o.tintRaw(green, rest) + "\n"
		case strings.HasPrefix(rest, "-"):
			line = o.tintRaw(red, rest) + "\n"
		case strings.HasPrefix(rest, "@@"):
			line = o.tintRaw(cyan, rest) + "\n"
		}
		fmt.Fprint(o.file(), line)
	}
}

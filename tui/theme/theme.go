// Package theme turns meaning into terminal attributes. Every state has a
// word and a shape of its own; colour is added to both, never instead of them.
package theme

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// Tone is what a piece of text means to the eye.
type Tone uint8

// The tones.
const (
	Plain   Tone = iota // ordinary text
	Dim                 // there when looked for: health, labels
	Strong              // names, numbers that matter
	Head                // headings of columns and sections
	Good                // serves now, ok
	Warn                // differs from what was promised
	Bad                 // clients suffer
	Doubt               // not known
	Info                // on its way: settling, asking, running
	Key                 // a key to press
	Added               // a line that a change adds
	Removed             // a line that a change removes
	Hunk                // the header of a hunk
	Alarm               // a banner that must not be missed
	count
)

// Theme holds the escape sequences of each tone, plain and under the cursor.
type Theme struct {
	open [count]string
	on   [count]string
	// ASCII replaces every shape by one of US-ASCII, cell for cell.
	ASCII bool
}

// Options choose a theme.
type Options struct {
	ASCII bool // the terminal's character set is not UTF-8
}

// New makes the theme of the terminal's own 16 colours. What NO_COLOR and
// poorer terminals cannot show is taken out again on the way to the screen.
func New(o Options) *Theme {
	t := &Theme{ASCII: o.ASCII}
	st := lipgloss.NewStyle
	styles := [count]lipgloss.Style{
		Dim:     st().Faint(true),
		Strong:  st().Bold(true),
		Head:    st().Foreground(lipgloss.Cyan),
		Good:    st().Bold(true).Foreground(lipgloss.Green),
		Warn:    st().Foreground(lipgloss.Yellow),
		Bad:     st().Bold(true).Foreground(lipgloss.Red),
		Doubt:   st().Foreground(lipgloss.Magenta),
		Info:    st().Foreground(lipgloss.Cyan),
		Key:     st().Bold(true),
		Added:   st().Foreground(lipgloss.Green),
		Removed: st().Foreground(lipgloss.Red),
		Hunk:    st().Foreground(lipgloss.Cyan),
		Alarm:   st().Bold(true).Foreground(lipgloss.Red).Reverse(true),
	}
	for i, s := range styles {
		t.open[i] = opening(s)
		t.on[i] = opening(s.Reverse(true))
	}
	return t
}

// opening is the escape sequence a style begins with; "" when it has none.
func opening(s lipgloss.Style) string {
	open, _, _ := strings.Cut(s.Render("x"), "x")
	return open
}

// Open is the sequence that begins a tone, on the cursor or off it; "" for
// plain text off the cursor. ansi.ResetStyle ends it.
func (t *Theme) Open(tone Tone, on bool) string {
	if on {
		return t.on[tone]
	}
	return t.open[tone]
}

// Detect reads the options from an environment of KEY=value strings, by the
// rules of setlocale: LC_ALL, then LC_CTYPE, then LANG.
func Detect(environ []string) Options {
	value := map[string]string{}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok {
			value[k] = v
		}
	}
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := value[k]; v != "" {
			v = strings.ToLower(v)
			return Options{ASCII: !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")}
		}
	}
	return Options{ASCII: true}
}

// Glyph is the US-ASCII shape that stands for r, of the same width; '?' for a
// rune that has none.
func Glyph(r rune) byte {
	switch r {
	case '●':
		return '*'
	case '○', '◌':
		return 'o'
	case '✕', '×':
		return 'x'
	case '✓':
		return '+'
	case '≠', '▲':
		return '!'
	case '▸', '›', '→', '»':
		return '>'
	case '◂', '‹', '←':
		return '<'
	case '–', '—', '─', '‐':
		return '-'
	case '│', '▏', '┃':
		return '|'
	case '┌', '┐', '└', '┘', '╭', '╮', '╰', '╯', '├', '┤', '┼':
		return '+'
	case '·', '•', '…', '░':
		return '.'
	case '█', '▌':
		return '#'
	case '↑':
		return '^'
	case '↓':
		return 'v'
	case '≤':
		return '<'
	case '\u00a0', '\u202f', '\u2009':
		return ' '
	case '’', '‘':
		return '\''
	case '“', '”':
		return '"'
	}
	return '?'
}

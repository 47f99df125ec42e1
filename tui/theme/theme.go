// Package theme turns meaning into terminal attributes. Every state has a
// word and a shape of its own; colour is added to both, never instead of them.
package theme

import (
	"cmp"
	"image/color"
	"math"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// Tone is what a piece of text means to the eye.
type Tone uint8

// The tones.
const (
	Plain      Tone = iota // ordinary text
	Dim                    // there when looked for: health, labels
	Strong                 // names, numbers that matter
	Head                   // headings of columns and sections
	Good                   // serves now, ok
	Warn                   // differs from what was promised
	Bad                    // clients suffer
	Doubt                  // unknown
	Info                   // on its way: settling, probing, running
	Key                    // a key to press
	Added                  // a line that a change adds
	Removed                // a line that a change removes
	AddedWord              // the words of such a line that are new
	GoneWord               // the words of such a line that go
	Hunk                   // the header of a hunk
	Keyword                // the first word of a line of a configuration, and its name
	Alarm                  // a banner that must not be missed
	FlagYellow             // banners of contexts, in the colour of the configuration
	FlagGreen
	FlagBlue
	FlagMagenta
	FlagCyan
	count
)

// Theme holds the escape sequences of each tone, off the cursor and on it.
type Theme struct {
	open [count]string
	on   [count]string
	// ASCII replaces every shape by one of US-ASCII, cell for cell.
	ASCII bool
}

// Options choose a theme.
type Options struct {
	ASCII bool   // the terminal's character set is not UTF-8
	Name  string // terminal, dark, light, colour-blind, none; "" is terminal
	// Few says that the terminal shows 16 colours or fewer: none of them is a tint
	// of its background.
	Few bool
	// Background is what the terminal reported as its background; nil when it did
	// not, or not yet.
	Background color.Color
}

// New makes the theme of the terminal's own 16 colours. What NO_COLOR and
// poorer terminals cannot show is taken out again on the way to the screen.
func New(o Options) *Theme {
	t := &Theme{ASCII: o.ASCII}
	st := lipgloss.NewStyle
	p := paletteOf(o.Name)
	flag := func(c color.Color) lipgloss.Style { return st().Bold(true).Foreground(c).Reverse(true) }
	styles := [count]lipgloss.Style{
		Dim:     st().Faint(true),
		Strong:  st().Bold(true),
		Head:    st().Foreground(p.accent),
		Good:    st().Bold(true).Foreground(p.good),
		Warn:    st().Foreground(p.warn),
		Bad:     st().Bold(true).Foreground(p.bad),
		Doubt:   st().Foreground(p.doubt),
		Info:    st().Foreground(p.accent),
		Key:     st().Bold(true),
		Added:   st().Foreground(p.good),
		Removed: st().Foreground(p.bad),
		Hunk:    st().Foreground(p.accent),
		Keyword: st().Foreground(p.accent),
		Alarm:   flag(p.bad),

		// Reversed, so that they are seen without colours too, and so that space is.
		AddedWord: st().Foreground(p.good).Reverse(true), GoneWord: st().Foreground(p.bad).Reverse(true),

		FlagYellow: flag(lipgloss.Yellow), FlagGreen: flag(lipgloss.Green), FlagBlue: flag(lipgloss.Blue),
		FlagMagenta: flag(lipgloss.Magenta), FlagCyan: flag(lipgloss.Cyan),
	}
	if p.dim != nil {
		styles[Dim] = st().Foreground(p.dim)
	}
	tint := o.tint(p)
	for i, s := range styles {
		t.open[i] = opening(s)
		t.on[i] = opening(under(s, Tone(i), p, tint))
	}
	return t
}

// under is a style on the row of the cursor: its colour stays, and what is faint
// becomes plain. Without a tint the row is in reverse video, which has the
// contrast that the row has off the cursor.
func under(s lipgloss.Style, tone Tone, p palette, tint color.Color) lipgloss.Style {
	if tone == Dim {
		s = lipgloss.NewStyle()
	}
	switch {
	case tint == nil:
		return s.Reverse(true)
	case s.GetReverse():
		return s
	case p.text != nil && (tone == Plain || tone == Dim || tone == Strong || tone == Key):
		s = s.Foreground(p.text)
	}
	return s.Background(tint)
}

// Requests reports whether the terminal is to report its background.
func (o Options) Requests() bool { return !o.Few && o.Name != "none" && o.Background == nil }

// tint is the background of the row under the cursor; nil where the terminal has
// no colour for it, or its background is unknown.
func (o Options) tint(p palette) color.Color {
	back := cmp.Or(o.Background, p.back)
	if o.Few || o.Name == "none" || back == nil {
		return nil
	}
	return tintOf(back)
}

// tintContrast is the contrast of the tint with the background: enough to see the
// row, and text on it keeps seven tenths of its own contrast.
const tintContrast = 1.4

// tintOf is the colour nearest to a background that has tintContrast with it,
// towards white on a dark one and towards black on a light one.
func tintOf(back color.Color) color.Color {
	to := uint32(0xffff)
	if luminance(back) > 0.18 { // black text has more contrast with it than white text
		to = 0
	}
	r, g, b, _ := back.RGBA()
	for part := uint32(1); part < 100; part++ {
		mix := func(c uint32) uint8 { return uint8((c*(100-part) + to*part) / 100 >> 8) } //nolint:gosec // 16 bits, shifted to 8
		if c := (color.RGBA{mix(r), mix(g), mix(b), 0xff}); contrast(c, back) >= tintContrast {
			return c
		}
	}
	return nil
}

// contrast is WCAG's contrast ratio of two colours, 1 to 21.
func contrast(a, b color.Color) float64 {
	la, lb := luminance(a)+0.05, luminance(b)+0.05
	return max(la, lb) / min(la, lb)
}

// luminance is WCAG's relative luminance, 0 to 1.
func luminance(c color.Color) float64 {
	linear := func(v uint32) float64 {
		f := float64(v) / 0xffff
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	r, g, b, _ := c.RGBA()
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// palette is the colours of a theme. text and back are those of a terminal that
// the theme is made for; nil where it fits any.
type palette struct{ good, warn, bad, doubt, accent, dim, text, back color.Color }

// paletteOf is the palette of that name. The terminal's own 16 colours cost
// the fewest bytes and fit the operator's background; the others are for
// terminals whose own are hard to read. colour-blind keeps to blue, orange and
// vermilion, which all common kinds of colour blindness tell apart.
func paletteOf(name string) palette {
	c := lipgloss.Color
	switch name {
	case "dark":
		return palette{good: c("#7ee787"), warn: c("#e3b341"), bad: c("#ff7b72"), doubt: c("#d2a8ff"), accent: c("#79c0ff"), dim: c("#8b949e"),
			text: c("#e6edf3"), back: c("#0d1117")}
	case "light":
		return palette{good: c("#116329"), warn: c("#7d4e00"), bad: c("#a40e26"), doubt: c("#6639ba"), accent: c("#0550ae"), dim: c("#57606a"),
			text: c("#1f2328"), back: c("#ffffff")}
	case "colour-blind":
		return palette{good: c("#56b4e9"), warn: c("#e69f00"), bad: c("#d55e00"), doubt: c("#cc79a7"), accent: c("#0072b2")}
	case "none":
		n := lipgloss.NoColor{}
		return palette{good: n, warn: n, bad: n, doubt: n, accent: n}
	}
	return palette{good: lipgloss.Green, warn: lipgloss.Yellow, bad: lipgloss.Red, doubt: lipgloss.Magenta, accent: lipgloss.Cyan}
}

// Flag is the tone of a banner of that colour; red for any other.
func Flag(colour string) Tone {
	flags := map[string]Tone{"yellow": FlagYellow, "green": FlagGreen, "blue": FlagBlue, "magenta": FlagMagenta, "cyan": FlagCyan}
	return cmp.Or(flags[colour], Alarm)
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
	v := strings.ToLower(cmp.Or(value["LC_ALL"], value["LC_CTYPE"], value["LANG"]))
	return Options{
		ASCII: !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8"),
		Few:   colorprofile.Env(environ) < colorprofile.ANSI256,
	}
}

// shapes are the runes that have a US-ASCII shape of the same width, and plain
// what stands for each of them.
const (
	shapes = "▪●○◌✕×✓≠▲▸›→»◂‹←–—─‐│▏┃┌┐└┘╭╮╰╯├┤┼·•…░█▌↑▴↓▾▁▂▃▄▅▆▇≤\u00a0\u202f\u2009’‘“”"
	plain  = "=*ooxx+!!>>>><<<----|||+++++++++++....##^^vv_..--==<   ''\"\""
)

// Glyph is the US-ASCII shape that stands for r, of the same width; '?' for a
// rune that has none.
func Glyph(r rune) byte {
	before, _, ok := strings.Cut(shapes, string(r))
	if !ok {
		return '?'
	}
	return plain[utf8.RuneCountInString(before)]
}

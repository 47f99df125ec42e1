package theme

import (
	"image/color"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// states are the tones that carry a state.
func states() map[Tone]func(palette) color.Color {
	return map[Tone]func(palette) color.Color{
		Good: func(p palette) color.Color { return p.good }, Warn: func(p palette) color.Color { return p.warn },
		Bad: func(p palette) color.Color { return p.bad }, Doubt: func(p palette) color.Color { return p.doubt },
		Info: func(p palette) color.Color { return p.accent },
	}
}

// looks are the kinds of terminals that each theme meets.
func looks() map[string]Options {
	return map[string]Options{
		"16 colours":            {Few: true},
		"no answer":             {},
		"dark":                  {Background: lipgloss.Color("#1e1e1e")},
		"light":                 {Background: lipgloss.Color("#ffffff")},
		"16 colours, dark":      {Few: true, Background: lipgloss.Color("#000000")},
		"another character set": {ASCII: true},
	}
}

// TestTheCursorKeepsColours: in every theme and on every kind of terminal, a state
// on the row of the cursor has the colour that it has off it, and every tone of
// the row differs from what it is off the cursor.
func TestTheCursorKeepsColours(t *testing.T) {
	reverse := regexp.MustCompile(`[\[;]7[;m]`)
	for _, name := range []string{"terminal", "dark", "light", "colour-blind", "none"} {
		for kind, o := range looks() {
			o.Name = name
			th, p := New(o), paletteOf(name)
			for tone, of := range states() {
				colour := foreground(opening(lipgloss.NewStyle().Foreground(of(p))))
				if on := th.Open(tone, true); !strings.Contains(on, colour) {
					t.Errorf("%s, %s: tone %d is %q under the cursor, without its colour %q", name, kind, tone, on, colour)
				}
			}
			tinted := o.tint(p) != nil
			for tone := range count {
				on := th.Open(tone, true)
				switch tint := strings.Contains(on, "48;2;"); {
				case !tint && !reverse.MatchString(on):
					t.Errorf("%s, %s: tone %d has neither a tint nor reverse video: %q", name, kind, tone, on)
				case tint && !tinted:
					t.Errorf("%s, %s: tone %d has a tint on a terminal without one: %q", name, kind, tone, on)
				}
			}
		}
	}
}

// foreground is the colour of a sequence, "31"; "" when it has none.
func foreground(seq string) string { return strings.TrimSuffix(strings.TrimPrefix(seq, "\x1b["), "m") }

// TestNoColourHasAReverseCursor: without colours the row of the cursor is in
// reverse video, whatever its tones are.
func TestNoColourHasAReverseCursor(t *testing.T) {
	th := New(Options{Name: "none", Background: lipgloss.Color("#000000")})
	for tone := range FlagYellow { // a banner keeps the colour of the configuration
		if on := th.Open(tone, true); on != "\x1b[7m" && on != "\x1b[1;7m" {
			t.Errorf("tone %d is %q", tone, on)
		}
	}
}

// TestTheTintIsSeenAndReadable: on the backgrounds of common terminals the tint
// differs from the background, and a colour keeps seven tenths of its contrast; in
// the themes that choose their own colours it reaches WCAG's 4.5 or 3 for a bold text.
func TestTheTintIsSeenAndReadable(t *testing.T) {
	common := map[string][]string{
		"#000000": {"#cd0000", "#00cd00", "#cdcd00", "#cd00cd", "#00cdcd"}, // xterm
		"#1e1e1e": {"#f14c4c", "#23d18b", "#f5f543", "#d670d6", "#29b8db"}, // VS Code
		"#0c0c0c": {"#e74856", "#16c60c", "#f9f1a5", "#b4009e", "#61d6d6"}, // Campbell
		"#002b36": {"#dc322f", "#859900", "#b58900", "#d33682", "#2aa198"}, // Solarized dark
		"#fdf6e3": {"#dc322f", "#859900", "#b58900", "#d33682", "#2aa198"}, // Solarized light
		"#ffffff": {"#cd0000", "#007f00", "#7f6000", "#cd00cd", "#007f7f"},
		"#777777": {"#000000", "#ffffff"},
	}
	for back, colours := range common {
		b := lipgloss.Color(back)
		tint := tintOf(b)
		if tint == nil || contrast(tint, b) < tintContrast || contrast(tint, b) > 1.5 {
			t.Errorf("%s: the tint %v is not seen, or too much", back, tint)
			continue
		}
		for _, c := range colours {
			if off, on := contrast(lipgloss.Color(c), b), contrast(lipgloss.Color(c), tint); on < off*0.65 && on < 4.5 {
				t.Errorf("%s on %s: contrast %.1f off the cursor, %.1f on it", c, back, off, on)
			}
		}
	}
	for _, name := range []string{"dark", "light"} {
		p := paletteOf(name)
		tint := (&Options{Name: name}).tint(p)
		for tone, of := range states() {
			if got := contrast(of(p), tint); got < 4.5 {
				t.Errorf("%s: tone %d has a contrast of %.1f under the cursor", name, tone, got)
			}
		}
		if got := contrast(p.text, tint); got < 7 {
			t.Errorf("%s: text has a contrast of %.1f under the cursor", name, got)
		}
	}
}

// TestDetectReadsTheColours: what the environment promises decides whether there
// can be a tint.
func TestDetectReadsTheColours(t *testing.T) {
	for environ, few := range map[string]bool{
		"TERM=xterm-256color": false, "TERM=tmux-256color": false, "TERM=linux": true, "TERM=xterm": true, "TERM=dumb": true, "": true,
		"TERM=xterm COLORTERM=truecolor": false, "TERM=xterm-256color NO_COLOR=1": true,
	} {
		if got := Detect(strings.Fields(environ)).Few; got != few {
			t.Errorf("%q: few colours %v, want %v", environ, got, few)
		}
	}
}

// TestEveryShapeHasAPlainOne: the two lists have the same length, and a few of
// their pairs are named here.
func TestEveryShapeHasAPlainOne(t *testing.T) {
	if n := utf8.RuneCountInString(shapes); n != len(plain) {
		t.Fatalf("%d shapes, %d plain ones", n, len(plain))
	}
	for r, want := range map[rune]byte{
		'●': '*', '◌': 'o', '×': 'x', '✓': '+', '▲': '!', '»': '>', '←': '<', '‐': '-', '┃': '|', '┼': '+', '░': '.', '▌': '#', '▴': '^', '▾': 'v',
		'▁': '_', '▃': '.', '▅': '-', '▇': '=', '≤': '<', '\u2009': ' ', '’': '\'', '“': '"', '”': '"', 'ä': '?', '世': '?',
	} {
		if got := Glyph(r); got != want {
			t.Errorf("%q is drawn as %q, want %q", r, got, want)
		}
	}
}

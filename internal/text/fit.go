package text

import "github.com/charmbracelet/x/ansi"

// Fit is s in at most that many cells of a terminal; a final "…" marks a cut.
func Fit(s string, cells int) string { return ansi.Truncate(s, cells, "…") }

package cmd

import (
	"os"

	"github.com/charmbracelet/x/term"
)

// The values of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// colours reports whether what goes to standard output has colours. The flag
// counts before NO_COLOR, which counts before CLICOLOR_FORCE.
func (a *app) colours() bool {
	force := a.Getenv("CLICOLOR_FORCE")
	switch {
	case a.color != colorAuto:
		return a.color == colorAlways
	case a.Getenv("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	}
	f, ok := a.io.Out.(*os.File)
	return ok && term.IsTerminal(f.Fd()) && a.Getenv("TERM") != "dumb"
}

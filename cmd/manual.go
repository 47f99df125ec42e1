package cmd

import (
	"io"

	"github.com/spf13/cobra"

	"pgtui/lang"
)

// Manual is what manual pages and completions are made of, in one language.
type Manual struct {
	Root        *cobra.Command
	Environment []Variable
	Names       string // how clusters, services, instances and nodes are named
	Output      string // the formats of -o, and colours
}

// NewManual is the manual in a language, which becomes that of the process. No variable of
// the process has a part in it.
func NewManual(language string) Manual {
	lang.Use(language)
	a := newApp(IO{Out: io.Discard, Err: io.Discard, Getenv: func(string) string { return "" }})
	m := Manual{Root: a.root(), Names: lang.Text(namesHelp), Output: lang.Text(outputHelp)}
	inLanguage(m.Root)
	for _, v := range environment() {
		m.Environment = append(m.Environment, Variable{v.Name, lang.Text(v.What)})
	}
	return m
}

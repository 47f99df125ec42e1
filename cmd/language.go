package cmd

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
)

// languageFlag is --lang.
type languageFlag struct{ app *app }

func (f languageFlag) String() string { return "" }

func (f languageFlag) Type() string { return "language" }

func (f languageFlag) Set(name string) error {
	if _, ok := lang.Parse(name); !ok {
		return model.NotFound(wrong("--lang %q: expected %s", text.Line(name, 40), strings.Join(lang.Names(), " or ")), name, lang.Names(), "--lang zh")
	}
	f.app.language = name
	return nil
}

// speak makes the language the one that --lang, PGTUI_LANG, the inventory or the locale
// names. inv is nil until it is read.
func (a *app) speak(inv *model.Inventory) {
	s := lang.Source{Flag: a.language, Getenv: a.io.Getenv}
	if inv != nil {
		s.Inventory = inv.Language
	}
	lang.Use(lang.Choose(s))
}

// languageOf is the value of --lang among arguments that are not parsed yet: help and
// errors about other flags are in that language too.
func languageOf(args []string) string {
	for i, arg := range args {
		if v, ok := strings.CutPrefix(arg, "--lang="); ok {
			return v
		}
		if arg == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
		if arg == "--" {
			break
		}
	}
	return ""
}

// helpFlag gives c and every command below it the flag --help.
func helpFlag(c *cobra.Command) {
	c.InitDefaultHelpFlag()
	c.Flags().Lookup("help").Usage = "print the help"
	for _, s := range c.Commands() {
		helpFlag(s)
	}
}

// inLanguage puts the help of c and of every command below it into the language of the
// process.
func inLanguage(c *cobra.Command) {
	if lang.Current() == lang.English {
		return
	}
	c.Short, c.Long = lang.Text(c.Short), lang.Text(c.Long)
	usage := func(f *pflag.Flag) { f.Usage = lang.Text(f.Usage) }
	c.LocalNonPersistentFlags().VisitAll(usage)
	if !c.HasParent() {
		c.PersistentFlags().VisitAll(usage)
	}
	for _, s := range c.Commands() {
		inLanguage(s)
	}
}

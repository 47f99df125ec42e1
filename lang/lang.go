// Package lang translates the texts of pgtui for their reader. English sentences
// are the ids: they are what JSON, plans, the audit file and the log hold, and what Text
// translates where a person reads it. See docs/adr/0021-languages.md.
package lang

import (
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/text/language"
)

// The languages there are.
const (
	English = "en"
	Chinese = "zh"
)

// Names are the languages that can be chosen.
func Names() []string { return []string{English, Chinese} }

// Parse is the language that a name means: "zh", "zh_CN.UTF-8", "zh-Hans". ok is false for
// a name of another language, and for C and POSIX, which name none.
func Parse(name string) (lang string, ok bool) {
	name, _, _ = strings.Cut(name, ".")
	name, _, _ = strings.Cut(name, "@")
	tag, err := language.Parse(strings.ReplaceAll(strings.TrimSpace(name), "_", "-"))
	if err != nil {
		return English, false
	}
	base, _ := tag.Base()
	if slices.Contains(Names(), base.String()) {
		return base.String(), true
	}
	return English, false
}

// Source is where a choice of language can come from. An empty text is one that is not set.
type Source struct {
	Flag      string              // --lang
	Getenv    func(string) string // PGTUI_LANG and the locale
	Inventory string              // language in the inventory
}

// Choose is the language by the first that is set: --lang, PGTUI_LANG, the inventory's
// language, LC_ALL, LC_MESSAGES, LANG. A value that names none of the languages is English.
func Choose(s Source) string {
	for _, name := range []string{s.Flag, s.Getenv("PGTUI_LANG"), s.Inventory, s.Getenv("LC_ALL"), s.Getenv("LC_MESSAGES"), s.Getenv("LANG")} {
		if name != "" {
			lang, _ := Parse(name)
			return lang
		}
	}
	return English
}

// current is what Text uses. Like the locale of a process it is one for all that is
// written: the sentences that it translates are made in every package.
var current atomic.Pointer[Catalogue] //nolint:gochecknoglobals // the locale of the process

// Use makes a language the one of the process. English needs no catalogue.
func Use(lang string) {
	if lang == Chinese {
		current.Store(zh())
		return
	}
	current.Store(nil)
}

// Current is the language of the process.
func Current() string {
	if current.Load() == nil {
		return English
	}
	return Chinese
}

// Text is s in the language of the process: a sentence, a label, or a line of several. What
// the catalogue does not have stays as it is, names and numbers among it.
func Text(s string) string {
	c := current.Load()
	if c == nil {
		return s
	}
	return c.Text(s)
}

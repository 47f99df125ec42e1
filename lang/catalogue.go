package lang

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

//go:embed zh
var files embed.FS

// zh is the Chinese catalogue, read at its first use.
var zh = sync.OnceValue(func() *Catalogue { //nolint:gochecknoglobals // read once, then constant
	c, err := Load(files, "zh")
	if err != nil {
		panic(err) // a test reads it
	}
	return c
})

// Catalogue has sentences in another language by their English form. A form is the text
// itself, or a format with the verbs of package fmt, which then stand for the names and
// numbers of a sentence. It is safe for concurrent use.
type Catalogue struct {
	exact map[string]string
	forms map[string][]*form // by a word that each sentence of the form has

	mu   sync.RWMutex
	done map[string]string // what was translated already
}

// same stands for a text that is the same in both languages.
const same = "="

// weak is the number of characters below which a form says little: it is of one sentence.
const weak = 12

// mostDone is how many translations are kept.
const mostDone = 20_000

// form is one format and what it becomes.
type form struct {
	id, to  string
	pieces  []string // what is around its verbs, one more than there are of them
	verbs   []slot
	literal int // characters of the id that are no verb: the most decide
	once    sync.Once
}

// slot is one verb of a form.
type slot struct {
	arg  int  // the number of its argument, from 1
	kind byte // d, f, q, or s for anything
}

// Entry is one sentence of a catalogue.
type Entry struct {
	File string // of the catalogue
	Line int
	ID   string
	Text string
}

// Entries are the entries of all files of a folder: a line each, the English form, a tab
// and the text, with \n, \t, \r and \\ as in Go; = is a text that stays as it is. Lines that
// begin with # are comments.
func Entries(fsys fs.FS, dir string) ([]Entry, error) {
	names, err := fs.Glob(fsys, dir+"/*.tsv")
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		for i, l := range strings.Split(string(b), "\n") {
			if l == "" || strings.HasPrefix(l, "#") {
				continue
			}
			id, to, ok := strings.Cut(l, "\t")
			if !ok || to == "" {
				return nil, fmt.Errorf("%s:%d: expected the English form, a tab and the text", name, i+1)
			}
			out = append(out, Entry{File: name, Line: i + 1, ID: unescape.Replace(id), Text: unescape.Replace(to)})
		}
	}
	return out, nil
}

var unescape = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\\`, `\`) //nolint:gochecknoglobals // a table

// Load reads the catalogue of a folder.
func Load(fsys fs.FS, dir string) (*Catalogue, error) {
	entries, err := Entries(fsys, dir)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{exact: make(map[string]string, len(entries)), forms: map[string][]*form{}, done: map[string]string{}}
	for _, e := range entries {
		args := len(Args(e.ID)) > 0
		switch {
		case e.Text == same && args:
			continue
		case e.Text == same: // no form may take it
			e.Text = e.ID
		}
		// Part of a longer sentence: what joins it is translated apart.
		e.ID, e.Text = strings.TrimLeft(e.ID, ";:, "), strings.TrimLeft(e.Text, "；：，;:, ")
		if !args {
			c.exact[percent.Replace(e.ID)] = percent.Replace(e.Text)
			continue
		}
		w, literal := keyword(e.ID, verb.FindAllStringIndex(e.ID, -1))
		c.forms[w] = append(c.forms[w], &form{id: e.ID, to: e.Text, literal: literal})
	}
	return c, nil
}

// percent writes the verb that takes no argument.
var percent = strings.NewReplacer("%%", "%") //nolint:gochecknoglobals // a table

// verb is a verb of package fmt, or %%.
var verb = regexp.MustCompile(`%(?:\[(\d+)\])?([-+# 0]*\d*(?:\.\d+)?)(?:\[(\d+)\])?([a-zA-Z%])`)

// keyword is the longest word of a form that no verb touches, "" when it has none, and how
// many characters of the form are no verb.
func keyword(id string, verbs [][]int) (best string, literal int) {
	at := 0
	for i := 0; i <= len(verbs); i++ {
		end := len(id)
		if i < len(verbs) {
			end = verbs[i][0]
		}
		part := id[at:end]
		literal += len(part)
		for from := 0; from < len(part); from++ {
			if !letter(part[from]) {
				continue
			}
			to := from
			for to < len(part) && letter(part[to]) {
				to++
			}
			touched := from == 0 && at > 0 || to == len(part) && i < len(verbs)
			if !touched && to-from > len(best) {
				best = part[from:to]
			}
			from = to
		}
		if i < len(verbs) {
			at = verbs[i][1]
		}
	}
	return best, literal
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// words are the runs of ASCII letters in s.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) })
}

// compile takes the form apart.
func (f *form) compile() {
	at, n, piece := 0, 0, ""
	for _, m := range verb.FindAllStringSubmatchIndex(f.id, -1) {
		piece += f.id[at:m[0]]
		at = m[1]
		kind := f.id[m[8]]
		if kind == '%' {
			piece += "%"
			continue
		}
		n++
		if m[2] >= 0 {
			n, _ = strconv.Atoi(f.id[m[2]:m[3]])
		}
		f.pieces, f.verbs, piece = append(f.pieces, piece), append(f.verbs, slot{n, kind}), ""
	}
	f.pieces = append(f.pieces, piece+f.id[at:])
}

// match are the arguments of s as the form has them, by their number; nil when s is not of
// the form. An argument is as short as it can be.
func (f *form) match(s string) map[int]string {
	f.once.Do(f.compile)
	last := f.pieces[len(f.pieces)-1]
	rest, ok := strings.CutPrefix(s, f.pieces[0])
	if !ok || !strings.HasSuffix(rest, last) {
		return nil
	}
	args := make([]string, len(f.verbs))
	if !f.fit(rest[:len(rest)-len(last)], 0, args) {
		return nil
	}
	out := make(map[int]string, len(args))
	for i, a := range args {
		out[f.verbs[i].arg] = a
	}
	return out
}

// fit fills args from verb i on with what is in s.
func (f *form) fit(s string, i int, args []string) bool {
	if i == len(args)-1 {
		args[i] = s
		return f.verbs[i].takes(s)
	}
	next := f.pieces[i+1]
	for from := 1; from <= len(s); from++ {
		at := strings.Index(s[from:], next)
		if at < 0 {
			return false
		}
		from += at
		if args[i] = s[:from]; f.verbs[i].takes(args[i]) && f.fit(s[from+len(next):], i+1, args) {
			return true
		}
	}
	return false
}

// takes reports whether s can be what the verb printed.
func (v slot) takes(s string) bool {
	switch v.kind {
	case 'd':
		s = strings.TrimLeft(s, " -")
		return s != "" && strings.Trim(s, "0123456789") == ""
	case 'f', 'g':
		return s != "" && strings.Trim(s, "-.0123456789") == ""
	case 'q':
		return len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"'
	}
	return s != ""
}

// Text is s in the catalogue's language.
func (c *Catalogue) Text(s string) string {
	if !speaks(s) {
		return s
	}
	c.mu.RLock()
	t, ok := c.done[s]
	c.mu.RUnlock()
	if ok {
		return t
	}
	t, _ = c.translate(s)
	c.mu.Lock()
	if len(c.done) >= mostDone {
		clear(c.done)
	}
	c.done[s] = t
	c.mu.Unlock()
	return t
}

// speaks reports whether s has a word in it.
func speaks(s string) bool {
	n := 0
	for i := range len(s) {
		if c := s[i] | 0x20; c >= 'a' && c <= 'z' {
			if n++; n > 1 {
				return true
			}
			continue
		}
		n = 0
	}
	return false
}

// translate is s in the catalogue's language; ok is false when nothing of it was there. A
// form that says little is tried on what no wide gap, semicolon or full stop divides.
func (c *Catalogue) translate(s string) (string, bool) {
	if t, ok := c.sentence(s, false); ok {
		return t, true
	}
	head, core, tail := trim(s)
	t, ok := c.sentence(core, false)
	if !ok {
		t, ok = c.divided(core, apart())
	}
	if !ok {
		t, ok = c.sentence(core, true)
	}
	if !ok {
		t, ok = c.divided(core, joined())
	}
	if !ok {
		return s, false
	}
	return head + t + tail, true
}

// divided translates s in parts, split at the first joint that gives a part another text.
func (c *Catalogue) divided(s string, at []joint) (string, bool) {
	for _, j := range at {
		parts := strings.Split(s, j.en)
		if len(parts) < 2 {
			continue
		}
		some := false
		for i, p := range parts {
			t, _ := c.translate(p)
			parts[i], some = t, some || t != p
		}
		if some {
			return strings.Join(parts, j.to), true
		}
	}
	return s, false
}

// joint is what stands between two texts, and between their translations.
type joint struct{ en, to string }

// apart divides texts of their own; what separates most is first.
func apart() []joint {
	return []joint{{"\n", "\n"}, {"   ", "   "}, {"  ", "  "}, {" │ ", " │ "}, {" · ", " · "}, {". ", "。"}, {"; ", "；"}}
}

// joined divides the parts of one text.
func joined() []joint { return []joint{{": ", "："}, {", ", "，"}, {" (", " ("}} }

// signs are what may stand around a sentence and is no part of it. A slash or a dash in
// front belongs to a name: /read-only is a path.
const signs = " \t·→←↑↓↗●○✕✓!?–—…≠≈~▸▾└├─│*[]{}<>=+|"

// trim takes off what is around a sentence: blanks and signs.
func trim(s string) (head, core, tail string) {
	core = strings.TrimLeft(s, signs)
	head = s[:len(s)-len(core)]
	core = strings.TrimRight(core, " \t·→●○✕–—▸▾│|")
	return head, core, s[len(head)+len(core):]
}

// sentence is one sentence that the catalogue has as a whole: by a form that says little
// where little is true, else by the others.
func (c *Catalogue) sentence(s string, little bool) (string, bool) {
	if t, ok := c.exact[s]; ok {
		return t, true
	}
	var found []*form
	for _, w := range slices.Compact(slices.Sorted(slices.Values(words(s)))) {
		found = append(found, c.forms[w]...)
	}
	slices.SortStableFunc(found, func(a, b *form) int { return b.literal - a.literal })
	for _, f := range found {
		if f.little() != little {
			continue
		}
		if args := f.match(s); args != nil {
			return c.fill(f, args), true
		}
	}
	return s, false
}

// little reports whether the form says little: what it matches may be more than one text.
func (f *form) little() bool { return f.literal < weak && !strings.Contains(f.id, ";") }

// fill puts the arguments, translated themselves, into the text of a form.
func (c *Catalogue) fill(f *form, args map[int]string) string {
	n := 0
	return verb.ReplaceAllStringFunc(f.to, func(v string) string {
		if v == "%%" {
			return "%"
		}
		m := verb.FindStringSubmatch(v)
		n++
		if m[1] != "" {
			n, _ = strconv.Atoi(m[1])
		}
		t, _ := c.translate(args[n])
		return t
	})
}

// Args are the numbers of the arguments that a form has, sorted.
func Args(form string) []int {
	var out []int
	n := 0
	for _, m := range verb.FindAllStringSubmatch(form, -1) {
		if m[4] == "%" {
			continue
		}
		n++
		if m[1] != "" {
			n, _ = strconv.Atoi(m[1])
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

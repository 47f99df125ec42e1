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
	literal int  // characters of the id that are no verb: the most decide
	glue    bool // it joins its arguments and says nothing itself
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
		c.forms[w] = append(c.forms[w], &form{id: e.ID, to: e.Text, literal: literal, glue: glue(e.ID)})
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
// the form. An argument is as short as it can be, and may fills it reports.
func (f *form) match(s string, may func(string) bool) map[int]string {
	f.once.Do(f.compile)
	last := f.pieces[len(f.pieces)-1]
	rest, ok := strings.CutPrefix(s, f.pieces[0])
	if !ok || !strings.HasSuffix(rest, last) {
		return nil
	}
	args := make([]string, len(f.verbs))
	if !f.fit(rest[:len(rest)-len(last)], 0, args, may) {
		return nil
	}
	out := make(map[int]string, len(args))
	for i, a := range args {
		out[f.verbs[i].arg] = a
	}
	return out
}

// fit fills args from verb i on with what is in s.
func (f *form) fit(s string, i int, args []string, may func(string) bool) bool {
	if i == len(args)-1 {
		args[i] = s
		return f.verbs[i].takes(s) && may(s)
	}
	next := f.pieces[i+1]
	for from := 1; from <= len(s); from++ {
		at := strings.Index(s[from:], next)
		if at < 0 {
			return false
		}
		from += at
		args[i] = s[:from]
		if f.verbs[i].takes(args[i]) && f.fit(s[from+len(next):], i+1, args, may) && may(s[:from]) {
			args[i] = s[:from]
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
	t = c.translate(s)
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

// translation is the work on one text.
type translation struct {
	*Catalogue
	seen map[string]answer // what was tried already
}

// answer is what came of a text; ok is false for one that is not wholly translated.
type answer struct {
	text string
	ok   bool
}

// translate is s in the catalogue's language. What a wide gap or a rule divides are texts
// of their own. Each is translated as a whole, or stays as it is.
func (c *Catalogue) translate(s string) string {
	return c.apart(&translation{c, map[string]answer{}}, s, gaps)
}

// gaps are what stands between texts of their own.
var gaps = []string{"\n", "  ", " │ ", " · "} //nolint:gochecknoglobals // a table

func (c *Catalogue) apart(t *translation, s string, gaps []string) string {
	if got, ok := t.whole(s); ok {
		return got
	}
	for i, gap := range gaps {
		parts := strings.Split(s, gap)
		if len(parts) == 1 {
			continue
		}
		for k, p := range parts {
			if speaks(p) {
				parts[k] = c.apart(t, p, gaps[i:])
			}
		}
		return strings.Join(parts, gap)
	}
	return s
}

// whole is all of s in the catalogue's language; ok is false when the catalogue does not
// have all of it.
func (t *translation) whole(s string) (string, bool) {
	if a, ok := t.seen[s]; ok {
		return a.text, a.ok
	}
	t.seen[s] = answer{s, false}
	a := answer{s, false}
	a.text, a.ok = t.find(s)
	if !a.ok {
		a.text = s
	}
	t.seen[s] = a
	return a.text, a.ok
}

// find is whole without the memory.
func (t *translation) find(s string) (string, bool) {
	if to, ok := t.sentence(s, false); ok {
		return to, true
	}
	head, core, tail := trim(s)
	if core == "" {
		return s, false
	}
	to, ok := t.sentence(core, false)
	for _, j := range joints {
		if !ok && j.little {
			to, ok = t.sentence(core, true)
		}
		if !ok {
			to, ok = t.divided(core, j)
		}
	}
	return head + to + tail, ok
}

// joint is what stands between two parts of a text, and between their translations.
type joint struct {
	en, to string
	behind string // what is behind the second part
	close  string // and behind its translation
	little bool   // forms that say little are tried first
}

// joints divide a text; what separates most is first.
var joints = []joint{{en: ". ", to: "。"}, {en: ".", to: "。"}, {en: "; ", to: "；"}, {en: ": ", to: "：", little: true}, //nolint:gochecknoglobals // a table
	{en: ":", to: "："}, {en: ", ", to: "，"}, {en: " (", to: "（", behind: ")", close: "）"}, {en: " → ", to: " → "}}

// divided translates s in two parts. Each is wholly translated or is data.
func (t *translation) divided(s string, j joint) (string, bool) {
	if strings.TrimSpace(j.en) == j.en { // ends a text
		head, ok := strings.CutSuffix(s, j.en)
		if !ok {
			return s, false
		}
		to, ok := t.whole(head)
		return to + j.to, ok
	}
	for from := 0; ; {
		at := strings.Index(s[from:], j.en)
		if at < 0 {
			return s, false
		}
		at += from
		from = at + len(j.en)
		left, right := s[:at], s[from:]
		if j.behind != "" {
			var ok bool
			if right, ok = strings.CutSuffix(right, j.behind); !ok {
				continue
			}
		}
		b, ok := t.whole(right)
		if !ok && !datum(right) {
			continue
		}
		a, ok := t.whole(left)
		if !ok && !datum(left) || a == left && b == right {
			continue
		}
		return a + j.to + b + j.close, true
	}
}

// numbered is the number of a list's row.
var numbered = regexp.MustCompile(`^[0-9]+\. `)

// signs are what may stand around a sentence and is no part of it. A slash or a dash in
// front belongs to a name: /read-only is a path.
const signs = " \t·→←↑↓↗●○✕✓!?–—…≠≈~▸▾└├─│*[]{}<>=+|"

// trim takes off what is around a sentence: blanks, signs, the number of a row.
func trim(s string) (head, core, tail string) {
	core = strings.TrimLeft(s, signs)
	core = core[len(numbered.FindString(core)):]
	head = s[:len(s)-len(core)]
	core = strings.TrimRight(core, " \t·→●○✕–—▸▾│|…")
	return head, core, s[len(head)+len(core):]
}

// sentence is one sentence that the catalogue has as a whole: by a form that says little
// where little is true, else by the others.
func (t *translation) sentence(s string, little bool) (string, bool) {
	if to, ok := t.exact[s]; ok {
		return to, true
	}
	var found []*form
	for _, w := range slices.Compact(slices.Sorted(slices.Values(words(s)))) {
		found = append(found, t.forms[w]...)
	}
	slices.SortStableFunc(found, func(a, b *form) int { return b.literal - a.literal })
	for _, f := range found {
		if f.little() != little {
			continue
		}
		may := t.may
		if f.glue {
			may = t.joins
		}
		if args := f.match(s, may); args != nil {
			return t.fill(f, args), true
		}
	}
	return s, false
}

// may reports whether an argument is data or a text that is wholly translated.
func (t *translation) may(s string) bool {
	if datum(s) {
		return true
	}
	if strings.Contains(s, "  ") || strings.TrimSpace(s) != s {
		return false
	}
	_, ok := t.whole(s)
	return ok
}

// joins is may for a form that has nothing but a word between its arguments: it joins
// names and labels, never sentences.
func (t *translation) joins(s string) bool {
	_, ok := t.exact[s]
	return ok || names(s)
}

// little reports whether the form says little: what it matches may be more than one text.
func (f *form) little() bool { return f.literal < weak && !strings.Contains(f.id, ";") }

// fill puts the arguments, translated themselves, into the text of a form.
func (t *translation) fill(f *form, args map[int]string) string {
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
		to, _ := t.whole(args[n])
		return to
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

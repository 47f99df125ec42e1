package inventory

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// The lines of an INI inventory that are not hosts or variables.
var (
	iniSection = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$`)
	iniGroup   = regexp.MustCompile(`^([^:\]\s]+)\s*(?:#.*)?$`)
)

// hasSection reports whether a line of the text begins a section of an INI
// inventory.
func hasSection(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		if iniSection.MatchString(strings.TrimSpace(line)) {
			return true
		}
	}
	return false
}

// iniFile adds the groups and hosts of an INI inventory.
func (l *loader) iniFile(b *builder, name string, data []byte) error {
	if len(data) > MaxSize {
		return &Error{At: source.Pos{File: l.show(name)}, Msg: fmt.Sprintf("larger than %d MB: this is not a Pigsty inventory", MaxSize>>20)}
	}
	data, err := l.unlockFile(name, data)
	if err != nil {
		return err
	}
	if err := l.b.Spend(1+len(data)>>4, 4*len(data)); err != nil {
		return err
	}
	r := &iniReader{b: b, at: source.Pos{File: l.show(name), Column: 1}, pending: map[string]*awaited{}}
	return r.read(string(data))
}

// iniReader follows Ansible's ini inventory plugin.
type iniReader struct {
	b       *builder
	at      source.Pos
	group   *Group
	state   string // hosts, vars or children
	pending map[string]*awaited
	order   []*awaited
}

// awaited is a group that was used before it was declared.
type awaited struct {
	at      source.Pos
	name    string
	state   string // how it was used: vars or children
	parents []*Group
	done    bool
}

func (r *iniReader) fail(format string, args ...any) error {
	return &Error{At: r.at, Msg: fmt.Sprintf(format, args...)}
}

func (r *iniReader) read(text string) error {
	r.group, r.state = r.b.addGroup("ungrouped", source.Pos{}), "hosts"
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	for line := range strings.SplitSeq(text, "\n") {
		r.at.Line++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if !utf8.ValidString(line) {
			return r.fail("this line is not text: expected an inventory in UTF-8")
		}
		if err := r.b.b.SpendAt(r.at, "", 1+len(line)>>3, 8*len(line)); err != nil {
			return err
		}
		if err := r.line(line); err != nil {
			return err
		}
	}
	for _, w := range r.order {
		switch {
		case w.done:
		case w.state == "vars":
			return &source.Hint{Err: &Error{At: w.at, Msg: fmt.Sprintf("[%s:vars] is of a group that is not declared", w.name)}, Try: "add a section [" + w.name + "]"}
		default:
			return &source.Hint{Err: &Error{At: w.at, Msg: fmt.Sprintf("[%s:children] names the group %s, which is not declared", w.parents[len(w.parents)-1].Name, w.name)}, Try: "add a section [" + w.name + "]"}
		}
	}
	return nil
}

func (r *iniReader) line(line string) error {
	if m := iniSection.FindStringSubmatch(line); m != nil {
		return r.section(m[1], m[2])
	}
	if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
		return r.fail("%s is not a section: expected [group], [group:vars] or [group:children] without blanks", line)
	}
	switch r.state {
	case "vars":
		k, v, ok := strings.Cut(line, "=")
		if !ok {
			return r.fail("expected name=value in [%s:vars], found %q", r.group.Name, line)
		}
		return r.b.setGroupVar(r.group, py.Entry{Key: strings.TrimSpace(k), Value: r.value(strings.TrimSpace(v)), At: r.at})
	case "children":
		return r.child(line)
	}
	return r.host(line)
}

func (r *iniReader) section(name, state string) error {
	if state == "" {
		state = "hosts"
	}
	if state != "hosts" && state != "vars" && state != "children" {
		return r.fail("section [%s:%s]: only vars and children have a meaning there", name, state)
	}
	_, known := r.b.inv.groups[name]
	if !known && state == "vars" && r.pending[name] == nil {
		r.wait(&awaited{at: r.at, name: name, state: state})
	}
	r.group, r.state = r.b.addGroup(name, r.at), state
	if w := r.pending[name]; w != nil && state != "vars" {
		return r.arrived(w)
	}
	return nil
}

func (r *iniReader) wait(w *awaited) {
	r.pending[w.name] = w
	r.order = append(r.order, w)
}

// arrived links a group to the parents that named it before it was declared.
func (r *iniReader) arrived(w *awaited) error {
	w.done = true
	delete(r.pending, w.name)
	for _, p := range w.parents {
		if err := r.b.addChild(p, r.b.addGroup(w.name, w.at), w.at); err != nil {
			return err
		}
		if up := r.pending[p.Name]; up != nil && up.state == "children" {
			if err := r.arrived(up); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *iniReader) child(line string) error {
	m := iniGroup.FindStringSubmatch(line)
	if m == nil {
		return r.fail("expected the name of a group in [%s:children], found %q", r.group.Name, line)
	}
	if c, ok := r.b.inv.groups[m[1]]; ok {
		return r.b.addChild(r.group, c, r.at)
	}
	w := r.pending[m[1]]
	if w == nil {
		w = &awaited{at: r.at, name: m[1], state: "children"}
		r.wait(w)
	}
	w.parents = append(w.parents, r.group)
	return nil
}

func (r *iniReader) host(line string) error {
	words, err := shellWords(line)
	if err != nil || len(words) == 0 || words[0] == "" {
		if err == nil {
			err = errors.New("expected a host")
		}
		return r.fail("host line %q: %v", line, err)
	}
	names, port, err := expandHost(words[0], r.b.b)
	if spent := r.b.b.Err(); spent != nil {
		return spent
	}
	if err != nil {
		return &Error{At: r.at, Msg: fmt.Sprintf("host %q of group %s: %v", words[0], r.group.Name, err), Err: err}
	}
	if strings.HasSuffix(words[0], ":") && port == 0 {
		return r.fail("host %q ends in a colon: expected a port after it; if this is YAML, name it .yml", words[0])
	}
	vars := &py.Dict{}
	for _, w := range words[1:] {
		k, v, ok := strings.Cut(w, "=")
		if !ok {
			return r.fail("expected name=value after host %s, found %q", words[0], w)
		}
		if err := r.b.b.SpendAt(r.at, "", 1, budget.Entry); err != nil {
			return err
		}
		vars.Set(k, r.value(v), r.at)
	}
	for _, n := range names {
		switch n {
		case "---":
			return r.fail("--- is not a host: if this is YAML, name it .yml")
		case "":
			return r.fail("a host without a name in group %s", r.group.Name)
		}
		if _, err := r.b.addHost(r.group, n, port, r.at, vars); err != nil {
			return err
		}
	}
	return nil
}

// value is the text as a Python literal, where it is one: 5 and [1, 2] are
// a number and a list, yes and 0644 stay text.
func (r *iniReader) value(s string) py.Value {
	read := func(s string) (py.Value, bool) {
		if r.b.b.SpendAt(r.at, "", 1+len(s)>>4, 40*len(s)) != nil {
			return nil, false
		}
		r.b.b.Return(39 * len(s)) // most of what is tried comes to nothing
		return py.Literal(s)
	}
	if v, ok := read(strings.TrimLeft(s, " \t")); ok {
		return v
	}
	if strings.Contains(s, ",") { // 1, 2 is a tuple without brackets
		if v, ok := read("(" + s + ")"); ok {
			return v
		}
	}
	for i, c := range []byte(s) { // 5 # a comment
		if c == '#' {
			if v, ok := read(s[:i]); ok {
				return v
			}
		}
	}
	return py.Computed(s)
}

// shellWords cuts a line into words as Python's shlex does with comments: a
// hash ends the line wherever it is not quoted.
func shellWords(s string) ([]string, error) {
	var out []string
	var word strings.Builder
	open := false // a word has begun
	quote := rune(0)
	slash := false // the next character is taken as it is
	for _, c := range s {
		switch {
		case slash:
			if quote != 0 && c != '\\' && c != quote {
				word.WriteByte('\\')
			}
			word.WriteRune(c)
			slash = false
		case c == '\\' && quote != '\'':
			slash, open = true, true
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteRune(c)
			}
		case c == '"' || c == '\'':
			quote, open = c, true
		case c == '#':
			if open {
				out = append(out, word.String())
			}
			return out, nil
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			if open {
				out = append(out, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteRune(c)
			open = true
		}
	}
	if quote != 0 || slash {
		return nil, errors.New("a quote is not closed")
	}
	if open {
		out = append(out, word.String())
	}
	return out, nil
}

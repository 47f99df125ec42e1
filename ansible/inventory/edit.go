package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"pgtui/ansible/py"
	"pgtui/source"
)

// Change is a variable of one host and the value it is to have.
type Change struct {
	Host     string
	Variable string
	Value    string // a plain word: lower-case letters, digits, dashes
}

// Edited is one file of an inventory, before and after.
type Edited struct {
	File          string // as in Files
	Before, After []byte
}

// changeable are the values that can be written: words that need no quotes,
// in a flow mapping either.
var changeable = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// Edit makes the changes in the text of the inventory's files: of each host it
// replaces the bytes of the definition that wins, and nothing else. It writes
// nothing. What it made is read again as the whole inventory was; when any
// other value of any host or group came out otherwise, that is an error.
//
// A definition that is not the host's own, or is not a plain or quoted word in
// YAML, is refused: the error names its place and is a *model.Hint with what to
// write by hand. The error has all refusals, and then there is no result.
func (inv *Inventory) Edit(changes []Change) ([]Edited, error) {
	e := editor{inv: inv, yaml: map[string]*yamlText{}}
	var bad []error
	for _, c := range changes {
		if err := e.change(c); err != nil {
			bad = append(bad, err)
		}
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	var out []Edited
	with := map[string][]byte{}
	for _, f := range inv.Files {
		if t := e.yaml[f]; t != nil && len(t.spans) > 0 && with[f] == nil {
			with[f] = t.replaced()
			out = append(out, Edited{File: f, Before: t.text, After: with[f]})
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	if inv.again == nil {
		return nil, errors.New("this inventory cannot be read again: nothing was changed")
	}
	after, err := inv.again(with)
	if err != nil {
		return nil, fmt.Errorf("refused: with the change the inventory could not be read: %w", err)
	}
	if err := onlyChanged(inv, after, changes); err != nil {
		return nil, err
	}
	return out, nil
}

// editor collects the spans to replace, file by file.
type editor struct {
	inv  *Inventory
	yaml map[string]*yamlText
}

// change finds the bytes of one definition.
func (e *editor) change(c Change) error {
	if !changeable.MatchString(c.Value) {
		return fmt.Errorf("%s of %s: %q is not a plain word", c.Variable, c.Host, c.Value)
	}
	if v, err := plain(c.Value); err != nil || v != c.Value {
		return fmt.Errorf("%s of %s: %q is not a string in YAML", c.Variable, c.Host, c.Value)
	}
	h := e.inv.Host(c.Host)
	if h == nil {
		return fmt.Errorf("no host %q in %s", c.Host, e.inv.Source)
	}
	def := h.all.Lookup(c.Variable)
	if def == nil {
		return byHand(h.At, c, "it has none", fmt.Sprintf("add to host %s at %s: %s: %s", c.Host, place(h.At), c.Variable, c.Value))
	}
	if py.Equal(def.Value, c.Value) {
		return nil
	}
	if h.ownAt(c.Variable) != def.At {
		return byHand(def.At, c, "it is written for a group, whose other hosts have it too", fmt.Sprintf("write it for the host itself, at %s: %s: %s", place(h.At), c.Variable, c.Value))
	}
	hand := fmt.Sprintf("write at %s, for host %s: %s: %s", place(def.At), c.Host, c.Variable, c.Value)
	if _, ok := def.Value.(py.Vault); ok {
		return byHand(def.At, c, "it is vaulted", hand)
	}
	if _, ok := py.Text(def.Value); !ok {
		return byHand(def.At, c, "its value is a "+typeWord(def.Value)+", no word", hand)
	}
	t, why := e.textOf(def.At.File)
	if t == nil {
		return byHand(def.At, c, why, hand)
	}
	s, why := t.find(def.At, c.Variable)
	if why != "" {
		return byHand(def.At, c, why, hand)
	}
	for _, other := range e.inv.Hosts {
		if other != h && other.ownAt(c.Variable) == def.At {
			return byHand(def.At, c, "it is written for host "+other.Name+" as well", hand)
		}
	}
	s.value = c.Value
	t.spans = append(t.spans, s)
	return nil
}

// byHand is the refusal of one change.
func byHand(at source.Pos, c Change, why, try string) error {
	return &source.Hint{Err: fmt.Errorf("%s: %s of host %s cannot be edited: %s", place(at), c.Variable, c.Host, why), Try: try}
}

// place is "file:line", or the file alone where lines are unknown.
func place(at source.Pos) string {
	if at.Line < 1 {
		return at.File
	}
	return fmt.Sprintf("%s:%d", at.File, at.Line)
}

// ownAt is where the host's own definition of a variable is written, the zero
// Pos when only groups have one.
func (h *Host) ownAt(variable string) source.Pos {
	for _, d := range []*py.Dict{h.playVars, h.fileVars, h.Vars} {
		if e := d.Lookup(variable); e != nil {
			return e.At
		}
	}
	return source.Pos{}
}

// textOf is the file as YAML; why is the reason when it cannot be edited.
func (e *editor) textOf(file string) (t *yamlText, why string) {
	if t = e.yaml[file]; t != nil {
		return t, ""
	}
	data, ok := e.inv.text[file]
	switch {
	case !ok:
		return nil, "it comes from a program"
	case bytes.HasPrefix(data, []byte(vaultMark)):
		return nil, "the file is vaulted"
	case looksJSON(data) && json.Valid(data):
		return nil, "the file is JSON"
	case !utf8.Valid(data):
		return nil, "the file is not UTF-8"
	}
	t, err := newYAMLText(data)
	if err != nil {
		return nil, "the file is not YAML"
	}
	e.yaml[file] = t
	return t, ""
}

// yamlText is a YAML file with its nodes.
type yamlText struct {
	text    []byte
	root    *yaml.Node
	aliased map[*yaml.Node]bool // what an alias or a merge key stands for
	spans   []span
}

// span is what is replaced: text[from:to] becomes value.
type span struct {
	from, to int
	value    string
}

func newYAMLText(data []byte) (t *yamlText, err error) {
	defer func() {
		if r := recover(); r != nil { // as in decoder.document
			t, err = nil, fmt.Errorf("the YAML library failed: %v", r)
		}
	}()
	t = &yamlText{text: data, root: &yaml.Node{}, aliased: map[*yaml.Node]bool{}}
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(t.root); err != nil {
		return nil, err
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.AliasNode {
			t.aliased[n.Alias] = true
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(t.root)
	return t, nil
}

// find is where the value of the key at that place is written; why says why it
// cannot be replaced.
func (t *yamlText) find(at source.Pos, key string) (s span, why string) {
	var value, shared *yaml.Node
	var walk func(n, anchor *yaml.Node)
	walk = func(n, anchor *yaml.Node) {
		if t.aliased[n] {
			anchor = n
		}
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 && c.Line == at.Line && c.Column == at.Column && c.Value == key {
				value, shared = n.Content[i+1], anchor
			}
			walk(c, anchor)
		}
	}
	walk(t.root, nil)
	switch {
	case value == nil:
		return s, "the file is not YAML"
	case value.Kind == yaml.AliasNode:
		return s, "its value is the alias *" + value.Value
	case value.Anchor != "":
		return s, "its value has the anchor &" + value.Anchor
	case shared != nil:
		return s, fmt.Sprintf("it is part of the anchor &%s on line %d, which is used elsewhere too", shared.Anchor, shared.Line)
	case value.Style&yaml.TaggedStyle != 0:
		return s, "its value has the tag " + value.ShortTag()
	case strings.Contains(value.Value, "{{") || strings.Contains(value.Value, "{%"):
		return s, "its value is a template"
	case value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return s, "its value is a block of text"
	case value.Value == "":
		return s, "its value is an empty word"
	}
	from, ok := offset(t.text, value.Line, value.Column)
	if !ok {
		return s, "its place in the file is unknown"
	}
	written := value.Value
	if value.Style&yaml.DoubleQuotedStyle != 0 {
		written = `"` + written + `"`
	} else if value.Style&yaml.SingleQuotedStyle != 0 {
		written = "'" + written + "'"
	}
	if !bytes.HasPrefix(t.text[from:], []byte(written)) {
		return s, "its value is written with escapes or over several lines"
	}
	s = span{from: from, to: from + len(written)}
	if len(written) > len(value.Value) {
		s.from, s.to = s.from+1, s.to-1
	}
	return s, ""
}

// offset is where a line and column of the YAML library begin in the text: both
// count from 1, columns in characters, and a byte order mark at the beginning
// counts for nothing.
func offset(text []byte, line, column int) (at int, ok bool) {
	at = len(text) - len(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	for l, c := 1, 1; at < len(text); {
		if l == line && c == column {
			return at, true
		}
		r, n := utf8.DecodeRune(text[at:])
		at += n
		switch {
		case r == '\r' && at < len(text) && text[at] == '\n':
			at++
			l, c = l+1, 1
		case r == '\r' || r == '\n' || r == 0x85 || r == 0x2028 || r == 0x2029:
			l, c = l+1, 1
		default:
			c++
		}
		if l > line {
			break
		}
	}
	return 0, false
}

// replaced is the text with its spans replaced. They do not overlap.
func (t *yamlText) replaced() []byte {
	out := make([]byte, 0, len(t.text)+16)
	for at := 0; ; {
		var next *span
		for i := range t.spans {
			if s := &t.spans[i]; s.from >= at && (next == nil || s.from < next.from) {
				next = s
			}
		}
		if next == nil {
			return append(out, t.text[at:]...)
		}
		out = append(append(out, t.text[at:next.from]...), next.value...)
		at = next.to
	}
}

// onlyChanged is nil when the two inventories are the same except for the changes.
func onlyChanged(before, after *Inventory, changes []Change) error {
	if len(before.Hosts) != len(after.Hosts) || len(before.Groups) != len(after.Groups) {
		return errors.New("refused: the change would have changed the hosts or groups of the inventory")
	}
	for i, g := range before.Groups {
		if err := sameGroup(g, after.Groups[i]); err != nil {
			return err
		}
	}
	want := map[string]string{}
	for _, c := range changes {
		want[c.Host+"\x00"+c.Variable] = c.Value
	}
	for i, h := range before.Hosts {
		k := after.Hosts[i]
		if h.Name != k.Name || h.all.Len() != k.all.Len() {
			return fmt.Errorf("refused: the change would have changed host %s as a whole", h.Name)
		}
		was := h.all.Entries()
		for j, e := range k.all.Entries() {
			name := py.Str(e.Key)
			if v, ok := want[h.Name+"\x00"+name]; ok {
				if e.Value != v {
					return fmt.Errorf("refused: %s of host %s would not have become %s", name, h.Name, v)
				}
				continue
			}
			if !identical(was[j].Key, e.Key) || !identical(was[j].Value, e.Value) || was[j].At.File != e.At.File || was[j].At.Line != e.At.Line {
				return fmt.Errorf("refused: the change would have changed %s of host %s too", name, h.Name)
			}
		}
	}
	return nil
}

// sameGroup compares all that is written for a group.
func sameGroup(g, k *Group) error {
	same := g.Name == k.Name && g.Depth == k.Depth && g.Priority == k.Priority && len(g.Children) == len(k.Children) && len(g.Hosts) == len(k.Hosts)
	for i := 0; same && i < len(g.Children); i++ {
		same = g.Children[i].Name == k.Children[i].Name
	}
	for i := 0; same && i < len(g.Hosts); i++ {
		same = g.Hosts[i].Name == k.Hosts[i].Name
	}
	if !same || !identical(groupVars(g), groupVars(k)) {
		return fmt.Errorf("refused: the change would have changed group %s", g.Name)
	}
	return nil
}

// identical reports whether two values are the same to the last type, mappings
// in the same order. What is too large to compare is not.
func identical(a, b py.Value) bool {
	budget := 1_000_000
	return alike(a, b, &budget)
}

func alike(a, b py.Value, budget *int) bool {
	if *budget--; *budget < 0 {
		return false
	}
	switch x := a.(type) {
	case []py.Value:
		y, ok := b.([]py.Value)
		return ok && sameItems(x, y, budget)
	case py.Set:
		y, ok := b.(py.Set)
		return ok && sameItems(x.Items, y.Items, budget)
	case *py.Dict:
		y, ok := b.(*py.Dict)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i, e := range x.Entries() {
			f := y.Entries()[i]
			if !alike(e.Key, f.Key, budget) || !alike(e.Value, f.Value, budget) {
				return false
			}
		}
		return true
	case py.Vault:
		y, ok := b.(py.Vault)
		return ok && x.Sealed == y.Sealed
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && py.Repr(a) == py.Repr(b)
}

func sameItems(a, b []py.Value, budget *int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !alike(a[i], b[i], budget) {
			return false
		}
	}
	return true
}

package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// MaxSize is the largest inventory or vars file that is read, in bytes.
const MaxSize = 16 << 20

// MaxList is the largest output of an executable inventory, or saved output
// of one, that is read, in bytes.
const MaxList = 64 << 20

// maxDepth bounds nesting; Python gives up long before.
const maxDepth = 500

// Error is something wrong at one place of a file.
type Error struct {
	At  source.Pos
	Msg string // what was found and what was expected
	Err error  // cause; nil when there is none
}

// Error is "file:line:column: message".
func (e *Error) Error() string {
	if e.At.Line == 0 {
		return e.At.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.At.File, e.At.Line, e.At.Column, e.Msg)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// decoder turns the nodes of one file into values.
type decoder struct {
	file  string
	json  bool // the file is JSON: numbers follow JSON's rules
	vault func(string) py.Vault
	done  map[*yaml.Node]py.Value
	doing map[*yaml.Node]bool
	warn  func(source.Pos, string)
	b     *budget.Budget
	at    *source.Pos        // where the decoder is
	nodes int                // that were converted, those of an alias each time
	size  map[*yaml.Node]int // how many nodes an anchored one has
}

// nodeSize is what a node of the YAML library takes, in bytes.
const nodeSize = 320

// mostNodes is how many nodes a text may have: it counts what can begin one.
func mostNodes(data []byte) int {
	n := 1
	for i, c := range data {
		switch c {
		case '{':
			n += 3
		case '[', ',':
			n += 2
		case ':', '\n', '?':
			n++
		case '-':
			if i+1 == len(data) || data[i+1] <= ' ' {
				n++
			}
		}
	}
	return n
}

// document reads one YAML (or JSON) document. A file without any content is
// nil without an error.
func (d *decoder) document(data []byte) (v py.Value, err error) {
	defer func() {
		// The YAML library is foreign code in front of foreign bytes.
		if r := recover(); r != nil {
			v, err = nil, d.errf(nil, "the YAML library failed: %v", r)
		}
	}()
	if err := d.text(data); err != nil {
		return nil, err
	}
	*d.at = source.Pos{File: d.file, Line: 1, Column: 1}
	n := mostNodes(data)
	tree := budget.Times(n, nodeSize)
	if err := d.b.Spend(1+n>>3+len(data)>>6, tree); err != nil {
		return nil, err
	}
	defer d.b.Return(tree) // no node is kept
	d.json = looksJSON(data) && json.Valid(data)
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, d.syntax(err)
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		return nil, d.errf(&more, "a second document begins here: expected one YAML document")
	} else if !errors.Is(err, io.EOF) {
		return nil, d.syntax(err)
	}
	d.done, d.doing, d.size = map[*yaml.Node]py.Value{}, map[*yaml.Node]bool{}, map[*yaml.Node]int{}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return d.value(doc.Content[0], 0)
}

// looksJSON avoids validating a YAML file as JSON.
func looksJSON(data []byte) bool {
	t := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	return len(t) > 1 && (t[0] == '{' && t[len(t)-1] == '}' || t[0] == '[' && t[len(t)-1] == ']')
}

// text refuses what is not text, with the place of the first bad byte.
func (d *decoder) text(data []byte) error {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil // UTF-16 with a byte order mark is YAML too
	}
	line, col := 1, 1
	for i := 0; i < len(data); {
		r, n := rune(data[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(data[i:])
		}
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != 0x85 || r == 0x7f {
			return &Error{At: source.Pos{File: d.file, Line: line, Column: col},
				Msg: fmt.Sprintf("byte 0x%02x is not text: expected a YAML inventory in UTF-8", data[i])}
		}
		i += n
		col++
		if r == '\n' {
			line, col = line+1, 1
		}
	}
	return nil
}

func (d *decoder) pos(n *yaml.Node) source.Pos {
	if n == nil {
		return source.Pos{File: d.file}
	}
	return source.Pos{File: d.file, Line: n.Line, Column: n.Column}
}

func (d *decoder) errf(n *yaml.Node, format string, args ...any) *Error {
	return &Error{At: d.pos(n), Msg: fmt.Sprintf(format, args...)}
}

// syntax turns the library's "yaml: line 3: did not find …" into an Error.
func (d *decoder) syntax(err error) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	e := &Error{At: source.Pos{File: d.file}, Msg: "not valid YAML: " + msg, Err: err}
	if rest, ok := strings.CutPrefix(msg, "line "); ok {
		if num, text, ok := strings.Cut(rest, ": "); ok {
			if n, convErr := strconv.Atoi(num); convErr == nil {
				e.At.Line, e.At.Column = max(n, 1), 1
				e.Msg = "not valid YAML: " + text
			}
		}
	}
	return e
}

// value converts one node. An anchored node is converted once and shared.
func (d *decoder) value(n *yaml.Node, depth int) (py.Value, error) {
	*d.at = d.pos(n)
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if v, ok := d.done[n]; ok {
		// It takes no room, but whoever walks through it walks all of it again.
		d.nodes = budget.Plus(d.nodes, d.size[n])
		return v, d.b.Spend(d.size[n], 0)
	}
	d.nodes++
	if err := d.b.Spend(1, 2*budget.Item); err != nil {
		return nil, err
	}
	if d.doing[n] {
		return nil, d.errf(n, "this value contains itself: expected an alias to something outside of it")
	}
	if depth > maxDepth {
		return nil, d.errf(n, "nested more than %d levels deep", maxDepth)
	}
	if n.Kind == yaml.ScalarNode {
		return d.scalar(n)
	}
	d.doing[n] = true
	defer delete(d.doing, n)
	var v py.Value
	var err error
	before := d.nodes - 1
	switch n.Kind {
	case yaml.MappingNode:
		v, err = d.mapping(n, depth)
	case yaml.SequenceNode:
		v, err = d.sequence(n, depth)
	default:
		return nil, d.errf(n, "unexpected YAML node")
	}
	if err == nil && n.Anchor != "" {
		d.done[n], d.size[n] = v, d.nodes-before
	}
	return v, err
}

func (d *decoder) scalar(n *yaml.Node) (py.Value, error) {
	var v py.Value
	var err error
	if err := d.b.Spend(len(n.Value)>>8, len(n.Value)); err != nil {
		return nil, err
	}
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		v, err = tagged(n.ShortTag(), n.Value, d.vault)
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return n.Value, nil
	case d.json:
		v, err = jsonScalar(n.Value)
	default:
		v, err = plain(n.Value)
	}
	if err != nil {
		return nil, &Error{At: d.pos(n), Msg: err.Error(), Err: err}
	}
	return v, nil
}

// jsonScalar follows JSON: 1e2 is a number there, 010 cannot be written.
func jsonScalar(s string) (py.Value, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number: %w", s, err)
		}
		return f, nil
	}
	return parseInt(s)
}

func (d *decoder) sequence(n *yaml.Node, depth int) (py.Value, error) {
	if err := d.b.Spend(0, budget.Times(len(n.Content), budget.Item)); err != nil {
		return nil, err
	}
	items := make([]py.Value, 0, len(n.Content))
	for _, c := range n.Content {
		v, err := d.value(c, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	if n.Style&yaml.TaggedStyle != 0 && n.ShortTag() == "!!set" {
		return py.Set{Items: items}, nil
	}
	return items, nil
}

// pair is one entry of a mapping after its merge keys were spread out.
type pair struct {
	key, value *yaml.Node
	merged     bool
}

func (d *decoder) mapping(n *yaml.Node, depth int) (py.Value, error) {
	pairs, err := d.flatten(n, depth)
	if err != nil {
		return nil, err
	}
	if err := d.b.Spend(0, budget.Times(len(pairs)+1, budget.Entry)); err != nil {
		return nil, err
	}
	out := py.NewDict(len(pairs))
	out.At = d.pos(n)
	for _, p := range pairs {
		key, err := d.key(p.key, depth)
		if err != nil {
			return nil, err
		}
		was := out.Lookup(key)
		v, err := d.value(p.value, depth+1)
		if err != nil {
			return nil, err
		}
		if was != nil && !p.merged && d.b.Spend(len(n.Content)>>3, 0) == nil && d.written(n, p.key) {
			d.warn(d.pos(p.key), fmt.Sprintf("%s is written twice in one mapping (first at line %d): the last one counts", py.Str(key), was.At.Line))
		}
		out.Set(key, v, d.pos(p.key))
	}
	if n.Style&yaml.TaggedStyle != 0 && n.ShortTag() == "!!set" {
		s := py.Set{}
		for _, e := range out.Entries() {
			s.Items = append(s.Items, e.Key)
		}
		return s, nil
	}
	return out, nil
}

// written reports whether another key of n itself (not of a merge) has the
// same text before k: only then a repeated key is the user's mistake.
func (d *decoder) written(n *yaml.Node, k *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		c := n.Content[i]
		if c == k {
			return false
		}
		if c.Kind == k.Kind && c.Value == k.Value {
			return true
		}
	}
	return false
}

func (d *decoder) key(n *yaml.Node, depth int) (py.Value, error) {
	v, err := d.value(n, depth+1)
	if err != nil {
		return nil, err
	}
	if _, ok := py.KeyOf(v); !ok {
		return nil, d.errf(n, "a %s cannot be a key: expected a word", py.TypeName(v))
	}
	return v, nil
}

// flatten spreads the merge keys of a mapping out as PyYAML does: what they
// bring comes first, so that a key written in the mapping itself always wins;
// of several merged mappings the first wins.
func (d *decoder) flatten(n *yaml.Node, depth int) ([]pair, error) {
	if depth > maxDepth {
		return nil, d.errf(n, "nested more than %d levels deep", maxDepth)
	}
	var merged []pair
	own := make([]pair, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !isMerge(k) {
			own = append(own, pair{key: k, value: v})
			continue
		}
		m, err := d.mergeFrom(v, depth)
		if err != nil {
			return nil, err
		}
		merged = append(merged, m...)
	}
	if merged == nil {
		return own, nil
	}
	return append(merged, own...), nil
}

func isMerge(k *yaml.Node) bool {
	return k.Kind == yaml.ScalarNode && k.Value == "<<" &&
		k.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.TaggedStyle) == 0
}

func (d *decoder) mergeFrom(v *yaml.Node, depth int) ([]pair, error) {
	if v.Kind == yaml.AliasNode {
		v = v.Alias
	}
	switch v.Kind {
	case yaml.MappingNode:
		if d.doing[v] {
			return nil, d.errf(v, "this mapping merges itself")
		}
		d.doing[v] = true
		defer delete(d.doing, v)
		ps, err := d.flatten(v, depth+1)
		if err == nil {
			err = d.b.SpendAt(d.pos(v), "a merge key", len(ps), budget.Times(len(ps), 6*budget.Item))
		}
		if err != nil {
			return nil, err
		}
		out := make([]pair, len(ps))
		for i, p := range ps {
			p.merged = true
			out[i] = p
		}
		return out, nil
	case yaml.SequenceNode:
		var out []pair
		for i := len(v.Content) - 1; i >= 0; i-- {
			c := v.Content[i]
			if c.Kind == yaml.AliasNode {
				c = c.Alias
			}
			if c.Kind != yaml.MappingNode {
				return nil, d.errf(c, "expected a mapping to merge, found something else")
			}
			ps, err := d.mergeFrom(c, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, ps...)
		}
		return out, nil
	}
	return nil, d.errf(v, "expected a mapping or a list of mappings after <<")
}

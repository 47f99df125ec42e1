package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// decodeJSON reads JSON the way Ansible reads the output of an executable
// inventory. Its strings are Python's own, not YAML's: JMESPath can sort by
// them, which is why they become Computed.
func (l *loader) decodeJSON(file string, data []byte) (py.Value, error) {
	if len(data) > MaxList {
		return nil, &Error{At: source.Pos{File: file}, Msg: fmt.Sprintf("larger than %d MB: this is not a Pigsty inventory", MaxList>>20)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	j := &jsonReader{file: file, data: data, line: 1, vault: l.unlock, b: l.b, dec: json.NewDecoder(bytes.NewReader(data))}
	j.dec.UseNumber()
	v, err := j.value(0)
	if err == nil {
		if _, more := j.dec.Token(); !errors.Is(more, io.EOF) {
			err = &Error{At: j.at(), Msg: "something follows the JSON value: expected nothing more"}
		}
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// jsonReader turns JSON tokens into values and knows where they stand.
type jsonReader struct {
	file  string
	data  []byte
	dec   *json.Decoder
	vault func(string) py.Vault
	b     *budget.Budget
	seen  int // bytes of data whose lines are counted
	line  int
	start int // offset of the first byte of the line
}

// at is the place just after the last token.
func (j *jsonReader) at() source.Pos {
	end := min(int(j.dec.InputOffset()), len(j.data))
	for j.seen < end {
		i := bytes.IndexByte(j.data[j.seen:end], '\n')
		if i < 0 {
			j.seen = end // a program may print all of it on one line
			break
		}
		j.seen += i + 1
		j.line, j.start = j.line+1, j.seen
	}
	return source.Pos{File: j.file, Line: j.line, Column: end - j.start + 1}
}

func (j *jsonReader) token() (json.Token, error) {
	t, err := j.dec.Token()
	if err == nil {
		return t, nil
	}
	msg := "not valid JSON: " + err.Error()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		msg = "not valid JSON: it ends too early"
		if len(bytes.TrimSpace(j.data)) == 0 {
			msg = "empty: expected a JSON object of groups"
		}
	}
	return nil, &Error{At: j.at(), Msg: msg, Err: err}
}

func (j *jsonReader) value(depth int) (py.Value, error) {
	t, err := j.token()
	if err != nil {
		return nil, err
	}
	text, _ := t.(string)
	if err := j.b.Spend(1, 2*budget.Item+len(text)); err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, &Error{At: j.at(), Msg: fmt.Sprintf("nested more than %d levels deep", maxDepth)}
	}
	switch x := t.(type) {
	case json.Delim:
		if x == '[' {
			return j.array(depth)
		}
		return j.object(depth)
	case json.Number:
		if err := j.b.Digits(len(x)); err != nil {
			return nil, err
		}
		return py.JSONNumber(string(x)), nil
	case string:
		return py.Computed(x), nil
	case bool:
		return x, nil
	}
	return nil, nil
}

func (j *jsonReader) array(depth int) (py.Value, error) {
	out := []py.Value{}
	for j.dec.More() {
		v, err := j.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := j.token()
	return out, err
}

func (j *jsonReader) object(depth int) (py.Value, error) {
	if err := j.b.Spend(1, budget.Entry); err != nil {
		return nil, err
	}
	d := &py.Dict{At: j.at()}
	for j.dec.More() {
		k, err := j.token()
		if err != nil {
			return nil, err
		}
		at := j.at()
		if err := j.b.SpendAt(at, "", 1, budget.Entry); err != nil {
			return nil, err
		}
		v, err := j.value(depth + 1)
		if err != nil {
			return nil, err
		}
		key, _ := k.(string)
		d.Set(key, v, at)
	}
	if _, err := j.token(); err != nil {
		return nil, err
	}
	return j.marked(d), nil
}

// marked opens what ansible-inventory prints for values with a tag.
func (j *jsonReader) marked(d *py.Dict) py.Value {
	if v, ok := d.Get("__ansible_vault"); ok {
		if s, ok := py.Text(v); ok {
			return j.vault(s)
		}
	}
	if v, ok := d.Get("__ansible_unsafe"); ok {
		if s, ok := py.Text(v); ok {
			return py.Unsafe(s)
		}
	}
	return d
}

// isList reports whether root is a saved `--list`, not a YAML inventory written as JSON.
func isList(root *py.Dict) bool {
	meta, _ := root.Get("_meta")
	m, ok := meta.(*py.Dict)
	if !ok {
		return false
	}
	_, ok = m.Get("hostvars")
	return ok
}

// list adds the groups and hosts that an executable inventory printed, in the
// order it printed them. ask gets the variables of one host when the output
// has no _meta; it is nil when there is no program to run.
func (b *builder) list(root *py.Dict, ask func(host string) (*py.Dict, error)) error {
	var hosts []*Host
	seen := map[string]bool{}
	for _, e := range root.Entries() {
		name, _ := py.Text(e.Key)
		if name == "_meta" {
			continue
		}
		if name == "" {
			return &Error{At: e.At, Msg: "a group without a name: expected a word"}
		}
		added, err := b.listed(name, e)
		if err != nil {
			return err
		}
		for _, h := range added {
			if !seen[h.Name] {
				seen[h.Name] = true
				hosts = append(hosts, h)
			}
		}
	}
	var vars *py.Dict
	if meta, _ := root.Get("_meta"); meta != nil {
		m, _ := meta.(*py.Dict)
		hv, ok := m.Get("hostvars")
		if vars, _ = hv.(*py.Dict); ok && vars == nil {
			return &Error{At: root.Lookup("_meta").At, Msg: fmt.Sprintf("hostvars of _meta: expected an object of hosts, found a %s", typeWord(hv))}
		}
	}
	for _, h := range hosts {
		if err := b.listedVars(h, vars, ask); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) listedVars(h *Host, vars *py.Dict, ask func(string) (*py.Dict, error)) error {
	var d *py.Dict
	switch {
	case vars != nil:
		e := vars.Lookup(h.Name)
		if e == nil {
			return nil
		}
		got, ok := e.Value.(*py.Dict)
		if !ok {
			return &Error{At: e.At, Msg: fmt.Sprintf("host %s: expected an object of variables, found a %s", h.Name, typeWord(e.Value))}
		}
		d = got
	case ask != nil:
		var err error
		if d, err = ask(h.Name); err != nil {
			return err
		}
	}
	return b.hostVars(h, d)
}

// listed adds one group of such an output and returns its hosts: a list of
// hosts, or hosts, vars and children, or the variables of a host of that name.
func (b *builder) listed(name string, e py.Entry) ([]*Host, error) {
	g := b.addGroup(name, e.At)
	bad := func(e py.Entry, what, want string) error {
		return &Error{At: e.At, Msg: fmt.Sprintf("%s of group %s: expected %s, found a %s", what, name, want, typeWord(e.Value))}
	}
	hosts := py.Entry{At: e.At, Value: e.Value}
	var vars, children *py.Entry
	d, ok := e.Value.(*py.Dict)
	if ok {
		h := d.Lookup("hosts")
		vars, children = d.Lookup("vars"), d.Lookup("children")
		switch {
		case h != nil:
			hosts = *h
		case vars == nil && children == nil:
			hosts.Value, vars = []py.Value{name}, &py.Entry{At: e.At, Value: d}
		default:
			hosts.Value = []py.Value{}
		}
	}
	list, ok := hosts.Value.([]py.Value)
	if !ok {
		return nil, bad(hosts, "hosts", "a list")
	}
	var out []*Host
	for _, v := range list {
		host, ok := py.Text(v)
		if !ok || host == "" {
			return nil, &Error{At: hosts.At, Msg: fmt.Sprintf("host %s of group %s: expected an address or a name", py.Brief(v), name)}
		}
		h, err := b.addHost(g, host, 0, hosts.At, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	if vars != nil {
		d, ok := vars.Value.(*py.Dict)
		if !ok {
			return nil, bad(*vars, "vars", "an object")
		}
		for _, v := range d.Entries() {
			if err := b.setGroupVar(g, v); err != nil {
				return nil, err
			}
		}
	}
	if children == nil {
		return out, nil
	}
	kids, ok := children.Value.([]py.Value)
	if !ok {
		return nil, bad(*children, "children", "a list")
	}
	for _, k := range kids {
		child, ok := py.Text(k)
		if !ok || child == "" {
			return nil, &Error{At: children.At, Msg: fmt.Sprintf("child %s of group %s: expected the name of a group", py.Brief(k), name)}
		}
		if err := b.addChild(g, b.addGroup(child, children.At), children.At); err != nil {
			return nil, err
		}
	}
	return out, nil
}

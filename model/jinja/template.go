package jinja

import (
	"errors"
	"regexp"
	"strings"

	"pgtui/model/py"
)

// SyntaxError is a template that Jinja does not accept.
type SyntaxError struct{ Msg string }

func (e *SyntaxError) Error() string { return "template syntax: " + e.Msg }

// UndefinedError is the use of something that is not defined. Ansible treats
// it differently from every other failure.
type UndefinedError struct{ What string }

func (e *UndefinedError) Error() string { return e.What + " is undefined" }

// Scope is where a template finds its variables.
type Scope interface {
	// Get is the variable, resolved. ok is false when it is not defined. An
	// *UndefinedError makes it undefined too; any other error is final.
	Get(name string) (v py.Value, ok bool, err error)
	// Raw is the variable as it was written.
	Raw(name string) (v py.Value, ok bool)
}

// Engine parses templates, each text once. It is not safe for concurrent use.
// The zero Engine is ready.
type Engine struct {
	parsed map[string]parsedTemplate
	depth  int
}

type parsedTemplate struct {
	body []*stmt
	err  error
}

// maxDepth is how deep variables may refer to each other: Python gives up at
// about the same point and calls it a loop.
const maxDepth = 60

var errLoop = errors.New("recursive loop detected in template string")

// Marked reports whether Ansible takes s for a template at all.
func Marked(s string) bool {
	return strings.Contains(s, "{{") || strings.Contains(s, "{%") || strings.Contains(s, "{#")
}

// Value resolves every template in v. When keep is set, a template that needs
// something undefined stays as it was written, as Ansible does in hostvars.
func (e *Engine) Value(v py.Value, s Scope, keep bool) (py.Value, error) {
	switch x := v.(type) {
	case string:
		return e.text(x, s, keep)
	case py.Computed:
		return e.text(string(x), s, keep)
	case py.Verbatim:
		return e.text(string(x), s, keep)
	case []py.Value:
		out := make([]py.Value, len(x))
		for i, it := range x {
			r, err := e.nested(it, s, keep)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	case py.Tuple:
		return e.Value([]py.Value(x), s, keep)
	case *py.Dict:
		if !e.needed(x, 0) {
			return x, nil
		}
		out := py.NewDict(x.Len())
		out.At = x.At
		for _, it := range x.Entries() {
			r, err := e.nested(it.Value, s, keep)
			if err != nil {
				return nil, err
			}
			out.Set(it.Key, r, it.At)
		}
		return out, nil
	}
	return v, nil
}

func (e *Engine) nested(v py.Value, s Scope, keep bool) (py.Value, error) {
	if e.depth > maxDepth*4 {
		return nil, errLoop
	}
	e.depth++
	defer func() { e.depth-- }()
	return e.Value(v, s, keep)
}

// needed reports whether there is a template anywhere in v.
func (e *Engine) needed(v py.Value, depth int) bool {
	if depth > maxDepth*4 {
		return true
	}
	switch x := v.(type) {
	case string:
		return Marked(x)
	case py.Computed:
		return Marked(string(x))
	case []py.Value:
		for _, it := range x {
			if e.needed(it, depth+1) {
				return true
			}
		}
	case *py.Dict:
		for _, it := range x.Entries() {
			if e.needed(it.Value, depth+1) {
				return true
			}
		}
	}
	return false
}

// single is a template that is one bare name: it keeps the type of a number,
// a bool or null that stands in the inventory as such.
var single = regexp.MustCompile(`^\{\{\s*(\w*)\s*\}\}\n?$`)

func (e *Engine) text(src string, s Scope, keep bool) (py.Value, error) {
	if !Marked(src) {
		return src, nil
	}
	if m := single.FindStringSubmatch(src); m != nil {
		if v, ok := s.Raw(m[1]); ok && (v == nil || py.IsNumber(v)) {
			return v, nil
		}
	}
	v, err := e.render(src, s)
	if _, undefined := errors.AsType[*UndefinedError](err); undefined && keep {
		return src, nil
	}
	return v, err
}

// Expand renders one template and gives the text, whatever it looks like.
func (e *Engine) render(src string, s Scope) (py.Value, error) {
	if e.depth > maxDepth {
		return nil, errLoop
	}
	e.depth++
	defer func() { e.depth-- }()
	body, err := e.parse(src)
	if err != nil {
		return nil, err
	}
	c := &context{engine: e, scope: s, steps: 200_000}
	var out output
	if err := c.run(body, &out); err != nil {
		return nil, err
	}
	return out.value(src, c.unsafe), nil
}

func (e *Engine) parse(src string) ([]*stmt, error) {
	if p, ok := e.parsed[src]; ok {
		return p.body, p.err
	}
	chunks, err := split(src)
	var p parsedTemplate
	if err == nil {
		b := &blocks{chunks: chunks}
		p.body, _, err = b.until()
		if err == nil && b.pos < len(b.chunks) {
			err = &SyntaxError{"unexpected tag " + strings.TrimSpace(b.chunks[b.pos].text)}
		}
	}
	p.err = err
	if e.parsed == nil || len(e.parsed) > 10_000 {
		e.parsed = map[string]parsedTemplate{}
	}
	e.parsed[src] = p
	return p.body, p.err
}

// output collects what a template prints.
type output struct {
	parts []py.Value
	size  int
}

func (o *output) add(v py.Value) {
	o.parts = append(o.parts, v)
	if s, ok := py.Text(v); ok {
		o.size += len(s)
	}
}

// value is Ansible's rule for what a template becomes: text, or what the
// text reads as when it looks like a list, a mapping or a bool.
func (o *output) value(src string, unsafe bool) py.Value {
	var v py.Value
	var text string
	if len(o.parts) == 1 {
		v = o.parts[0]
		if s, ok := v.(py.Verbatim); ok {
			if n := trailing(src) - trailing(string(s)); n > 0 {
				return py.Computed(string(s) + strings.Repeat("\n", n))
			}
			return s
		}
		text = py.Print(v)
	} else {
		var b strings.Builder
		for _, p := range o.parts {
			b.WriteString(py.Print(p))
		}
		text = b.String()
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || text == "True" || text == "False" {
		if lit, ok := py.Literal(text); ok {
			return lit
		}
	}
	if n := trailing(src) - trailing(text); n > 0 {
		text += strings.Repeat("\n", n)
		v = nil
	}
	if unsafe {
		return py.Unsafe(text)
	}
	if s, ok := v.(string); ok {
		return s
	}
	return py.Computed(text)
}

func trailing(s string) int { return len(s) - len(strings.TrimRight(s, "\n")) }

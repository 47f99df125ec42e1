package jinja

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source/budget"
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
	// Budget is what everything may cost; nil takes a whole one.
	Budget *budget.Budget

	parsed   map[string]parsedTemplate
	patterns map[string]compiledPattern
	plain    map[any]bool // lists and mappings that were looked through: is there no template in them?
	depth    int
}

// spent is the budget.
func (e *Engine) spent() *budget.Budget {
	if e.Budget == nil {
		e.Budget = budget.New()
	}
	return e.Budget
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
	case py.Tuple:
		return e.Value([]py.Value(x), s, keep)
	}
	return e.items(v, func(it py.Value) (py.Value, error) { return e.Value(it, s, keep) })
}

// items is a list or a mapping with every item resolved by one, anything else as it is.
func (e *Engine) items(v py.Value, one func(py.Value) (py.Value, error)) (py.Value, error) {
	if !e.needed(v, 0) {
		return v, nil
	}
	nested := func(it py.Value) (py.Value, error) {
		return e.deeper(maxDepth*4, func() (py.Value, error) { return one(it) })
	}
	switch x := v.(type) {
	case []py.Value:
		if err := e.spent().Spend(len(x), budget.Times(len(x), budget.Item)); err != nil {
			return nil, err
		}
		out := make([]py.Value, len(x))
		for i, it := range x {
			r, err := nested(it)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	case *py.Dict:
		if err := e.spent().Spend(x.Len(), budget.Times(x.Len(), budget.Entry)); err != nil {
			return nil, err
		}
		out := py.NewDict(x.Len())
		out.At = x.At
		for _, it := range x.Entries() {
			r, err := nested(it.Value)
			if err != nil {
				return nil, err
			}
			out.Set(it.Key, r, it.At)
		}
		return out, nil
	}
	return v, nil
}

// Needs reports whether there is a template anywhere in v.
func (e *Engine) Needs(v py.Value) bool { return e.needed(v, 0) }

// deeper does one step of resolving below the others, most of them at the most.
func (e *Engine) deeper(most int, do func() (py.Value, error)) (py.Value, error) {
	if e.depth > most {
		return nil, errLoop
	}
	e.depth++
	defer func() { e.depth-- }()
	return do()
}

// needed reports whether there is a template anywhere in v.
func (e *Engine) needed(v py.Value, depth int) bool {
	if depth > maxDepth*4 {
		return true
	}
	switch x := v.(type) {
	case string:
		return e.spent().Spend(len(x)>>8, 0) == nil && Marked(x)
	case py.Computed:
		return e.spent().Spend(len(x)>>8, 0) == nil && Marked(string(x))
	case py.Tuple:
		return true // it becomes a list
	case []py.Value:
		return e.once(v, func() bool {
			return slices.ContainsFunc(x, func(it py.Value) bool { return e.needed(it, depth+1) })
		})
	case *py.Dict:
		return e.once(v, func() bool {
			return slices.ContainsFunc(x.Entries(), func(it py.Entry) bool { return e.needed(it.Value, depth+1) })
		})
	}
	return false
}

// once looks for templates in a list or mapping, which does not change any
// more, and remembers what it found: the same one belongs to many hosts, and an
// alias makes it part of others.
func (e *Engine) once(v py.Value, look func() bool) bool {
	key, ok := py.Identity(v)
	if !ok {
		return look()
	}
	if plain, known := e.plain[key]; known {
		return !plain
	}
	if e.spent().Spend(1, 64) != nil {
		return true
	}
	found := look()
	if e.plain == nil {
		e.plain = map[any]bool{}
	}
	e.plain[key] = !found
	return found
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

// render renders one template as ansible-core before 2.19 does.
func (e *Engine) render(src string, s Scope) (py.Value, error) {
	return e.deeper(maxDepth, func() (py.Value, error) {
		out, c, err := e.print(src, s, false)
		if err != nil {
			return nil, err
		}
		v := out.value(src, c.unsafe, c.b)
		return v, c.b.Err()
	})
}

// File renders a template file the way Ansible's template module does: the
// result is always text, and a line feed at its end is kept.
func (e *Engine) File(src string, s Scope) (string, error) {
	if strings.HasPrefix(src, "#jinja2:") {
		return "", &Unknowable{"the #jinja2: line that changes Jinja's settings"}
	}
	out, c, err := e.print(src, s, true)
	if err != nil {
		return "", err
	}
	text := out.text(c.b)
	if n := trailing(src) - trailing(text); n > 0 {
		text += strings.Repeat("\n", n)
	}
	return text, c.b.Err()
}

// print is what a template, or a template file, prints, and the context it ran in.
func (e *Engine) print(src string, s Scope, file bool) (out output, c *context, err error) {
	c = &context{engine: e, scope: s, b: e.spent()}
	body, err := e.parse(src, file)
	if err == nil {
		err = c.run(body, &out)
	}
	return out, c, err
}

func (e *Engine) parse(src string, file bool) ([]*stmt, error) {
	key := src
	if file {
		key = "\x00file\x00" + src
	}
	if p, ok := e.parsed[key]; ok {
		return p.body, p.err
	}
	if err := e.spent().Spend(1+len(src), budget.Times(len(src), parsedSize)); err != nil {
		return nil, err
	}
	chunks, err := split(src)
	var p parsedTemplate
	if err == nil {
		b := &blocks{chunks: chunks, file: file}
		p.body, _, err = b.until()
		if err == nil && b.pos < len(b.chunks) {
			err = &SyntaxError{"unexpected tag " + strings.TrimSpace(b.chunks[b.pos].text)}
		}
	}
	p.err = err
	if e.parsed == nil || len(e.parsed) > 10_000 {
		e.parsed = map[string]parsedTemplate{}
	}
	e.parsed[key] = p
	return p.body, p.err
}

// parsedSize is how much larger a template may be than its text, once it is
// parsed.
const parsedSize = 100

// output collects what a template prints.
type output struct{ parts []py.Value }

func (o *output) add(v py.Value, b *budget.Budget) error {
	err := b.Spend(1, budget.Item)
	if err == nil {
		o.parts = append(o.parts, v)
	}
	return err
}

// text is all of it as one text, "" when the budget is spent.
func (o *output) text(spent *budget.Budget) string {
	parts, size := make([]string, 0, len(o.parts)), 0
	for _, p := range o.parts {
		parts = append(parts, py.PrintIn(spent, p))
		size = budget.Plus(size, len(parts[len(parts)-1]))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	if spent.Spend(1+size>>6, size) != nil {
		return ""
	}
	return strings.Join(parts, "")
}

// value is Ansible's rule for what a template becomes: text, or what the
// text reads as when it looks like a list, a mapping or a bool.
func (o *output) value(src string, unsafe bool, spent *budget.Budget) py.Value {
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
	}
	text = o.text(spent)
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || text == "True" || text == "False" {
		if spent.Spend(len(text)>>4, budget.Times(len(text), literalSize)) != nil {
			return nil
		}
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

// literalSize is how much larger a value may be than the text it is read from.
const literalSize = 40

func trailing(s string) int { return len(s) - len(strings.TrimRight(s, "\n")) }

// Native resolves every template in v the way ansible-core 2.19 and newer do:
// a template that is one expression keeps its type, and text is never read
// back as a list, a mapping or a bool. s must resolve its variables the same
// way.
func (e *Engine) Native(v py.Value, s Scope) (py.Value, error) {
	switch x := v.(type) {
	case string:
		return e.nativeText(x, s)
	case py.Computed:
		return e.nativeText(string(x), s)
	}
	return e.items(v, func(it py.Value) (py.Value, error) { return e.Native(it, s) })
}

func (e *Engine) nativeText(src string, s Scope) (py.Value, error) {
	if !Marked(src) {
		return src, nil
	}
	return e.deeper(maxDepth, func() (py.Value, error) {
		out, c, err := e.print(src, s, false)
		if err != nil {
			return nil, err
		}
		if len(out.parts) == 1 {
			return out.parts[0], nil
		}
		text := out.text(c.b)
		return py.Computed(text), c.b.Err()
	})
}

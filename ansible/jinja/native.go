package jinja

import (
	"pgtui/ansible/py"
	"pgtui/source/budget"
)

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
	case []py.Value:
		if !e.needed(x, 0) {
			return x, nil
		}
		if err := e.spent().Spend(len(x), budget.Times(len(x), budget.Item)); err != nil {
			return nil, err
		}
		out := make([]py.Value, len(x))
		for i, it := range x {
			r, err := e.nativeNested(it, s)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	case *py.Dict:
		if !e.needed(x, 0) {
			return x, nil
		}
		if err := e.spent().Spend(x.Len(), budget.Times(x.Len(), budget.Entry)); err != nil {
			return nil, err
		}
		out := py.NewDict(x.Len())
		out.At = x.At
		for _, it := range x.Entries() {
			r, err := e.nativeNested(it.Value, s)
			if err != nil {
				return nil, err
			}
			out.Set(it.Key, r, it.At)
		}
		return out, nil
	}
	return v, nil
}

func (e *Engine) nativeNested(v py.Value, s Scope) (py.Value, error) {
	if e.depth > maxDepth*4 {
		return nil, errLoop
	}
	e.depth++
	defer func() { e.depth-- }()
	return e.Native(v, s)
}

func (e *Engine) nativeText(src string, s Scope) (py.Value, error) {
	if !Marked(src) {
		return src, nil
	}
	if e.depth > maxDepth {
		return nil, errLoop
	}
	e.depth++
	defer func() { e.depth-- }()
	body, err := e.parse(src)
	if err != nil {
		return nil, err
	}
	c := e.context(s)
	var out output
	if err := c.run(body, &out); err != nil {
		return nil, err
	}
	if len(out.parts) == 1 {
		return out.parts[0], nil
	}
	text := out.text(c.b)
	return py.Computed(text), c.b.Err()
}

package jinja

import "pgtui/ansible/py"

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

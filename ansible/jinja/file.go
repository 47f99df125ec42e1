package jinja

import (
	"strings"

	"pgtui/source/budget"
)

// File renders a template file the way Ansible's template module does: the
// result is always text, and a line feed at its end is kept.
func (e *Engine) File(src string, s Scope) (string, error) {
	if strings.HasPrefix(src, "#jinja2:") {
		return "", &Unknowable{"the #jinja2: line that changes Jinja's settings"}
	}
	key := "\x00file\x00" + src
	p, ok := e.parsed[key]
	if !ok {
		if err := e.spent().Spend(1+len(src), budget.Times(len(src), parsedSize)); err != nil {
			return "", err
		}
		chunks, err := split(src)
		if err == nil {
			b := &blocks{chunks: chunks, file: true}
			p.body, _, err = b.until()
			if err == nil && b.pos < len(b.chunks) {
				err = &SyntaxError{"unexpected tag " + strings.TrimSpace(b.chunks[b.pos].text)}
			}
		}
		p.err = err
		if e.parsed == nil {
			e.parsed = map[string]parsedTemplate{}
		}
		e.parsed[key] = p
	}
	if p.err != nil {
		return "", p.err
	}
	c := e.context(s)
	var out output
	if err := c.run(p.body, &out); err != nil {
		return "", err
	}
	text := out.text(c.b)
	if n := trailing(src) - trailing(text); n > 0 {
		text += strings.Repeat("\n", n)
	}
	return text, c.b.Err()
}

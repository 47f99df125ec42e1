package jinja

import (
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// stmtOp is what a part of a template does.
type stmtOp string

// The parts.
const (
	doText  stmtOp = "text"
	doPrint stmtOp = "print"
	doIf    stmtOp = "if"
	doFor   stmtOp = "for"
	doSet   stmtOp = "set"
)

// stmt is one part of a template.
type stmt struct {
	op    stmtOp
	text  string
	e     *expr
	names []string // of for and set
	cond  *expr    // of "for … if"
	body  []*stmt
	other []*stmt // else
}

// blocks reads statements out of chunks.
type blocks struct {
	chunks []chunk
	pos    int
	depth  int
	elifs  int
	file   bool // a template file: backslashes mean what Jinja says
}

// until reads statements up to a tag that begins with one of the words; it
// returns that tag.
func (b *blocks) until(words ...string) ([]*stmt, string, error) {
	if b.depth++; b.depth > 100 {
		return nil, "", &SyntaxError{"blocks nested too deep"}
	}
	defer func() { b.depth-- }()
	var out []*stmt
	for b.pos < len(b.chunks) {
		c := b.chunks[b.pos]
		if c.kind == 'b' {
			tag := strings.TrimSpace(c.text)
			for _, w := range words {
				if tag == w || strings.HasPrefix(tag, w) && !wordChar(tag[len(w)]) {
					b.pos++
					return out, tag, nil
				}
			}
		}
		b.pos++
		s, err := b.one(c)
		if err != nil {
			return nil, "", err
		}
		out = append(out, s)
	}
	if len(words) > 0 {
		return nil, "", &SyntaxError{"missing " + strings.Join(words, " or ")}
	}
	return out, "", nil
}

func wordChar(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (b *blocks) one(c chunk) (*stmt, error) {
	switch c.kind {
	case 't':
		return &stmt{op: doText, text: c.text}, nil
	case 'e':
		e, err := parseExpr(c.text, !b.file)
		return &stmt{op: doPrint, e: e}, err
	}
	tag := strings.TrimSpace(c.text)
	word := tag
	for i := 0; i < len(tag); i++ {
		if !wordChar(tag[i]) {
			word = tag[:i]
			break
		}
	}
	rest := tag[len(word):]
	switch word {
	case "if":
		return b.ifBlock(rest)
	case "for":
		return b.forBlock(rest)
	case "set":
		return b.setBlock(rest)
	}
	return nil, &SyntaxError{"unknown or misplaced tag " + word}
}

func (b *blocks) ifBlock(cond string) (*stmt, error) {
	e, err := parseExpr(cond, false)
	if err != nil {
		return nil, err
	}
	s := &stmt{op: doIf, e: e}
	var tag string
	if s.body, tag, err = b.until("elif", "else", "endif"); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(tag, "elif"):
		if b.elifs++; b.elifs > 500 {
			return nil, &SyntaxError{"too many elif"}
		}
		next, err := b.ifBlock(tag[len("elif"):])
		s.other = []*stmt{next}
		return s, err
	case tag == "else":
		s.other, _, err = b.until("endif")
	}
	return s, err
}

func (b *blocks) forBlock(head string) (*stmt, error) {
	toks, err := lex(head, false)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	s := &stmt{op: doFor}
	for {
		t := p.cur()
		if t.kind != 'n' {
			return nil, p.fail("a name")
		}
		s.names = append(s.names, t.text)
		p.pos++
		if _, ok := p.op(","); !ok {
			break
		}
	}
	if !p.word("in") {
		return nil, p.fail("in")
	}
	if s.e, err = p.tuple(false); err != nil {
		return nil, err
	}
	if p.word("if") {
		if s.cond, err = p.cond(); err != nil {
			return nil, err
		}
	}
	if p.cur().kind != 0 {
		return nil, p.fail("the end of the tag")
	}
	var tag string
	if s.body, tag, err = b.until("else", "endfor"); err == nil && tag == "else" {
		s.other, _, err = b.until("endfor")
	}
	return s, err
}

func (b *blocks) setBlock(head string) (*stmt, error) {
	s := &stmt{op: doSet}
	left, right, assigned := strings.Cut(head, "=")
	for n := range strings.SplitSeq(left, ",") {
		n = strings.TrimSpace(n)
		if n == "" || strings.ContainsFunc(n, func(r rune) bool { return r > 0x7f || !wordChar(byte(r)) }) {
			return nil, &SyntaxError{"set needs a plain name"}
		}
		s.names = append(s.names, n)
	}
	var err error
	if assigned {
		s.e, err = parseExpr(right, false)
	} else {
		s.body, _, err = b.until("endset")
	}
	return s, err
}

// context is one rendering of one template.
type context struct {
	engine *Engine
	scope  Scope
	locals []map[string]py.Value
	unsafe bool // something unsafe was printed or looked at
	b      *budget.Budget
	depth  int // of the node that is evaluated
}

func (c *context) run(body []*stmt, out *output) error {
	for _, s := range body {
		if err := c.b.Spend(1, 0); err != nil {
			return err
		}
		if err := c.step(s, out); err != nil {
			return err
		}
	}
	return nil
}

func (c *context) step(s *stmt, out *output) error {
	switch s.op {
	case doText:
		return out.add(py.Computed(s.text), c.b)
	case doPrint:
		v, err := c.eval(s.e)
		if err == nil {
			err = c.printable(v)
		}
		if err != nil {
			return err
		}
		return out.add(v, c.b)
	case doIf:
		v, err := c.truth(s.e)
		if err != nil {
			return err
		}
		if v {
			return c.run(s.body, out)
		}
		return c.run(s.other, out)
	case doSet:
		return c.set(s)
	case doFor:
		return c.loop(s, out)
	}
	return nil
}

func (c *context) set(s *stmt) error {
	var v py.Value
	if s.e == nil {
		var sub output
		if err := c.run(s.body, &sub); err != nil {
			return err
		}
		v = py.Computed(sub.text(c.b))
	} else {
		var err error
		if v, err = c.eval(s.e); err != nil {
			return err
		}
	}
	return c.bind(s.names, v)
}

func (c *context) bind(names []string, v py.Value) error {
	if len(c.locals) == 0 {
		c.locals = []map[string]py.Value{{}}
	}
	top := c.locals[len(c.locals)-1]
	if len(names) == 1 {
		top[names[0]] = v
		return nil
	}
	items, err := iterate(v, c.b)
	if err != nil {
		return err
	}
	if len(items) != len(names) {
		return &valueError{"the number of names and values differs"}
	}
	for i, n := range names {
		top[n] = items[i]
	}
	return nil
}

func (c *context) loop(s *stmt, out *output) error {
	v, err := c.eval(s.e)
	if err != nil {
		return err
	}
	items, err := iterate(v, c.b)
	if err == nil {
		err = c.b.Spend(1+len(items), budget.Times(len(items), budget.Item))
	}
	if err != nil {
		return err
	}
	depth := len(c.locals)
	c.locals = append(c.locals, map[string]py.Value{})
	defer func() { c.locals = c.locals[:depth] }()
	var kept []py.Value
	for _, it := range items {
		if s.cond != nil {
			if err := c.b.Spend(2, 0); err != nil {
				return err
			}
			if err := c.bind(s.names, it); err != nil {
				return err
			}
			ok, err := c.truth(s.cond)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		kept = append(kept, it)
	}
	if len(kept) == 0 {
		return c.run(s.other, out)
	}
	for i, it := range kept {
		if err := c.b.Spend(8, 0); err != nil { // a round has variables of its own
			return err
		}
		c.locals[depth] = map[string]py.Value{"loop": round1{i, len(kept)}}
		if err := c.bind(s.names, it); err != nil {
			return err
		}
		if err := c.run(s.body, out); err != nil {
			return err
		}
	}
	return nil
}

// round1 is the variable loop in round i of n, before anybody looks at it.
type round1 struct{ i, n int }

func loopVar(i, n int) *py.Dict {
	d := &py.Dict{}
	for k, v := range map[string]py.Value{
		"index": int64(i + 1), "index0": int64(i), "revindex": int64(n - i), "revindex0": int64(n - i - 1),
		"first": i == 0, "last": i == n-1, "length": int64(n),
	} {
		d.Set(k, v, source.Pos{})
	}
	return d
}

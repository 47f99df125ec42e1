package jinja

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"pgtui/ansible/py"
)

// exprOp is what a node of an expression does; context.node evaluates it.
type exprOp string

// The nodes. opMath and opSign have their operator as text.
const (
	opConst   exprOp = "const"
	opName    exprOp = "name"
	opList    exprOp = "list"
	opTuple   exprOp = "tuple"
	opDict    exprOp = "dict"
	opCond    exprOp = "cond"
	opAnd     exprOp = "and"
	opOr      exprOp = "or"
	opNot     exprOp = "not"
	opCompare exprOp = "compare"
	opMath    exprOp = "math"
	opSign    exprOp = "sign"
	opAttr    exprOp = "attr"
	opItem    exprOp = "item"
	opSlice   exprOp = "slice"
	opCall    exprOp = "call"
	opFilter  exprOp = "filter"
	opTest    exprOp = "test"
)

// expr is one node of an expression.
type expr struct {
	op    exprOp
	text  string // a name, an operator
	value py.Value
	kids  []*expr
	args  []*expr // of calls, filters and tests
	named []keyword
}

type keyword struct {
	name  string
	value *expr
}

// mostDigits is how many digits Python reads as a number, or writes of one.
const mostDigits = 4300

type parser struct {
	toks  []token
	pos   int
	depth int
}

func (p *parser) cur() token {
	if p.pos < len(p.toks) {
		return p.toks[p.pos]
	}
	return token{}
}

func (p *parser) op(ops ...string) (string, bool) {
	t := p.cur()
	for _, o := range ops {
		if t.kind == 'o' && t.text == o {
			p.pos++
			return o, true
		}
	}
	return "", false
}

func (p *parser) is(op string) bool { t := p.cur(); return t.kind == 'o' && t.text == op }

func (p *parser) word(w string) bool {
	if t := p.cur(); t.kind == 'n' && t.text == w {
		p.pos++
		return true
	}
	return false
}

func (p *parser) fail(want string) error {
	t := p.cur()
	if t.kind == 0 {
		return &SyntaxError{"expected " + want + ", got the end"}
	}
	return &SyntaxError{fmt.Sprintf("expected %s, got %q", want, t.text)}
}

func (p *parser) expect(op string) error {
	if _, ok := p.op(op); !ok {
		return p.fail(op)
	}
	return nil
}

// parseExpr reads a whole expression and nothing after it.
func parseExpr(src string, inVariable bool) (*expr, error) {
	toks, err := lex(src, inVariable)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	e, err := p.tuple(true)
	if err != nil {
		return nil, err
	}
	if p.cur().kind != 0 {
		return nil, p.fail("the end of the expression")
	}
	return e, nil
}

// tuple reads an expression, or several with commas between as a tuple.
func (p *parser) tuple(cond bool) (*expr, error) {
	var items []*expr
	for {
		if p.cur().kind == 0 || p.is(")") {
			if len(items) == 0 {
				return nil, p.fail("an expression")
			}
			break
		}
		e, err := p.maybeCond(cond)
		if err != nil {
			return nil, err
		}
		items = append(items, e)
		if _, ok := p.op(","); !ok {
			if len(items) == 1 {
				return e, nil
			}
			break
		}
	}
	return &expr{op: opTuple, kids: items}, nil
}

func (p *parser) maybeCond(cond bool) (*expr, error) {
	if cond {
		return p.cond()
	}
	return p.or()
}

func (p *parser) cond() (*expr, error) {
	if p.depth++; p.depth > 200 {
		return nil, &SyntaxError{"nested too deep"}
	}
	defer func() { p.depth-- }()
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	for p.word("if") {
		test, err := p.or()
		if err != nil {
			return nil, err
		}
		c := &expr{op: opCond, kids: []*expr{test, e}}
		if p.word("else") {
			other, err := p.cond()
			if err != nil {
				return nil, err
			}
			c.kids = append(c.kids, other)
		}
		e = c
	}
	return e, nil
}

func (p *parser) or() (*expr, error) {
	return p.joined(opOr, func() (*expr, error) { return p.joined(opAnd, p.not) })
}

func (p *parser) joined(op exprOp, next func() (*expr, error)) (*expr, error) {
	left, err := next()
	for err == nil && p.word(string(op)) {
		var right *expr
		right, err = next()
		left = &expr{op: op, kids: []*expr{left, right}}
	}
	return left, err
}

func (p *parser) not() (*expr, error) {
	if p.word("not") {
		if p.depth++; p.depth > 200 {
			return nil, &SyntaxError{"nested too deep"}
		}
		defer func() { p.depth-- }()
		e, err := p.not()
		return &expr{op: opNot, kids: []*expr{e}}, err
	}
	return p.compare()
}

func (p *parser) compare() (*expr, error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := &expr{op: opCompare, kids: []*expr{left}}
	for {
		op, ok := p.op("==", "!=", "<=", ">=", "<", ">")
		if !ok {
			save := p.pos
			switch {
			case p.word("in"):
				op = "in"
			case p.word("not") && p.word("in"):
				op = "not in"
			default:
				p.pos = save
				if len(c.kids) == 1 {
					return left, nil
				}
				return c, nil
			}
		}
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		c.kids = append(c.kids, right)
		c.args = append(c.args, &expr{text: op})
	}
}

func (p *parser) binary(next func() (*expr, error), ops ...string) (*expr, error) {
	left, err := next()
	for err == nil {
		op, ok := p.op(ops...)
		if !ok {
			break
		}
		var right *expr
		right, err = next()
		left = &expr{op: opMath, text: op, kids: []*expr{left, right}}
	}
	return left, err
}

func (p *parser) sum() (*expr, error) { return p.binary(p.concat, "+", "-") }

func (p *parser) concat() (*expr, error) { return p.binary(p.product, "~") }

func (p *parser) product() (*expr, error) { return p.binary(p.power, "*", "//", "/", "%") }

func (p *parser) power() (*expr, error) {
	return p.binary(func() (*expr, error) { return p.unary(true) }, "**")
}

func (p *parser) unary(filters bool) (*expr, error) {
	var e *expr
	var err error
	if op, ok := p.op("-", "+"); ok {
		if p.depth++; p.depth > 200 {
			return nil, &SyntaxError{"nested too deep"}
		}
		e, err = p.unary(false)
		p.depth--
		e = &expr{op: opSign, text: op, kids: []*expr{e}}
	} else {
		e, err = p.primary()
	}
	if err == nil {
		e, err = p.postfix(e)
	}
	if err == nil && filters {
		e, err = p.filters(e)
	}
	return e, err
}

func (p *parser) primary() (*expr, error) {
	t := p.cur()
	p.pos++
	switch t.kind {
	case 'n':
		switch t.text {
		case "true", "True":
			return &expr{op: opConst, value: true}, nil
		case "false", "False":
			return &expr{op: opConst, value: false}, nil
		case "none", "None":
			return &expr{op: opConst}, nil
		}
		return &expr{op: opName, text: t.text}, nil
	case 's':
		parts := []string{t.text}
		for ; p.cur().kind == 's'; p.pos++ {
			parts = append(parts, p.cur().text)
		}
		return &expr{op: opConst, value: py.Computed(strings.Join(parts, ""))}, nil
	case 'i':
		digits := strings.ReplaceAll(t.text, "_", "")
		if len(digits) > mostDigits {
			return nil, &SyntaxError{"a number of more than 4,300 digits"}
		}
		n, ok := new(big.Int).SetString(digits, 0)
		if !ok || digits[0] == '0' && digits[len(digits)-1] >= '0' && n.Sign() != 0 && digits[1] >= '0' && digits[1] <= '9' {
			return nil, &SyntaxError{"bad number " + t.text}
		}
		return &expr{op: opConst, value: py.Int(n)}, nil
	case 'f':
		f, err := strconv.ParseFloat(strings.ReplaceAll(t.text, "_", ""), 64)
		if err != nil && f == 0 {
			return nil, &SyntaxError{"bad number " + t.text}
		}
		return &expr{op: opConst, value: f}, nil
	case 'o':
		switch t.text {
		case "(":
			return p.parenthesis()
		case "[":
			return p.list()
		case "{":
			return p.dict()
		}
	}
	p.pos--
	return nil, p.fail("a value")
}

func (p *parser) parenthesis() (*expr, error) {
	if _, ok := p.op(")"); ok {
		return &expr{op: opTuple}, nil
	}
	if p.depth++; p.depth > 200 {
		return nil, &SyntaxError{"nested too deep"}
	}
	defer func() { p.depth-- }()
	e, err := p.tuple(true)
	if err != nil {
		return nil, err
	}
	return e, p.expect(")")
}

func (p *parser) list() (*expr, error) {
	out := &expr{op: opList}
	for !p.is("]") {
		if len(out.kids) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.is("]") {
				break
			}
		}
		e, err := p.cond()
		if err != nil {
			return nil, err
		}
		out.kids = append(out.kids, e)
	}
	return out, p.expect("]")
}

func (p *parser) dict() (*expr, error) {
	out := &expr{op: opDict}
	for !p.is("}") {
		if len(out.kids) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.is("}") {
				break
			}
		}
		k, err := p.cond()
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		v, err := p.cond()
		if err != nil {
			return nil, err
		}
		out.kids = append(out.kids, k, v)
	}
	return out, p.expect("}")
}

func (p *parser) postfix(e *expr) (*expr, error) {
	for {
		switch {
		case p.is("."):
			p.pos++
			t := p.cur()
			if t.kind != 'n' && t.kind != 'i' {
				return nil, p.fail("a name or a number")
			}
			p.pos++
			if t.kind == 'i' {
				n, _ := strconv.ParseInt(t.text, 10, 64)
				e = &expr{op: opItem, kids: []*expr{e, {op: opConst, value: n}}}
			} else {
				e = &expr{op: opAttr, text: t.text, kids: []*expr{e}}
			}
		case p.is("["):
			p.pos++
			var err error
			if e, err = p.subscript(e); err != nil {
				return nil, err
			}
		case p.is("("):
			p.pos++
			c := &expr{op: opCall, kids: []*expr{e}}
			if err := p.callArgs(c); err != nil {
				return nil, err
			}
			e = c
		default:
			return e, nil
		}
	}
}

func (p *parser) subscript(e *expr) (*expr, error) {
	var parts [3]*expr
	n, colon := 0, false
	for !p.is("]") {
		if _, ok := p.op(":"); ok {
			colon = true
			if n++; n > 2 {
				return nil, p.fail("]")
			}
			continue
		}
		if parts[n] != nil {
			return nil, p.fail("]")
		}
		x, err := p.cond()
		if err != nil {
			return nil, err
		}
		parts[n] = x
	}
	p.pos++
	if colon {
		return &expr{op: opSlice, kids: []*expr{e, parts[0], parts[1], parts[2]}}, nil
	}
	if parts[0] == nil {
		return nil, &SyntaxError{"expected subscript expression"}
	}
	return &expr{op: opItem, kids: []*expr{e, parts[0]}}, nil
}

// callArgs reads what stands between the brackets of a call.
func (p *parser) callArgs(c *expr) error {
	first := true
	for !p.is(")") {
		if !first {
			if err := p.expect(","); err != nil {
				return err
			}
			if p.is(")") {
				break
			}
		}
		first = false
		if t := p.cur(); t.kind == 'n' && p.pos+1 < len(p.toks) && p.toks[p.pos+1] == (token{'o', "="}) {
			p.pos += 2
			v, err := p.cond()
			if err != nil {
				return err
			}
			c.named = append(c.named, keyword{t.text, v})
			continue
		}
		if len(c.named) > 0 {
			return p.fail("a keyword argument")
		}
		v, err := p.cond()
		if err != nil {
			return err
		}
		c.args = append(c.args, v)
	}
	return p.expect(")")
}

func (p *parser) filters(e *expr) (*expr, error) {
	for {
		var err error
		switch {
		case p.is("|"):
			p.pos++
			if e, err = p.filter(e); err != nil {
				return nil, err
			}
		case p.cur() == token{'n', "is"}:
			p.pos++
			if e, err = p.test(e); err != nil {
				return nil, err
			}
		case p.is("("):
			if e, err = p.postfix(e); err != nil {
				return nil, err
			}
		default:
			return e, nil
		}
	}
}

// dotted reads a name with dots, as in community.general.json_query.
func (p *parser) dotted() (string, error) {
	t := p.cur()
	if t.kind != 'n' {
		return "", p.fail("a name")
	}
	p.pos++
	name := t.text
	for p.is(".") {
		p.pos++
		if t = p.cur(); t.kind != 'n' {
			return "", p.fail("a name")
		}
		p.pos++
		name = t.text // the collection does not matter
	}
	return name, nil
}

func (p *parser) filter(e *expr) (*expr, error) {
	name, err := p.dotted()
	if err != nil {
		return nil, err
	}
	f := &expr{op: opFilter, text: name, kids: []*expr{e}}
	if _, ok := p.op("("); ok {
		if err := p.callArgs(f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (p *parser) test(e *expr) (*expr, error) {
	negated := p.word("not")
	name, err := p.dotted()
	if err != nil {
		return nil, err
	}
	t := &expr{op: opTest, text: name, kids: []*expr{e}}
	switch c := p.cur(); {
	case p.is("("):
		p.pos++
		err = p.callArgs(t)
	case c.kind == 'n' && (c.text == "else" || c.text == "or" || c.text == "and"):
	case c.kind == 'n' && c.text == "is":
		return nil, &SyntaxError{"tests cannot be chained with is"}
	case c.kind == 'n' || c.kind == 's' || c.kind == 'i' || c.kind == 'f' || p.is("[") || p.is("{"):
		var arg *expr
		if arg, err = p.primary(); err == nil {
			arg, err = p.postfix(arg)
		}
		t.args = []*expr{arg}
	}
	if err != nil {
		return nil, err
	}
	if negated {
		return &expr{op: opNot, kids: []*expr{t}}, nil
	}
	return t, nil
}

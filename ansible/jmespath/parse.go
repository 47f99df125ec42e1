package jmespath

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"sync"

	jmespath "github.com/jmespath/go-jmespath"

	"pgtui/ansible/py"
	"pgtui/source"
)

// maxLength bounds an expression, in bytes.
const maxLength = 16 << 10

// Expr is a compiled selector. It is immutable and safe for concurrent use.
type Expr struct {
	text string
	root *node
}

// node is one step of an expression.
type node struct {
	kind  int // the number of jmespath.AST…
	name  string
	value py.Value
	index int
	slice [3]*int
	kids  []*node
}

// String is the expression as it was written.
func (e *Expr) String() string { return e.text }

// Compile parses a selector. The error says what is wrong with it.
func Compile(text string) (*Expr, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the selector is empty")
	}
	if len(text) > maxLength {
		return nil, fmt.Errorf("the selector is longer than %d bytes", maxLength)
	}
	plain, literals, err := lift(text)
	if err != nil {
		return nil, fmt.Errorf("selector %s: %w", show(text), err)
	}
	ast, err := parse(plain)
	if err != nil {
		return nil, fmt.Errorf("selector %s: %w", show(text), err)
	}
	root, err := convert(reflect.ValueOf(ast), literals)
	if err != nil {
		return nil, fmt.Errorf("selector %s: %w", show(text), err)
	}
	return &Expr{text: text, root: root}, nil
}

// show quotes a selector for a message, shortened.
func show(s string) string {
	if len(s) > 120 {
		s = s[:117] + "..."
	}
	return fmt.Sprintf("%q", s)
}

// threeColons is a slice that go-jmespath lets pass.
var threeColons = regexp.MustCompile(`\[[-0-9\s]*:[-0-9\s]*:[-0-9\s]*:`)

// parse calls go-jmespath, whose parser walks off its token list on some
// broken input.
func parse(text string) (ast jmespath.ASTNode, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the expression ends too early")
		}
	}()
	if depth(text) > 200 {
		return ast, errors.New("brackets are nested too deep")
	}
	if threeColons.MatchString(text) {
		return ast, errors.New("a slice has at most two colons")
	}
	ast, err = jmespath.NewParser().Parse(text)
	if se, ok := errors.AsType[jmespath.SyntaxError](err); ok {
		return ast, fmt.Errorf("not valid JMESPath near character %d: %w", min(se.Offset, len(text))+1, err)
	}
	return ast, err
}

// depth is how deep brackets and prefix operators of text may nest, at most.
func depth(text string) int {
	d, deepest := 0, 0
	for _, r := range text {
		switch r {
		case '[', '(', '{', '!', '&':
			d++
		case ']', ')', '}':
			d--
		}
		deepest = max(deepest, d)
	}
	return deepest
}

// lift takes the literals out of an expression, gives each its Python value,
// and leaves its number in backticks, which every JMESPath parser accepts.
func lift(text string) (string, []py.Value, error) {
	var out strings.Builder
	var literals []py.Value
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '`', '\'', '"':
			body, next, err := until(text, i+1, c)
			if err != nil {
				return "", nil, err
			}
			i = next
			if c == '"' {
				out.WriteString(`"` + body + `"`)
				continue
			}
			var v py.Value
			if c == '\'' {
				v = py.Computed(strings.ReplaceAll(body, `\'`, `'`))
			} else if v, err = literal(strings.ReplaceAll(body, "\\`", "`")); err != nil {
				return "", nil, err
			}
			fmt.Fprintf(&out, "`%d`", len(literals))
			literals = append(literals, v)
		default:
			out.WriteByte(c)
			i++
		}
	}
	return out.String(), literals, nil
}

// until returns the text up to the closing delimiter; a backslash protects
// the character after it.
func until(text string, from int, end byte) (body string, next int, err error) {
	for i := from; i < len(text); i++ {
		switch text[i] {
		case end:
			return text[from:i], i + 1, nil
		case '\\':
			i++
		}
	}
	return "", 0, fmt.Errorf("the %c at character %d is not closed", end, from)
}

// literal is what stands between backticks: JSON, or else a string without
// its leading blanks (a form Pigsty's own defaults use).
func literal(s string) (py.Value, error) {
	if v, err := fromJSON(s); err == nil {
		return v, nil
	}
	v, err := fromJSON(`"` + strings.TrimLeft(s, " \t\n\r\v\f") + `"`)
	if err != nil {
		return nil, fmt.Errorf("the literal `%s` is neither JSON nor a word: %w", s, err)
	}
	return v, nil
}

// fromJSON reads JSON as Python does: 1 stays an integer, 1.0 a float.
func fromJSON(s string) (py.Value, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(s)))
	dec.UseNumber()
	v, err := jsonValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return v, nil
}

func jsonValue(dec *json.Decoder, depth int) (py.Value, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		if depth > 100 {
			return nil, errors.New("nested too deep")
		}
		if t == '[' {
			return jsonList(dec, depth)
		}
		if t == '{' {
			return jsonDict(dec, depth)
		}
		return nil, errors.New("misplaced bracket")
	case json.Number:
		return Number(string(t))
	case string:
		return py.Computed(t), nil
	default:
		return tok, nil // bool or nil
	}
}

func jsonList(dec *json.Decoder, depth int) (py.Value, error) {
	items := []py.Value{}
	for dec.More() {
		v, err := jsonValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	_, err := dec.Token()
	return items, err
}

func jsonDict(dec *json.Decoder, depth int) (py.Value, error) {
	d := &py.Dict{}
	for dec.More() {
		k, err := jsonValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		v, err := jsonValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		d.Set(k, v, source.Pos{})
	}
	_, err := dec.Token()
	return d, err
}

// operators are go-jmespath's numbers for its comparison tokens, which it
// does not export: they are read off one parsed sample each, once.
//
//nolint:gochecknoglobals // constant once made
var operators = sync.OnceValue(func() map[int64]string {
	out := map[int64]string{}
	for _, op := range []string{"==", "!=", "<", "<=", ">", ">="} {
		ast, err := jmespath.NewParser().Parse("a" + op + "b")
		if err != nil {
			continue
		}
		if v := reflect.ValueOf(ast).FieldByName("value"); v.IsValid() && !v.IsNil() {
			out[v.Elem().Int()] = op
		}
	}
	return out
})

var errShape = errors.New("not valid JMESPath")

// convert copies go-jmespath's tree, whose fields are not exported, into ours.
func convert(ast reflect.Value, literals []py.Value) (*node, error) {
	n := &node{kind: int(ast.FieldByName("nodeType").Int())}
	value := ast.FieldByName("value")
	if value.IsValid() && !value.IsNil() {
		value = value.Elem()
	}
	switch n.kind {
	case int(jmespath.ASTEmpty):
		return nil, errShape // its parser swallowed an error
	case int(jmespath.ASTComparator):
		n.name = operators()[value.Int()]
	case int(jmespath.ASTField), int(jmespath.ASTKeyValPair), int(jmespath.ASTFunctionExpression):
		if value.Kind() != reflect.String {
			return nil, errors.New("only a plain name can be called as a function")
		}
		n.name = value.String()
	case int(jmespath.ASTLiteral):
		if value.Kind() != reflect.Float64 || int(value.Float()) >= len(literals) {
			return nil, errShape
		}
		n.value = literals[int(value.Float())]
	case int(jmespath.ASTIndex):
		n.index = int(value.Int())
	case int(jmespath.ASTSlice):
		for i := range n.slice {
			if p := value.Index(i); !p.IsNil() {
				x := int(p.Elem().Int())
				n.slice[i] = &x
			}
		}
	}
	kids := ast.FieldByName("children")
	for i := range kids.Len() {
		k, err := convert(kids.Index(i), literals)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, k)
	}
	return n, nil
}

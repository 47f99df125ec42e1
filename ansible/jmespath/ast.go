package jmespath

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"sync"

	jmespath "github.com/jmespath/go-jmespath"

	"pgtui/ansible/py"
)

// This file is all that touches go-jmespath. Of that library only the parser is used
// (docs/adr/0017-jmespath-parser.md), and it exports neither the fields of its tree
// nor the numbers of its comparison tokens. Its tree is therefore read by reflection,
// once an expression, and the tokens are read off parsed samples; both end here, in
// nodes of our own.

// node is one step of an expression.
type node struct {
	kind  int // the number of jmespath.AST…
	name  string
	value py.Value
	index int
	slice [3]*int
	kids  []*node
}

// threeColons is a slice that go-jmespath lets pass.
var threeColons = regexp.MustCompile(`\[[-0-9\s]*:[-0-9\s]*:[-0-9\s]*:`)

// parse calls go-jmespath, whose parser runs past its token list on some broken
// input, and copies the tree it made.
func parse(text string, literals []py.Value) (root *node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the expression ends too early")
		}
	}()
	if depth(text) > 200 {
		return nil, errors.New("brackets are nested too deep")
	}
	if threeColons.MatchString(text) {
		return nil, errors.New("a slice has at most two colons")
	}
	ast, err := jmespath.NewParser().Parse(text)
	if se, ok := errors.AsType[jmespath.SyntaxError](err); ok {
		return nil, fmt.Errorf("not valid JMESPath near character %d: %w", min(se.Offset, len(text))+1, err)
	}
	if err != nil {
		return nil, err
	}
	return convert(reflect.ValueOf(ast), literals)
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

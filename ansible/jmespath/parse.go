package jmespath

import (
	"errors"
	"fmt"
	"strings"

	"pgtui/ansible/py"
)

// maxLength bounds an expression, in bytes.
const maxLength = 16 << 10

// Expr is a compiled selector. It is immutable and safe for concurrent use.
type Expr struct {
	text string
	root *node
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
	root, err := parse(plain, literals)
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
	if v, err := py.LoadJSON(nil, s); err == nil {
		return v, nil
	}
	v, err := py.LoadJSON(nil, `"`+strings.TrimLeft(s, " \t\n\r\v\f")+`"`)
	if err != nil {
		return nil, fmt.Errorf("the literal `%s` is neither JSON nor a word: %w", s, err)
	}
	return v, nil
}

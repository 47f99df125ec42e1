package jinja

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// chunk is a piece of a template: text, an expression or a tag.
type chunk struct {
	kind byte   // 't' text, 'e' {{ }}, 'b' {% %}
	text string // the text, or the source between the delimiters
}

// split cuts a template into chunks: comments and raw blocks are resolved,
// white space is trimmed as Ansible has Jinja do it (trim_blocks on).
func split(src string) ([]chunk, error) {
	src = strings.ReplaceAll(strings.ReplaceAll(src, "\r\n", "\n"), "\r", "\n")
	src = strings.TrimSuffix(src, "\n") // keep_trailing_newline is off
	var out []chunk
	text := func(s string) {
		if s != "" {
			out = append(out, chunk{'t', s})
		}
	}
	trimLeft := false
	for src != "" {
		i := opening(src)
		data := src
		if i >= 0 {
			data = src[:i]
		}
		if trimLeft {
			data = strings.TrimLeftFunc(data, unicode.IsSpace)
		}
		if i < 0 {
			text(data)
			break
		}
		kind := src[i+1]
		rest := src[i+2:]
		if strings.HasPrefix(rest, "-") {
			data, rest = strings.TrimRightFunc(data, unicode.IsSpace), rest[1:]
		} else if kind != '{' {
			rest = strings.TrimPrefix(rest, "+")
		}
		text(data)
		body, after, end, err := closing(rest, kind)
		if err != nil {
			return nil, err
		}
		trimLeft = end == '-'
		if kind != '{' && end == 0 {
			after = strings.TrimPrefix(after, "\n") // trim_blocks
		}
		if kind == '%' && strings.TrimSpace(body) == "raw" {
			var raw string
			if raw, after, trimLeft, err = rawBlock(after, trimLeft); err != nil {
				return nil, err
			}
			text(raw)
			src = after
			continue
		}
		switch kind {
		case '{':
			out = append(out, chunk{'e', body})
		case '%':
			out = append(out, chunk{'b', body})
		}
		src = after
	}
	return out, nil
}

// opening is the place of the next {{, {% or {#; -1 when there is none.
func opening(s string) int {
	for i := 0; ; i++ {
		j := strings.IndexByte(s[i:], '{')
		if j < 0 || i+j+1 >= len(s) {
			return -1
		}
		i += j
		switch s[i+1] {
		case '{', '%', '#':
			return i
		}
	}
}

// closing finds the end of a construct, minding strings and brackets.
func closing(s string, kind byte) (body, after string, end byte, err error) {
	if kind == '#' {
		i := strings.Index(s, "#}")
		if i < 0 {
			return "", "", 0, &SyntaxError{"a comment is not closed"}
		}
		body, after = s[:i], s[i+2:]
		return mark(body, after)
	}
	stop := "}}"
	if kind == '%' {
		stop = "%}"
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		if depth == 0 && strings.HasPrefix(s[i:], stop) {
			return mark(s[:i], s[i+2:])
		}
		switch c := s[i]; c {
		case '"', '\'':
			n := stringEnd(s[i:])
			if n < 0 {
				return "", "", 0, &SyntaxError{"a string is not closed"}
			}
			i += n - 1
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				return "", "", 0, &SyntaxError{fmt.Sprintf("unexpected %c", c)}
			}
		}
	}
	return "", "", 0, &SyntaxError{"expected " + stop}
}

// mark takes the white space control character off the end of a construct.
func mark(body, after string) (string, string, byte, error) {
	if n := len(body); n > 0 && (body[n-1] == '-' || body[n-1] == '+') {
		return body[:n-1], after, body[n-1], nil
	}
	return body, after, 0, nil
}

// stringEnd is the length of the string literal s begins with; -1 when it is
// not closed.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return -1
}

func rawBlock(s string, trimmed bool) (raw, after string, trimLeft bool, err error) {
	for from := 0; ; {
		i := strings.Index(s[from:], "{%")
		if i < 0 {
			return "", "", false, &SyntaxError{"missing end of raw block"}
		}
		i += from
		rest := s[i+2:]
		word := strings.TrimLeft(strings.TrimLeft(rest, "-+"), " \t\n")
		if !strings.HasPrefix(word, "endraw") {
			from = i + 2
			continue
		}
		j := strings.Index(rest, "%}")
		if j < 0 {
			return "", "", false, &SyntaxError{"missing end of raw block"}
		}
		raw, after = s[:i], rest[j+2:]
		if trimmed {
			raw = strings.TrimLeftFunc(raw, unicode.IsSpace)
		}
		if strings.HasPrefix(rest, "-") {
			raw = strings.TrimRightFunc(raw, unicode.IsSpace)
		}
		if j > 0 && rest[j-1] == '-' {
			return raw, after, true, nil
		}
		if j == 0 || rest[j-1] != '+' {
			after = strings.TrimPrefix(after, "\n")
		}
		return raw, after, false, nil
	}
}

// token is one word of an expression.
type token struct {
	kind byte // 'n' name, 's' string, 'i' integer, 'f' float, 'o' operator, 0 end
	text string
}

const operators = "// ** == != <= >= + - / * % ~ [ ] ( ) { } > < = . : | , ;"

// lex cuts the source of an expression into tokens. inVariable is how Ansible
// hands {{ }} to Jinja: backslashes in its strings stand for themselves.
func lex(s string, inVariable bool) ([]token, error) {
	var out []token
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case unicode.IsSpace(r):
			s = s[n:]
			continue
		case r == '_' || unicode.IsLetter(r):
			n = strings.IndexFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if n < 0 {
				n = len(s)
			}
			out = append(out, token{'n', s[:n]})
		case r >= '0' && r <= '9':
			t, k := number(s)
			n = k
			out = append(out, t)
		case r == '"' || r == '\'':
			if n = stringEnd(s); n < 0 {
				return nil, &SyntaxError{"a string is not closed"}
			}
			text, err := unquote(s[1:n-1], s[0], inVariable)
			if err != nil {
				return nil, err
			}
			out = append(out, token{'s', text})
		default:
			op := operator(s)
			if op == "" {
				return nil, &SyntaxError{fmt.Sprintf("unexpected char %q", r)}
			}
			n = len(op)
			out = append(out, token{'o', op})
		}
		s = s[n:]
	}
	return out, nil
}

func operator(s string) string {
	for op := range strings.FieldsSeq(operators) {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	return ""
}

// number reads an integer or float literal of Jinja.
func number(s string) (token, int) {
	run := func(from int, ok string) int {
		i := from
		for i < len(s) && (strings.IndexByte(ok, s[i]) >= 0 || s[i] == '_' && i > from && i+1 < len(s) && strings.IndexByte(ok, s[i+1]) >= 0) {
			i++
		}
		return i
	}
	const dec = "0123456789"
	if len(s) > 2 && s[0] == '0' {
		for prefix, digits := range map[byte]string{'x': dec + "abcdefABCDEF", 'o': "01234567", 'b': "01"} {
			if s[1]|0x20 == prefix {
				if i := run(2, digits); i > 2 {
					return token{'i', s[:i]}, i
				}
			}
		}
	}
	i, kind := run(0, dec), byte('i')
	if i+1 < len(s) && s[i] == '.' && s[i+1] >= '0' && s[i+1] <= '9' {
		i, kind = run(i+1, dec), 'f'
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if k := run(j, dec); k > j {
			i, kind = k, 'f'
		}
	}
	return token{kind, s[:i]}, i
}

// unquote gives the value of a string literal.
func unquote(s string, q byte, inVariable bool) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	if inVariable {
		// Ansible doubles every backslash, so that it stands for itself; an
		// escaped quote ends the string early then, which is no expression.
		if strings.Contains(s, `\`+string(q)) {
			return "", &SyntaxError{"an escaped quote in a string"}
		}
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case '\\', '\'', '"':
			b.WriteByte(s[i])
		case '\n':
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

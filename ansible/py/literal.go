package py

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"pgtui/source"
)

// Literal reads s as Python's ast.literal_eval does: strings, bytes, numbers,
// lists, tuples, sets, mappings, True, False and None. ok is false
// for anything else. Strings in it count as Computed. What it makes is at most
// 32 times as large as s.
func Literal(s string) (v Value, ok bool) {
	p := &literal{s: s}
	v, ok = p.value(0)
	end := p.i
	if p.space(); ok && p.peek() == ',' { // a tuple without brackets
		p.i = 0
		p.s += ")"
		var items []Value
		items, ok = p.items(')', 0)
		return Tuple(items), ok && p.i == len(p.s)
	}
	// Blanks on a line of their own at the very end are an indented line to
	// Python.
	rest := s[end:]
	return v, ok && p.i == len(p.s) && strings.TrimLeft(rest[strings.LastIndexByte(rest, '\n')+1:], " \t\f") == "" &&
		(!strings.Contains(rest, "\n") || strings.HasSuffix(rest, "\n"))
}

type literal struct {
	s string
	i int
}

func (p *literal) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\n\r\f\v", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *literal) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *literal) take(c byte) bool {
	p.space()
	if p.peek() == c {
		p.i++
		return true
	}
	return false
}

func (p *literal) value(depth int) (Value, bool) {
	if depth > 100 {
		return nil, false
	}
	p.space()
	switch c := p.peek(); {
	case c == '[':
		p.i++
		return p.items(']', depth)
	case c == '(':
		p.i++
		return p.parens(depth)
	case c == '{':
		p.i++
		return p.braces(depth)
	case c == '\'' || c == '"':
		return p.texts()
	case c == '-' || c == '+':
		p.i++
		if next := strings.TrimLeft(p.s[p.i:], " \t\n\r\f\v("); next != "" && (next[0] == '-' || next[0] == '+') {
			return nil, false // one sign is all that literal_eval takes
		}
		v, ok := p.value(depth + 1)
		return negate(v, c == '-'), ok && isPlainNumber(v)
	case c >= '0' && c <= '9' || c == '.':
		return p.number()
	}
	return p.name()
}

func isPlainNumber(v Value) bool {
	_, isBool := v.(bool)
	return !isBool && IsNumber(v)
}

func negate(v Value, minus bool) Value {
	if !minus {
		return v
	}
	switch x := v.(type) {
	case float64:
		return -x
	case int64:
		return Int(new(big.Int).Neg(big.NewInt(x)))
	case *big.Int:
		return Int(new(big.Int).Neg(x))
	}
	return v
}

func (p *literal) items(end byte, depth int) ([]Value, bool) {
	out := []Value{}
	for !p.take(end) {
		if len(out) > 0 {
			if !p.take(',') {
				return nil, false
			}
			if p.take(end) {
				break
			}
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

func (p *literal) parens(depth int) (Value, bool) {
	if p.take(')') {
		return Tuple{}, true
	}
	v, ok := p.value(depth + 1)
	switch {
	case !ok:
		return nil, false
	case p.take(')'):
		return v, true // brackets only
	case !p.take(','):
		return nil, false
	}
	rest, ok := p.items(')', depth)
	return Tuple(append([]Value{v}, rest...)), ok
}

func (p *literal) braces(depth int) (Value, bool) {
	d, set := &Dict{}, Set{}
	for n := 0; !p.take('}'); n++ {
		if n > 0 {
			if !p.take(',') {
				return nil, false
			}
			if p.take('}') {
				break
			}
		}
		k, ok := p.value(depth + 1)
		if _, hashable := KeyOf(k); !ok || !hashable {
			return nil, false
		}
		if !p.take(':') {
			if d.Len() > 0 {
				return nil, false
			}
			set.Items = append(set.Items, k)
			continue
		}
		v, ok := p.value(depth + 1)
		if !ok || len(set.Items) > 0 {
			return nil, false
		}
		d.Set(k, v, source.Pos{})
	}
	if len(set.Items) > 0 {
		return set, true
	}
	return d, true
}

func (p *literal) number() (Value, bool) {
	start := p.i
	for p.i < len(p.s) {
		c := p.s[p.i]
		exp := p.i > start && (p.s[p.i-1]|0x20) == 'e' && !strings.HasPrefix(p.s[start:], "0x")
		if !(c == '.' || c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || exp && (c == '+' || c == '-')) {
			break
		}
		p.i++
	}
	t := strings.ReplaceAll(p.s[start:p.i], "_", "")
	if !strings.ContainsAny(t, ".eE") || strings.HasPrefix(t, "0x") {
		if len(t) > 1 && t[0] == '0' && t[1] >= '0' && t[1] <= '9' && strings.Trim(t, "0") != "" {
			return nil, false
		}
		n, ok := new(big.Int).SetString(t, 0)
		if !ok {
			return nil, false
		}
		return Int(n), true
	}
	f, err := strconv.ParseFloat(t, 64)
	return f, err == nil || f != 0
}

func (p *literal) name() (Value, bool) {
	start := p.i
	for p.i < len(p.s) {
		r, n := utf8.DecodeRuneInString(p.s[p.i:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		p.i += n
	}
	switch p.s[start:p.i] {
	case "True":
		return true, true
	case "False":
		return false, true
	case "None":
		return nil, true
	case "u", "U", "b", "B", "r", "R":
		if c := p.peek(); c == '\'' || c == '"' {
			p.i = start
			return p.texts()
		}
	case "set":
		if strings.HasPrefix(p.s[p.i:], "()") {
			p.i += 2
			return Set{}, true
		}
	}
	return nil, false
}

// texts reads one string, or several side by side as one.
func (p *literal) texts() (Value, bool) {
	var all strings.Builder
	isBytes := false
	for n := 0; ; n++ {
		p.space()
		raw, b := false, false
		start := p.i
		switch p.peek() | 0x20 {
		case 'r':
			raw = true
			p.i++
		case 'b':
			b = true
			p.i++
		case 'u':
			p.i++
		}
		if c := p.peek(); c != '\'' && c != '"' {
			p.i = start
			if n == 0 {
				return nil, false
			}
			break
		}
		s, ok := p.text(raw)
		if !ok || n > 0 && b != isBytes {
			return nil, false
		}
		isBytes = b
		all.WriteString(s)
	}
	if isBytes {
		return Bytes(all.String()), true
	}
	return Computed(all.String()), true
}

func (p *literal) text(raw bool) (string, bool) {
	q := p.s[p.i : p.i+1]
	if strings.HasPrefix(p.s[p.i:], q+q+q) {
		q = q + q + q
	}
	p.i += len(q)
	var b strings.Builder
	for p.i < len(p.s) {
		if strings.HasPrefix(p.s[p.i:], q) {
			p.i += len(q)
			return b.String(), true
		}
		c := p.s[p.i]
		p.i++
		switch {
		case c == '\n' && len(q) == 1:
			return "", false
		case c != '\\' || raw:
			b.WriteByte(c)
		case !p.escape(&b):
			return "", false
		}
	}
	return "", false
}

func (p *literal) escape(b *strings.Builder) bool {
	if p.i >= len(p.s) {
		return false
	}
	c := p.s[p.i]
	p.i++
	if i := strings.IndexByte("nrtabfv", c); i >= 0 {
		b.WriteByte("\n\r\t\a\b\f\v"[i])
		return true
	}
	switch c {
	case '\\', '\'', '"':
		b.WriteByte(c)
	case '\n':
	case 'x', 'u', 'U':
		n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
		if p.i+n > len(p.s) {
			return false
		}
		r, err := strconv.ParseUint(p.s[p.i:p.i+n], 16, 32)
		if err != nil {
			return false
		}
		p.i += n
		b.WriteRune(rune(r))
	case '0', '1', '2', '3', '4', '5', '6', '7':
		start := p.i - 1
		for p.i < len(p.s) && p.i < start+3 && p.s[p.i] >= '0' && p.s[p.i] <= '7' {
			p.i++
		}
		r, _ := strconv.ParseUint(p.s[start:p.i], 8, 32)
		b.WriteRune(rune(r))
	default:
		b.WriteByte('\\')
		b.WriteByte(c)
	}
	return true
}

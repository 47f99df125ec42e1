package py

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"pgtui/source/budget"
)

// maxPrinted bounds what Repr writes: a YAML file of a kilobyte can alias its
// way to a list of billions.
const maxPrinted = 1 << 20

// Str is Python's str(v).
func Str(v Value) string {
	if s, ok := Text(v); ok {
		return s
	}
	if t, ok := v.(Time); ok {
		return t.String()
	}
	return Repr(v)
}

// Print is what a Jinja expression prints: str(v), but nothing for None and
// the text of bytes.
func Print(v Value) string {
	switch x := v.(type) {
	case nil:
		return ""
	case Bytes:
		return string(x)
	}
	return Str(v)
}

// Repr is Python's repr(v), cut after a megabyte.
func Repr(v Value) string {
	w := reprWriter{max: maxPrinted}
	w.write(v, 0)
	return w.String()
}

// mostBrief is how long Brief is, in bytes.
const mostBrief = 200

// Brief is Repr for messages: what is long ends in "…".
func Brief(v Value) string {
	w := reprWriter{max: mostBrief}
	if s, ok := Text(v); ok && len(s) > mostBrief {
		v = Computed(s[:mostBrief])
	}
	w.write(v, 0)
	return Cut(w.String())
}

// Cut is a text for messages: what is long ends in "…".
func Cut(s string) string {
	if len(s) <= mostBrief {
		return s
	}
	return strings.ToValidUTF8(s[:mostBrief], "") + "…"
}

// ReprIn is Repr of the whole value within a budget. What the budget refuses is
// cut; its Err has it.
func ReprIn(b *budget.Budget, v Value) string {
	w := reprWriter{max: math.MaxInt, b: b}
	w.write(v, 0)
	return w.String()
}

// StrIn is Str within a budget, as ReprIn.
func StrIn(b *budget.Budget, v Value) string {
	switch v.(type) {
	case []Value, Tuple, *Dict, Set, Bytes, *big.Int:
		return ReprIn(b, v)
	}
	return Str(v)
}

// PrintIn is Print within a budget, as ReprIn.
func PrintIn(b *budget.Budget, v Value) string {
	switch x := v.(type) {
	case nil:
		return ""
	case Bytes:
		return string(x)
	}
	return StrIn(b, v)
}

// reprWriter writes until there are max bytes or the budget is spent.
type reprWriter struct {
	strings.Builder
	max int
	b   *budget.Budget
}

// text writes a string that is at most four times as long in quotes, except for
// characters that are not printable.
func (b *reprWriter) text(s string, quote func(string) string) {
	if room := b.max - b.Len(); len(s) > room {
		s = s[:max(room, 0)]
	}
	if b.b.Spend(1+len(s)>>6, budget.Times(len(s), 5)) == nil {
		b.WriteString(quote(s))
	}
}

func (b *reprWriter) write(v Value, depth int) {
	if b.Len() > b.max || depth > 200 || b.b.Spend(1, 8) != nil {
		return
	}
	switch x := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		if x {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case int64:
		b.WriteString(strconv.FormatInt(x, 10))
	case *big.Int:
		if b.b.Digits(x.BitLen()/3) == nil {
			b.WriteString(x.String())
		}
	case float64:
		b.WriteString(Float(x))
	case string:
		b.text(x, quote)
	case Computed:
		b.text(string(x), quote)
	case Verbatim:
		b.text(string(x), quote)
	case Unsafe:
		b.text(string(x), quote)
	case Vault:
		b.text(x.Text, quote)
	case Bytes:
		b.text(string(x), quoteBytes)
	case Time:
		b.WriteString("datetime(" + x.String() + ")")
	case []Value:
		b.items("[", x, "]", depth)
	case Tuple:
		end := ")"
		if len(x) == 1 {
			end = ",)"
		}
		b.items("(", x, end, depth)
	case Set:
		if len(x.Items) == 0 {
			b.WriteString("set()")
			return
		}
		b.items("{", x.Items, "}", depth)
	case *Dict:
		b.WriteByte('{')
		for i, e := range x.Entries() {
			if i > 0 {
				b.WriteString(", ")
			}
			b.write(e.Key, depth+1)
			b.WriteString(": ")
			b.write(e.Value, depth+1)
			if b.Len() > b.max {
				return
			}
		}
		b.WriteByte('}')
	default:
		fmt.Fprintf(b, "<%T>", v)
	}
}

func (b *reprWriter) items(open string, items []Value, end string, depth int) {
	b.WriteString(open)
	for i, it := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.write(it, depth+1)
		if b.Len() > b.max {
			return
		}
	}
	b.WriteString(end)
}

// Float is Python's repr of a float: the shortest digits that read back as
// the same number, always with a point or an exponent.
func Float(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	if a := math.Abs(f); a < 1e-4 || a >= 1e16 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote is Python's repr of a string: single quotes unless the text has one
// and no double quote.
func quote(s string) string {
	q := byte('\'')
	if strings.ContainsRune(s, '\'') && !strings.ContainsRune(s, '"') {
		q = '"'
	}
	var b strings.Builder
	b.WriteByte(q)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == rune(q) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			hexed(&b, 'x', r, 2)
		case r < 0x7f || unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			hexed(&b, 'x', r, 2)
		case r <= 0xffff:
			hexed(&b, 'u', r, 4)
		default:
			hexed(&b, 'U', r, 8)
		}
	}
	b.WriteByte(q)
	return b.String()
}

// hexed writes an escape of so many hexadecimal digits.
func hexed(b *strings.Builder, kind byte, r rune, digits int) {
	const hex = "0123456789abcdef"
	b.WriteByte('\\')
	b.WriteByte(kind)
	for i := digits - 1; i >= 0; i-- {
		b.WriteByte(hex[r>>(4*i)&15])
	}
}

func quoteBytes(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	var b strings.Builder
	b.WriteByte('b')
	b.WriteByte(q)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == q || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c >= 0x7f:
			hexed(&b, 'x', rune(c), 2)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte(q)
	return b.String()
}

// String is Python's str of a date or datetime.
func (t Time) String() string {
	if t.DateOnly {
		return t.At.Format("2006-01-02")
	}
	layout := "2006-01-02 15:04:05"
	if t.At.Nanosecond() != 0 {
		layout += ".000000"
	}
	if t.Zone {
		layout += "-07:00"
	}
	return t.At.Format(layout)
}

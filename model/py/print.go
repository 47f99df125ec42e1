package py

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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
	var b strings.Builder
	writeRepr(&b, v, 0)
	return b.String()
}

func writeRepr(b *strings.Builder, v Value, depth int) {
	if b.Len() > maxPrinted || depth > 200 {
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
		b.WriteString(x.String())
	case float64:
		b.WriteString(Float(x))
	case string:
		b.WriteString(quote(x))
	case Computed:
		b.WriteString(quote(string(x)))
	case Verbatim:
		b.WriteString(quote(string(x)))
	case Unsafe:
		b.WriteString(quote(string(x)))
	case Vault:
		b.WriteString(quote(x.Text))
	case Bytes:
		b.WriteString(quoteBytes(string(x)))
	case Time:
		b.WriteString("datetime(" + x.String() + ")")
	case []Value:
		writeItems(b, "[", x, "]", depth)
	case Tuple:
		end := ")"
		if len(x) == 1 {
			end = ",)"
		}
		writeItems(b, "(", x, end, depth)
	case Set:
		if len(x.Items) == 0 {
			b.WriteString("set()")
			return
		}
		writeItems(b, "{", x.Items, "}", depth)
	case *Dict:
		b.WriteByte('{')
		for i, e := range x.Entries() {
			if i > 0 {
				b.WriteString(", ")
			}
			writeRepr(b, e.Key, depth+1)
			b.WriteString(": ")
			writeRepr(b, e.Value, depth+1)
			if b.Len() > maxPrinted {
				return
			}
		}
		b.WriteByte('}')
	default:
		fmt.Fprintf(b, "<%T>", v)
	}
}

func writeItems(b *strings.Builder, open string, items []Value, end string, depth int) {
	b.WriteString(open)
	for i, it := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		writeRepr(b, it, depth+1)
		if b.Len() > maxPrinted {
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
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x7f || unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte(q)
	return b.String()
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
			fmt.Fprintf(&b, `\x%02x`, c)
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

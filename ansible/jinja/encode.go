package jinja

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source/budget"
)

// encodeFilter are the filters that write a value in another form, or read it.
func encodeFilter(name string, v py.Value, a args) (py.Value, bool, error) {
	switch name {
	case "to_json", "to_nice_json", "tojson":
		out, err := toJSON(name, v, a)
		return out, true, err
	case "from_json":
		s, ok := py.Text(v)
		if !ok {
			return nil, true, failf("the JSON object must be str, bytes or bytearray, not %s", py.TypeName(v))
		}
		if err := a.b.Spend(1+len(s)>>4, budget.Times(len(s), literalSize)); err != nil {
			return nil, true, err
		}
		out, err := py.LoadJSON(a.b, s)
		if err != nil {
			return nil, true, failf("not JSON: %.60q", s)
		}
		return out, true, nil
	case "hash", "checksum", "sha1", "md5":
		kind := map[string]string{"hash": a.text(0, "hashtype", "sha1"), "md5": "md5"}[name]
		if _, ok := py.Text(v); !ok && !py.IsNumber(v) {
			return nil, true, &Unknowable{"the filter " + name + " of a " + py.TypeName(v)}
		}
		s := py.StrIn(a.b, v)
		if err := a.b.Spend(1+len(s)>>6, len(s)); err != nil {
			return nil, true, err
		}
		out, err := digest(kind, s)
		return out, true, err
	case "regex_escape":
		if a.text(0, "re_type", "python") != "python" {
			return nil, true, &Unknowable{"regex_escape of another kind"}
		}
		s := py.StrIn(a.b, v)
		if err := a.b.Spend(1+len(s)>>4, budget.Times(len(s), 4)); err != nil {
			return nil, true, err
		}
		return py.Computed(escapePattern(s)), true, spelled(v, a.b)
	case "urlencode":
		s, ok := py.Text(v)
		if !ok {
			return nil, true, &Unknowable{"urlencode of a " + py.TypeName(v)}
		}
		if err := a.b.Spend(1+len(s)>>4, budget.Times(len(s), 8)); err != nil {
			return nil, true, err
		}
		return py.Computed(strings.NewReplacer("+", "%20", "%2F", "/", "%7E", "~").Replace(url.QueryEscape(s))), true, nil
	}
	return nil, false, nil
}

// jsonAble refuses what Ansible's own encoder writes in ways of its own.
func jsonAble(v py.Value, depth int, b *budget.Budget) error {
	if err := b.Spend(1, 0); err != nil {
		return err
	}
	if depth > 100 {
		return failf("too deep a value to write as JSON")
	}
	var kids []py.Value
	switch x := v.(type) {
	case py.Time, py.Bytes, py.Set, py.Object:
		return &Unknowable{"a " + py.TypeName(v) + " as JSON"}
	case undefined:
		return defined(v)
	case []py.Value:
		kids = x
	case py.Tuple:
		kids = x
	case *py.Dict:
		if err := b.Spend(x.Len(), budget.Times(x.Len(), budget.Item)); err != nil {
			return err
		}
		for _, e := range x.Entries() {
			kids = append(kids, e.Value)
		}
	}
	for _, k := range kids {
		if err := jsonAble(k, depth+1, b); err != nil {
			return err
		}
	}
	return nil
}

func toJSON(name string, v py.Value, a args) (py.Value, error) {
	if err := jsonAble(v, 0, a.b); err != nil {
		return nil, err
	}
	if name != "to_json" || len(a.list)+len(a.named) > 0 {
		// sorted and indented; rarely in a value that ends in one line of a file
		switch v.(type) {
		case []py.Value, py.Tuple, *py.Dict:
			return nil, &Unknowable{"the filter " + name + " with a layout"}
		}
	}
	if s, ok := py.Text(v); ok && name == "tojson" && strings.ContainsAny(s, "<>&'") {
		return nil, &Unknowable{"the filter tojson of markup"}
	}
	s, err := py.JSONIn(a.b, v, ", ", ": ")
	if a.b.Err() != nil {
		return nil, a.b.Err()
	}
	if err != nil {
		return nil, failf("%v", err)
	}
	if name == "tojson" {
		return py.Computed(s), nil
	}
	return py.Verbatim(s), nil
}

func digest(kind, s string) (py.Value, error) {
	var sum []byte
	switch kind {
	case "", "sha1":
		h := sha1.Sum([]byte(s))
		sum = h[:]
	case "md5":
		h := md5.Sum([]byte(s))
		sum = h[:]
	case "sha224":
		h := sha256.Sum224([]byte(s))
		sum = h[:]
	case "sha256":
		h := sha256.Sum256([]byte(s))
		sum = h[:]
	case "sha384":
		h := sha512.Sum384([]byte(s))
		sum = h[:]
	case "sha512":
		h := sha512.Sum512([]byte(s))
		sum = h[:]
	default:
		return nil, &Unknowable{"the hash " + kind}
	}
	return py.Computed(hex.EncodeToString(sum)), nil
}

// escapePattern is Python's re.escape.
func escapePattern(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// center is Python's str.center: of an odd margin the left gets the larger
// half when the width is odd.
func center(s string, width int64) string {
	n := int64(len([]rune(s)))
	if n >= width {
		return s
	}
	margin := width - n
	left := margin/2 + margin&width&1
	return strings.Repeat(" ", int(left)) + s + strings.Repeat(" ", int(margin-left))
}

// indent is Jinja's: not the first line, nor blank ones, unless requested.
func indent(s string, a args) (py.Value, error) {
	by, ok := py.Text(a.get(0, "width", int64(4)))
	if !ok {
		n, isInt := a.get(0, "width", int64(4)).(int64)
		if !isInt {
			return nil, &Unknowable{"indent by that"}
		}
		if err := a.b.Spend(1, int(max(n, 0))); err != nil {
			return nil, err
		}
		by = strings.Repeat(" ", int(max(n, 0)))
	}
	if strings.ContainsAny(s, "\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029") {
		return nil, &Unknowable{"indent of other line ends"}
	}
	n := strings.Count(s, "\n") + 1
	if err := a.b.Spend(n, budget.Plus(budget.Times(n, budget.Item), budget.Times(n, budget.Times(len(by), 2)), budget.Times(len(s), 2))); err != nil {
		return nil, err
	}
	lines := strings.Split(s, "\n")
	blank := py.Truthy(a.get(2, "blank", false))
	for i := range lines {
		if i > 0 && (blank || lines[i] != "") || i == 0 && py.Truthy(a.get(1, "first", false)) {
			lines[i] = by + lines[i]
		}
	}
	return py.Computed(strings.Join(lines, "\n")), nil
}

// mathFilter are root, where it is exact, and pow, where it is: of whole
// numbers. The rest depends on the C library's last digit.
func mathFilter(name string, v py.Value, a args) (py.Value, bool, error) {
	arg, def := "base", py.Value(int64(2))
	switch name {
	case "pow":
		arg, def = "y", nil
	case "root":
	default:
		return nil, false, nil
	}
	by := a.get(0, arg, def)
	if !py.IsNumber(v) || !py.IsNumber(by) {
		return nil, true, failf("%s() can only be used on numbers", name)
	}
	x, y := toFloat(v), toFloat(by)
	switch {
	case name == "root" && y == 2 && x < 0:
		return nil, true, failf("math domain error")
	case name == "root" && y == 2:
		return math.Sqrt(x), true, nil
	case name == "pow" && x == math.Trunc(x) && y == math.Trunc(y) && y >= 0 && y <= 64:
		out := 1.0
		for range int(y) {
			out *= x
		}
		if math.Abs(out) < 1<<53 {
			return out, true, nil
		}
	}
	return nil, true, &Unknowable{"the filter " + name + " of these numbers"}
}

// combinations of one of each list, and the lists beside one another.
func product(lists [][]py.Value, b *budget.Budget) ([]py.Value, error) {
	rows := []py.Tuple{{}}
	for _, l := range lists {
		n := budget.Times(len(rows), len(l))
		if err := b.Spend(n, budget.Times(n, budget.Times(len(rows[0])+3, budget.Item))); err != nil {
			return nil, err
		}
		if n == 0 {
			return []py.Value{}, nil
		}
		next := make([]py.Tuple, 0, n)
		for _, r := range rows {
			for _, v := range l {
				next = append(next, append(slices.Clone(r), v))
			}
		}
		rows = next
	}
	out := make([]py.Value, 0, len(rows))
	for _, r := range rows {
		out = append(out, r)
	}
	return out, nil
}

func zip(lists [][]py.Value, b *budget.Budget) ([]py.Value, error) {
	out := []py.Value{}
	for i := 0; ; i++ {
		if err := b.Spend(1+len(lists), budget.Times(len(lists)+3, budget.Item)); err != nil {
			return nil, err
		}
		var row py.Tuple
		for _, l := range lists {
			if i == len(l) {
				return out, nil
			}
			row = append(row, l[i])
		}
		out = append(out, row)
	}
}

// inParts are batch (so many in each) and slice (so many parts).
func inParts(name string, l []py.Value, a args) (py.Value, error) {
	n, ok := a.get(0, map[string]string{"batch": "linecount", "slice": "slices"}[name], nil).(int64)
	fill := a.get(1, "fill_with", nil)
	if !ok || n < 1 {
		return nil, &Unknowable{"the filter " + name + " by that"}
	}
	parts := n // of slice
	if name == "batch" {
		parts = int64(len(l))/n + 1
		if fill == nil {
			n = min(n, int64(len(l))+1)
		} else if err := a.b.Spend(int(n), budget.Times(int(n), budget.Item)); err != nil {
			return nil, err
		}
	}
	if err := a.b.Spend(budget.Plus(int(parts), len(l)), budget.Plus(budget.Times(int(parts), 4*budget.Item), budget.Times(len(l), budget.Item))); err != nil {
		return nil, err
	}
	out := []py.Value{}
	if name == "batch" {
		for part := range slices.Chunk(l, int(n)) {
			part = slices.Clone(part)
			for fill != nil && len(part) < int(n) {
				part = append(part, fill)
			}
			out = append(out, part)
		}
		return out, nil
	}
	each, more, at := len(l)/int(n), len(l)%int(n), 0
	for i := range int(n) {
		size := each
		if i < more {
			size++
		}
		part := slices.Clone(l[at : at+size])
		if fill != nil && i >= more {
			part = append(part, fill)
		}
		out, at = append(out, part), at+size
	}
	return out, nil
}

// formatSpec is Python's format mini-language: fill and align, sign, zero,
// width, precision, type.
var formatSpec = regexp.MustCompile(`^(?:(.?)([<>^]))?([+ -]?)(0?)([0-9]{0,3})(?:\.([0-9]{1,2}))?([dsfxXo]?)$`)

// formatted is format(v, spec) for text and for numbers.
func formatted(v py.Value, spec string, b *budget.Budget) (string, error) {
	unknown := &Unknowable{"the format {:" + spec + "}"}
	m := formatSpec.FindStringSubmatch(spec)
	if m == nil {
		return "", unknown
	}
	if err := b.Spend(1, 4096); err != nil {
		return "", err
	}
	fill, align, sign, zero, kind := m[1], m[2], m[3], m[4] != "", m[7]
	width, _ := strconv.Atoi(m[5])
	var s string
	v = number0(v)
	n, isInt := toInt(v)
	text, isText := py.Text(v)
	if isInt {
		if err := b.Digits(n.BitLen() / 3); err != nil {
			return "", err
		}
	}
	if err := b.Spend(1, budget.Times(len(text), 5)); err != nil {
		return "", err
	}
	switch {
	case isText && (kind == "" || kind == "s") && sign == "" && !zero:
		s = text
		if m[6] != "" {
			precision, _ := strconv.Atoi(m[6])
			s = string([]rune(s)[:min(precision, len([]rune(s)))])
		}
	case isInt && kind != "f" && kind != "s" && m[6] == "":
		s = n.Text(map[string]int{"x": 16, "X": 16, "o": 8}[kind] + 10*one(kind == "" || kind == "d"))
		if kind == "X" {
			s = strings.ToUpper(s)
		}
	case py.IsNumber(v) && kind == "f":
		precision := 6
		if m[6] != "" {
			precision, _ = strconv.Atoi(m[6])
		}
		s = strconv.FormatFloat(toFloat(v), 'f', precision, 64)
	default:
		return "", unknown
	}
	if !isText {
		minus := strings.HasPrefix(s, "-")
		s = strings.TrimPrefix(s, "-")
		mark := map[bool]string{true: "-", false: strings.TrimPrefix(sign, "-")}[minus]
		if zero && align == "" {
			return mark + strings.Repeat("0", max(0, width-len(s)-len(mark))) + s, nil
		}
		s = mark + s
		if align == "" {
			align = ">"
		}
	}
	if fill == "" {
		fill = " "
		if zero {
			fill = "0"
		}
	}
	gap := max(0, width-len([]rune(s)))
	left := 0
	switch align {
	case ">":
		left = gap
	case "^":
		left = gap / 2
	}
	return strings.Repeat(fill, left) + s + strings.Repeat(fill, gap-left), nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

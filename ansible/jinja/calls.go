package jinja

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// isMethod reports whether v has a method of that name that is known here.
func isMethod(v py.Value, name string) bool {
	words := ""
	switch v.(type) {
	case *py.Dict:
		words = " get keys values items "
	case py.Object:
		words = " get keys "
	case []py.Value:
		words = " index count "
	default:
		if _, ok := py.Text(v); ok {
			words = " split rsplit upper lower strip lstrip rstrip replace startswith endswith join title capitalize isdigit zfill find count splitlines format "
		}
	}
	return strings.Contains(words, " "+name+" ")
}

func (c *context) call(e *expr) (py.Value, error) {
	if f := e.kids[0]; f.op == opName {
		if v, err, ok := c.function(f.text, e); ok {
			return v, err
		}
	}
	f, err := c.eval(e.kids[0])
	if err != nil {
		return nil, err
	}
	list, named, err := c.arguments(e)
	if err != nil {
		return nil, err
	}
	m, ok := f.(method)
	if !ok {
		if err := defined(f); err != nil {
			return nil, err
		}
		return nil, failf("'%s' object is not callable", py.TypeName(f))
	}
	if err := defined(list...); err != nil {
		return nil, err
	}
	switch x := m.of.(type) {
	case *py.Dict:
		return dictMethod(x, m.name, list, c.b)
	case py.Object:
		return objectMethod(x, m.name, list, c.b)
	case []py.Value:
		return listMethod(x, m.name, list, c.b)
	}
	s, _ := py.Text(m.of)
	return textMethod(s, m.name, list, named, c.b)
}

// function are the names that can be called as they are.
func (c *context) function(name string, e *expr) (py.Value, error, bool) {
	switch name {
	case "range", "dict":
		list, named, err := c.arguments(e)
		if err == nil {
			err = defined(list...)
		}
		if err != nil {
			return nil, err, true
		}
		if name == "dict" {
			d := &py.Dict{}
			if err := c.b.Spend(len(e.named), budget.Times(len(e.named), budget.Entry)); err != nil {
				return nil, err, true
			}
			for _, k := range e.named {
				d.Set(py.Computed(k.name), named[k.name], source.Pos{})
			}
			return d, nil, true
		}
		v, err := numbers(list, c.b)
		return v, err, true
	case "lookup", "query", "q", "now", "undef", "namespace", "cycler", "joiner", "lipsum":
		return nil, &Unknowable{name + "()"}, true
	}
	return nil, nil, false
}

// mostRange is how long a range may be: Ansible renders in Jinja's sandbox.
const mostRange = 100_000

func numbers(list []py.Value, b *budget.Budget) (py.Value, error) {
	n := [3]int64{0, 0, 1}
	for i, v := range list {
		x, ok := v.(int64)
		if !ok || i > 2 {
			return nil, failf("range needs integers")
		}
		n[i] = x
	}
	switch len(list) {
	case 0:
		return nil, failf("range needs an argument")
	case 1:
		n[0], n[1] = 0, n[0]
	}
	if n[2] == 0 {
		return nil, failf("range() arg 3 must not be zero")
	}
	size := new(big.Int).Sub(big.NewInt(n[1]), big.NewInt(n[0]))
	step := big.NewInt(n[2])
	size.Add(size, step).Sub(size, big.NewInt(int64(step.Sign()))).Quo(size, step)
	if size.Cmp(big.NewInt(mostRange)) > 0 {
		return nil, failf("range too big: the sandbox blocks ranges larger than 100000")
	}
	count := int(max(size.Int64(), 0))
	if err := b.Spend(count, budget.Times(count, budget.Item+8)); err != nil {
		return nil, err
	}
	out := make([]py.Value, 0, count)
	for i := range int64(count) {
		out = append(out, n[0]+i*n[2])
	}
	return out, nil
}

func arg(list []py.Value, i int, def py.Value) py.Value {
	if i < len(list) {
		return list[i]
	}
	return def
}

func dictMethod(d *py.Dict, name string, list []py.Value, b *budget.Budget) (py.Value, error) {
	if name != "get" {
		if err := b.Spend(d.Len(), budget.Times(d.Len(), 4*budget.Item)); err != nil {
			return nil, err
		}
	}
	out := []py.Value{}
	for _, e := range d.Entries() {
		switch name {
		case "keys":
			out = append(out, e.Key)
		case "values":
			out = append(out, e.Value)
		case "items":
			out = append(out, py.Tuple{e.Key, e.Value})
		}
	}
	if name == "get" {
		if e := d.Lookup(arg(list, 0, nil)); e != nil {
			return e.Value, nil
		}
		return arg(list, 1, nil), nil
	}
	return out, nil
}

func objectMethod(o py.Object, name string, list []py.Value, b *budget.Budget) (py.Value, error) {
	if name == "get" {
		if v, ok, err := o.Attr(py.Str(arg(list, 0, nil))); ok || err != nil {
			return v, err
		}
		return arg(list, 1, nil), nil
	}
	return iterate(o, b)
}

func listMethod(l []py.Value, name string, list []py.Value, b *budget.Budget) (py.Value, error) {
	if len(list) != 1 {
		return nil, failf("%s() takes one argument", name)
	}
	n := int64(0)
	for i, v := range l {
		if py.EqualIn(b, v, list[0]) {
			if name == "index" {
				return int64(i), nil
			}
			n++
		}
	}
	if name == "index" {
		return nil, failf("%s is not in list", py.Brief(list[0]))
	}
	return n, nil
}

func textMethod(s, name string, list []py.Value, named map[string]py.Value, b *budget.Budget) (py.Value, error) {
	if err := b.Spend(1+len(s)>>6, textSize(s, name)); err != nil {
		return nil, err
	}
	text := func(i int) string { return py.Str(arg(list, i, py.Computed(""))) }
	for _, v := range list {
		if _, ok := py.Text(v); !ok && v != nil && name != "zfill" && name != "join" && name != "format" {
			if _, isInt := v.(int64); !isInt {
				return nil, failf("%s() does not take %s", name, py.TypeName(v))
			}
		}
	}
	switch name {
	case "upper":
		return py.Computed(strings.ToUpper(s)), nil
	case "lower":
		return py.Computed(strings.ToLower(s)), nil
	case "title":
		return py.Computed(title(s)), nil
	case "capitalize":
		return py.Computed(capitalize(s)), nil
	case "split":
		return splitText(s, list, b)
	case "rsplit":
		return rsplit(s, list, b)
	case "splitlines":
		n := strings.Count(s, "\n") + 1
		if err := b.Spend(n, budget.Times(n, 3*budget.Item)); err != nil {
			return nil, err
		}
		out := []py.Value{}
		for l := range strings.Lines(s) {
			out = append(out, py.Computed(strings.TrimRight(l, "\r\n")))
		}
		return out, nil
	case "strip", "lstrip", "rstrip":
		return py.Computed(strip(s, name, list)), nil
	case "replace":
		return replaced(s, text(0), text(1), -1, b)
	case "startswith":
		return strings.HasPrefix(s, text(0)), nil
	case "endswith":
		return strings.HasSuffix(s, text(0)), nil
	case "find":
		i := strings.Index(s, text(0))
		if i > 0 {
			i = len([]rune(s[:i]))
		}
		return int64(i), nil
	case "count":
		return int64(strings.Count(s, text(0))), nil
	case "isdigit":
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) }) < 0, nil
	case "zfill":
		return zfill(s, arg(list, 0, nil), b)
	case "join":
		items, err := iterate(arg(list, 0, nil), b)
		if err != nil {
			return nil, err
		}
		for i, v := range items {
			if _, ok := py.Text(v); !ok {
				return nil, failf("sequence item %d: expected str instance, %s found", i, py.TypeName(v))
			}
		}
		return joined(s, items, b)
	case "format":
		return braces(s, list, named, b)
	}
	return nil, &Unknowable{"the method " + name}
}

// textSize is how many bytes a method of a text may make of it, except for those
// whose arguments decide.
func textSize(s, name string) int {
	switch name {
	case "upper", "lower", "title", "capitalize":
		return budget.Times(len(s), 4)
	case "startswith", "endswith", "isdigit", "count", "split", "rsplit", "replace", "join", "format", "splitlines":
		return 0
	}
	return budget.Times(len(s), 4) // find, strip: every letter is read
}

// replaced is the text with the first n occurrences of old replaced, all of
// them when n is negative.
func replaced(s, old, by string, n int, b *budget.Budget) (py.Value, error) {
	count := strings.Count(s, old)
	if n >= 0 {
		count = min(count, n)
	}
	size := budget.Plus(len(s), budget.Times(count, len(by)))
	if err := b.Spend(1+count+size>>6, size); err != nil {
		return nil, err
	}
	return py.Computed(strings.Replace(s, old, by, n)), nil
}

// braces is str.format for the forms {}, {0} and {name}, each with a format.
func braces(s string, list []py.Value, named map[string]py.Value, spent *budget.Budget) (py.Value, error) {
	if err := spent.Spend(1+len(s)>>4, budget.Times(len(s), 2)); err != nil {
		return nil, err
	}
	var parts []py.Value
	add := func(s string) error {
		parts = append(parts, py.Computed(s))
		return spent.Spend(1, 3*budget.Item)
	}
	auto := 0
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			if err := add(s); err != nil {
				return nil, err
			}
			break
		}
		if err := add(s[:i]); err != nil {
			return nil, err
		}
		if i+1 < len(s) && s[i+1] == s[i] {
			if err := add(s[i : i+1]); err != nil {
				return nil, err
			}
			s = s[i+2:]
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if s[i] == '}' || end < 0 {
			return nil, failf("single brace in format string")
		}
		field, spec, _ := strings.Cut(s[i+1:i+end], ":")
		s = s[i+end+1:]
		v, ok := named[field]
		if !ok {
			n := auto
			if field == "" {
				auto++
			} else {
				var err error
				if n, err = strconv.Atoi(field); err != nil {
					return nil, &Unknowable{"the format {" + field + "}"}
				}
			}
			if n >= len(list) {
				return nil, failf("Replacement index %d out of range", n)
			}
			v = list[n]
		}
		text := py.StrIn(spent, v)
		if spec != "" {
			var err error
			if text, err = formatted(v, spec, spent); err != nil {
				return nil, err
			}
		}
		if err := add(text); err != nil {
			return nil, err
		}
	}
	return joined("", parts, spent)
}

func zfill(s string, width py.Value, b *budget.Budget) (py.Value, error) {
	n, ok := width.(int64)
	if !ok {
		return nil, failf("zfill() needs an integer")
	}
	if err := b.Spend(1, budget.Times(int(n), 2)); err != nil {
		return nil, err
	}
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	if pad := int(n) - len([]rune(s)) - len(sign); pad > 0 {
		s = strings.Repeat("0", pad) + s
	}
	return py.Computed(sign + s), nil
}

func strip(s, name string, list []py.Value) string {
	cut := unicode.IsSpace
	if set, ok := py.Text(arg(list, 0, nil)); ok {
		cut = func(r rune) bool { return strings.ContainsRune(set, r) }
	}
	if name != "rstrip" {
		s = strings.TrimLeftFunc(s, cut)
	}
	if name != "lstrip" {
		s = strings.TrimRightFunc(s, cut)
	}
	return s
}

func splitText(s string, list []py.Value, b *budget.Budget) (py.Value, error) {
	limit := -1
	if n, ok := arg(list, 1, nil).(int64); ok && n >= 0 {
		limit = int(min(n, math.MaxInt32)) + 1
	}
	sep, ok := py.Text(arg(list, 0, nil))
	n := len(s)
	if ok && sep != "" {
		n = strings.Count(s, sep) + 1
	}
	if err := b.Spend(1+n+len(s)>>6, budget.Times(n, 4*budget.Item)); err != nil {
		return nil, err
	}
	var parts []string
	switch {
	case !ok && limit > 0:
		return nil, &Unknowable{"split() by blanks with a limit"}
	case !ok:
		parts = strings.Fields(s)
	case sep == "":
		return nil, failf("empty separator")
	default:
		parts = strings.SplitN(s, sep, limit)
	}
	return words(parts), nil
}

func rsplit(s string, list []py.Value, b *budget.Budget) (py.Value, error) {
	sep, ok := py.Text(arg(list, 0, nil))
	n, limited := arg(list, 1, nil).(int64)
	if !ok || !limited || sep == "" {
		return splitText(s, list, b)
	}
	if _, err := splitText(s, list[:1], b); err != nil {
		return nil, err
	}
	parts := strings.Split(s, sep)
	if k := len(parts) - int(n); k > 1 && n >= 0 {
		parts = append([]string{strings.Join(parts[:k], sep)}, parts[k:]...)
	}
	return words(parts), nil
}

func words(parts []string) []py.Value {
	out := make([]py.Value, 0, len(parts))
	for _, p := range parts {
		out = append(out, py.Computed(p))
	}
	return out
}

// intOf is the filter int.
func intOf(v, def, base py.Value, spent *budget.Budget) py.Value {
	if s, ok := py.Text(v); ok {
		t := strings.ReplaceAll(strings.TrimSpace(s), "_", "")
		if len(t) > mostDigits {
			return def
		}
		if spent.Digits(len(t)) != nil {
			return def
		}
		b, _ := base.(int64)
		if b != 10 && b != 0 {
			t = strings.ToLower(t)
			for prefix, n := range map[string]int64{"0x": 16, "0o": 8, "0b": 2} {
				if n == b {
					t = strings.TrimPrefix(t, prefix)
				}
			}
		}
		if b >= 2 && b <= 36 {
			if n, ok := new(big.Int).SetString(t, int(b)); ok {
				return py.Int(n)
			}
		}
		f, ok := floatOf(v, nil).(float64)
		if !ok {
			return def
		}
		v = f
	}
	if f, ok := v.(float64); ok {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return def
		}
		n, _ := new(big.Float).SetFloat64(math.Trunc(f)).Int(nil)
		return py.Int(n)
	}
	if n, ok := toInt(v); ok {
		return py.Int(n)
	}
	return def
}

// floatOf is the filter float.
func floatOf(v, def py.Value) py.Value {
	if py.IsNumber(v) {
		return toFloat(v)
	}
	s, ok := py.Text(v)
	t := strings.ReplaceAll(strings.TrimSpace(s), "_", "")
	if !ok || strings.ContainsAny(t, "xXpP") {
		return def
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil && !math.IsInf(f, 0) {
		return def
	}
	return f
}

// round is the filter round: always a float.
func round(v py.Value, a args) (py.Value, error) {
	if !py.IsNumber(v) {
		return nil, failf("type %s doesn't define __round__ method", py.TypeName(v))
	}
	v = number0(v)
	p, _ := a.get(0, "precision", int64(0)).(int64)
	p = max(-300, min(300, p))
	f := toFloat(v)
	switch a.text(1, "method", "common") {
	case "ceil":
		return math.Ceil(f*math.Pow(10, float64(p))) / math.Pow(10, float64(p)), nil
	case "floor":
		return math.Floor(f*math.Pow(10, float64(p))) / math.Pow(10, float64(p)), nil
	}
	if _, isInt := toInt(v); isInt {
		if p >= 0 {
			return v, nil // round() of an integer stays one
		}
		return nil, &Unknowable{"round of an integer"}
	}
	if p < 0 {
		return math.RoundToEven(f*math.Pow(10, float64(p))) / math.Pow(10, float64(p)), nil
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(p), 64), 64)
	return r, err
}

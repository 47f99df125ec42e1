package jinja

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"pgtui/ansible/jmespath"
	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// args are the arguments of a filter, by place or by name.
type args struct {
	list  []py.Value
	named map[string]py.Value
	b     *budget.Budget
}

func (a args) get(i int, name string, def py.Value) py.Value {
	if i < len(a.list) {
		return a.list[i]
	}
	if v, ok := a.named[name]; ok {
		return v
	}
	return def
}

func (a args) text(i int, name, def string) string {
	v := a.get(i, name, nil)
	if v == nil {
		return def
	}
	return py.StrIn(a.b, v)
}

func (c *context) filter(e *expr) (py.Value, error) {
	v, err := c.eval(e.kids[0])
	if err != nil {
		return nil, err
	}
	list, named, err := c.arguments(e)
	if err != nil {
		return nil, err
	}
	return c.runFilter(e.text, v, args{list, named, c.b})
}

// runFilter is "v | name(args)".
func (c *context) runFilter(name string, v py.Value, a args) (py.Value, error) {
	switch name {
	case "default", "d":
		_, missing := v.(undefined)
		if missing || py.Truthy(a.get(1, "boolean", false)) && !py.Truthy(v) {
			return a.get(0, "default_value", py.Computed("")), nil
		}
		return v, nil
	case "mandatory":
		return v, defined(v)
	case "type_debug":
		return py.Computed(py.TypeName(v)), defined(v)
	}
	if err := defined(v); err != nil {
		return nil, err
	}
	if err := defined(a.list...); err != nil {
		return nil, err
	}
	for _, f := range []func(string, py.Value, args) (py.Value, bool, error){
		encodeFilter, mathFilter, scalarFilter, c.textFilter, c.listFilter, c.mapFilter, dictFilter, codeFilter,
	} {
		if out, ok, err := f(name, v, a); ok {
			return out, err
		}
	}
	return nil, &Unknowable{"the filter " + name}
}

func scalarFilter(name string, v py.Value, a args) (py.Value, bool, error) {
	switch name {
	case "bool":
		if v == nil {
			return nil, true, nil
		}
		return py.Bool(v), true, nil
	case "int":
		return intOf(v, a.get(0, "default", int64(0)), a.get(1, "base", int64(10)), a.b), true, nil
	case "float":
		return floatOf(v, a.get(0, "default", 0.0)), true, nil
	case "string":
		return py.Verbatim(py.StrIn(a.b, v)), true, spelled(v, a.b)
	case "abs":
		if !py.IsNumber(v) {
			return nil, true, failf("bad operand type for abs(): '%s'", py.TypeName(v))
		}
		v = number0(v)
		if n, err := compareOp("<", v, int64(0), a.b); err != nil || !n {
			return v, true, err
		}
		out, err := arithmetic("-", int64(0), v, a.b)
		return out, true, err
	case "round":
		out, err := round(v, a)
		return out, true, err
	case "ternary":
		if v == nil && (len(a.list) > 2 || a.named["none_val"] != nil) {
			return a.get(2, "none_val", nil), true, nil
		}
		if py.Truthy(v) {
			return a.get(0, "true_val", nil), true, nil
		}
		return a.get(1, "false_val", nil), true, nil
	case "length", "count":
		if l, ok := lengthOf(v); ok {
			return l, true, nil
		}
		items, err := iterate(v, a.b)
		if err != nil {
			return nil, true, failf("object of type '%s' has no len()", py.TypeName(v))
		}
		return int64(len(items)), true, nil
	}
	return nil, false, nil
}

// lengthOf is how many there are of what is not a host.
func lengthOf(v py.Value) (int64, bool) {
	switch x := v.(type) {
	case []py.Value:
		return int64(len(x)), true
	case *py.Dict:
		return int64(x.Len()), true
	}
	s, ok := py.Text(v)
	return int64(utf8.RuneCountInString(s)), ok
}

// number0 is Python's +v: a bool becomes the integer it is.
func number0(v py.Value) py.Value {
	if b, ok := v.(bool); ok {
		if b {
			return int64(1)
		}
		return int64(0)
	}
	return v
}

func (c *context) textFilter(name string, v py.Value, a args) (py.Value, bool, error) {
	if !strings.Contains(textFilters, " "+name+" ") {
		return nil, false, nil
	}
	s := py.StrIn(a.b, v)
	if err := a.b.Spend(1+len(s)>>6, filterSize(s, name)); err != nil {
		return nil, true, err
	}
	switch name {
	case "basename", "dirname", "splitext", "split":
		if _, ok := py.Text(v); !ok {
			return nil, true, failf("%s() needs a string, not %s", name, py.TypeName(v))
		}
	case "quote":
		s = py.PrintIn(a.b, v)
	}
	out := func(s string) (py.Value, bool, error) { return py.Computed(s), true, spelled(v, a.b) }
	switch name {
	case "lower":
		return out(strings.ToLower(s))
	case "upper":
		return out(strings.ToUpper(s))
	case "capitalize":
		return out(capitalize(s))
	case "title":
		return out(title(s))
	case "trim":
		if cut := a.text(0, "chars", ""); cut != "" {
			return out(strings.Trim(s, cut))
		}
		return out(strings.TrimFunc(s, unicode.IsSpace))
	case "replace":
		n := -1
		if k, ok := a.get(2, "count", nil).(int64); ok {
			n = int(k)
		}
		r, err := replaced(s, a.text(0, "old", ""), a.text(1, "new", ""), n, a.b)
		if err == nil {
			err = spelled(v, a.b)
		}
		return r, true, err
	case "quote":
		return out(shellQuote(s))
	case "basename":
		return out(s[strings.LastIndexByte(s, '/')+1:])
	case "dirname":
		dir := s[:strings.LastIndexByte(s, '/')+1]
		if t := strings.TrimRight(dir, "/"); t != "" {
			dir = t
		}
		return out(dir)
	case "splitext":
		ext := path.Ext(s)
		return []py.Value{py.Computed(strings.TrimSuffix(s, ext)), py.Computed(ext)}, true, nil
	case "b64encode":
		return out(base64.StdEncoding.EncodeToString([]byte(s)))
	case "b64decode":
		b, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune { // Python passes over the rest
			if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("+/=", r)) {
				return r
			}
			return -1
		}, s))
		if err != nil {
			return nil, true, failf("not base64: %v", err)
		}
		if !utf8.Valid(b) {
			return nil, true, &Unknowable{"b64decode of what is not text"}
		}
		return out(string(b))
	case "split":
		r, err := splitText(s, a.list, a.b)
		return r, true, err
	case "center":
		n, ok := a.get(0, "width", int64(80)).(int64)
		if !ok {
			return nil, true, &Unknowable{"center by that"}
		}
		if err := a.b.Spend(1, budget.Times(int(n), 2)); err != nil {
			return nil, true, err
		}
		return out(center(s, n))
	case "indent":
		if _, ok := py.Text(v); !ok {
			return nil, true, failf("indent needs a string, not %s", py.TypeName(v))
		}
		r, err := indent(s, a)
		return r, true, err
	case "format", "wordcount", "truncate":
		if name == "format" {
			r, err := percent(s, py.Tuple(a.list), a.b)
			return r, true, err
		}
		if name == "wordcount" {
			return int64(len(strings.FieldsFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) }))), true, nil
		}
		return nil, true, &Unknowable{"the filter " + name}
	case "regex_replace", "regex_search", "regex_findall":
		r, err := c.regexFilter(name, s, a)
		return r, true, err
	}
	return nil, false, nil
}

// textFilters are the filters of texts.
const textFilters = " lower upper capitalize title trim replace quote basename dirname splitext b64encode b64decode split center indent format wordcount truncate regex_replace regex_search regex_findall "

// filterSize is how many bytes a filter may make of a text, except for those whose
// arguments decide.
func filterSize(s, name string) int {
	switch name {
	case "lower", "upper", "capitalize", "title":
		return budget.Times(len(s), 4)
	case "quote":
		return budget.Times(len(s), 6)
	case "b64encode", "b64decode", "splitext":
		return budget.Times(len(s), 3)
	case "wordcount":
		return budget.Times(len(s), budget.Item)
	case "center":
		return budget.Times(len(s), 5)
	}
	return 0
}

func capitalize(s string) string {
	for i, r := range s {
		return string(unicode.ToUpper(r)) + strings.ToLower(s[i+len(string(r)):])
	}
	return s
}

func title(s string) string {
	var b strings.Builder
	start := true
	for _, r := range s {
		if start {
			b.WriteRune(unicode.ToUpper(r))
		} else {
			b.WriteRune(unicode.ToLower(r))
		}
		start = strings.ContainsRune("-([{<", r) || unicode.IsSpace(r)
	}
	return b.String()
}

func shellQuote(s string) string {
	if s == "" {
		return "''"
	}
	safe := func(r rune) bool {
		return r < 0x80 && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("@%+=:,./-", r))
	}
	if strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}

func (c *context) regexFilter(name, s string, a args) (py.Value, error) {
	src := a.text(0, "pattern", a.text(0, "regex", ""))
	flags := ""
	if py.Truthy(a.get(99, "ignorecase", false)) {
		flags += "i"
	}
	if py.Truthy(a.get(99, "multiline", false)) {
		flags += "m"
	}
	if flags != "" {
		src = "(?" + flags + ")" + src
	}
	re, err := c.engine.pattern(src, false)
	if err != nil {
		return nil, err
	}
	switch name {
	case "regex_replace":
		return re.replace(s, a.text(1, "replacement", ""), a.b)
	case "regex_search":
		if len(a.list) > 1 {
			return nil, &Unknowable{"regex_search with groups"}
		}
		m, err := re.find(s, 1, a.b)
		if m == nil || err != nil {
			return nil, err
		}
		return py.Computed(s[m[0][0]:m[0][1]]), nil
	}
	all, err := re.find(s, -1, a.b)
	if err != nil {
		return nil, err
	}
	out := []py.Value{}
	for _, m := range all {
		if err := a.b.Spend(1, budget.Times(len(m), 2*budget.Item)); err != nil {
			return nil, err
		}
		if len(m) == 2 {
			out = append(out, py.Computed(s[m[0]:m[1]]))
			continue
		}
		var groups []py.Value
		for i := 2; i < len(m); i += 2 {
			groups = append(groups, py.Computed(s[max(m[i], 0):max(m[i+1], 0)]))
		}
		if len(groups) == 1 {
			out = append(out, groups[0])
		} else {
			out = append(out, groups)
		}
	}
	return out, nil
}

// goReplacement turns \1 and \g<name> into Go's ${1} and ${name}.
func goReplacement(s string) string {
	s = strings.ReplaceAll(s, "$", "$$")
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			b.WriteString("${" + string(c) + "}")
		case c == 'g' && i+1 < len(s) && s[i+1] == '<' && strings.IndexByte(s[i:], '>') > 0:
			end := i + strings.IndexByte(s[i:], '>')
			b.WriteString("${" + s[i+2:end] + "}")
			i = end
		case c == '\\':
			b.WriteByte('\\')
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String()
}

func codeFilter(name string, v py.Value, a args) (py.Value, bool, error) {
	switch name {
	case "json_query":
		text, ok := py.Text(a.get(0, "expr", nil))
		if !ok {
			return nil, true, failf("json_query needs an expression")
		}
		if err := a.b.Spend(1+len(text), budget.Times(len(text), parsedSize)); err != nil {
			return nil, true, err
		}
		e, err := jmespath.Compile(text)
		if err != nil {
			return nil, true, err
		}
		out, err := e.SearchIn(a.b, v)
		return out, true, err
	case "from_yaml", "to_yaml", "to_nice_yaml":
		return nil, true, &Unknowable{"the filter " + name}
	}
	return nil, false, nil
}

func dictFilter(name string, v py.Value, a args) (py.Value, bool, error) {
	switch name {
	case "dict2items", "items":
		d, ok := v.(*py.Dict)
		if !ok {
			return nil, true, failf("%s requires a dictionary, got %s", name, py.TypeName(v))
		}
		if err := a.b.Spend(d.Len(), budget.Times(d.Len(), 3*budget.Entry)); err != nil {
			return nil, true, err
		}
		out := []py.Value{}
		for _, e := range d.Entries() {
			if name == "items" {
				out = append(out, py.Tuple{e.Key, e.Value})
				continue
			}
			it := &py.Dict{}
			it.Set(py.Computed(a.text(0, "key_name", "key")), e.Key, source.Pos{})
			it.Set(py.Computed(a.text(1, "value_name", "value")), e.Value, source.Pos{})
			out = append(out, it)
		}
		return out, true, nil
	case "items2dict":
		l, ok := v.([]py.Value)
		if t, isTuple := v.(py.Tuple); isTuple {
			l, ok = t, true
		}
		if !ok {
			return nil, true, failf("items2dict requires a list, got %s", py.TypeName(v))
		}
		if err := a.b.Spend(len(l), budget.Times(len(l), budget.Entry)); err != nil {
			return nil, true, err
		}
		out := &py.Dict{}
		for _, it := range l {
			if err := defined(it); err != nil {
				return nil, true, err
			}
			d, ok := it.(*py.Dict)
			if !ok {
				return nil, true, failf("items2dict requires a list of dictionaries")
			}
			k, ok1 := d.Get(a.text(0, "key_name", "key"))
			x, ok2 := d.Get(a.text(1, "value_name", "value"))
			if !ok1 || !ok2 {
				return nil, true, failf("items2dict misses a key")
			}
			out.Set(k, x, source.Pos{})
		}
		return out, true, nil
	case "combine":
		if py.Truthy(a.get(99, "recursive", false)) || a.named["list_merge"] != nil {
			return nil, true, &Unknowable{"combine with options"}
		}
		out := &py.Dict{}
		for _, it := range flatten(slices.Concat([]py.Value{v}, a.list), int64(1), 0, a.b) {
			d, ok := it.(*py.Dict)
			if !ok {
				return nil, true, failf("combine requires dictionaries, got %s", py.TypeName(it))
			}
			if err := a.b.Spend(d.Len(), budget.Times(d.Len(), budget.Entry)); err != nil {
				return nil, true, err
			}
			for _, e := range d.Entries() {
				out.Set(e.Key, e.Value, e.At)
			}
		}
		return out, true, nil
	case "dictsort":
		return nil, true, &Unknowable{"the filter dictsort"}
	}
	return nil, false, nil
}

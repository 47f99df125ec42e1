package jinja

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"pgtui/model"
	"pgtui/model/py"
	"pgtui/model/selector"
)

// args are the arguments of a filter, by place or by name.
type args struct {
	list  []py.Value
	named map[string]py.Value
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
	return py.Str(v)
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
	return c.runFilter(e.text, v, args{list, named})
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
		encodeFilter, mathFilter, scalarFilter, textFilter, c.listFilter, c.mapFilter, dictFilter, codeFilter,
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
		return intOf(v, a.get(0, "default", int64(0)), a.get(1, "base", int64(10))), true, nil
	case "float":
		return floatOf(v, a.get(0, "default", 0.0)), true, nil
	case "string":
		return py.Verbatim(py.Str(v)), true, spelled(v)
	case "abs":
		if !py.IsNumber(v) {
			return nil, true, failf("bad operand type for abs(): '%s'", py.TypeName(v))
		}
		v = number0(v)
		if n, err := compareOp("<", v, int64(0)); err != nil || !n {
			return v, true, err
		}
		out, err := arithmetic("-", int64(0), v)
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
		items, err := iterate(v)
		if err != nil {
			return nil, true, failf("object of type '%s' has no len()", py.TypeName(v))
		}
		return int64(len(items)), true, nil
	}
	return nil, false, nil
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

func textFilter(name string, v py.Value, a args) (py.Value, bool, error) {
	s := py.Str(v)
	switch name {
	case "basename", "dirname", "splitext", "split":
		if _, ok := py.Text(v); !ok {
			return nil, true, failf("%s() needs a string, not %s", name, py.TypeName(v))
		}
	case "quote":
		s = py.Print(v)
	}
	out := func(s string) (py.Value, bool, error) { return py.Computed(s), true, spelled(v) }
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
		return out(strings.Replace(s, a.text(0, "old", ""), a.text(1, "new", ""), n))
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
		r, err := splitText(s, a.list)
		return r, true, err
	case "center":
		n, ok := a.get(0, "width", int64(80)).(int64)
		if !ok {
			return nil, true, &Unknowable{"center by that"}
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
			r, err := percent(s, py.Tuple(a.list))
			return r, true, err
		}
		if name == "wordcount" {
			return int64(len(strings.FieldsFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) }))), true, nil
		}
		return nil, true, &Unknowable{"the filter " + name}
	case "regex_replace", "regex_search", "regex_findall":
		r, err := regexFilter(name, s, a)
		return r, true, err
	}
	return nil, false, nil
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

func regexFilter(name, s string, a args) (py.Value, error) {
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
	re, err := pattern(src, false)
	if err != nil {
		return nil, err
	}
	switch name {
	case "regex_replace":
		return py.Computed(re.ReplaceAllString(s, goReplacement(a.text(1, "replacement", "")))), nil
	case "regex_search":
		if len(a.list) > 1 {
			return nil, &Unknowable{"regex_search with groups"}
		}
		m := re.FindStringIndex(s)
		if m == nil {
			return nil, nil
		}
		return py.Computed(s[m[0]:m[1]]), nil
	}
	out := []py.Value{}
	for _, m := range re.FindAllStringSubmatch(s, -1) {
		if len(m) == 1 {
			out = append(out, py.Computed(m[0]))
			continue
		}
		var groups []py.Value
		for _, g := range m[1:] {
			groups = append(groups, py.Computed(g))
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
		e, err := selector.Compile(text)
		if err != nil {
			return nil, true, err
		}
		out, err := e.Search(v)
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
		out := []py.Value{}
		for _, e := range d.Entries() {
			if name == "items" {
				out = append(out, py.Tuple{e.Key, e.Value})
				continue
			}
			it := &py.Dict{}
			it.Set(py.Computed(a.text(0, "key_name", "key")), e.Key, model.Pos{})
			it.Set(py.Computed(a.text(1, "value_name", "value")), e.Value, model.Pos{})
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
			out.Set(k, x, model.Pos{})
		}
		return out, true, nil
	case "combine":
		if py.Truthy(a.get(99, "recursive", false)) || a.named["list_merge"] != nil {
			return nil, true, &Unknowable{"combine with options"}
		}
		out := &py.Dict{}
		for _, it := range flatten(slices.Concat([]py.Value{v}, a.list), int64(1), 0) {
			d, ok := it.(*py.Dict)
			if !ok {
				return nil, true, failf("combine requires dictionaries, got %s", py.TypeName(it))
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

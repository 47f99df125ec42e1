package pigsty

import (
	"fmt"
	"strconv"
	"strings"

	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
)

// native reports whether this ansible-core keeps the types of templates, which
// 2.19 began.
func native(core string) bool {
	major, rest, _ := strings.Cut(core, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	return err1 == nil && err2 == nil && (a > 2 || a == 2 && b >= 19)
}

// judgeCore adds what the ansible-core in use does otherwise than the rules
// followed here, those of 2.14 to 2.18: Pigsty before v3.7 does not run there
// at all, and each cluster names the first value that may come out otherwise.
func (w *world) judgeCore(out *model.Inventory) {
	if !native(w.core) {
		return
	}
	if old(w.dialect) {
		p := source.Problem{Subject: "ansible-core " + w.core, Fatal: true,
			What: fmt.Sprintf("Pigsty %s (up to v3.6.1) does not run with ansible-core 2.19 or newer: it fails, or empties the HAProxy directory and writes nothing", w.dialect),
			Try:  "use ansible-core 2.18 or older, or Pigsty v3.7.0 or newer"}
		out.Problems = append(out.Problems, p)
		for i := range out.Clusters {
			out.Clusters[i].Problems = append(out.Clusters[i].Problems, p)
		}
		return
	}
	for i, c := range w.clusters {
		if what, at := w.unlike(c); what != "" {
			out.Clusters[i].Problems = append(out.Clusters[i].Problems, source.Problem{At: at, Subject: string(c.name),
				What: fmt.Sprintf("ansible-core %s may write other files than these, which follow 2.14 to 2.18: %s", w.core, what),
				Try:  "compare with: ./pgsql.yml -t pg_service --check --diff"})
		}
	}
}

// unlike is the first thing of a cluster that ansible-core 2.19 treats
// otherwise, "" when there is none.
func (w *world) unlike(c *cluster) (string, source.Pos) {
	for _, h := range c.members {
		for _, e := range h.inv.All().Entries() {
			if what := w.otherwise(e.Value, 0); what != "" {
				return fmt.Sprintf("%s of %s %s", py.Str(e.Key), h.inv.Name, what), e.At
			}
		}
		items, _ := h.serviceList()
		for _, it := range items {
			d, ok := it.(*py.Dict)
			if !ok {
				continue
			}
			if _, ok := d.Get("name"); !ok {
				return "a service has no name: it alone fails there, not those after it", d.At
			}
			for _, key := range []string{"selector", "backup"} {
				v, _ := d.Get(key)
				if what := typed(v); what != "" {
					return "its " + key + " " + what, place(d, key)
				}
			}
		}
	}
	return "", source.Pos{}
}

// otherwise says what 2.19 does otherwise with a value.
func (w *world) otherwise(v py.Value, depth int) string {
	if depth > 60 || w.b.Spend(1, 0) != nil {
		return ""
	}
	switch x := v.(type) {
	case string:
		if jinja.Marked(x) {
			return "is a template: it keeps its type there, and must resolve without role defaults"
		}
	case py.Time:
		return "is a date: it is printed there and fails here"
	case float64:
		if x != x || x > 1e308*1.7 || x < -1e308*1.7 {
			return "is .inf or .nan: it is printed there and fails here"
		}
	case py.Unsafe:
		return "is !unsafe: a number keeps its type there"
	case py.Vault:
		return "is vaulted: selector functions take it for a string there"
	case []py.Value:
		what, _ := once(w, "otherwise", v, func() (string, bool) {
			for _, it := range x {
				if what := w.otherwise(it, depth+1); what != "" {
					return what, true
				}
			}
			return "", false
		})
		return what
	case *py.Dict:
		what, _ := once(w, "otherwise", v, func() (string, bool) {
			for _, e := range x.Entries() {
				if what := w.otherwise(e.Value, depth+1); what != "" {
					return what, true
				}
			}
			return "", false
		})
		return what
	}
	return ""
}

// typed says what 2.19 does otherwise with a selector: facts keep their type
// there, and functions of numbers refuse the inventory's.
func typed(v py.Value) string {
	s, ok := py.Text(v)
	if !ok {
		return ""
	}
	for _, f := range []string{"pg_group", "pg_cluster_size", "pg_seq_next", "pg_primary_seq"} {
		if strings.Contains(s, f) {
			return "uses " + f + ", which is a number there and text here"
		}
	}
	for _, f := range []string{"abs(", "ceil(", "floor(", "avg(", "sum(", "max(", "min(", "sort(", "sort_by(", "max_by(", "min_by("} {
		if strings.Contains(strings.ReplaceAll(s, " ", ""), f) {
			return "uses " + strings.TrimSuffix(f, "(") + "(), which refuses the inventory's numbers there"
		}
	}
	return ""
}

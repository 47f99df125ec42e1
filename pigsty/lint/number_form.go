package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
)

// oddNumber are the integers of YAML 1.1 that do not mean what they look like.
var oddNumber = regexp.MustCompile(`^[-+]?(0[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+|[1-9][0-9_]*(:[0-5]?[0-9])+)$`)

// numberForm: 05433 is octal, 12:30 is sexagesimal.
func numberForm() Rule {
	return Rule{"number-form", Warning, "a number that YAML reads in base 8, 2, 16 or 60",
		"the file gets a different number from the one that was written",
		func(in *Input, report func(Finding)) {
			add := func(subject, name string, at source.Pos, v py.Value) {
				if _, text := py.Text(v); text || !py.IsNumber(v) {
					return
				}
				if raw := scalarAfter(in.Inventory.Written(at)); oddNumber.MatchString(raw) {
					report(Finding{At: at, Subject: subject, What: fmt.Sprintf("%s: %s is read as %s", name, raw, py.Print(v)), Fix: "write the number without a leading 0, x or colon"})
				}
			}
			vars := []string{"pg_seq", "pg_weight", "pg_port", "pgbouncer_port", "patroni_port", "haproxy_exporter_port", "pg_default_service_dest"}
			for c, m := range in.members() {
				for _, name := range vars {
					if v, ok, err := in.Attr(m.Host, name); ok && err == nil {
						add(string(m.Name), name, in.var1(m.Host, name), v)
					}
				}
				for _, d := range in.services(m.Host) {
					for _, e := range d.Dict.Entries() {
						if key := py.Print(e.Key); slices.Contains([]string{"port", "dest", "maxconn"}, key) && e.At.Line != 0 {
							add(string(c.Name)+" "+d.Name, key, e.At, e.Value)
						}
					}
				}
			}
		}}
}

// scalarAfter is the plain scalar after "key:" at the beginning of s.
func scalarAfter(s string) string {
	_, rest, ok := strings.Cut(s, ":")
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, " \t")
	if i := strings.IndexAny(rest, " \t,}]#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

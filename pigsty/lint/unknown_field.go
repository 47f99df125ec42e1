package lint

import (
	"fmt"
	"slices"

	"pgtui/ansible/py"
	"pgtui/model"
)

// unknownField: a key of a service that the template never reads.
func unknownField() Rule {
	return Rule{"unknown-field", Warning, "a field of a service that Pigsty does not read",
		"it has no effect, and the intended field keeps its default",
		func(in *Input, report func(Finding)) {
			known := []string{"name", "port", "ip", "selector", "backup", "dest", "check", "maxconn", "balance", "options"}
			old := []string{"src_ip", "src_port", "dst_port", "check_url", "check_code", "check_method", "selector_backup", "haproxy"}
			for c, s := range in.each() {
				for _, e := range in.decl(s).Entries() {
					key := py.Print(e.Key)
					if slices.Contains(known, key) || e.At.Line == 0 {
						continue
					}
					f := Finding{At: e.At, Subject: title(c, s), What: fmt.Sprintf("field %s of service %s is not read", key, s.Name), Fix: "the fields are name, port, ip, selector, backup, dest, check, maxconn, balance, options"}
					switch {
					case key == "check_port" && (in.Model.Dialect == model.DialectV20 || in.Model.Dialect == model.DialectV27):
						continue
					case key == "check_port":
						f.Fix = "remove it: since v3.7.0 the check goes to the member's patroni_port"
					case slices.Contains(old, key):
						f.Severity, f.Fix = Info, "remove it: it is a field of Pigsty v1"
					}
					report(f)
				}
			}
		}}
}

package lint

import (
	"fmt"

	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
)

// unknownDest: the template knows default, postgres, pgbouncer and numbers; all
// the rest is port 5432, whatever the member's pg_port is.
func unknownDest() Rule {
	return Rule{"unknown-dest", Warning, "a dest that is not default, postgres, pgbouncer or a number",
		"Pigsty silently sends the service to port 5432 of every member, past pgbouncer and past pg_port",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				v, ok := in.decl(s).Get("dest")
				at, what := in.at(s, "dest"), "dest"
				if !ok || py.Equal(v, "default") {
					v, ok, _ = in.Var(s.Rendered, "pg_default_service_dest")
					at, what = in.var1(s.Rendered, "pg_default_service_dest"), "pg_default_service_dest"
				}
				if t, _ := py.Text(v); !ok || t == "postgres" || t == "pgbouncer" || jinja.Marked(t) {
					continue
				}
				if py.IsNumber(v) {
					if _, isBool := v.(bool); portOf(py.Print(v)) == 0 || isBool {
						report(Finding{Severity: Error, At: at, Subject: title(c, s), What: fmt.Sprintf("%s of service %s is printed as %s, which is not a port", what, s.Name, py.Print(v)),
							Why: "HAProxy refuses the server lines, or sends the traffic nowhere", Fix: "write default, postgres, pgbouncer or a whole number from 1 to 65535"})
					}
					continue
				}
				fix := "write default, postgres, pgbouncer or a port number"
				if t, ok := py.Text(v); ok && portOf(t) != 0 {
					fix = fmt.Sprintf("write %s without quotes and templates: only a plain number is taken as a port", t)
				}
				f := Finding{At: at, Subject: title(c, s), What: fmt.Sprintf("%s %s of service %s means port 5432", what, py.Brief(v), s.Name), Fix: fix}
				if what != "dest" {
					f.Subject = string(c.Name)
				}
				report(f)
			}
		}}
}

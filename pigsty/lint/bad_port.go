package lint

import (
	"fmt"

	"pgtui/ansible/jinja"
)

// badPort: a service port that HAProxy cannot bind.
func badPort() Rule {
	return Rule{"bad-port", Error, "a service port that is not a number from 1 to 65535",
		"HAProxy refuses the bind line, and with it the whole configuration",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				if jinja.Marked(s.Port) {
					continue // another rule reports what cannot be resolved
				}
				ok := false
				for _, b := range bindsOf(s.IP + ":" + s.Port) {
					if ok = b.from != 0; !ok {
						break
					}
				}
				if ok {
					continue
				}
				report(Finding{At: in.at(s, "port"), Subject: title(c, s), What: fmt.Sprintf("service %s binds %s:%s, which is not a port", s.Name, s.IP, s.Port), Fix: "write a whole number from 1 to 65535"})
			}
		}}
}

// componentPort: a member's port that is not a port.
func componentPort() Rule {
	return Rule{"bad-component-port", Error, "pg_port, pgbouncer_port or patroni_port that is not a port",
		"it is printed unchanged into every server line of the cluster, and HAProxy refuses the file or never sees the member up",
		func(in *Input, report func(Finding)) {
			refused := in.refused()
			for _, m := range in.members() {
				for _, name := range []string{"pg_port", "pgbouncer_port", "patroni_port"} {
					v, ok, err := in.Attr(m.Host, name)
					if !ok || err != nil || refused[in.var1(m.Host, name)] || portOf(printed(v)) != 0 {
						continue
					}
					report(Finding{At: in.var1(m.Host, name), Subject: string(m.Name), What: fmt.Sprintf("%s of %s is printed as %q, which is not a port", name, m.Name, printed(v)), Fix: "write a whole number from 1 to 65535"})
				}
			}
		}}
}

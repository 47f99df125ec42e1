package lint

import (
	"fmt"

	"pgtui/model"
)

// membersDisagree: a delegated cluster shows only the primary's view.
func membersDisagree() Rule {
	return Rule{"members-disagree", Warning, "members of one cluster that declare its services differently",
		"a provider gets only the declared primary's view: what the others declare is never written",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				p := primary(c)
				if p == "" {
					continue
				}
				for _, m := range c.Instances {
					name := in.differs(p, m.Host)
					if name == "" {
						continue
					}
					at, declared := in.At(m.Host, name)
					if !declared || at == in.var1(p, name) {
						at = in.var1(p, name)
					}
					f := Finding{At: at, Subject: string(c.Name), What: fmt.Sprintf("%s of %s is not that of the primary %s", name, m.Name, p), Fix: fmt.Sprintf("set %s once, in the vars of the cluster", name)}
					if _, remote := in.providerOf(p); !remote {
						f.Severity, f.Why = Info, "every HAProxy node has its own host's view: the same port may do something else on another node"
					}
					report(f)
					break
				}
			}
		}}
}

// differs is the first variable about services in which two hosts differ.
func (in *Input) differs(a, b model.Host) string {
	if a == b {
		return ""
	}
	for _, name := range []string{"pg_services", "pg_default_services", "pg_default_service_dest", "pg_rto", "pg_rto_plan"} {
		v1, _, err1 := in.Var(a, name)
		v2, _, err2 := in.Var(b, name)
		if err1 == nil && err2 == nil && in.repr(v1) != in.repr(v2) {
			return name
		}
	}
	return ""
}

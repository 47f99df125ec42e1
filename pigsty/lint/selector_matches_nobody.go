package lint

import (
	"fmt"
)

// selectorMatchesNobody: a service whose selector finds no member. Pigsty's own
// offline service is meant to be like that on most clusters.
func selectorMatchesNobody() Rule {
	return Rule{"selector-matches-nobody", Warning, "a selector that matches no member of the cluster",
		"the port is open and refuses every connection",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				if len(s.Members) > 0 || in.ours(s) && (len(c.Instances) == 1 || len(s.Backups) > 0) {
					continue
				}
				f := Finding{At: in.at(s, "selector"), Subject: title(c, s),
					What: fmt.Sprintf("the selector %s of service %s matches no member of %s", s.Selector, s.Name, c.Name),
					Fix:  "compare with the members' variables: pg_role, pg_seq and what else the selector names; strings take 'x', numbers `1`"}
				switch {
				case len(s.Backups) > 0:
					f.Severity, f.Why = Info, fmt.Sprintf("only its backup servers serve port %s", s.Port)
				case in.ours(s):
					f.Severity, f.Fix = Info, "nothing to do unless clients use port "+s.Port
				}
				report(f)
			}
		}}
}

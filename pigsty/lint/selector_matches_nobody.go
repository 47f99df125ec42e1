package lint

import (
	"fmt"

	"pgtui/model"
)

// selectorMatchesNobody: a service whose selector finds no member. Pigsty's own
// offline service is meant to be like that on most clusters.
func selectorMatchesNobody() Rule {
	return Rule{"selector-matches-nobody", Warning, "a selector that matches no member of the cluster",
		"the port is open and refuses every connection",
		func(in *Input) []Finding {
			return in.each(func(c *model.Cluster, s *model.Service) []Finding {
				if len(s.Members) > 0 || in.ours(s) && (len(c.Instances) == 1 || len(s.Backups) > 0) {
					return nil
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
				return []Finding{f}
			})
		}}
}

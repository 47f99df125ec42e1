package lint

import (
	"fmt"
	"strings"

	"pgtui/model"
)

// anyOf joins a few names.
func anyOf(l []model.InstanceName) string {
	if len(l) > 3 {
		return fmt.Sprintf("one of %d members (%s, …)", len(l), model.Join(l[:3]))
	}
	return strings.Join(model.Strings(l), " or ")
}

// emptyAfterFailover: the service works today and not when another leads.
func emptyAfterFailover() Rule {
	return Rule{"empty-after-failover", Info, "a service that loses its last server when a certain member leads",
		"it works now, and refuses every connection after that failover",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				lost := holes(c, s)
				kind, _ := kindOf(s.Check, c.Standby)
				two := len(c.Instances) == 2 && kind == onReplica && len(s.Members) > 0 && len(lost) == 1
				if len(lost) == 0 || len(lost) == len(c.Instances) || two || in.ours(s) && len(s.Members) == 0 {
					continue
				}
				f := Finding{At: in.at(s, "selector"), Subject: title(c, s),
					What: fmt.Sprintf("service %s has no server while %s leads", s.Name, anyOf(lost)),
					Fix:  "select more members, or give it a backup selector"}
				report(f)
			}
		}}
}

package lint

import (
	"fmt"
	"strings"

	"pgtui/model"
)

// missingPrimary: no member of the cluster is declared primary.
func missingPrimary() Rule {
	return Rule{"missing-primary", Error, "a cluster without a member of pg_role primary",
		"v4.5 refuses the whole cluster; older versions do not write a delegated cluster's services at all",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				if primary(c) == "" && len(c.Instances) > 0 {
					report(Finding{At: in.var1(c.Instances[0].Host, "pg_role"), Subject: string(c.Name),
						What: fmt.Sprintf("cluster %s has no primary", c.Name), Fix: "give exactly one member pg_role: primary; of a standby cluster it is the leader, with pg_upstream"})
				}
			}
		}}
}

// extraPrimary: more than one is.
func extraPrimary() Rule {
	return Rule{"extra-primary", Error, "a cluster with more than one member of pg_role primary",
		"v4.5 refuses the whole cluster; in older versions each of them writes the services of a delegated cluster",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				var all []string
				var last model.Host
				for _, m := range c.Instances {
					if m.Role == model.RolePrimary {
						all, last = append(all, string(m.Name)), m.Host
					}
				}
				if len(all) > 1 {
					report(Finding{At: in.var1(last, "pg_role"), Subject: string(c.Name),
						What: fmt.Sprintf("cluster %s has %d primaries: %s", c.Name, len(all), strings.Join(all, ", ")), Fix: "leave one pg_role: primary, make the others replica"})
				}
			}
		}}
}

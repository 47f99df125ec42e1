package lint

import (
	"fmt"
)

// noSuchGroup: ansible -l takes groups, not clusters.
func noSuchGroup() Rule {
	return Rule{"no-such-group", Warning, "a cluster whose group of the same name lacks members",
		"bin/pgsql-svc and ./pgsql.yml -l take the name of a group: they miss members, and each member has its own copy of the files",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				f := Finding{At: in.clusterAt(c), Subject: string(c.Name)}
				g := in.Inventory.Group(string(c.Name))
				if !clusterName.MatchString(string(c.Name)) {
					continue
				}
				if g == nil {
					f.What = fmt.Sprintf("cluster %s has no group of that name", c.Name)
					f.Fix = fmt.Sprintf("name the group %s too, or give its hosts to -l", c.Name)
					f.Severity, f.Why = Info, "bin/pgsql-svc and ./pgsql.yml -l take the name of a group, not of a cluster"
					report(f)
					continue
				}
				in := map[string]bool{}
				for _, h := range g.AllHosts() {
					in[h.Name] = true
				}
				for _, m := range c.Instances {
					if !in[string(m.Host)] {
						f.What = fmt.Sprintf("host %s has pg_cluster %s and is not in group %s", m.Host, c.Name, c.Name)
						f.Fix = fmt.Sprintf("put it into group %s, or give it another pg_cluster", c.Name)
						report(f)
						break
					}
				}
			}
		}}
}

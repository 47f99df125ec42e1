package lint

import (
	"fmt"
	"regexp"

	"pgtui/ansible/py"
	"pgtui/model"
)

// badRole: a role that Pigsty does not have.
func badRole() Rule {
	return Rule{"bad-role", Error, "a pg_role that is missing or unknown", assertedWhy,
		func(in *Input, report func(Finding)) {
			for c, m := range in.members() {
				v, ok, err := in.Attr(m.Host, "pg_role")
				if err != nil {
					continue
				}
				f := Finding{At: in.var1(m.Host, "pg_role"), Subject: string(c.Name), Severity: in.asserted(), Fix: "use primary, replica, standby, offline or delayed"}
				switch m.Role {
				case model.RolePrimary, model.RoleReplica, model.RoleStandby, model.RoleOffline, model.RoleDelayed:
					continue
				}
				f.What = fmt.Sprintf("pg_role of host %s is %s", m.Host, py.Brief(v))
				if !ok {
					f.Severity, f.What = Error, fmt.Sprintf("host %s of %s has no pg_role", m.Host, c.Name)
				}
				report(f)
			}
		}}
}

var clusterName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// badClusterName: a name that pg_id refuses.
func badClusterName() Rule {
	return Rule{"bad-cluster-name", Error, "a pg_cluster that Pigsty refuses", assertedWhy,
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				if len(c.Instances) == 0 {
					continue
				}
				v, _, err := in.Attr(c.Instances[0].Host, "pg_cluster")
				s, text := py.Text(v)
				if err != nil || text && clusterName.MatchString(s) && s != "root" {
					continue
				}
				f := Finding{At: in.clusterAt(c), Subject: string(c.Name), Severity: in.asserted(), What: fmt.Sprintf("pg_cluster is %s", py.Brief(v)), Fix: "use letters, digits and dashes, in quotes when it is all digits; not root"}
				if text && s != "" && s != "root" && f.Severity == Warning {
					f.Severity, f.Why = Info, "it works with this Pigsty version; v4.5 refuses such a cluster"
				}
				report(f)
			}
		}}
}

// clusterEverywhere: pg_cluster where every host sees it.
func clusterEverywhere() Rule {
	return Rule{"cluster-everywhere", Error, "pg_cluster in the variables of all hosts",
		"every host of the inventory becomes a member, and with Debian 12's ansible the admin node's localhost too",
		func(in *Input, report func(Finding)) {
			all := in.Inventory.Group("all")
			if all == nil {
				return
			}
			e := all.Vars.Lookup("pg_cluster")
			if e == nil {
				return
			}
			report(Finding{At: e.At, Subject: "all", What: fmt.Sprintf("pg_cluster %s is set for all hosts", py.Print(e.Value)), Fix: "move it to the vars of the cluster's own group"})
		}}
}

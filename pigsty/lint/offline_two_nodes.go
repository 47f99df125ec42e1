package lint

import (
	"fmt"

	"pgtui/model"
)

// offlineTwoNodes: in a cluster of two, one failover takes the last replica.
func offlineTwoNodes() Rule {
	return Rule{"offline-two-nodes", Warning, "an offline service on a cluster of two nodes",
		"when the offline member becomes the leader, no member passes the replica check, and reports fail until it is a replica again",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				kind, _ := kindOf(s.Check, c.Standby)
				lost := holes(c, s)
				if len(c.Instances) != 2 || kind != onReplica || len(lost) != 1 || len(s.Members) == 0 {
					continue
				}
				m := c.Instance(lost[0])
				f := Finding{At: in.at(s, "check"), Subject: title(c, s),
					What: fmt.Sprintf("service %s has no server left once %s leads %s, which has two members", s.Name, lost[0], c.Name),
					Fix:  "add a third member, or let the service check /read-only"}
				switch {
				case m.Role == model.RoleOffline:
					f.At = in.var1(m.Host, "pg_role")
				case m.OfflineQuery:
					f.At = in.var1(m.Host, "pg_offline_query")
				}
				report(f)
			}
		}}
}

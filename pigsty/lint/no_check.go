package lint

import (
	"fmt"

	"pgtui/model"
)

// noCheck: a service that leaves out check, and looks as if it were for reads.
func noCheck() Rule {
	return Rule{"no-check", Warning, "a service without a check that is not meant for the leader alone",
		"Pigsty's default is /, which only the leader passes: every connection goes to the leader, and no replica ever serves the port",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				if !s.NoCheck || in.ours(s) || s.Name == "primary" || s.Name == "default" {
					continue
				}
				f := Finding{At: in.at(s, "check"), Subject: title(c, s), What: fmt.Sprintf("service %s has no check: Pigsty's default is /, which only the leader passes", s.Name),
					Fix: "check: /read-only or /replica for reads, /sync for synchronous standbys; check: /primary when the leader is meant"}
				if s.Backup == "" && hasPrimary(c, s) {
					f.Severity = Info // a service of the leader, written the short way
				}
				report(f)
			}
		}}
}

// hasPrimary reports whether the declared primary is a server of the service.
func hasPrimary(c *model.Cluster, s *model.Service) bool {
	servers, _ := s.Servers()
	for i := range servers {
		if in := c.Instance(servers[i].Name); in != nil && in.Role == model.RolePrimary {
			return true
		}
	}
	return false
}

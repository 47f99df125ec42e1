package lint

import (
	"fmt"

	"pgtui/model"
)

// noPossibleServer: servers are there, but none can ever pass the health check.
func noPossibleServer() Rule {
	return Rule{"no-possible-server", Warning, "a service that has no server, whichever member leads",
		"the port is open and refuses every connection, now and after any failover",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				servers, _ := s.Servers()
				kind, known := kindOf(s.Check, c.Standby)
				if len(servers) == 0 || len(c.Instances) == 0 || len(holes(c, s)) < len(c.Instances) || !known || in.ours(s) && len(c.Instances) == 1 {
					continue
				}
				f := Finding{Subject: title(c, s)}
				weightless := true
				for _, v := range servers {
					weightless = weightless && weightOf(v.Weight) == 0
				}
				switch {
				case weightless:
					f.At, f.What = in.var1(servers[0].Host, "pg_weight"), fmt.Sprintf("every server of service %s has weight 0", s.Name)
					f.Fix = "give one of them a pg_weight above 0, or choose others with the selector"
				case kind == onNobody && c.Standby:
					f.At, f.What = in.at(s, "check"), fmt.Sprintf("%s is a standby cluster: no member answers %s while it is one", c.Name, s.Check)
					f.Severity, f.Fix = Info, "nothing to do: it serves once the cluster is promoted"
				case kind == onNobody:
					f.At, f.What = in.at(s, "check"), fmt.Sprintf("no member of %s answers %s: it is not a standby cluster", c.Name, s.Check)
					f.Fix = "use /leader or /primary"
				default:
					f.At, f.What = in.at(s, "check"), fmt.Sprintf("service %s checks %s, and none of its servers can answer that: %s", s.Name, s.Check, sizeWords(c))
					f.Fix = "add a replica, or check /read-only"
				}
				if in.ours(s) && !weightless {
					f.Severity = Info
				}
				report(f)
			}
		}}
}

func sizeWords(c *model.Cluster) string {
	if len(c.Instances) == 1 {
		return fmt.Sprintf("%s has one member, and that leads", c.Name)
	}
	return fmt.Sprintf("not one of the %d members of %s, whoever leads", len(c.Instances), c.Name)
}

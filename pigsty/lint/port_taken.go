package lint

import (
	"fmt"
)

// portTaken: a service on a port that something else on the node has.
func portTaken() Rule {
	return Rule{"port-taken", Error, "a service on a port that a component of Pigsty uses",
		"haproxy -c accepts it; after the reload the new process cannot bind, and the old one keeps the old configuration",
		func(in *Input, report func(Finding)) {
			hosts, by := in.binds()
			for _, h := range hosts {
				comps := in.components(h)
				_, pg := in.At(h, "pg_cluster")
				for _, b := range by[h] {
					for _, c := range comps {
						if c.port == 0 || b.from == 0 || c.port < b.from || c.port > b.to {
							continue
						}
						f := Finding{At: b.at, Subject: b.owner, What: fmt.Sprintf("%s listens on %d of %s, the port of %s there", b.owner, c.port, h, c.name), Fix: "take a port that nothing uses, such as 5439"}
						if !c.here {
							f.What = fmt.Sprintf("%s listens on %d, which Pigsty keeps for %s", b.owner, c.port, c.name)
							f.Severity, f.Why = Info, "it works while that does not run on the node"
							if pg {
								f.Severity = Warning
							}
						}
						report(f)
						break
					}
				}
			}
		}}
}

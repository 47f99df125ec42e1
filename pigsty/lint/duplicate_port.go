package lint

import (
	"fmt"

	"pgtui/model"
	"pgtui/source"
)

// duplicatePort: two services on one port of one HAProxy.
func duplicatePort() Rule {
	return Rule{"duplicate-port", Error, "two services on the same port of one HAProxy node, of one cluster or of several",
		"HAProxy accepts it, and the kernel splits the connections between the two services: writes go to replicas, or to another cluster",
		func(in *Input, report func(Finding)) {
			hosts, by := in.binds()
			for _, h := range hosts {
				l := by[h]
				seen := map[string]bool{}
				for i := range l {
					if in.cost(1+i>>2) != nil {
						break
					}
					for j := range i {
						a, b := l[j], l[i]
						if a.owner == b.owner || !a.meets(b) || seen[b.owner] {
							continue
						}
						seen[b.owner] = true
						if !b.own && a.own {
							a, b = b, a // name the place that can be changed
						}
						report(clash(h, a, b))
					}
				}
			}
		}}
}

func clash(h model.Host, a, b bind) Finding {
	at := place(a.at)
	if !a.own {
		at = place(source.Pos{})
	}
	fix := "give one of them another port"
	if a.c != nil && b.c != nil && a.c != b.c {
		fix = fmt.Sprintf("give %s ports of its own (pg_default_services), or another provider", b.c.Name)
	}
	return Finding{At: b.at, Subject: b.owner, What: fmt.Sprintf("%s and %s (%s) both listen on port %s of %s", b.owner, a.owner, at, b.portText(), h), Fix: fix}
}

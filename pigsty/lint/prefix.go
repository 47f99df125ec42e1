package lint

import (
	"fmt"
	"strings"

	"pgtui/model"
)

// prefixCollision: Pigsty deletes "pg-test-*", which are pg-test-2's files too.
func prefixCollision() Rule {
	return Rule{"prefix-collision", Warning, "a cluster name that begins with another cluster's name and a dash, on one HAProxy",
		"Pigsty's run for the shorter name deletes the files of the longer one and does not write them again (pgtui's reload does not)",
		func(in *Input, report func(Finding)) {
			all := in.clusters()
			for _, long := range all {
				if in.cost(1+len(all)>>3) != nil {
					break
				}
				for _, short := range all {
					if short.Name == "" || !strings.HasPrefix(string(long.Name), string(short.Name)+"-") {
						continue
					}
					f := Finding{At: in.clusterAt(long), Subject: string(long.Name),
						What: fmt.Sprintf("the files of %s begin with %s-, and so do those of cluster %s", long.Name, short.Name, short.Name), Fix: "rename one of them, or give them different HAProxy nodes"}
					if h := sharedFront(short, long); h != "" {
						f.What += fmt.Sprintf(": both are on %s", h)
					} else {
						f.Severity, f.Why = Info, "they share no HAProxy node now; on a shared one Pigsty's run for the shorter name would delete the files of the longer"
					}
					report(f)
				}
			}
		}}
}

// sharedFront is a HAProxy node that both clusters have, "" when there is none.
func sharedFront(a, b *model.Cluster) model.Host {
	for _, f := range a.LoadBalancers {
		if b.LoadBalancer(f.Host) != nil {
			return f.Host
		}
	}
	return ""
}

// fileCollision: pg-a + b-c and pg-a-b + c have one file.
func fileCollision() Rule {
	return Rule{"file-collision", Error, "services of two clusters with the same file name on one HAProxy",
		"each run overwrites the other's file: one of the two services is always missing",
		func(in *Input, report func(Finding)) {
			type owner struct {
				c *model.Cluster
				s *model.Service
			}
			seen := map[string]owner{}
			for _, c := range in.clusters() {
				for i := range c.LoadBalancers {
					for j := range c.LoadBalancers[i].Services {
						s := &c.LoadBalancers[i].Services[j]
						key := string(c.LoadBalancers[i].Host) + "/" + s.FileName()
						was, ok := seen[key]
						if !ok {
							seen[key] = owner{c, s}
							continue
						}
						at, other := in.at(s, "name"), was
						if s.Line.Line == 0 && was.s.Line.Line != 0 {
							at = in.at(was.s, "name")
						}
						report(Finding{At: at, Subject: title(c, s), What: fmt.Sprintf("service %s of %s and service %s of %s are both file %s on %s", s.Name, c.Name, other.s.Name, other.c.Name, s.FileName(), c.LoadBalancers[i].Host), Fix: "give one of the services another name"})
					}
				}
			}
		}}
}

package apply

import (
	"strings"

	"pgtui/model"
	"pgtui/plan"
)

// fleet has clusters whose names begin with one another's, on their own nodes
// and on one shared provider group.
func fleet() *model.Inventory {
	in := func(c string, hosts ...model.Host) model.Cluster {
		out := model.Cluster{Name: model.ClusterName(c)}
		for i, h := range hosts {
			out.Instances = append(out.Instances, model.Instance{Name: model.InstanceName(c + "-" + string(rune('1'+i))), Host: h})
		}
		return out
	}
	return &model.Inventory{Clusters: []model.Cluster{
		in("pg-test", "10.10.10.11", "10.10.10.12", "10.10.10.13"),
		in("pg-test-2", "10.10.10.21"),
		in("pg-meta", "10.10.10.10"),
		in("pg-v6", "fd00::1"),
	}}
}

// world is pg-test with one service on two fronts.
func world() (*model.Inventory, *model.Cluster) {
	inv := fleet()
	inv.Hash = "h"
	c := inv.Cluster("pg-test")
	svc := model.Service{
		Cluster: "pg-test", Name: "primary", Port: "5433",
		Members: []model.Server{{Name: "pg-test-1", Host: "10.10.10.11", Weight: "50"}},
		Backups: []model.Server{{Name: "pg-test-2", Host: "10.10.10.12", Weight: ""}},
	}
	for _, h := range []model.Host{"10.10.10.11", "10.10.10.12"} {
		c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: h, Services: []model.Service{svc}})
		inv.Nodes = append(inv.Nodes, model.Node{Host: h, Name: "pg-test-" + string(h[len(h)-1]), SSH: model.SSHTarget{Address: string(h), User: "dba"}})
	}
	return inv, c
}

func kinds(n plan.Node) string {
	var out []string
	for _, ch := range n.Changes {
		out = append(out, ch.Kind()+" "+ch.Name)
	}
	return strings.Join(out, ", ")
}

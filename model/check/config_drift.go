package check

import (
	"fmt"

	"pgtui/model"
)

// configDrift: the files on a node are not what the inventory declares. One
// finding a node.
func configDrift(in Input, report func(model.Finding)) {
	eachConf(in, func(f *model.LoadBalancer, label string, conf *model.NodeConf) {
		d := conf.Drift[in.Board.Cluster.Name]
		if d.Err != "" {
			report(model.Finding{Severity: model.Warning, Host: f.Host,
				Summary: "could not determine whether the HAProxy files on " + label + " are up to date", Evidence: []string{d.Err}, Hint: fmt.Sprintf("pgtui diff %s %s", in.Board.Cluster.Name, f.Host)})
			return
		}
		if len(d.Changes) == 0 {
			return
		}
		x := model.Finding{Severity: model.Warning, Host: f.Host,
			Summary: fmt.Sprintf("%d HAProxy %s from the inventory", len(d.Changes), plural(len(d.Changes), "file on "+label+" differs", "files on "+label+" differ")),
			Hint:    fmt.Sprintf("pgtui diff %s %s", in.Board.Cluster.Name, f.Host)}
		cosmetic := true
		for _, c := range d.Changes {
			cosmetic = cosmetic && len(c.Summary) == 1 && c.Summary[0] == "cosmetic only"
			for _, s := range c.Summary {
				x.Evidence = append(x.Evidence, fmt.Sprintf("%s (a reload would %s it): %s", c.Name, c.Kind, s))
			}
		}
		if cosmetic {
			x.Severity = model.Info
		}
		report(x)
	})
}

// eachConf calls do for each HAProxy node of the cluster whose files were read.
func eachConf(in Input, do func(f *model.LoadBalancer, label string, conf *model.NodeConf)) {
	for i := range in.Board.Cluster.LoadBalancers {
		f := &in.Board.Cluster.LoadBalancers[i]
		o := in.Snap.Conf[f.Host]
		if o.Known() && !o.Value.Missing {
			do(f, labelOf(in, f.Host), &o.Value)
		}
	}
}

// labelOf is what a node is called: its nodename, else its host.
func labelOf(in Input, h model.Host) string {
	if n := in.Snap.Inventory.Node(h); n != nil && n.Name != "" {
		return n.Name
	}
	return string(h)
}

package check

import (
	"fmt"
	"strings"

	"pgtui/haproxy"
	"pgtui/model"
)

// portTwice: several sections bind one port. HAProxy accepts that, and the
// kernel deals the connections out between them. One finding a node and port.
func portTwice(in Input, report func(model.Finding)) {
	eachConf(in, func(f *model.LoadBalancer, label string, conf *model.NodeConf) {
		for _, c := range haproxy.Clashes(conf.Sections) {
			mine := false
			var names, evidence []string
			for _, s := range c.Sections {
				names = append(names, s.Name)
				evidence = append(evidence, fmt.Sprintf("%s: listen %s, bind %s", s.File, s.Name, strings.Join(s.Binds, " ")))
				for i := range f.Services {
					mine = mine || f.Services[i].Proxy() == s.Name
				}
			}
			if mine {
				report(model.Finding{Severity: model.Critical, Host: f.Host, Evidence: evidence,
					Summary: fmt.Sprintf("port %d on %s is bound by %s: connections go to either", c.Port, label, strings.Join(names, " and ")),
					Hint:    "decide which one owns the port, and give the other one a different port in the inventory; then pgtui diff " + string(in.Board.Cluster.Name)})
			}
		}
	})
}

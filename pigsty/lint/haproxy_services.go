package lint

import (
	"fmt"
	"strings"

	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/pigsty"
)

// haproxyServices are the node's own services: haproxy_services.
func (in *Input) haproxyServices(h model.Host) []pigsty.Decl {
	v, _, err := in.Var(h, "haproxy_services")
	l, ok := v.([]py.Value)
	if err != nil || !ok {
		return nil
	}
	var out []pigsty.Decl
	for _, it := range l {
		if d, ok := it.(*py.Dict); ok {
			name, _ := d.Get("name")
			out = append(out, pigsty.Decl{Name: py.Print(name), Dict: d})
		}
	}
	return out
}

// haproxyServiceWiped: a node's own service whose file Pigsty deletes with a
// cluster's.
func haproxyServiceWiped() Rule {
	return Rule{"haproxy-service-wiped", Warning, "a haproxy_services entry named like a cluster's service",
		"its file is in the same directory: the next pg_service run of that cluster deletes it",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				for _, f := range c.LoadBalancers {
					for _, d := range in.haproxyServices(f.Host) {
						if !strings.HasPrefix(d.Name, string(c.Name)+"-") {
							continue
						}
						at := d.Dict.At
						if e := d.Dict.Lookup("name"); e != nil {
							at = e.At
						}
						report(Finding{At: at, Subject: string(f.Host), What: fmt.Sprintf("haproxy service %s begins with %s-, the name of cluster %s", d.Name, c.Name, c.Name),
							Fix: "give it a name that does not begin with a cluster's"})
					}
				}
			}
		}}
}

package inventory

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
)

// important are the variables that decide what a service file says, and none
// that holds a secret.
func important() []string {
	return []string{
		"version", "pg_cluster", "pg_seq", "pg_role", "pg_service_provider", "pg_services", "pg_default_services", "pg_default_service_dest",
		"pg_port", "pgbouncer_port", "patroni_port", "patroni_ssl_enabled", "pg_weight", "pg_offline_query", "pg_rto", "pg_rto_plan", "pg_reload",
		"pg_vip_enabled", "pg_vip_address", "pg_upstream", "pg_shard", "pg_group", "haproxy_exporter_port", "nodename", "ansible_host", "ansible_port",
		"ansible_user", "ansible_connection",
	}
}

// individual reports whether a variable identifies the hosts of a cluster: its
// values are expected to differ.
func individual(variable string) bool {
	switch variable {
	case "pg_seq", "pg_role", "pg_upstream", "nodename", "ansible_host":
		return true
	}
	return false
}

// Origins lists for the given hosts where the variables that matter come
// from: cluster by cluster, hosts with the same definition together. What that
// costs is taken off the inventory's budget.
func Origins(inv *Inventory, hosts []*Host) []source.Origin {
	type cluster struct {
		name  string
		hosts []*Host
	}
	var order []*cluster
	byName := map[string]*cluster{}
	for _, h := range hosts {
		v, _ := h.all.Get("pg_cluster")
		name := ""
		if v != nil {
			name = py.StrIn(inv.spent, v)
		}
		c := byName[name]
		if c == nil {
			c = &cluster{name: name}
			byName[name] = c
			order = append(order, c)
		}
		c.hosts = append(c.hosts, h)
	}
	var out []source.Origin
	for _, c := range order {
		for _, v := range important() {
			out = append(out, originsOf(inv, c.name, c.hosts, v)...)
		}
	}
	return out
}

// originsOf are the definitions of a variable that won on the hosts of one
// cluster.
func originsOf(inv *Inventory, cluster string, hosts []*Host, variable string) []source.Origin {
	var out []source.Origin
	place, values, defined := map[string]int{}, map[string]bool{}, 0
	for _, h := range hosts {
		e := h.all.Lookup(variable)
		if e == nil {
			continue
		}
		chain := h.chain(variable)
		value := py.ReprIn(inv.spent, e.Value)
		inv.spent.Return(5 * len(value))
		values[value] = true
		defined++
		key := fmt.Sprintf("%v %s", e.At, value)
		i, ok := place[key]
		if !ok {
			i = len(out)
			place[key] = i
			won := definition(*e, "")
			if len(chain) > 0 {
				won.By = chain[0].by
			}
			out = append(out, source.Origin{Cluster: cluster, Of: len(hosts), Variable: variable, Definition: won})
		}
		out[i].Hosts = append(out[i].Hosts, h.Name)
		out[i].Hid = withHidden(out[i].Hid, chain)
	}
	for i := range out {
		out[i].Differs = cluster != "" && !individual(variable) && (len(values) > 1 || defined < len(hosts))
	}
	return out
}

// defined is one definition of a variable, and whose it is.
type defined struct {
	py.Entry
	by string
}

// chain are the definitions of a variable for a host, the one that won first.
// A key that one mapping has twice is there once, as Ansible takes it.
func (h *Host) chain(variable string) []defined {
	var out []defined
	layers := h.layers()
	for i := range slices.Backward(layers) {
		l := &layers[i]
		e := l.vars.Lookup(variable)
		if e == nil {
			continue
		}
		out = append(out, defined{*e, l.by()})
		for _, was := range l.vars.Under(variable) {
			out = append(out, defined{was, l.by()})
		}
	}
	return out
}

// withHidden adds what the first of a chain hides, unless it is there.
func withHidden(hid []source.Definition, chain []defined) []source.Definition {
	for i := 1; i < len(chain); i++ {
		d := &chain[i]
		if d.At != chain[0].At && !slices.ContainsFunc(hid, func(x source.Definition) bool { return x.At == d.At }) {
			hid = append(hid, definition(d.Entry, d.by))
		}
	}
	return hid
}

func definition(e py.Entry, by string) source.Definition {
	return source.Definition{At: e.At, By: by, Value: brief(e.Value), Text: outline(e.Value)}
}

// brief is a value in a few words, with what may be a secret masked.
func brief(v py.Value) string {
	switch x := v.(type) {
	case py.Vault:
		return vaulted
	case nil:
		return "null"
	case []py.Value:
		var names []string
		for _, it := range x {
			if d, ok := it.(*py.Dict); ok {
				if n, ok := d.Get("name"); ok {
					names = append(names, scalar(n))
				}
			}
		}
		if len(names) == len(x) && len(x) > 0 {
			return strings.Join(names, ", ")
		}
		return fmt.Sprintf("%d entries", len(x))
	case *py.Dict:
		return fmt.Sprintf("%d keys", x.Len())
	case string:
		if x == "" {
			return "''"
		}
	}
	return shortened(masked(py.Str(v)))
}

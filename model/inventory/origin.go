package inventory

import (
	"fmt"
	"strings"

	"pgtui/model"
	"pgtui/model/py"
)

// Origin is one variable of a cluster, and where the definition that won is
// written.
type Origin struct {
	Cluster  string // pg_cluster as written; "" for nodes of no cluster
	Hosts    []string
	All      bool // Hosts are all of the cluster's
	Variable string
	Value    string // short; lists and mappings only by their size
	At       model.Pos
}

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

// Origins tells for the given hosts where the variables that matter come
// from: cluster by cluster, hosts with the same definition together.
func Origins(inv *Inventory, hosts []*Host) []Origin {
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
			name = py.Str(v)
		}
		c := byName[name]
		if c == nil {
			c = &cluster{name: name}
			byName[name] = c
			order = append(order, c)
		}
		c.hosts = append(c.hosts, h)
	}
	var out []Origin
	for _, c := range order {
		for _, v := range important() {
			out = append(out, originsOf(c.name, c.hosts, v)...)
		}
	}
	return out
}

func originsOf(cluster string, hosts []*Host, variable string) []Origin {
	var out []Origin
	place := map[string]int{}
	for _, h := range hosts {
		e := h.all.Lookup(variable)
		if e == nil {
			continue
		}
		o := Origin{Cluster: cluster, Variable: variable, Value: brief(e.Value), At: e.At}
		key := fmt.Sprintf("%v %s", o.At, o.Value)
		i, ok := place[key]
		if !ok {
			i = len(out)
			place[key] = i
			out = append(out, o)
		}
		out[i].Hosts = append(out[i].Hosts, h.Name)
	}
	for i := range out {
		out[i].All = len(out[i].Hosts) == len(hosts) && len(hosts) > 1
	}
	return out
}

// brief is a value in a few words.
func brief(v py.Value) string {
	switch x := v.(type) {
	case py.Vault:
		return "(vaulted)"
	case nil:
		return "null"
	case []py.Value:
		var names []string
		for _, it := range x {
			if d, ok := it.(*py.Dict); ok {
				if n, ok := d.Get("name"); ok {
					names = append(names, py.Str(n))
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
	return py.Str(v)
}

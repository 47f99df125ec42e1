package pigsty

import (
	"slices"
	"strings"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/model"
)

// components are what Pigsty runs on the host: of the node module on every
// host, of the others where the host is of their group or has a pg_cluster.
func (w *world) components(h *host) []model.Component {
	in := map[string]bool{"node": true, "pgsql": h.inPlay && h.failed == nil,
		"infra": h.isIn("infra"), "etcd": h.isIn("etcd")}
	connection, _, _ := h.play.get("ansible_connection")
	local := py.Equal(connection, "local") // not reached by ssh
	name := model.InstanceName("")
	if in["pgsql"] {
		name = h.instance().Name
	}
	out := make([]model.Component, 0, len(w.parts))
	for _, p := range w.parts {
		if !in[p.Module] || !h.enabled(p.Enabled, p.On) || p.Ask == model.AskSSH && local {
			continue
		}
		c := model.Component{Name: p.Name, Module: p.Module, Host: model.Host(h.inv.Name), Port: p.Port, Ask: p.Ask, Path: p.Path, Unit: p.Unit}
		if p.PortVar != "" {
			c.Port = h.port(p.PortVar, p.Port)
		}
		switch {
		case p.Name == "patroni":
			tls, _, _ := h.play.get("patroni_ssl_enabled")
			c.TLS = py.Bool(tls)
		case p.Ask == model.AskHTTP && p.Path == "/metrics" && p.Name != "haproxy":
			if path := h.text("exporter_metrics_path", p.Path); strings.HasPrefix(path, "/") {
				c.Path = path
			}
		}
		if p.Module == "pgsql" {
			c.Instance = name
		}
		out = append(out, c)
	}
	return out
}

// isIn reports whether the host is in a group or below it.
func (h *host) isIn(group string) bool {
	return slices.ContainsFunc(h.inv.Groups(), func(g *inventory.Group) bool { return g.Name == group })
}

// enabled is a switch of the inventory, def where it has no usable value.
func (h *host) enabled(name string, def bool) bool {
	if name == "" {
		return true
	}
	v, ok, err := h.play.get(name)
	if !ok || err != nil {
		return def
	}
	return py.Bool(v)
}

// groupHosts are the hosts of a group, in inventory order.
func (w *world) groupHosts(name string) []model.Host {
	if known, ok := w.inGroup[name]; ok {
		return slices.Clone(known)
	}
	g := w.inv.Group(name)
	if g == nil {
		return nil
	}
	var out []model.Host
	for _, h := range g.AllHosts() {
		out = append(out, model.Host(h.Name))
	}
	w.inGroup[name] = out
	return slices.Clone(out)
}

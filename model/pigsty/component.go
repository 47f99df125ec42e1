package pigsty

import (
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/model/py"
)

// components are what Pigsty runs on the host: of the node module on every
// host, of the others where the host is of their group or has a pg_cluster.
func (w *world) components(h *host) []model.Component {
	in := map[string]bool{"node": true, "pgsql": h.inPlay && h.failed == nil,
		"infra": slices.Contains(w.groupHosts("infra"), model.Host(h.inv.Name)), "etcd": slices.Contains(w.groupHosts("etcd"), model.Host(h.inv.Name))}
	connection, _, _ := h.play.get("ansible_connection")
	local := py.Equal(connection, "local") // nobody comes by ssh
	name := model.InstanceName("")
	if in["pgsql"] {
		name = h.instance().Name
	}
	var out []model.Component
	for _, p := range w.dialect.Parts() {
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

// enabled is a switch of the inventory, def where it says nothing usable.
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
	g := w.inv.Group(name)
	if g == nil {
		return nil
	}
	var out []model.Host
	for _, h := range g.AllHosts() {
		if !slices.Contains(out, model.Host(h.Name)) {
			out = append(out, model.Host(h.Name))
		}
	}
	return out
}

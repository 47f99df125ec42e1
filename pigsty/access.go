package pigsty

import (
	"strings"
	"time"

	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source/budget"
)

// access fills in who may use a cluster, under which name, and how long a
// failover takes.
func (w *world) access(c *cluster, out *model.Cluster) {
	primary := c.members[0]
	for _, h := range c.members {
		if h.text("pg_role", "") == "primary" {
			primary = h
			break
		}
	}
	out.DNS = primary.dns(out)
	out.Admin = model.User{Name: primary.text("pg_admin_username", "dbuser_dba"), Pooled: true, Roles: []string{"dbrole_admin"}}
	for _, d := range primary.mappings("pg_users") {
		if w.b.Spend(1, 512) != nil {
			return
		}
		u := model.User{Name: primary.field(d, "name"), Pooled: primary.flag(d, "pgbouncer", false)}
		if roles, ok := primary.part(d, "roles"); ok {
			u.Roles = texts(roles, w.b)
		}
		if u.Name != "" && primary.field(d, "state") != "absent" {
			out.Users = append(out.Users, u)
		}
	}
	for _, d := range primary.mappings("pg_databases") {
		if w.b.Spend(1, 256) != nil {
			return
		}
		db := model.Database{Name: primary.field(d, "name"), Pooled: primary.flag(d, "pgbouncer", true)}
		if db.Name != "" && primary.field(d, "state") != "absent" {
			out.Databases = append(out.Databases, db)
		}
	}
	out.TTL = primary.ttl()
}

// dns is the name that the primary's run registers, and what it is bound to.
func (h *host) dns(c *model.Cluster) model.DNSName {
	if on, ok, err := h.play.get("dns_enabled"); ok && err == nil && !py.Bool(on) {
		return model.DNSName{From: "dns_enabled: false", Off: true}
	}
	target := h.text("pg_dns_target", "auto")
	d := model.DNSName{Name: string(c.Name) + h.text("pg_dns_suffix", ""), From: "pg_dns_target: " + target}
	vip, _, _ := strings.Cut(h.text("pg_vip_address", ""), "/")
	switch {
	case target == "none":
		return model.DNSName{From: d.From}
	case target == "auto" && c.VIP != "":
		d.Target = c.VIP
	case target == "auto" || target == "primary":
		d.Target = h.inv.Name
	case target == "vip":
		d.Target = vip
	default:
		d.Target = target
	}
	return d
}

// ttl is Patroni's ttl by pg_rto: a mode since v4, seconds before.
func (h *host) ttl() time.Duration {
	v, ok, err := h.play.get("pg_rto")
	if !ok || err != nil {
		return 30 * time.Second
	}
	if s, ok := py.Text(v); ok {
		if n, known := map[string]int{"fast": 20, "norm": 30, "safe": 60, "wide": 120}[s]; known {
			return time.Duration(n) * time.Second
		}
	}
	n, ok := toBig(h.w.intFilter(v))
	if !ok || !n.IsInt64() || n.Int64() <= 0 || n.Int64() > 3600 {
		return 0
	}
	return time.Duration(n.Int64()) * time.Second
}

// mappings are the items of a list variable that are mappings, as they are
// written: nothing in them is resolved, a password least of all. A list that a
// template makes has none.
func (h *host) mappings(name string) []*py.Dict {
	v, ok := h.play.Raw(name)
	list, _ := v.([]py.Value)
	if !ok || h.w.b.Spend(len(list), budget.Times(len(list), budget.Item)) != nil {
		return nil
	}
	var out []*py.Dict
	for _, it := range list {
		if d, ok := it.(*py.Dict); ok {
			out = append(out, d)
		}
	}
	return out
}

// part is one field of a mapping, resolved.
func (h *host) part(d *py.Dict, name string) (py.Value, bool) {
	raw, ok := d.Get(name)
	if !ok || raw == nil {
		return nil, false
	}
	v, err := h.w.engine.Value(raw, h.play, false)
	return v, err == nil && v != nil
}

// field is a field as it is printed; "" when it is not there.
func (h *host) field(d *py.Dict, name string) string {
	v, ok := h.part(d, name)
	if !ok {
		return ""
	}
	return py.PrintIn(h.w.b, v)
}

// flag is a field as a switch, def when it is not there.
func (h *host) flag(d *py.Dict, name string, def bool) bool {
	v, ok := h.part(d, name)
	if !ok {
		return def
	}
	return py.Bool(v)
}

// texts are the items of a list as they are printed; one, when it is no list.
func texts(v py.Value, b *budget.Budget) []string {
	list, ok := v.([]py.Value)
	if !ok {
		list = []py.Value{v}
	}
	if b.Spend(len(list), budget.Times(len(list), budget.Item)) != nil {
		return nil
	}
	out := make([]string, 0, len(list))
	for _, it := range list {
		out = append(out, py.PrintIn(b, it))
	}
	return out
}

// rest is the login of Patroni's REST API.
func (h *host) rest() model.REST {
	return model.REST{User: h.text("patroni_username", "postgres"), Password: model.Secret(h.text("patroni_password", "Patroni.API"))}
}

// operator is Pigsty's administrator of PostgreSQL.
func (h *host) operator(databases []string) model.Login {
	return model.Login{User: h.text("pg_admin_username", "dbuser_dba"), Databases: databases, Password: model.Secret(h.text("pg_admin_password", "DBUser.DBA"))}
}

// login is Pigsty's monitoring user, and the databases it can connect to: the
// one that every PostgreSQL has, then the first that the cluster declares,
// which its pooler knows for certain.
func (h *host) login() model.Login {
	l := model.Login{User: h.text("pg_monitor_username", "dbuser_monitor"), Databases: []string{"postgres"},
		Password: model.Secret(h.text("pg_monitor_password", "DBUser.Monitor"))}
	v, ok, err := h.play.get("pg_databases")
	list, _ := v.([]py.Value)
	if !ok || err != nil || len(list) == 0 {
		return l
	}
	first, ok := list[0].(*py.Dict)
	if !ok {
		return l
	}
	if name, ok := first.Get("name"); ok {
		if s, ok := py.Text(name); ok && s != "" && s != "postgres" {
			l.Databases = append(l.Databases, s)
		}
	}
	return l
}

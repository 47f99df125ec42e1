package pigsty

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"

	"pgtui/ansible/py"
	"pgtui/model"
)

// instance is the member as declared; what cannot be resolved takes Pigsty's
// own value.
func (h *host) instance() model.Instance {
	seq, _, _ := h.play.get("pg_seq")
	role, _, _ := h.play.get("pg_role")
	tls, _, _ := h.play.get("patroni_ssl_enabled")
	offline, _, _ := h.play.get("pg_offline_query")
	in := model.Instance{
		Name: model.InstanceName(h.name + "-" + py.PrintIn(h.w.b, seq)), Host: model.Host(h.inv.Name), Role: model.Role(py.PrintIn(h.w.b, role)),
		PgPort: h.port("pg_port", 5432), BouncerPort: h.port("pgbouncer_port", 6432), PatroniPort: h.port("patroni_port", 8008),
		PatroniTLS: py.Bool(tls), OfflineQuery: py.Bool(offline),
	}
	for name, to := range map[string]*string{"pg_log_dir": &in.Logs.Postgres, "patroni_log_dir": &in.Logs.Patroni, "pgbouncer_log_dir": &in.Logs.PgBouncer} {
		if v, ok, err := h.play.get(name); ok && err == nil {
			*to = py.PrintIn(h.w.b, v)
		}
	}
	if n, ok := toBig(h.w.intFilter(seq)); ok && n.IsInt64() {
		in.Seq = int(n.Int64())
	}
	return in
}

// port is a variable that should be a port, def when it is not one.
func (h *host) port(name string, def uint16) uint16 {
	v, ok, err := h.play.get(name)
	if !ok || err != nil {
		return def
	}
	n, ok := toBig(h.w.intFilter(v))
	if !ok || n.Sign() <= 0 || n.Cmp(big.NewInt(65535)) > 0 {
		return def
	}
	return uint16(n.Int64())
}

// node is how the host is reached.
func (w *world) node(h *host) model.Node {
	get := func(name, def string) string {
		v, ok, err := h.play.get(name)
		if !ok || err != nil || v == nil {
			return def
		}
		return py.StrIn(w.b, v)
	}
	n := model.Node{Host: model.Host(h.inv.Name), Name: h.nodename()}
	n.SSH = model.SSHTarget{
		Local:      get("ansible_connection", "") == "local",
		Root:       get("pgtui_root", ""),
		Address:    get("ansible_host", h.inv.Name),
		Port:       h.port("ansible_port", h.port("ansible_ssh_port", 0)),
		User:       get("ansible_user", get("ansible_ssh_user", "")),
		KeyFile:    get("ansible_ssh_private_key_file", get("ansible_private_key_file", "")),
		CommonArgs: get("ansible_ssh_common_args", ""),
	}
	n.HAProxy = model.HAProxyAccess{
		Port: h.port("haproxy_exporter_port", 9101), URIs: w.statsPages(n.Name),
		User: get("haproxy_admin_username", "admin"), Password: model.Secret(get("haproxy_admin_password", "pigsty")),
	}
	if h.enabled("vip_enabled", false) {
		n.VIP.Address, _, _ = strings.Cut(h.says("vip_address"), "/")
		n.VIP.Interface = cmp.Or(h.says("vip_interface"), "auto")
		if id, err := strconv.Atoi(h.says("vip_vrid")); err == nil && id > 0 && id < 256 {
			n.VIP.Router = id
		}
	}
	n.Components = w.components(h)
	return n
}

// nodename is Pigsty's name for the node: the instance's when the node takes
// its identity from PostgreSQL, else the declared one, else "".
func (h *host) nodename() string {
	v, ok, err := h.play.get("nodename")
	if !ok || err != nil {
		return ""
	}
	return py.PrintIn(h.w.b, v)
}

// statsPages are the pages HAProxy may have its statistics on: v4 moved them
// under /haproxy/. The dialect's own comes first.
func (w *world) statsPages(name string) []string {
	if name == "" {
		return nil
	}
	if w.b.Spend(1, 2*len(name)) != nil {
		return nil
	}
	v4, v2 := "/haproxy/"+name+"/", "/"+name+"/"
	switch w.dialect {
	case model.DialectV40, model.DialectV45:
		return []string{v4, v2}
	}
	return []string{v2, v4}
}

// String names the host in messages.
func (h *host) String() string { return strconv.Quote(h.inv.Name) }

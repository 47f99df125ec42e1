package pigsty

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
	"pgtui/source/budget"
)

// cluster makes the model of one cluster: its instances, and on which HAProxy
// which services are written.
func (w *world) cluster(c *cluster) model.Cluster {
	out := model.Cluster{Name: c.name}
	for _, h := range c.members {
		out.Instances = append(out.Instances, h.instance())
	}
	w.vip(c, &out)
	out.Scope = c.members[0].scope()
	out.Monitor = c.members[0].login()
	out.API = c.members[0].rest()
	w.access(c, &out)
	out.Operator = c.members[0].operator(out.Monitor.Databases)
	w.failover(c, &out)
	p := &placement{w: w, out: &out, index: map[model.Host]int{}}
	for _, h := range c.members {
		if w.b.Err() != nil {
			return out
		}
		p.add(h)
	}
	p.finish()
	return out
}

// placement collects what the hosts of one cluster write, and where.
type placement struct {
	w     *world
	out   *model.Cluster
	index map[model.Host]int // fronts by host
	// remote is what a primary writes on every host of its provider group.
	remote []remote
	// seen keeps a problem of every host from being reported for each.
	seen map[string]bool
}

type remote struct {
	group    string
	hosts    []model.Host
	services []model.Service
}

func (p *placement) problem(x source.Problem) {
	if p.w.b.Spend(1, 4*len(x.What)+512) != nil {
		return
	}
	key := fmt.Sprintf("%v %s", x.At, x.What)
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	if !p.seen[key] {
		p.seen[key] = true
		p.out.Problems = append(p.out.Problems, x)
	}
}

func (p *placement) front(h model.Host) *model.LoadBalancer {
	i, ok := p.index[h]
	if !ok {
		if p.w.b.Spend(1, 512) != nil {
			return &model.LoadBalancer{Host: h}
		}
		i = len(p.out.LoadBalancers)
		p.index[h] = i
		p.out.LoadBalancers = append(p.out.LoadBalancers, model.LoadBalancer{Host: h})
	}
	return &p.out.LoadBalancers[i]
}

// add places what one member's run writes.
func (p *placement) add(h *host) {
	provider, _, err := h.play.get("pg_service_provider")
	_, hashable := py.KeyOf(provider)
	switch {
	case h.failed != nil:
		p.problem(*h.failed)
	case err != nil:
		p.problem(source.Problem{At: h.at("pg_service_provider"), Subject: h.name, Fatal: true,
			What: fmt.Sprintf("pg_service_provider of host %s cannot be resolved: %v", h.inv.Name, err)})
	case !hashable:
		p.problem(source.Problem{At: h.at("pg_service_provider"), Subject: h.name, Fatal: true,
			What: fmt.Sprintf("pg_service_provider of host %s is %s: expected the name of a group", h.inv.Name, article(provider)), Try: "name one group"})
	case h.name == "":
		p.problem(source.Problem{At: h.at("pg_cluster"), Subject: h.inv.Name, Fatal: true,
			What: fmt.Sprintf("pg_cluster of host %s is empty: Pigsty writes no files for it", h.inv.Name), Try: "give it a name"})
		return
	}
	group, remoteMode := p.w.provider(provider)
	if !remoteMode {
		f := p.front(model.Host(h.inv.Name))
		if h.failed != nil || err != nil || !hashable {
			return
		}
		if s := py.Cut(py.PrintIn(p.w.b, provider)); s != "" {
			p.problem(source.Problem{At: h.at("pg_service_provider"), Subject: h.name,
				What: fmt.Sprintf("pg_service_provider %s is not a group: the services stay on the cluster's own nodes", s),
				Try:  "name a group of the inventory, or leave it out"})
		}
		services, problems := h.services()
		f.Services = services
		for _, x := range problems {
			p.problem(x)
		}
		return
	}
	p.addRemote(h, group)
}

func (p *placement) addRemote(h *host, group string) {
	r := remote{group: group}
	all := p.w.groupHosts(group)
	if p.w.b.Spend(2*len(all), budget.Times(len(all), 2*budget.Item)) != nil {
		return
	}
	r.hosts = all
	if len(r.hosts) == 0 {
		p.problem(source.Problem{At: h.at("pg_service_provider"), Subject: h.name,
			What: fmt.Sprintf("provider group %s has no hosts: the services are written nowhere", group), Try: "add HAProxy hosts to the group"})
	}
	if p.out.Provider == "" {
		p.out.Provider = group
	}
	role, ok, err := h.play.get("pg_role")
	if ok && err == nil && py.Equal(role, "primary") && h.failed == nil {
		services, problems := h.services()
		r.services = services
		for _, x := range problems {
			p.problem(x)
		}
	} else {
		r.services = nil
		r.group = "" // only the primary writes; the hosts are fronts all the same
	}
	p.remote = append(p.remote, r)
}

// finish applies the remote writes, which Pigsty does after the local ones.
func (p *placement) finish() {
	for _, r := range p.remote {
		for _, h := range r.hosts {
			if p.w.b.Spend(1, 0) != nil {
				return
			}
			f := p.front(h)
			if r.group != "" {
				f.Services = r.services
			}
		}
		if r.group != "" {
			p.out.Provider = r.group
		}
	}
	if len(p.remote) == 0 {
		return
	}
	for _, r := range p.remote {
		if r.group != "" {
			return
		}
	}
	p.problem(source.Problem{At: p.w.inv.Group(p.out.Provider).At, Subject: string(p.out.Name),
		What: fmt.Sprintf("no primary of %s can write its services to provider group %s: nothing is written there", p.out.Name, p.out.Provider),
		Try:  "give one member pg_role: primary"})
}

// provider reports whether pg_service_provider names a group.
func (w *world) provider(v py.Value) (group string, remote bool) {
	s, ok := py.Text(v)
	if !ok || s == "" || w.inv.Group(s) == nil {
		return "", false
	}
	return s, true
}

// vip fills in what the declared primary says about the cluster as a whole.
func (w *world) vip(c *cluster, out *model.Cluster) {
	primary := c.members[0]
	for _, h := range c.members {
		if v, ok, err := h.play.get("pg_role"); ok && err == nil && py.Equal(v, "primary") {
			primary = h
			if up, ok, err := h.play.get("pg_upstream"); ok && err == nil && py.Truthy(up) {
				out.Standby = true
			}
			break
		}
	}
	on, _, err1 := primary.play.get("pg_vip_enabled")
	addr, _, err2 := primary.play.get("pg_vip_address")
	if err1 == nil && err2 == nil && py.Bool(on) {
		var prefix string
		out.VIP, prefix, _ = strings.Cut(py.PrintIn(w.b, addr), "/")
		out.VIPManager = primary.vipManager(cmp.Or(prefix, "24"))
	}
}

// vipManager is the primary's vip-manager.yml, except for the instance.
func (h *host) vipManager(prefix string) model.VIPManager {
	scope := h.scope()
	m := model.VIPManager{Prefix: prefix, Interface: cmp.Or(h.says("pg_vip_interface"), "auto")}
	path := scope
	if h.says("pg_mode") == "citus" {
		path = scope + "/" + h.says("pg_group")
	}
	m.Key = h.says("pg_namespace") + "/" + path + "/leader"
	for _, e := range h.etcd() {
		m.Endpoints = append(m.Endpoints, "https://"+e.String())
	}
	switch h.w.dialect {
	case model.DialectV40, model.DialectV45:
		m.User = scope
	}
	return m
}

// scope is the host's Patroni's name for its cluster.
func (h *host) scope() string {
	if h.says("pg_mode") == "citus" {
		return h.says("pg_shard")
	}
	return h.name
}

// says is a variable of the host as it is printed, role defaults included; ""
// when it is unknown.
func (h *host) says(name string) string {
	v, ok, err := h.play.get(name)
	if !ok || err != nil || v == nil {
		return ""
	}
	return strings.TrimSpace(py.PrintIn(h.w.b, v))
}

// etcd are the members of the inventory's etcd, in order of their names.
func (h *host) etcd() []model.Endpoint {
	hosts := h.w.groupHosts("etcd")
	if h.w.b.Spend(len(hosts), budget.Times(len(hosts), 192)) != nil {
		return nil
	}
	slices.Sort(hosts)
	out := make([]model.Endpoint, 0, len(hosts))
	for _, e := range hosts {
		out = append(out, model.Endpoint{Host: string(e), Port: h.port("etcd_port", 2379)})
	}
	return out
}

// failover is what decides who may take over, as Pigsty's patroni.yml has it:
// in templates/oltp.yml and crit.yml, bootstrap.dcs.
func (w *world) failover(c *cluster, out *model.Cluster) {
	h := c.members[0]
	for _, m := range c.members {
		if v, ok, err := m.play.get("pg_role"); ok && err == nil && py.Equal(v, "primary") {
			h = m
			break
		}
	}
	rpo, conf := h.says("pg_rpo"), h.says("pg_conf")
	crit := strings.HasPrefix(conf, "crit")
	strict := crit && (w.dialect == model.DialectV40 || w.dialect == model.DialectV45)
	n, known := model.ParseInt(rpo, "")
	out.Patroni = model.PatroniConfOf(func(key string) string {
		switch key {
		case "maximum_lag_on_failover":
			return rpo
		case "synchronous_mode":
			return strconv.FormatBool(crit || known && n == 0)
		case "synchronous_mode_strict":
			return strconv.FormatBool(strict)
		case "failsafe_mode":
			return "true"
		}
		return ""
	}, out.Standby)
	out.PatroniFrom = "pg_rpo " + cmp.Or(rpo, "not set") + ", pg_conf " + cmp.Or(conf, "not set")
	if t := h.says("pg_dcs_type"); t == "" || t == "etcd" {
		out.Etcd = h.etcd()
	}
}

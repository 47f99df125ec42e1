package sandbox

import (
	"fmt"
	"strconv"
	"strings"

	"pgtui/model"
)

func (w *world) node(name string) (*node, error) {
	if n := w.byName[name]; n != nil {
		return n, nil
	}
	if n := w.byAddr[name]; n != nil {
		return n, nil
	}
	if cls, ok := strings.CutPrefix(name, "leader:"); ok {
		c, err := w.cluster(cls)
		switch {
		case err != nil:
			return nil, err
		case c.leader == nil:
			return nil, fmt.Errorf("%s has no leader", cls)
		}
		return c.leader.node, nil
	}
	return nil, fmt.Errorf("no node %q: expected a name such as %s, its address, or leader:CLUSTER", name, w.nodes[len(w.nodes)-1].name)
}

func (w *world) cluster(name string) (*cluster, error) {
	for _, c := range w.clusters {
		if string(c.name) == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no cluster %q: expected a name such as %s", name, w.clusters[len(w.clusters)-1].name)
}

func (m *member) failNow() error {
	if !m.process && !m.pgUp {
		return fmt.Errorf("%s is down already", m.name)
	}
	m.fail()
	return nil
}

func (m *member) freezeNow() error {
	if !m.process || m.node.frozen() {
		return fmt.Errorf("patroni of %s does not run", m.name)
	}
	m.freeze()
	return nil
}

func (w *world) kill(a []string) error {
	n, err := w.node(a[1])
	if err != nil {
		return err
	}
	switch a[0] {
	case "patroni":
		if !n.m.process {
			return fmt.Errorf("patroni of %s does not run", n.name)
		}
		n.m.killPatroni()
	case "postgres":
		if !n.m.pgUp {
			return fmt.Errorf("postgres of %s does not run", n.name)
		}
		n.m.killPostgres()
	case "haproxy":
		n.ha.up = false
		w.ports(n)
	case "pgbouncer":
		if n.noPooler {
			return fmt.Errorf("pgbouncer of %s does not run", n.name)
		}
		n.noPooler, n.pool = true, pooler{} // a new one begins with nothing paused
		w.ports(n)
	default:
		return fmt.Errorf("%q: expected patroni, postgres, pgbouncer or haproxy", a[0])
	}
	return nil
}

func (w *world) start(a []string) error {
	if a[0] == "all" {
		for _, n := range w.nodes {
			if !n.ha.up || !n.m.process || !n.m.pgUp || n.noPooler {
				if err := w.start([]string{n.name}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	started := n.noPooler || !n.ha.up
	n.noPooler = false
	if !n.ha.up {
		if err := w.reloadNode(n); err != nil {
			return err
		}
	}
	if started {
		w.ports(n)
		if n.m.process && n.m.pgUp {
			return nil
		}
	}
	return n.m.start()
}

func (w *world) switchover(a []string) error {
	if len(a) < 1 || len(a) > 2 {
		return fmt.Errorf("expected CLUSTER [NODE]")
	}
	c, err := w.cluster(a[0])
	if err != nil {
		return err
	}
	if len(a) == 2 {
		n, err := w.node(a[1])
		if err != nil {
			return err
		}
		if n.m.cl != c {
			return fmt.Errorf("%s is not a member of %s", n.name, c.name)
		}
		return c.switchover(n.m)
	}
	for _, m := range c.order() {
		if m != c.leader && m.fit() {
			return c.switchover(m)
		}
	}
	return fmt.Errorf("%s has no healthy replica", c.name)
}

// fronts are the HAProxys a word names: one node's, or all.
func (w *world) fronts(word string) ([]*haproxy, error) {
	if word != "all" {
		n, err := w.node(word)
		if err != nil {
			return nil, err
		}
		return []*haproxy{n.ha}, nil
	}
	var out []*haproxy
	for _, n := range w.nodes {
		out = append(out, n.ha)
	}
	return out, nil
}

// onServers does something to a server in each of the named HAProxys.
func (w *world) onServers(who, what string, do func(*haproxy, *proxy, *server)) error {
	fronts, err := w.fronts(who)
	if err != nil {
		return err
	}
	backend, name, err := splitServer(what)
	if err != nil {
		return err
	}
	found := false
	for _, h := range fronts {
		if p, s := h.find(backend, name); s != nil && h.up {
			do(h, p, s)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("no running HAProxy has a server %s", what)
	}
	return nil
}

func setState(state string) func(*world, []string) error {
	return func(w *world, a []string) error {
		return w.onServers(a[0], a[1], func(h *haproxy, p *proxy, s *server) { h.setState(p, s, state, w.now) })
	}
}

func (w *world) weight(a []string) error {
	n, err := strconv.Atoi(a[2])
	if err != nil || n < 0 || n > 256 {
		return fmt.Errorf("%q: expected a weight from 0 to 256", a[2])
	}
	return w.onServers(a[0], a[1], func(h *haproxy, p *proxy, s *server) { h.setWeight(p, s, n, w.now) })
}

func (w *world) check(a []string) error {
	if a[2] != "on" && a[2] != "off" {
		return fmt.Errorf("%q: expected on or off", a[2])
	}
	return w.onServers(a[0], a[1], func(h *haproxy, p *proxy, s *server) { h.setChecks(p, s, a[2] == "on", w.now) })
}

func (w *world) partition(a []string) error {
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	n.cut = true
	w.linkChanged()
	return nil
}

func (w *world) heal(a []string) error {
	if a[0] == "all" {
		for _, n := range w.nodes {
			if err := w.heal([]string{n.name}); err != nil {
				return err
			}
		}
		return nil
	}
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	if n.cut {
		n.cut = false
		w.linkChanged()
	}
	if n.frozen() {
		n.m.thaw()
	}
	return nil
}

func (c *cluster) resume() {
	c.paused = false
	for _, m := range c.members {
		if m.process && !m.pgUp {
			m.turn++
			m.settleRole()
		}
	}
	if c.leader == nil {
		c.w.after(electTime, c.elect)
	}
}

func (w *world) lag(a []string) error {
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	bytes, ok := model.LagOf("lag=" + a[1])
	if !ok || bytes < 0 {
		return fmt.Errorf("%q: expected bytes, for example 0, 512kB or 64MB", a[1])
	}
	if n.m.role == rolePrimary {
		return fmt.Errorf("%s is the primary: only replicas lag", n.name)
	}
	n.m.lag = bytes
	n.m.touch()
	return nil
}

func (w *world) sync(a []string) error {
	if len(a) < 2 || len(a) > 3 {
		return fmt.Errorf("expected CLUSTER off|on|quorum [NODE]")
	}
	c, err := w.cluster(a[0])
	if err != nil {
		return err
	}
	c.synced = nil
	if len(a) == 3 {
		n, err := w.node(a[2])
		if err != nil {
			return err
		}
		c.synced = n.m
	}
	switch {
	case a[1] == "off":
		c.mode = ""
	case a[1] == "on":
		c.mode = "sync"
	case a[1] == "quorum" && w.gen.modern:
		c.mode = "quorum"
	default:
		return fmt.Errorf("%q: expected off, on, or (Patroni 4) quorum", a[1])
	}
	return nil
}

func (w *world) dcsSwitch(a []string) error {
	switch a[0] {
	case "up":
		w.etcdUp = true
	case "down":
		w.etcdUp = false
	default:
		return fmt.Errorf("%q: expected up or down", a[0])
	}
	w.linkChanged()
	return nil
}

func (w *world) reload(a []string) error {
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	if !n.ha.up {
		return fmt.Errorf("haproxy of %s does not run", n.name)
	}
	return w.reloadNode(n)
}

// reloadNode gives the node a new worker, if its configuration is valid.
func (w *world) reloadNode(n *node) error {
	conf, err := n.loadConfig()
	if err != nil {
		return fmt.Errorf("haproxy of %s: %w", n.name, err)
	}
	if len(conf.alerts) > 0 {
		return fmt.Errorf("haproxy of %s: config : %s", n.name, strings.Join(conf.alerts, "; "))
	}
	n.ha.reloads++
	n.ha.start(w, conf)
	return nil
}

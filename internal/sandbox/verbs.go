package sandbox

import (
	"fmt"
	"strconv"
	"strings"

	"pgtui/internal/sandbox/haproxy"
	"pgtui/internal/sandbox/patroni"
	"pgtui/internal/sandbox/pg"
	"pgtui/model"
)

// node is the machine of a word: a name, an address, or leader:CLUSTER.
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
		case c.Leader() == nil:
			return nil, fmt.Errorf("%s has no leader", cls)
		}
		return w.byName[c.Leader().Machine.Name], nil
	}
	return nil, fmt.Errorf("no node %q: expected a name such as %s, its address, or leader:CLUSTER", name, w.nodes[len(w.nodes)-1].Name)
}

func (w *world) cluster(name string) (*patroni.Cluster, error) {
	for _, c := range w.clusters {
		if string(c.Name) == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no cluster %q: expected a name such as %s", name, w.clusters[len(w.clusters)-1].Name)
}

// member is the member of a cluster on the node of the i-th word; nil when
// there is no such word.
func (w *world) member(words []string, i int) (*patroni.Member, error) {
	if len(words) <= i {
		return nil, nil
	}
	n, err := w.node(words[i])
	if err != nil {
		return nil, err
	}
	return n.m, nil
}

func (w *world) kill(a []string) error {
	n, err := w.node(a[1])
	if err != nil {
		return err
	}
	switch a[0] {
	case "patroni":
		return n.m.KillPatroni()
	case "postgres":
		return n.m.KillPostgres()
	case "haproxy":
		n.ha.Up = false
		w.onPort(n)
	case "pgbouncer":
		if n.pool.Down {
			return fmt.Errorf("pgbouncer of %s does not run", n.Name)
		}
		n.pool = pg.Pooler{Down: true} // a new one has no PAUSE
		w.onPort(n)
	default:
		return fmt.Errorf("%q: expected patroni, postgres, pgbouncer or haproxy", a[0])
	}
	return nil
}

func (w *world) start(a []string) error {
	if a[0] == "all" {
		return w.onAll(w.start, func(n *node) bool { return !n.ha.Up || !n.m.Runs || !n.m.PostgresRuns || n.pool.Down })
	}
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	started := n.pool.Down || !n.ha.Up
	n.pool.Down = false
	if !n.ha.Up {
		if err := w.load(n); err != nil {
			return err
		}
	}
	if started {
		w.onPort(n)
		if n.m.Runs && n.m.PostgresRuns {
			return nil
		}
	}
	return n.m.Start()
}

// onAll runs a verb on every node that needs it, until the first error.
func (w *world) onAll(verb func([]string) error, needs func(*node) bool) error {
	for _, n := range w.nodes {
		if needs(n) {
			if err := verb([]string{n.Name}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) switchover(a []string) error {
	if len(a) < 1 || len(a) > 2 {
		return fmt.Errorf("expected CLUSTER [NODE]")
	}
	c, err := w.cluster(a[0])
	if err != nil {
		return err
	}
	to, err := w.member(a, 1)
	if err != nil {
		return err
	}
	return c.Switchover(to)
}

// onServers does something to a server in the HAProxy of a node, or of all.
func (w *world) onServers(who, what string, do func(*haproxy.Server)) error {
	nodes := w.nodes
	if who != "all" {
		n, err := w.node(who)
		if err != nil {
			return err
		}
		nodes = []*node{n}
	}
	backend, name, err := haproxy.SplitServer(what)
	if err != nil {
		return err
	}
	found := false
	for _, n := range nodes {
		if s := n.ha.Find(backend, name); s != nil && n.ha.Up {
			do(s)
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
		return w.onServers(a[0], a[1], func(s *haproxy.Server) { s.SetState(state, w.Now()) })
	}
}

func (w *world) weight(a []string) error {
	n, err := weightOf(a[2])
	if err != nil {
		return err
	}
	return w.onServers(a[0], a[1], func(s *haproxy.Server) { s.SetWeight(n, w.Now()) })
}

// weightOf reads the weight of a server.
func weightOf(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 || n > 256 {
		return 0, fmt.Errorf("%q: expected a weight from 0 to 256", word)
	}
	return n, nil
}

func (w *world) check(a []string) error {
	if a[2] != "on" && a[2] != "off" {
		return fmt.Errorf("%q: expected on or off", a[2])
	}
	return w.onServers(a[0], a[1], func(s *haproxy.Server) { s.SetChecks(a[2] == "on", w.Now()) })
}

func (w *world) partition(a []string) error {
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	n.Cut = true
	w.linkChanged()
	return nil
}

func (w *world) heal(a []string) error {
	if a[0] == "all" {
		return w.onAll(w.heal, func(n *node) bool { return n.Cut || n.m.Frozen() })
	}
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	if n.Cut {
		n.Cut = false
		w.linkChanged()
	}
	if n.m.Frozen() {
		n.m.Thaw()
	}
	return nil
}

// linkChanged is called after a link or the DCS went down or came back.
func (w *world) linkChanged() {
	for _, c := range w.clusters {
		c.LinkChanged()
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
	return n.m.SetLag(bytes)
}

func (w *world) sync(a []string) error {
	if len(a) < 2 || len(a) > 3 {
		return fmt.Errorf("expected CLUSTER off|on|quorum [NODE]")
	}
	c, err := w.cluster(a[0])
	if err != nil {
		return err
	}
	synced, err := w.member(a, 2)
	if err != nil {
		return err
	}
	return c.SetSync(a[1], synced)
}

func (w *world) dcsSwitch(a []string) error {
	if a[0] != "up" && a[0] != "down" {
		return fmt.Errorf("%q: expected up or down", a[0])
	}
	w.EtcdUp = a[0] == "up"
	w.linkChanged()
	return nil
}

func (w *world) pooler(a []string) error {
	if len(a) < 2 {
		return fmt.Errorf("expected NODE and one of %s", pg.Verbs)
	}
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	return n.pool.Do(a[1:], w.Now())
}

func (w *world) reload(a []string) error {
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	if !n.ha.Up {
		return fmt.Errorf("haproxy of %s does not run", n.Name)
	}
	return w.load(n)
}

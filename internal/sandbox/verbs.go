package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/sandbox/haproxy"
	"pgtui/internal/sandbox/patroni"
	"pgtui/internal/sandbox/pg"
	"pgtui/model"
)

// node is the machine of a word: a name, an address, or leader:CLUSTER.
func (w *world) node(name string) (*node, error) {
	if n := cmp.Or(w.byName[name], w.byAddr[name]); n != nil {
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

// verb is a command of the script language; args are the words after its name.
type verb func(w *world, args []string) error

// onNode is a verb whose first argument is a node.
func onNode(do func(w *world, n *node, more []string) error) verb {
	return func(w *world, a []string) error {
		n, err := w.node(a[0])
		if err != nil {
			return err
		}
		return do(w, n, a[1:])
	}
}

// onNodes is a verb whose argument is a node, or all nodes that need it.
func onNodes(do func(*world, *node) error, needs func(*node) bool) verb {
	return func(w *world, a []string) error {
		if a[0] != "all" {
			return onNode(func(w *world, n *node, _ []string) error { return do(w, n) })(w, a)
		}
		for _, n := range w.nodes {
			if needs(n) {
				if err := do(w, n); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// onMember is a verb whose argument is a node; it is about the node's Patroni.
func onMember(do func(*patroni.Member) error) verb {
	return onNode(func(_ *world, n *node, _ []string) error { return do(n.m) })
}

// onCluster is a verb whose first argument is a cluster. The last of words words
// may be a node: m is the member there, nil when the word is missing.
func onCluster(words int, do func(c *patroni.Cluster, m *patroni.Member, args []string) error) verb {
	return func(w *world, a []string) error {
		c, err := w.cluster(a[0])
		if err != nil {
			return err
		}
		var m *patroni.Member
		if len(a) == words {
			n, err := w.node(a[words-1])
			if err != nil {
				return err
			}
			m = n.m
		}
		return do(c, m, a)
	}
}

// onServers is a verb on a server in the HAProxy of a node, or of all.
func onServers(do func(s *haproxy.Server, word string, now time.Time) error) verb {
	return func(w *world, a []string) error {
		nodes := w.nodes
		if a[0] != "all" {
			n, err := w.node(a[0])
			if err != nil {
				return err
			}
			nodes = []*node{n}
		}
		backend, name, err := haproxy.SplitServer(a[1])
		if err != nil {
			return err
		}
		found := false
		for _, n := range nodes {
			if s := n.ha.Find(backend, name); s != nil && n.ha.Up {
				if err := do(s, a[len(a)-1], w.Now()); err != nil {
					return err
				}
				found = true
			}
		}
		if !found {
			return fmt.Errorf("no running HAProxy has a server %s", a[1])
		}
		return nil
	}
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

// complete reports whether all four programs of the node run.
func (n *node) complete() bool { return n.ha.Up && n.m.Runs && n.m.PostgresRuns && !n.pool.Down }

func (w *world) start(n *node) error {
	started := n.pool.Down || !n.ha.Up
	n.pool.Down = false
	if !n.ha.Up {
		if err := w.load(n); err != nil {
			return err
		}
	}
	if started {
		w.onPort(n)
		if n.complete() {
			return nil
		}
	}
	return n.m.Start()
}

func setState(state string) verb {
	return onServers(func(s *haproxy.Server, _ string, now time.Time) error { s.SetState(state, now); return nil })
}

func setWeight(s *haproxy.Server, word string, now time.Time) error {
	n, err := weightOf(word)
	if err == nil {
		s.SetWeight(n, now)
	}
	return err
}

// weightOf reads the weight of a server.
func weightOf(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 || n > 256 {
		return 0, fmt.Errorf("%q: expected a weight from 0 to 256", word)
	}
	return n, nil
}

// frontend is "enable frontend" and "disable frontend".
func (w *world) frontend(n *node, a []string) error {
	if a[1] != "on" && a[1] != "off" {
		return fmt.Errorf("%q: expected on or off", a[1])
	}
	word := map[string]string{"on": "enable", "off": "disable"}[a[1]]
	if answer := n.ha.Command(word+" frontend "+a[0], w.Now()); answer != "" {
		return errors.New(strings.TrimSpace(answer))
	}
	return nil
}

func setChecks(s *haproxy.Server, word string, now time.Time) error {
	if word != "on" && word != "off" {
		return fmt.Errorf("%q: expected on or off", word)
	}
	s.SetChecks(word == "on", now)
	return nil
}

func (w *world) partition(n *node, _ []string) error {
	n.Cut = true
	w.linkChanged()
	return nil
}

func (w *world) heal(n *node) error {
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

func (w *world) lag(n *node, a []string) error {
	bytes, ok := model.LagOf("lag=" + a[0])
	if !ok || bytes < 0 {
		return fmt.Errorf("%q: expected bytes, for example 0, 512kB or 64MB", a[0])
	}
	return n.m.SetLag(bytes)
}

func (w *world) dcsSwitch(a []string) error {
	if a[0] != "up" && a[0] != "down" {
		return fmt.Errorf("%q: expected up or down", a[0])
	}
	w.EtcdUp = a[0] == "up"
	w.linkChanged()
	return nil
}

func (w *world) pooler(n *node, a []string) error { return n.pool.Do(a, w.Now()) }

// session changes the sessions of a PostgreSQL, or of every one that runs.
func (w *world) session(a []string) error {
	nodes := w.nodes
	if a[0] != "all" {
		n, err := w.node(a[0])
		switch {
		case err != nil:
			return err
		case !n.m.PostgresRuns:
			return fmt.Errorf("PostgreSQL of %s does not run", n.Name)
		}
		nodes = []*node{n}
	}
	for _, n := range nodes {
		if in := n.m.Instance(); in.Up {
			if err := n.sessions.Do(&in, a[1:], w.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) reload(n *node, _ []string) error {
	if !n.ha.Up {
		return fmt.Errorf("haproxy of %s does not run", n.Name)
	}
	return w.load(n)
}

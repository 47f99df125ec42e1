// Package setup judges whether an admin node has what pgtui needs to see and to reload the nodes:
// SSH and sudo, HAProxy's files and sockets, the ports and the passwords, and clocks that agree.
package setup

import (
	"fmt"
	"slices"

	"pgtui/model"
	"pgtui/source"
)

// State is the outcome of one check.
type State string

// The outcomes.
const (
	OK      State = "ok"
	Missing State = "missing"
	Unknown State = "unknown" // it could not be checked
)

// What is checked.
const (
	Client    = "ssh-client"    // OpenSSH's, on this machine
	SSH       = "ssh"           // a login on the node that becomes root
	Files     = "haproxy-files" // its HAProxy's configuration
	Master    = "master-socket" // of its HAProxy
	Stats     = "haproxy-stats" // the admin page, 9101
	Patroni   = "patroni"       // the REST API, 8008
	Postgres  = "postgres"      // a login as the monitoring user, 5432
	Pgbouncer = "pgbouncer"     // a login to its console, 6432
	Clock     = "clock"
)

// Item is one check of a node, or of an instance on it.
type Item struct {
	Host     model.Host         // "" for this machine
	Instance model.InstanceName // "" for what belongs to the node
	Check    string
	State    State
	Says     string // why it is missing or unknown; "" when it is ok
	Try      string // the fix; "" when none is known
}

// Input is what was read of the nodes.
type Input struct {
	Clusters []*model.Cluster
	Snap     *model.Snapshot // with Conf, Workers and SQL
	Client   error           // why there is no SSH client; nil for one
	// Logins are the users that pgtui logs in as on the nodes; an error is why it is not root there.
	Logins map[model.Host]source.Observed[string]
}

// Check judges every node of the clusters, in the order of the inventory.
func Check(in *Input) []Item {
	client := Item{Check: Client, State: OK}
	if in.Client != nil {
		client.State, client.Says, client.Try = Missing, in.Client.Error(), "install openssh-client on this machine"
	}
	out := []Item{client}
	seen := map[model.Host]bool{}
	for _, c := range in.Clusters {
		for i := range c.Instances {
			if h := c.Instances[i].Host; !seen[h] {
				seen[h] = true
				out = append(out, in.node(h)...)
			}
			out = append(out, in.instance(c, &c.Instances[i])...)
		}
		for i := range c.LoadBalancers {
			if h := c.LoadBalancers[i].Host; !seen[h] {
				seen[h] = true
				out = append(out, in.node(h)...)
			}
		}
	}
	order := slices.Collect(hosts(out))
	slices.SortStableFunc(out, func(a, b Item) int { return slices.Index(order, a.Host) - slices.Index(order, b.Host) })
	return out
}

// hosts are the hosts of the items, in their order.
func hosts(items []Item) func(func(model.Host) bool) {
	return func(yield func(model.Host) bool) {
		seen := map[model.Host]bool{}
		for i := range items {
			if h := items[i].Host; !seen[h] {
				seen[h] = true
				if !yield(h) {
					return
				}
			}
		}
	}
}

// node checks what belongs to a node.
func (in *Input) node(h model.Host) []Item {
	reached := judge(Item{Host: h, Check: SSH}, in.Logins[h])
	out := []Item{reached}
	front := slices.ContainsFunc(in.Clusters, func(c *model.Cluster) bool { return c.LoadBalancer(h) != nil })
	if !front {
		return out
	}
	files, conf := Item{Host: h, Check: Files}, in.Snap.Conf[h]
	master, procs := Item{Host: h, Check: Master}, in.Snap.Workers[h]
	switch {
	case reached.State != OK:
		files.State, files.Says = Unknown, "SSH is needed for it"
		master.State, master.Says = Unknown, "SSH is needed for it"
	default:
		files, master = judge(files, conf), judge(master, procs)
		if files.State == OK && conf.Value.Missing {
			files.State, files.Says, files.Try = Missing, fmt.Sprintf("there is no %s", conf.Value.Dir), "check that HAProxy is installed there and that the Pigsty version is right"
		}
		if master.State == OK && procs.Value.Missing != "" {
			master.State, master.Says = Missing, procs.Value.Missing
			master.Try = "start HAProxy with -Ws -S /run/haproxy-master.sock, as Pigsty 4 does; without it the sessions of old HAProxy processes are unknown"
		}
	}
	page := in.Snap.HAProxy[h]
	stats := judge(Item{Host: h, Check: Stats}, page)
	if why := page.Value.Why; stats.State == OK && why != nil { // its /metrics answered
		stats.State, stats.Says, stats.Try = Missing, why.Error(), "check haproxy_admin_username and haproxy_admin_password in the inventory"
	}
	return append(out, files, master, stats)
}

// instance checks what belongs to a member of a cluster.
func (in *Input) instance(c *model.Cluster, m *model.Instance) []Item {
	item := func(check string) Item { return Item{Host: m.Host, Instance: m.Name, Check: check} }
	view := in.Snap.Patroni[m.Name]
	out := []Item{judge(item(Patroni), view.Status)}
	if out[0].State == Missing && out[0].Try == "" {
		out[0].Try = "check that Patroni runs, and that its port is open to this machine"
	}
	logins := in.Snap.SQL[m.Name]
	out = append(out, login(item(Postgres), logins, logins.Value.Direct))
	if logins.Value.Pooled.Fault != model.FaultNotTried {
		out = append(out, login(item(Pgbouncer), logins, logins.Value.Pooled))
	}
	clock := item(Clock)
	switch skew := view.Status.Value.Skew; {
	case !view.Status.Known():
		clock.State, clock.Says = Unknown, "Patroni's answer is needed for it"
	case skew == 0:
		clock.State = OK
	default:
		way := "ahead of"
		if skew < 0 {
			way = "behind"
		}
		clock.State, clock.Says, clock.Try = Missing, fmt.Sprintf("its clock is %s %s this machine", skew.Abs(), way), "ssh "+string(m.Host)+" chronyc tracking, and the same on this machine"
	}
	return append(out, clock)
}

// login fills a check in by a connection of the monitoring user.
func login(it Item, o source.Observed[model.ServerFacts], t model.Try) Item {
	it = judge(it, o)
	if it.State != OK || t.Fault == "" {
		return it
	}
	it.State, it.Says = Missing, t.Text
	switch t.Fault {
	case model.FaultNotTried:
		it.State, it.Says = Unknown, "not checked"
	case model.FaultAuth:
		it.Try = "check pg_monitor_username and pg_monitor_password of the inventory, and pg_hba.conf and pgb_hba.conf there"
	case model.FaultRefused, model.FaultTimeout:
		it.Try = "check that it runs, and that its port is open to this machine"
	}
	return it
}

// judge fills a check in by an observation.
func judge[T any](it Item, o source.Observed[T]) Item {
	switch {
	case o.Tried.IsZero():
		it.State, it.Says = Unknown, "not checked"
	case o.Err != nil:
		it.State, it.Says, it.Try = Missing, o.Err.Error(), source.TryOf(o.Err)
	default:
		it.State = OK
	}
	return it
}

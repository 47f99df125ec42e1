package board

import (
	"cmp"
	"fmt"
	"strings"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// hold notes on a view's cells what was done to their servers. A server that is
// down, and that would get no new connections when its check passes, says so.
func hold(v *View, s *model.Snapshot, svc *model.Service, px *haproxy.Proxy) {
	states := s.Servers[v.HAProxy]
	v.AdminAt = states.At
	for i := range v.Cells {
		c := &v.Cells[i]
		row := px.Server(string(c.Instance))
		if row == nil {
			continue
		}
		var bits haproxy.AdminBits
		c.Admin, bits = haproxy.AdminOf(row, states, px.Name)
		if !haproxy.IsDown(row.Status) {
			continue
		}
		switch {
		case c.Admin == haproxy.AdminDrain || c.Admin == haproxy.AdminMaint:
			c.Held = fmt.Sprintf("HAProxy has it in %s %s behind its status %s: when its check passes it gets no new connections", c.Admin, bits.Origin(), row.Status)
		case row.UserWeight == 0 && svc.ZeroedByHand(c.Instance):
			c.Held = fmt.Sprintf("HAProxy has its weight at 0 behind its status %s: when its check passes it gets no new connections", row.Status)
		default:
			continue
		}
		if c.Note != "" {
			c.Note += "; "
		}
		c.Note += c.Held
	}
}

// Kept lets the servers that were taken out by hand while they were down stay
// out in what is supposed of their HAProxy: was is its page now, then with every
// check answered as supposed.
func Kept(was, then haproxy.Stats, states source.Observed[haproxy.ServerStates]) haproxy.Stats {
	for i := range then.Proxies {
		px := &then.Proxies[i]
		before := was.Proxy(px.Name)
		for k := range px.Servers {
			row := &px.Servers[k]
			if before == nil || haproxy.IsDown(row.Status) {
				continue
			}
			if old := before.Server(row.Name); old != nil && haproxy.IsDown(old.Status) {
				switch admin, _ := haproxy.AdminOf(old, states, px.Name); admin {
				case haproxy.AdminDrain:
					row.Status = "DRAIN"
				case haproxy.AdminMaint:
					row.Status = "MAINT"
				}
			}
		}
	}
	return then
}

// Held is an instance whose check would pass in a service and that gets no new
// connections there, because it was taken out by hand.
type Held struct {
	Service  model.ServiceName
	Port     string
	Instance model.InstanceName
	Admin    haproxy.Admin // AdminDrain or AdminMaint; AdminReady is a weight of 0
	HAProxy  []model.Host  // where
	Nodes    []string
	All      bool // on every HAProxy of the service
}

// Text is one sentence about it.
func (h *Held) Text() string {
	what := "in " + string(h.Admin)
	if h.Admin == haproxy.AdminReady {
		what = "at weight 0 (drain)"
	}
	where := strings.Join(h.Nodes, ", ")
	if h.All {
		where = "every HAProxy"
	}
	return fmt.Sprintf("%s is %s in %s %s on %s: it gets no new connections though its check passes", h.Instance, what, h.Service, h.Port, where)
}

// StatesUnread is a HAProxy whose servers' administrative states are not known.
type StatesUnread struct {
	HAProxy model.Host
	Node    string // nodename, "" when not known
	Why     string
}

// HeldThen lists who is kept from serving in a supposed board by what was done
// by hand.
func HeldThen(b *Board) []Held {
	var out []Held
	for i := range b.Routes {
		r := &b.Routes[i]
		at := map[model.InstanceName]int{} // index in out, from 1
		for j := range r.Views {
			v := &r.Views[j]
			for k := range v.Cells {
				c := &v.Cells[k]
				if v.Closed != "" || c.Allowed != 200 || c.Verdict != model.Draining && c.Verdict != model.Maint {
					continue
				}
				if at[c.Instance] == 0 {
					out = append(out, Held{Service: r.Service, Port: r.Port, Instance: c.Instance, Admin: c.Admin})
					at[c.Instance] = len(out)
				}
				h := &out[at[c.Instance]-1]
				h.HAProxy, h.Nodes = append(h.HAProxy, v.HAProxy), append(h.Nodes, v.Label())
				h.All = len(h.HAProxy) == len(r.Views)
			}
		}
	}
	return out
}

// UnreadStates lists the HAProxies of a cluster whose "show servers state" was
// not read: which of their servers that are down are drained is not known.
func UnreadStates(s *model.Snapshot, c *model.Cluster) []StatesUnread {
	var out []StatesUnread
	nodes := nodeNames(s.Inventory, c)
	for i := range c.LoadBalancers {
		o := s.Servers[c.LoadBalancers[i].Host]
		if o.Ever() {
			continue
		}
		u := StatesUnread{HAProxy: c.LoadBalancers[i].Host, Node: nodes[i], Why: "it was not read over SSH"}
		if o.Err != nil {
			u.Why = o.Err.Error()
		}
		out = append(out, u)
	}
	return out
}

// UnreadText is one sentence about the HAProxies whose states are not known, ""
// when there are none.
func UnreadText(all []StatesUnread) string {
	if len(all) == 0 {
		return ""
	}
	var names []string
	for _, u := range all {
		names = append(names, cmp.Or(u.Node, string(u.HAProxy)))
	}
	return fmt.Sprintf("whether a server that is DOWN is in drain or maint is not known on %s, and it counts as ready: %s", strings.Join(names, ", "), all[0].Why)
}

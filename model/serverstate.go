package model

import (
	"fmt"
	"slices"
	"strings"
)

// Admin is what was done to a server through HAProxy's own controls. The stats
// page shows it unless the server is down: then its status is DOWN either way,
// and only the answer to "show servers state" tells.
type Admin string

// The administrative states.
const (
	AdminUnknown Admin = ""      // the server is down and "show servers state" was not read
	AdminReady   Admin = "ready" // nothing was done
	AdminDrain   Admin = "drain" // keeps its connections, gets no new ones
	AdminMaint   Admin = "maint" // no connections and no checks
)

// AdminBits is the column srv_admin_state of "show servers state": HAProxy's
// enum srv_admin (include/haproxy/server-t.h).
type AdminBits uint8

// The bits. 0x40 says that the server's name was changed, which is not about
// connections.
const (
	ForcedMaint     AdminBits = 0x01 // by hand
	InheritedMaint  AdminBits = 0x02 // from the server it tracks
	ConfiguredMaint AdminBits = 0x04 // "disabled" in the configuration, which sets ForcedMaint as well; alone it means nothing
	ForcedDrain     AdminBits = 0x08 // by hand
	InheritedDrain  AdminBits = 0x10 // from the server it tracks
	ResolvingMaint  AdminBits = 0x20 // its name has no address
)

// Admin is the state that the bits come to: maintenance outranks drain, as in
// HAProxy.
func (b AdminBits) Admin() Admin {
	switch {
	case b&(ForcedMaint|InheritedMaint|ResolvingMaint) != 0:
		return AdminMaint
	case b&(ForcedDrain|InheritedDrain) != 0:
		return AdminDrain
	}
	return AdminReady
}

// ByHand reports whether somebody set the state through HAProxy's controls, so
// that a reload ends it: not the configuration, another server or a resolver.
func (b AdminBits) ByHand() bool {
	return b&ConfiguredMaint == 0 && b&(ForcedMaint|ForcedDrain) != 0
}

// origin says where the state comes from.
func (b AdminBits) origin() string {
	switch {
	case b&ConfiguredMaint != 0 && b&ForcedMaint != 0:
		return "by its configuration"
	case b&(ForcedMaint|ForcedDrain) != 0:
		return "by hand"
	case b&ResolvingMaint != 0:
		return "because its name has no address"
	}
	return "through the server it tracks"
}

// ServerState is one line of "show servers state".
type ServerState struct {
	Proxy, Server string
	Bits          AdminBits
	Weight        int // srv_uweight: the weight in use
	Configured    int // srv_iweight: the weight in the configuration
}

// Touched reports whether the line differs from what the configuration alone
// would make of the server.
func (s *ServerState) Touched() bool {
	return s.Bits.Admin() != AdminReady || s.Weight != s.Configured
}

// ServerStates is what the worker of one HAProxy says of its servers. The zero
// value is a HAProxy without servers.
type ServerStates struct {
	Count   int           // servers that were listed
	Touched []ServerState // those that differ from their configuration, in HAProxy's order
}

// Of is the state of a server, nil when nothing was done to it.
func (s *ServerStates) Of(proxy, server string) *ServerState {
	for i := range s.Touched {
		if t := &s.Touched[i]; t.Proxy == proxy && t.Server == server {
			return t
		}
	}
	return nil
}

// ByHand lists the servers that were taken out by hand, in words: what a reload
// ends, unless the servers' states are handed over.
func (s *ServerStates) ByHand() []string {
	var out []string
	for i := range s.Touched {
		if st := &s.Touched[i]; st.Bits.ByHand() && st.Bits.Admin() != AdminReady {
			out = append(out, fmt.Sprintf("%s/%s in %s", st.Proxy, st.Server, st.Bits.Admin()))
		} else if st.Weight == 0 && st.Configured > 0 && st.Bits.Admin() == AdminReady {
			out = append(out, fmt.Sprintf("%s/%s at weight 0", st.Proxy, st.Server))
		}
	}
	return out
}

// down reports whether a status is one that hides the administrative state.
func down(status string) bool { return strings.HasPrefix(status, "DOWN") }

// adminOf is what was done to the server of a row. The stats page is newer than
// the list of states: where it shows the state its word counts.
func adminOf(row *ServerStat, states Observed[ServerStates], proxy string) (Admin, AdminBits) {
	switch {
	case strings.HasPrefix(row.Status, "MAINT"):
		return AdminMaint, 0
	case strings.HasPrefix(row.Status, "DRAIN"):
		return AdminDrain, 0
	case !down(row.Status):
		return AdminReady, 0
	case !states.Ever():
		return AdminUnknown, 0
	}
	if st := states.Value.Of(proxy, row.Name); st != nil {
		return st.Bits.Admin(), st.Bits
	}
	return AdminReady, 0
}

// hold notes on a view's cells what was done to their servers. A server that is
// down, and that would get no new connections when its check passes, says so.
func hold(v *View, s *Snapshot, svc *Service, px *Proxy) {
	states := s.Servers[v.HAProxy]
	v.AdminAt = states.At
	for i := range v.Cells {
		c := &v.Cells[i]
		row := px.Server(string(c.Instance))
		if row == nil {
			continue
		}
		var bits AdminBits
		c.Admin, bits = adminOf(row, states, px.Name)
		if !down(row.Status) {
			continue
		}
		switch {
		case c.Admin == AdminDrain || c.Admin == AdminMaint:
			c.Held = fmt.Sprintf("HAProxy has it in %s %s behind its status %s: when its check passes it gets no new connections", c.Admin, bits.origin(), row.Status)
		case row.UserWeight == 0 && svc.zeroedByHand(c.Instance):
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

// zeroedByHand reports whether the weight 0 of a server is not the declared one.
func (s *Service) zeroedByHand(name InstanceName) bool {
	servers, _ := s.Servers()
	i := slices.IndexFunc(servers, func(sv Server) bool { return sv.Name == name })
	return i >= 0 && weightDiffers(servers[i].Weight, 0)
}

// kept lets the servers that were taken out by hand while they were down stay
// out in what is supposed of their HAProxy: was is its page now, then with every
// check answered as supposed.
func kept(was, then HAProxyStats, states Observed[ServerStates]) HAProxyStats {
	for i := range then.Proxies {
		px := &then.Proxies[i]
		before := was.Proxy(px.Name)
		for k := range px.Servers {
			row := &px.Servers[k]
			if before == nil || down(row.Status) {
				continue
			}
			if old := before.Server(row.Name); old != nil && down(old.Status) {
				switch admin, _ := adminOf(old, states, px.Name); admin {
				case AdminDrain:
					row.Status = "DRAIN"
				case AdminMaint:
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
	Service  ServiceName
	Port     string
	Instance InstanceName
	Admin    Admin  // AdminDrain or AdminMaint; AdminReady is a weight of 0
	HAProxy  []Host // where
	Nodes    []string
	All      bool // on every HAProxy of the service
}

// Text is one sentence about it.
func (h *Held) Text() string {
	what := "in " + string(h.Admin)
	if h.Admin == AdminReady {
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
	HAProxy Host
	Node    string // nodename, "" when not known
	Why     string
}

// heldThen lists who is kept from serving in a supposed board by what was done
// by hand.
func heldThen(b *Board) []Held {
	var out []Held
	for i := range b.Routes {
		r := &b.Routes[i]
		at := map[InstanceName]int{} // index in out, from 1
		for j := range r.Views {
			v := &r.Views[j]
			for k := range v.Cells {
				c := &v.Cells[k]
				if v.Closed != "" || c.Allowed != 200 || c.Verdict != Draining && c.Verdict != Maint {
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
func UnreadStates(s *Snapshot, c *Cluster) []StatesUnread {
	var out []StatesUnread
	nodes := nodeNames(s.Inventory, c)
	for i := range c.Fronts {
		o := s.Servers[c.Fronts[i].Host]
		if o.Ever() {
			continue
		}
		u := StatesUnread{HAProxy: c.Fronts[i].Host, Node: nodes[i], Why: "it was not read over SSH"}
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
		names = append(names, or(u.Node, string(u.HAProxy)))
	}
	return fmt.Sprintf("whether a server that is DOWN is in drain or maint is not known on %s, and it counts as ready: %s", strings.Join(names, ", "), all[0].Why)
}

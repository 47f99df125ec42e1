package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgtui/haproxy"
)

// Routing is which servers of one HAProxy get new connections now, by section,
// for the sections that the plan leaves.
func Routing(n *Node, st *haproxy.Stats) map[string][]string {
	out := map[string][]string{}
	for _, x := range n.Become {
		if p := st.Proxy(x.Name); p != nil {
			out[x.Name] = haproxy.Routed(p.Servers)
		}
	}
	return out
}

// Predicted is which servers will get new connections after the plan, if no role
// changes meanwhile. A section is left out when the state of one of its servers
// cannot be predicted: it is new, it was set by hand, or its checks disagree.
func Predicted(n *Node, was *haproxy.Stats) map[string][]string {
	out := map[string][]string{}
	for i := range n.Become {
		x := &n.Become[i]
		if p := was.Proxy(x.Name); p != nil {
			if rows, ok := foretell(x, p); ok {
				out[x.Name] = haproxy.Routed(rows)
			}
		}
	}
	return out
}

func foretell(x *haproxy.Section, p *haproxy.Proxy) ([]haproxy.ServerRow, bool) {
	var rows []haproxy.ServerRow
	for i := range x.Servers {
		s := &x.Servers[i]
		old := p.Server(s.Name)
		if old == nil || !strings.HasPrefix(old.Status, "UP") && !haproxy.IsDown(old.Status) || haproxy.Turning(old.Status) {
			return nil, false
		}
		row := *old
		row.Backup, row.Weight = s.Backup, 1
		if w, err := strconv.Atoi(x.WeightOf(s)); err == nil {
			row.Weight = w
		}
		rows = append(rows, row)
	}
	return rows, true
}

// Misrouted is the first section that a stats page does not route as predicted,
// in words; "" when there is none.
func Misrouted(n *Node, want map[string][]string, st *haproxy.Stats) string {
	now := Routing(n, st)
	for _, x := range n.Become {
		if w, ok := want[x.Name]; ok && !slices.Equal(w, now[x.Name]) {
			return fmt.Sprintf("%s sends new connections to %s, the plan predicted %s", x.Name, names(now[x.Name]), names(w))
		}
	}
	return ""
}

// names lists servers, "no server" when there are none.
func names(s []string) string { return cmp.Or(strings.Join(s, ", "), "no server") }

// Mismatch is the first difference between a stats page and what the plan leaves
// on the node, "" when they agree. The effective weights are not compared: they
// ramp, and those of servers that are DOWN are stale.
func Mismatch(n *Node, st *haproxy.Stats) string {
	for i := range n.Become {
		s := &n.Become[i]
		if d := s.Differences(st.Proxy(s.Name)); d != nil {
			return d[0]
		}
	}
	for _, name := range n.Gone() {
		if st.Proxy(name) != nil {
			return fmt.Sprintf("section %s still runs", name)
		}
	}
	return ""
}

// Unsettled names a server of the plan that HAProxy has not checked yet, "" when
// there is none. Until its first check it counts as up.
func Unsettled(n *Node, st *haproxy.Stats) string { return unsettled(n.Become, st) }

func unsettled(sections []haproxy.Section, st *haproxy.Stats) string {
	for _, s := range sections {
		px := st.Proxy(s.Name)
		if px == nil {
			continue
		}
		for i := range px.Servers {
			if px.Servers[i].CheckStatus == "INI" {
				return s.Name + "/" + px.Servers[i].Name
			}
		}
	}
	return ""
}

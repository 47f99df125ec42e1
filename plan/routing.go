package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgtui/haproxy"
)

// Routing is who gets new connections on one HAProxy now, section by section,
// of the sections that the plan expects.
func Routing(n *Node, st *haproxy.Stats) map[string][]string {
	out := map[string][]string{}
	for _, x := range n.Expect {
		if p := st.Proxy(x.Name); p != nil {
			out[x.Name] = haproxy.Routed(p.Servers)
		}
	}
	return out
}

// Predicted is who will get new connections once the plan is carried out,
// if nobody's role changes meanwhile. A section is left out when what its
// servers will be cannot be known: one of them is new, was set by hand, or is
// between up and down.
func Predicted(n *Node, was *haproxy.Stats) map[string][]string {
	out := map[string][]string{}
	for _, x := range n.Expect {
		if p := was.Proxy(x.Name); p != nil {
			if rows, ok := foretell(x, p); ok {
				out[x.Name] = haproxy.Routed(rows)
			}
		}
	}
	return out
}

func foretell(x ExpectedProxy, p *haproxy.Proxy) ([]haproxy.ServerRow, bool) {
	var rows []haproxy.ServerRow
	for _, s := range x.Servers {
		old := p.Server(s.Name)
		if old == nil || !strings.HasPrefix(old.Status, "UP") && !strings.HasPrefix(old.Status, "DOWN") {
			return nil, false
		}
		if strings.Contains(old.Status, "/") { // "DOWN 1/3": its checks are about to change their mind
			return nil, false
		}
		row := *old
		row.Backup = s.Backup
		if row.Weight = 1; s.Weight != "" {
			if w, err := strconv.Atoi(s.Weight); err == nil {
				row.Weight = w
			}
		}
		rows = append(rows, row)
	}
	return rows, true
}

// Misrouted says where a stats page does not route as was predicted: the first
// difference in words, "" when there is none.
func Misrouted(n *Node, want map[string][]string, st *haproxy.Stats) string {
	now := Routing(n, st)
	for _, x := range n.Expect {
		if w, ok := want[x.Name]; ok && !slices.Equal(w, now[x.Name]) {
			return fmt.Sprintf("%s gives new connections to %s, and the plan foresaw %s", x.Name, names(now[x.Name]), names(w))
		}
	}
	return ""
}

func names(s []string) string {
	if len(s) == 0 {
		return "nobody"
	}
	return strings.Join(s, ", ")
}

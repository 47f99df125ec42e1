package plan

import (
	"fmt"

	"pgtui/haproxy"
)

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

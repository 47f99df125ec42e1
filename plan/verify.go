package plan

import (
	"fmt"
	"strconv"

	"pgtui/haproxy"
)

// Mismatch says where a stats page is not as the plan leaves the node: the
// first difference in words, "" when there is none.
func Mismatch(n *Node, st *haproxy.Stats) string {
	for _, x := range n.Expect {
		p := st.Proxy(x.Name)
		if p == nil {
			return fmt.Sprintf("section %s is missing", x.Name)
		}
		if d := serverMismatch(x, p); d != "" {
			return d
		}
	}
	for _, name := range n.Gone {
		if st.Proxy(name) != nil {
			return fmt.Sprintf("section %s is still there", name)
		}
	}
	return ""
}

func serverMismatch(x ExpectedProxy, p *haproxy.Proxy) string {
	want := map[string]bool{}
	for _, s := range x.Servers {
		want[s.Name] = true
		row := p.Server(s.Name)
		if row == nil {
			return fmt.Sprintf("%s: server %s is missing", x.Name, s.Name)
		}
		if row.Backup != s.Backup {
			return fmt.Sprintf("%s: server %s has backup %v, not %v", x.Name, s.Name, row.Backup, s.Backup)
		}
		// The effective weight says nothing: it ramps, and is stale while DOWN.
		if w, err := strconv.Atoi(s.Weight); err == nil && row.UserWeight >= 0 && row.UserWeight != w {
			return fmt.Sprintf("%s: server %s has weight %d, not %d", x.Name, s.Name, row.UserWeight, w)
		}
	}
	for i := range p.Servers {
		if !want[p.Servers[i].Name] {
			return fmt.Sprintf("%s: server %s is still there", x.Name, p.Servers[i].Name)
		}
	}
	return ""
}

// Unsettled names a server of the plan that HAProxy has not checked yet, ""
// when there is none. Until then it counts as up, whatever it is.
func Unsettled(n *Node, st *haproxy.Stats) string {
	for _, x := range n.Expect {
		p := st.Proxy(x.Name)
		if p == nil {
			continue
		}
		for i := range p.Servers {
			if p.Servers[i].CheckStatus == "INI" {
				return x.Name + "/" + p.Servers[i].Name
			}
		}
	}
	return ""
}

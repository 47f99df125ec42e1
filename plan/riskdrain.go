package plan

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/haproxy"
	"pgtui/source"
)

// drains are the servers of one HAProxy, also those of other clusters, that were
// taken out by hand: the reload puts them back, or, where the new worker loads the
// servers' states, keeps them out.
func drains(p *Plan, n *Node, s *Situation) []Risk {
	var out []Risk
	states := s.Servers[n.Host]
	if !states.Ever() && s.Conf[n.Host].Known() && s.Snap != nil && s.Snap.HAProxy[n.Host].Known() {
		out = append(out, Risk{Name: RiskDrainUnread, Host: n.Host, What: "unknown whether this reload ends the drain of a server that is DOWN" + source.Because(states.Err)})
	}
	held := byHand(n, s)
	switch {
	case len(held) == 0:
	case s.Handed[n.Host] != "":
		out = append(out, Risk{Name: RiskKeepsDrain, Host: n.Host,
			What: "the new worker keeps what was set by hand: " + first(held, 4) + "; a server whose line changes becomes ready",
			Try:  "pgtui doctor " + string(p.Cluster) + " names the command that ends it"})
	default:
		out = append(out, Risk{Name: RiskEndsDrain, Host: n.Host,
			What: "this reload resets what was set by hand: " + first(held, 4) + "; these servers get new connections as soon as their check passes",
			Try:  "find out who did it; pgtui states " + string(p.Cluster) + " --enable keeps it over a reload"})
	}
	return out
}

// byHand lists the servers of a HAProxy that were taken out by hand, in words,
// without those of sections that the plan removes.
func byHand(n *Node, s *Situation) []string {
	if s.Snap == nil || !s.Snap.HAProxy[n.Host].Known() {
		return nil
	}
	has := func(all []haproxy.Section, name string) bool {
		return slices.ContainsFunc(all, func(c haproxy.Section) bool { return c.Name == name })
	}
	var out []string
	stats, states := s.Snap.StatsOf(n.Host), s.Servers[n.Host]
	for i := range stats.Proxies {
		px := &stats.Proxies[i]
		if has(n.Was, px.Name) && !has(n.Become, px.Name) {
			continue
		}
		for k := range px.Servers {
			row := &px.Servers[k]
			st := states.Value.Of(px.Name, row.Name)
			word, _ := haproxy.AdminOf(row, states, px.Name)
			switch {
			case strings.HasPrefix(row.Status, "MAINT (") || strings.HasPrefix(row.Status, "DRAIN (agent"):
				continue // by another server, a name without an address, or the server's own agent
			case word == haproxy.AdminDrain || word == haproxy.AdminMaint:
				if st != nil && st.Bits.Admin() == word && !st.Bits.ByHand() {
					continue // the configuration says so
				}
			case st != nil && st.Weight == 0 && st.Configured > 0 && row.UserWeight <= 0:
				out = append(out, fmt.Sprintf("%s/%s at weight 0", px.Name, row.Name))
				continue
			default:
				continue
			}
			out = append(out, fmt.Sprintf("%s/%s in %s", px.Name, row.Name, word))
		}
	}
	return out
}

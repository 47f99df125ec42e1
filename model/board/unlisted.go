package board

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"

	"pgtui/model"
	"pgtui/source/refs"
)

// unlisted are the members that the DCS has and the inventory has not, the
// leader first. Members of other clusters with the same scope, the groups of
// Citus, are not among them.
func unlisted(inv *model.Inventory, c *model.Cluster, dcs model.PatroniCluster) []Member {
	var out []Member
	for i := range dcs.Members {
		d := &dcs.Members[i]
		if c.Instance(d.Name) != nil || elsewhere(inv, c, d.Name) {
			continue
		}
		m := Member{Instance: d.Name, Host: model.Host(d.Host), Role: d.Role, State: d.State, Timeline: d.Timeline, Lag: d.Lag, LagTime: -1, Restart: d.Restart,
			Why: "the DCS lists it, but the inventory does not"}
		if u, err := url.Parse(d.APIURL); m.Host == "" && err == nil {
			m.Host = model.Host(u.Hostname())
		}
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b Member) int { return leads(&b) - leads(&a) })
	return out
}

// leads is 1 for a member that the DCS calls leader.
func leads(m *Member) int {
	if m.Role == "leader" || m.Role == "standby_leader" {
		return 1
	}
	return 0
}

// elsewhere reports whether the name is that of an instance of another cluster
// with the same scope.
func elsewhere(inv *model.Inventory, c *model.Cluster, name model.InstanceName) bool {
	if inv == nil || c.Scope == "" || c.Scope == string(c.Name) {
		return false
	}
	for i := range inv.Clusters {
		if o := &inv.Clusters[i]; o != c && o.Scope == c.Scope && o.Instance(name) != nil {
			return true
		}
	}
	return false
}

// Unlist returns the member of that name that the inventory has not, or nil.
func (b *Board) Unlist(name model.InstanceName) *Member {
	return refs.Find(b.Unlisted, func(m *Member) bool { return m.Instance == name })
}

// UnlistedLeader is the leader when the inventory has it not, else nil.
func (b *Board) UnlistedLeader() *Member {
	if b.Leader == "" {
		return nil
	}
	return b.Unlist(b.Leader)
}

// unlistedText is such a leader in a sentence.
func unlistedText(m *Member) string {
	return fmt.Sprintf("%s at %s leads but is not in the inventory", m.Instance, cmp.Or(string(m.Host), "an unknown address"))
}

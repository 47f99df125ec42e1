package check

import (
	"fmt"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
)

// unlistedShown bounds how many members a finding names.
const unlistedShown = 20

// memberUnlisted: members that the DCS has and the inventory has not. No service
// that is rendered from the inventory reaches them; one of them may lead, or win
// the next election.
func memberUnlisted(in Input, report func(model.Finding)) {
	b := in.Board
	var rest []*board.Member
	for i := range b.Unlisted {
		m := &b.Unlisted[i]
		if m.Instance != b.Leader {
			rest = append(rest, m)
			continue
		}
		report(model.Finding{Severity: model.Critical, Instance: m.Instance, Host: m.Host,
			Summary:  fmt.Sprintf("%s at %s leads %s but is not in the inventory", m.Instance, hostOr(m), b.Cluster.Name),
			Evidence: []string{unlistedLine(m), "services rendered from the inventory have no server for it, so writes do not reach it"},
			Hint:     "add " + entryOf(b.Cluster, m) + " to the hosts of " + string(b.Cluster.Name) + " in the inventory, or switch over to a member that is in it"})
	}
	if len(rest) == 0 {
		return
	}
	f := model.Finding{Severity: model.Warning, Instance: rest[0].Instance, Host: rest[0].Host,
		Summary: fmt.Sprintf("%s at %s is a member of %s but is not in the inventory", rest[0].Instance, hostOr(rest[0]), b.Cluster.Name),
		Hint:    "add " + entryOf(b.Cluster, rest[0]) + " to the hosts of " + string(b.Cluster.Name) + " in the inventory; until then no service reaches it, but it can win a failover"}
	if len(rest) > 1 {
		f.Summary = fmt.Sprintf("%d members of %s are not in the inventory: %s", len(rest), b.Cluster.Name, namesOf(rest))
	}
	for _, m := range rest[:min(len(rest), unlistedShown)] {
		f.Evidence = append(f.Evidence, unlistedLine(m))
	}
	report(f)
}

func unlistedLine(m *board.Member) string {
	return fmt.Sprintf("the DCS lists %s at %s as %s, %s", m.Instance, hostOr(m), m.Role, m.State)
}

func hostOr(m *board.Member) string {
	if m.Host == "" {
		return "an unknown address"
	}
	return string(m.Host)
}

func namesOf(list []*board.Member) string {
	var parts []string
	for _, m := range list[:min(len(list), unlistedShown)] {
		parts = append(parts, fmt.Sprintf("%s (%s)", m.Instance, hostOr(m)))
	}
	if len(list) > unlistedShown {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}

// entryOf is the inventory's line for the member.
func entryOf(c *model.Cluster, m *board.Member) string {
	seq, ok := strings.CutPrefix(string(m.Instance), string(c.Name)+"-")
	if !ok || m.Host == "" {
		return "it"
	}
	return fmt.Sprintf("%s: { pg_seq: %s, pg_role: replica }", m.Host, seq)
}

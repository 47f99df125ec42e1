package check

import (
	"fmt"
	"slices"

	"pgtui/model"
)

// vipTrouble: the VIP answers on a node that does not lead, or nowhere, or more
// than one node has it. It follows the leader key in the DCS, not HAProxy.
func vipTrouble(in Input, report func(model.Finding)) {
	b := in.Board
	o, ok := in.Snap.VIP[b.Cluster.Name]
	if !ok || o.Tried.IsZero() {
		return
	}
	have := holders(in)
	hint := "ssh " + b.Cluster.VIP + " systemctl status vip-manager; it reads the leader key from the DCS"
	if len(have) > 1 {
		f := model.Finding{Severity: model.Critical, Hint: "on each of them: systemctl status vip-manager, and compare its trigger-key",
			Summary: fmt.Sprintf("VIP %s is on %d nodes: the client's ARP table decides which one it reaches", b.Cluster.VIP, len(have))}
		for _, h := range have {
			f.Evidence = append(f.Evidence, fmt.Sprintf("ip addr on %s has it", h))
		}
		report(f)
		return
	}
	if o.Err != nil {
		f := model.Finding{Severity: model.Warning, Summary: fmt.Sprintf("no node is known to have VIP %s", b.Cluster.VIP),
			Evidence: []string{o.Err.Error()}, Hint: "on the leader: systemctl status vip-manager; it reads the leader key from the DCS"}
		if len(have) == 1 {
			f.Summary = fmt.Sprintf("VIP %s does not answer, but %s has it", b.Cluster.VIP, have[0])
		}
		if o.Ever() {
			f.Evidence = append(f.Evidence, fmt.Sprintf("last seen on %s", o.Value))
		}
		report(f)
		return
	}
	for _, m := range b.Members {
		if m.Instance == b.Leader && m.Host != o.Value {
			report(model.Finding{Severity: model.Warning, Host: o.Value,
				Summary:  fmt.Sprintf("VIP %s is on %s, the leader is %s", b.Cluster.VIP, o.Value, b.Leader),
				Evidence: []string{fmt.Sprintf("the stats page at %s is that of %s", b.Cluster.VIP, o.Value)}, Hint: hint})
			return
		}
	}
}

// holders are the nodes of the cluster that have its VIP by their own word,
// which only `pgtui doctor` reads.
func holders(in Input) []model.Host {
	var out []model.Host
	for _, m := range in.Board.Members {
		if o := in.Snap.Nodes[m.Host]; o.Err == nil && o.Value.Has(in.Board.Cluster.VIP) && !slices.Contains(out, m.Host) {
			out = append(out, m.Host)
		}
	}
	return out
}

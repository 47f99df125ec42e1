package check

import (
	"fmt"

	"pgtui/model"
)

// vipTrouble: the VIP answers on a node that does not lead, or nowhere. It
// follows the leader key in the DCS, not HAProxy.
func vipTrouble(in Input) []model.Finding {
	b := in.Board
	o, ok := in.Snap.VIP[b.Cluster.Name]
	if !ok || o.Tried.IsZero() {
		return nil
	}
	hint := "ssh " + b.Cluster.VIP + " systemctl status vip-manager; it reads the leader key from the DCS"
	if o.Err != nil {
		f := model.Finding{Severity: model.Warning, Summary: fmt.Sprintf("VIP %s: no node is known to have it", b.Cluster.VIP),
			Evidence: []string{o.Err.Error()}, Hint: "on the leader: systemctl status vip-manager; it reads the leader key from the DCS"}
		if o.Ever() {
			f.Evidence = append(f.Evidence, fmt.Sprintf("last seen on %s", o.Value))
		}
		return []model.Finding{f}
	}
	for _, m := range b.Members {
		if m.Instance == b.Leader && m.Host != o.Value {
			return []model.Finding{{Severity: model.Warning, Host: o.Value,
				Summary:  fmt.Sprintf("VIP %s is on %s, the leader is %s", b.Cluster.VIP, o.Value, b.Leader),
				Evidence: []string{fmt.Sprintf("the stats page at %s is that of %s", b.Cluster.VIP, o.Value)}, Hint: hint}}
		}
	}
	return nil
}

package check

import (
	"fmt"

	"pgtui/model"
	"pgtui/model/board"
)

// dcsTrouble: members that report the DCS lost, the cluster unlocked or
// failsafe mode at work.
func dcsTrouble(in Input, report func(model.Finding)) {
	var evidence []string
	failsafe := false
	for _, m := range in.Board.Members {
		st := in.Snap.Patroni[m.Instance].Status
		if !m.Known || (!st.Value.Unlocked && !st.Value.Failsafe) {
			continue
		}
		failsafe = failsafe || st.Value.Failsafe
		evidence = append(evidence, fmt.Sprintf("%s: cluster_unlocked=%v failsafe_mode_is_active=%v", m.Instance, st.Value.Unlocked, st.Value.Failsafe))
	}
	if evidence == nil {
		return
	}
	f := model.Finding{Severity: model.Warning, Evidence: evidence, Summary: "no member holds the leader key in the DCS",
		Hint: "check etcd: etcdctl endpoint health"}
	if _, answers := board.FreshestDCS(in.Snap, in.Board.Cluster, in.Now); answers {
		f.Hint = "pgtui candidates " + string(in.Board.Cluster.Name)
	}
	if failsafe {
		f.Severity, f.Summary, f.Hint = model.Critical, "failsafe mode: the DCS is unreachable, the primary runs while every member answers it", "check etcd: etcdctl endpoint health"
	}
	report(f)
}

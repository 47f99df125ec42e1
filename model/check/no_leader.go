package check

import "pgtui/model"

// noLeader: every Patroni answers and none holds the leader key.
func noLeader(in Input, report func(model.Finding)) {
	b := in.Board
	if b.Leader != "" || b.LeaderUnsure || b.KnownMembers() == 0 || b.KnownMembers() < len(b.Members) {
		return
	}
	f := model.Finding{Severity: model.Critical, Summary: "no leader: no client can write",
		Hint: "patronictl -c /etc/patroni/patroni.yml list " + string(b.Cluster.Name) + "; then the Patroni and etcd logs"}
	for _, m := range b.Members {
		f.Evidence = append(f.Evidence, string(m.Instance)+" reports "+m.Role+", "+m.State)
	}
	report(f)
}

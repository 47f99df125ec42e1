package check

import (
	"fmt"
	"strings"

	"pgtui/model"
)

// lagWarn is the replay lag, in bytes, from which a replica is called lagging:
// one WAL segment. It has long lost any election: model.MaxLagOnFailover.
const lagWarn = 16 << 20

// replicaLag: a replica that is far behind the leader.
func replicaLag(in Input, report func(model.Finding)) {
	for _, m := range in.Board.Members {
		if !m.Known || m.Lag < lagWarn {
			continue
		}
		f := model.Finding{Severity: model.Warning, Instance: m.Instance, Host: m.Host,
			Summary:  fmt.Sprintf("%s is %d MB behind the leader", m.Instance, m.Lag>>20),
			Evidence: []string{"replay lag as the DCS reports it, or from the WAL positions of the two servers"},
			Hint:     "it cannot win a failover; check its I/O, long queries (hot_standby_feedback) and the network"}
		switch {
		case m.NoStream:
			f.Severity, f.Summary, f.Hint = model.Info, f.Summary+", as expected with the tag nostream", "it reads WAL from the archive, a segment at a time"
		case m.Declared == model.RoleDelayed:
			f.Severity, f.Summary, f.Hint = model.Info, f.Summary+", as expected of a delayed instance", "it replays with a delay; pgtui whatif --down shows who serves without it"
		}
		report(f)
	}
}

// replicaNotStreaming: a replica that runs, and that no member streams to.
// Cascading replicas stream from another member than the leader.
func replicaNotStreaming(in Input, report func(model.Finding)) {
	b := in.Board
	leader := in.Snap.Patroni[b.Leader].Status
	if b.Leader == "" || b.LeaderBy != "self" || leader.Err != nil || leader.Value.State != "running" {
		return // without SQL on the leader there is nothing to say
	}
	streams := map[string]string{}
	for _, m := range b.Members {
		if o := in.Snap.Patroni[m.Instance].Status; o.Err == nil {
			for _, s := range o.Value.Streams {
				if streams[s.Application] != "streaming" {
					streams[s.Application] = s.State
				}
			}
		}
	}
	for _, m := range b.Members {
		st := in.Snap.Patroni[m.Instance].Status
		if !m.Known || m.Instance == b.Leader || m.NoStream || st.Value.State != "running" || st.Value.Tags["replicatefrom"] != "" {
			continue
		}
		state, ok := streams[string(m.Instance)]
		if ok && state == "streaming" {
			continue
		}
		f := model.Finding{Severity: model.Warning, Instance: m.Instance, Host: m.Host, Summary: fmt.Sprintf("%s does not stream from %s", m.Instance, b.Leader),
			Evidence: []string{"no member has a walsender for it"}, Hint: "ssh " + string(m.Host) + " tail /pg/log/postgres/*.csv: a missing slot or WAL, or a wrong timeline"}
		if st.Value.ReplicationState == "in archive recovery" {
			f.Evidence = append(f.Evidence, "its Patroni reports that it reads WAL from the archive")
		}
		if ok {
			f.Evidence[0] = "the walsender for it is in state " + state
		}
		report(f)
	}
}

// pendingRestart: settings that only a restart brings into force.
func pendingRestart(in Input, report func(model.Finding)) {
	var names []model.InstanceName
	var evidence []string
	for _, m := range in.Board.Members {
		st := in.Snap.Patroni[m.Instance].Status.Value
		if !m.Known || !st.PendingRestart {
			continue
		}
		names = append(names, m.Instance)
		if len(st.PendingReasons) > 0 {
			evidence = append(evidence, fmt.Sprintf("%s: %s", m.Instance, strings.Join(st.PendingReasons, ", ")))
		}
	}
	if names == nil {
		return
	}
	if evidence == nil {
		evidence = []string{"a changed setting requires it"}
	}
	report(model.Finding{Severity: model.Info, Summary: "a restart is pending on " + model.Join(names), Evidence: evidence,
		Hint: "when the sessions on them may end: pgtui restart " + string(in.Board.Cluster.Name) + " --pending, the leader last"})
}

// dcsUnreachable: each Patroni answers for itself, and none can read the DCS.
func dcsUnreachable(in Input, report func(model.Finding)) {
	known := 0
	var evidence []string
	for _, m := range in.Board.Members {
		o := in.Snap.Patroni[m.Instance].Cluster
		if !m.Known || o.Tried.IsZero() {
			continue
		}
		if o.Err == nil {
			return
		}
		known++
		evidence = append(evidence, fmt.Sprintf("%s: %s", m.Instance, o.Err))
	}
	if known == 0 {
		return
	}
	report(model.Finding{Severity: model.Warning, Summary: "no Patroni can read the DCS", Evidence: evidence,
		Hint: "check etcd: etcdctl endpoint health; without it there is no failover and no VIP"})
}

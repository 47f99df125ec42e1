package candidate

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
)

// judge is one cluster while its table is made.
type judge struct {
	s     *model.Snapshot // screened: strangers have not answered
	b     *board.Board
	c     *model.Cluster
	now   time.Time
	rules failover.Rules
	t     *Table
	// lead is what the leader reports of itself; nil when it does not answer, or
	// is unknown.
	lead *model.PatroniStatus
	// dcs is the freshest GET /cluster; dcsKnown is false when there is none.
	dcs      model.PatroniCluster
	dcsKnown bool
	branches map[model.InstanceName]board.Branch // of the tree of replication
}

// Of judges every member that does not lead. b is the board of s.
func Of(s *model.Snapshot, b *board.Board, now time.Time) Table {
	t := Table{Cluster: b.Cluster.Name, Leader: b.Leader, JudgedAt: now}
	j := newJudge(s, b, now, &t)
	t.Rules = j.rules.Words()
	j.cluster()
	for i := range b.Members {
		if m := &b.Members[i]; m.Instance != b.Leader {
			t.Candidates = append(t.Candidates, j.candidate(m))
		}
	}
	t.Ports = j.ports()
	t.Gap = j.gap()
	return t
}

func newJudge(s *model.Snapshot, b *board.Board, now time.Time, t *Table) *judge {
	s = s.Screened(b.Cluster)
	j := &judge{s: s, b: b, c: b.Cluster, now: now, rules: rulesOf(s, b), t: t, branches: map[model.InstanceName]board.Branch{}}
	j.dcs, j.dcsKnown = board.FreshestDCS(s, b.Cluster, now)
	if o := s.PatroniStatus(b.Leader); b.Leader != "" && o.Current(now) {
		j.lead = &o.Value
	}
	for _, br := range board.Topology(s, b, now) {
		j.branches[br.Member.Instance] = br
	}
	t.patroni = j.clusterFacts()
	return j
}

// rulesOf are the cluster's rules as its Patroni has them. When its configuration
// was read, a /sync key that is left of an earlier mode does not count. Patroni
// before 4.0 takes synchronous_mode: quorum for off.
func rulesOf(s *model.Snapshot, b *board.Board) failover.Rules {
	r := failover.RulesOf(s, b)
	if conf := s.Rules[b.Cluster.Name].Conf; r.Known && conf.Ever() && !r.Standby {
		r.Sync, r.Quorum = conf.Value.Sync, conf.Value.Quorum
	}
	if st := s.PatroniStatus(b.Leader); r.Quorum && b.Leader != "" && st.Ever() && !st.Value.Generation(4, 0, 0) {
		r.Sync, r.Quorum = false, false
	}
	return r
}

// candidate is one member with all its gates.
func (j *judge) candidate(m *board.Member) Candidate {
	c := Candidate{Instance: m.Instance, Host: m.Host, Verdict: Pass}
	x := j.patroniOf(m, &c)
	x.gates()
	j.portGates(m, &c)
	j.routing(m, &c)
	j.vip(m, &c)
	for i := range c.Gates {
		c.Verdict = worse(c.Verdict, c.Gates[i].Verdict)
	}
	return c
}

// name is the cluster's.
func (j *judge) name() string { return string(j.c.Name) }

// add adds a gate to a candidate.
func (c *Candidate) add(g Gate) { c.Gates = append(c.Gates, g) }

// reached reports whether an error came from the node itself: it refused the
// connection, or took it and did not answer.
func reached(err error) bool {
	var r interface{ Reached() bool }
	return errors.As(err, &r) && r.Reached()
}

// about is a duration for a sentence: "250 ms", "1.5 s", "3 s", "2m10s".
func about(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < time.Minute:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	}
	return d.Round(time.Second).String()
}

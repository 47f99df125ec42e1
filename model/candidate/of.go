package candidate

import (
	"time"

	"pgtui/model"
	"pgtui/model/board"
)

// Of judges every member that does not lead. b is the board of s.
func Of(s *model.Snapshot, b *board.Board, now time.Time) Table {
	t := Table{Cluster: b.Cluster.Name, Leader: b.Leader, JudgedAt: now}
	for i := range b.Cluster.Instances {
		if in := &b.Cluster.Instances[i]; in.Name != b.Leader {
			t.Candidates = append(t.Candidates, Candidate{Instance: in.Name, Host: in.Host, Verdict: Unknown})
		}
	}
	return t
}

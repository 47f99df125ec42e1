package session

import (
	"os"
	"slices"
	"sync"
	"time"

	"pgtui/internal/proc"
	"pgtui/model"
	"pgtui/plan"
)

// marks is what was last read of an audit file: it is read again once it has
// changed.
type marks struct {
	mu   sync.Mutex
	path string // of the inventory
	size int64
	at   time.Time // its modification time
	runs []plan.Run
}

// Marks is what pgtui's own audit file has of actions on the inventory's clusters
// that still have an effect or have not ended. It is never nil; a file that cannot
// be read has none.
func (s *Session) Marks(inv *model.Inventory) map[model.ClusterName][]model.Mark {
	return plan.Marks(s.markRuns(inv), s.Now(), s.alive)
}

// markRuns are the runs of the inventory, from the file or as they were read last.
func (s *Session) markRuns(inv *model.Inventory) []plan.Run {
	file := s.Audit(inv.Source)
	st, err := os.Stat(file.Path)
	if err != nil {
		return nil
	}
	m := s.seen
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.path == inv.Path && m.size == st.Size() && m.at.Equal(st.ModTime()) {
		return m.runs
	}
	log, err := file.Read()
	if err != nil {
		return nil // pgtui history reports it
	}
	m.path, m.size, m.at = inv.Path, st.Size(), st.ModTime()
	m.runs = slices.DeleteFunc(plan.RunsOf(plan.Runs(log.Records), SameInventory(inv.Path)), func(r plan.Run) bool { return !r.OnCluster() })
	return m.runs
}

// alive reports whether the process that began a run then still runs on this
// machine. A younger process has only its number.
func (s *Session) alive(o plan.Operator, began time.Time) bool {
	host, err := os.Hostname()
	if err != nil || host != o.Host {
		return false
	}
	age, err := proc.Age(o.PID)
	return err == nil && !s.Now().Add(-age).After(began.Add(clockSlack))
}

// clockSlack is what the clock may have been set by since a run began.
const clockSlack = 2 * time.Second

// marked is the snapshot with the marks of its inventory.
func (s *Session) marked(inv *model.Inventory, snap *model.Snapshot) *model.Snapshot {
	return snap.With(model.Readings{Marks: s.Marks(inv)})
}

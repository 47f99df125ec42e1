package session

import (
	"slices"
	"sync"

	"pgtui/model"
)

// maxLog is how many commands are kept.
const maxLog = 1000

// log keeps the last commands that ran on nodes, the oldest first.
type log struct {
	mu  sync.Mutex
	ran []model.Ran
}

func (l *log) add(r model.Ran) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ran = append(l.ran, r)
	if len(l.ran) > maxLog {
		l.ran = slices.Clone(l.ran[len(l.ran)-maxLog:])
	}
}

// Ran is what ran on nodes, the oldest first.
func (s *Session) Ran() []model.Ran {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.ran)
}

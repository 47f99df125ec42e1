package tui

import (
	"sync"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/page"
)

// mostEvents is how many events the console keeps.
const mostEvents = 1000

// history remembers the last board of each cluster that rested on an answer of
// every node, to tell what has changed since.
type history struct {
	mu   sync.Mutex
	seq  uint64 // of the snapshot that was compared last
	last map[model.ClusterName]*board.Board
}

// follow returns what has changed on the boards, in their order. A cluster of
// which some node has not been probed yet gives no event: a first answer is not a
// change. A snapshot older than one that was followed gives none either.
func (h *history) follow(s *model.Snapshot, boards []board.Board, now, began time.Time) []board.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Seq < h.seq {
		return nil
	}
	h.seq = s.Seq
	e := page.Env{Snap: s, Now: now, Began: began}
	last := make(map[model.ClusterName]*board.Board, len(boards))
	var out []board.Event
	for i := range boards {
		b := &boards[i]
		was := h.last[b.Cluster.Name]
		if e.Pending(b) {
			if was != nil {
				last[b.Cluster.Name] = was
			}
			continue
		}
		if was != nil && !restated(was, b) {
			out = append(out, board.Events(was, b)...)
		}
		last[b.Cluster.Name] = b
	}
	h.last = last
	return out
}

// restated reports whether b is a with other times only, as a Judge makes it:
// then both share their cells.
func restated(a, b *board.Board) bool {
	for i := range min(len(a.Routes), len(b.Routes)) {
		x, y := a.Routes[i].Views, b.Routes[i].Views
		if len(x) > 0 && len(y) > 0 && len(x[0].Cells) > 0 && len(y[0].Cells) > 0 {
			return &x[0].Cells[0] == &y[0].Cells[0]
		}
	}
	return false
}

// remember puts new events in front of the ones that are kept; the oldest are
// forgotten. The list is a new one: a frame may still be reading the old one.
func remember(kept, news []board.Event) []board.Event {
	if len(news) == 0 {
		return kept
	}
	out := make([]board.Event, 0, min(len(kept)+len(news), mostEvents))
	out = append(out, news[:min(len(news), mostEvents)]...)
	return append(out, kept[:min(len(kept), mostEvents-len(out))]...)
}

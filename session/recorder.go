package session

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"pgtui/internal/guard"
	"pgtui/internal/sandbox"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/record"
	"pgtui/record/ring"
)

// RecorderOptions say what the flight recorder keeps. The zero value is pgtui's own choice.
type RecorderOptions struct {
	Off     bool
	Most    int64         // bytes of all recordings; 0 is ring.Most
	Keep    time.Duration // of one; 0 is ring.Keep
	Program string        // what wrote it, "pgtui v1.2"
}

// recorder writes what a session observes. The zero value is ready; it begins with the
// first moment.
type recorder struct {
	mu      sync.Mutex
	begun   bool
	queue   []entry
	wake    chan struct{} // has room for one
	closing bool
	ended   chan struct{}
	err     error // why nothing is recorded any more
	last    time.Time
}

// entry is what is recorded together.
type entry struct {
	at     time.Time
	snap   *model.Snapshot // nil is none
	kind   record.Kind     // of the events
	events []board.Event
}

// mostQueued is how many entries wait for a slow disk; then moments are left out.
const mostQueued = 64

// RecordingsRoot is where the recordings of all inventories are: the user's state directory, and beside the
// inventory of a sandbox; "" where there is none.
func (s *Session) RecordingsRoot(path string) string {
	if audit := sandbox.AuditPath(Resolved(path)); audit != "" {
		return filepath.Join(filepath.Dir(audit), "rec")
	}
	if state := cmp.Or(s.Getenv("XDG_STATE_HOME"), join(s.Getenv("HOME"), ".local/state")); state != "" {
		return filepath.Join(state, "pgtui", "rec")
	}
	return ""
}

// Recordings is where the recordings of the inventory at path are; "" where there is no place.
func (s *Session) Recordings(path string) string {
	root := s.RecordingsRoot(path)
	if root == "" {
		return ""
	}
	known := Resolved(path)
	sum := sha256.Sum256([]byte(known))
	base := strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, filepath.Base(known))
	return filepath.Join(root, base[:min(len(base), 40)]+"-"+hex.EncodeToString(sum[:4]))
}

// Unrecorded is why nothing is recorded, in a sentence; "" where the recorder runs, or has not begun.
func (s *Session) Unrecorded() string {
	switch {
	case s.ReadOnlyBy() != "":
		return fmt.Sprintf("no recording is written: read-only by %s", s.ReadOnlyBy())
	case s.Recorder.Off:
		return "no recording is written: record.on is false in the configuration"
	}
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	if s.rec.err != nil {
		return fmt.Sprintf("recording has stopped: %s", s.rec.err)
	}
	return ""
}

// Pause is the shortest time between two moments of a fleet in which nothing happens.
func Pause(inv *model.Inventory) time.Duration {
	return min(max(2*time.Second, time.Duration(len(inv.Nodes))*10*time.Millisecond), 10*time.Second)
}

// Recorded takes in what was observed and how it was judged, for the flight recorder. It never waits.
// A moment without an event is left out when the last one was just before it.
func (s *Session) Recorded(at time.Time, snap *model.Snapshot, events []board.Event) {
	if s.Recorder.Off || s.ReadOnlyBy() != "" {
		return
	}
	r := s.rec
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(events) == 0 && (at.Sub(r.last) < Pause(snap.Inventory) || len(r.queue) >= mostQueued) {
		return
	}
	r.last = at
	if !r.begun {
		s.begin(snap.Inventory.Source)
	}
	r.add(entry{at: at, snap: snap, kind: record.KindEvent, events: events})
}

// Mark sets a mark of the operator into the recording. The error says why nothing is recorded.
func (s *Session) Mark(at time.Time, cluster model.ClusterName, what string) error {
	if why := s.Unrecorded(); why != "" {
		return errors.New(why)
	}
	if !s.recording() {
		return errors.New("recording has not begun: no node was probed yet")
	}
	s.note(record.NewEvent(at, cluster, record.KindMark, cmp.Or(what, "mark"), s.operator().User, model.Info))
	return nil
}

// recording reports whether the recorder has begun.
func (s *Session) recording() bool {
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	return s.rec.begun
}

// noteAction records what pgtui does itself.
func (s *Session) noteAction(cluster model.ClusterName, title, what string, sev model.Severity) {
	s.note(record.NewEvent(s.Now(), cluster, record.KindAction, title, what, sev))
}

// note records one event of the recorder's own, once it has begun.
func (s *Session) note(e board.Event) {
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	if s.rec.begun {
		s.rec.add(entry{at: e.At, kind: record.Kind(e.Kind), events: []board.Event{e}})
	}
}

func severityIf(bad bool) model.Severity {
	if bad {
		return model.Warning
	}
	return model.Info
}

// endOf is how something ended, with its error.
func endOf(outcome string, err error) string {
	if err != nil {
		return strings.TrimPrefix(outcome+": "+err.Error(), ": ")
	}
	return outcome
}

// add queues what is recorded. The lock must be held.
func (r *recorder) add(e entry) {
	if r.err != nil || r.closing {
		return
	}
	if len(r.queue) >= mostQueued {
		e.snap = nil
	}
	if len(r.queue) >= 10*mostQueued {
		return
	}
	r.queue = append(r.queue, e)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// begin starts to record. The lock must be held.
func (s *Session) begin(path string) {
	r := s.rec
	r.begun, r.wake, r.ended = true, make(chan struct{}, 1), make(chan struct{})
	w := &ring.Writer{Root: s.RecordingsRoot(path), Dir: s.Recordings(path), Most: s.Recorder.Most, Keep: s.Recorder.Keep, Program: s.Recorder.Program}
	guard.Go("recording", func() {
		defer close(r.ended)
		for more := true; more; {
			<-r.wake
			r.mu.Lock()
			queue := r.queue
			r.queue, more = nil, !r.closing
			r.mu.Unlock()
			for _, e := range queue {
				if err := write(w, e); err != nil {
					r.fail(err)
					_ = w.Close()
					return
				}
			}
		}
		if err := w.Close(); err != nil {
			r.fail(err)
		}
	}, r.fail)
}

// moments is what a recording is written into.
type moments interface {
	Moment(at time.Time, snap *model.Snapshot) error
	Event(k record.Kind, events ...board.Event) error
}

func write(w moments, e entry) error {
	if e.snap != nil {
		if err := w.Moment(e.at, e.snap); err != nil {
			return err
		}
	}
	return w.Event(e.kind, e.events...)
}

func (r *recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err, r.queue = err, nil
}

// EndRecording ends the recording, and waits until it is on the disk, but no longer than that.
func (s *Session) EndRecording(longest time.Duration) {
	r := s.rec
	r.mu.Lock()
	begun := r.begun
	r.closing = true
	if begun {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	r.mu.Unlock()
	if !begun {
		return
	}
	t := time.NewTimer(longest)
	defer t.Stop()
	select {
	case <-r.ended:
	case <-t.C:
	}
}

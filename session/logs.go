package session

import (
	"context"
	"errors"
	"time"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/probe/logs"
	"pgtui/source"
)

// How lines of several logs of a node are put in order: the first batch waits until
// every log was begun, the later ones for lines that are on their way.
const (
	firstBatch = 5 * time.Second
	nextBatch  = 200 * time.Millisecond
	mostBatch  = 2000 // lines that wait; the logs wait for the reader then
)

// Logs reads logs of a node and calls emit with what arrives, the oldest line first.
// With Follow it returns when ctx ends, or no log can be read any more. No log at
// all, and a node that cannot be reached, are in the sources of a batch. Nothing
// runs on the node for longer than some seconds after the end.
func (s *Session) Logs(ctx context.Context, inv *model.Inventory, h model.Host, req model.LogRequest, emit func(model.LogBatch)) error {
	n, err := inv.NodeNamed(string(h))
	if err != nil {
		return err
	}
	if len(req.Units) == 0 {
		req.Units = inv.LogUnitsOn(h)
	}
	if len(req.Units) == 0 {
		return &source.Hint{Err: errors.New("no component with a log is declared on " + inv.Label(h)), Try: "pgtui components", Usage: true}
	}
	_, in := inv.InstanceOn(h, string(req.Instance))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	news := make(chan any)
	send := func(x any) {
		select {
		case news <- x:
		case <-ctx.Done():
		}
	}
	var g guard.Group
	r := logs.Reader{Runner: s.Runner()}
	for _, u := range req.Units {
		g.Go("reading the log of "+string(u), func() {
			err := r.Read(ctx, n, in, u, req, func(src model.LogSource) { send(src) }, func(l model.LogLine) { send(l) })
			if err != nil {
				send(model.LogSource{Unit: u, Err: err})
			}
		}, func(err error) { send(model.LogSource{Unit: u, Err: err}) })
	}
	guard.Go("waiting for the logs", func() { g.Wait(); close(news) }, func(error) { cancel() })
	m := merger{waits: map[model.LogUnit]bool{}, keep: req.Lines, follow: req.Follow, emit: emit}
	for _, u := range req.Units {
		m.waits[u] = true
	}
	m.run(news)
	g.Wait()
	return nil
}

// merger puts what arrives of several logs in the order of its times.
type merger struct {
	waits  map[model.LogUnit]bool // logs that have not begun yet
	keep   int                    // lines of all logs, where they are not followed
	follow bool
	emit   func(model.LogBatch)
	batch  model.LogBatch
	first  bool // the first batch was emitted
}

// run emits batches until news is closed.
func (m *merger) run(news <-chan any) {
	t := time.NewTimer(firstBatch)
	defer t.Stop()
	for {
		select {
		case x, more := <-news:
			if !more {
				m.flush()
				return
			}
			empty, waits := m.empty(), len(m.waits) > 0
			m.take(x)
			switch {
			case !m.follow:
			case m.first && len(m.batch.Lines) >= mostBatch:
				m.flush()
			case m.first && empty, !m.first && waits && len(m.waits) == 0:
				t.Reset(nextBatch)
			}
		case <-t.C:
			m.first = true // what comes from here on does not wait for the other logs
			if m.follow {
				m.flush()
			}
		}
	}
}

// take takes in a line, or what is new about a source.
func (m *merger) take(x any) {
	switch x := x.(type) {
	case model.LogLine:
		m.batch.Lines = append(m.batch.Lines, x)
		if !m.follow && len(m.batch.Lines) > 4*max(m.keep, mostBatch) {
			m.trim()
		}
	case model.LogSource:
		delete(m.waits, x.Unit)
		m.batch.Sources = append(m.batch.Sources, x)
	}
}

func (m *merger) empty() bool { return len(m.batch.Lines)+len(m.batch.Sources) == 0 }

// trim sorts the lines, and keeps the newest of logs that are not followed.
func (m *merger) trim() {
	model.SortLog(m.batch.Lines)
	if n := len(m.batch.Lines) - m.keep; n > 0 && !m.follow {
		m.batch.Lines = append([]model.LogLine(nil), m.batch.Lines[n:]...)
	}
}

// flush emits what has arrived.
func (m *merger) flush() {
	if m.empty() {
		return
	}
	m.trim()
	m.first = true
	batch := m.batch
	m.batch = model.LogBatch{}
	m.emit(batch)
}

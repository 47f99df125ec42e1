package ring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"pgtui/model"
	"pgtui/past"
	"pgtui/record"
	"pgtui/source"
)

// Reader reads recordings: the files of a ring, or one file. It is a past.Source, and its
// methods may be called at the same time.
type Reader struct {
	name string
	dir  string // of a ring; "" is one file
	file string

	mu   sync.Mutex
	open map[string]opened
}

// opened is a file that was opened, as it was then.
type opened struct {
	size int64
	file *record.File
	at   *os.File
}

// NewReader reads the ring in a directory, under that name.
func NewReader(name, dir string) *Reader {
	return &Reader{name: name, dir: dir, open: map[string]opened{}}
}

// OpenFile reads one recording. It fails when that is not one.
func OpenFile(path string) (*Reader, error) {
	r := &Reader{name: filepath.Base(path), file: path, open: map[string]opened{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.get(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Name is what documents call it.
func (r *Reader) Name() string { return r.name }

// Damage is where the first damaged file cannot be read any more, in a sentence; "" where all are whole.
func (r *Reader) Damage(ctx context.Context) string {
	files, err := r.files(ctx, time.Time{}, time.Time{})
	if err != nil {
		return err.Error()
	}
	for _, f := range files {
		if d := f.Damage(); d != nil {
			return fmt.Sprintf("%s is damaged, and ends at %s: %s", f.Name(), f.Span().To.Local().Format(past.Layout), d)
		}
	}
	return ""
}

// Close closes the files.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for path, o := range r.open {
		errs = append(errs, o.at.Close())
		delete(r.open, path)
	}
	return errors.Join(errs...)
}

// get is an open file as it is now. The lock must be held.
func (r *Reader) get(path string) (*record.File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, record.ErrNotRecording
	}
	if o, ok := r.open[path]; ok && o.size == st.Size() {
		return o.file, nil
	}
	at, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := record.Open(at, st.Size(), r.name)
	if err != nil {
		return nil, errors.Join(err, at.Close())
	}
	r.open[path] = opened{st.Size(), f, at}
	return f, nil
}

// files are the recordings that may have something between two times; a zero time is no bound. A file of a ring that cannot
// be read has nothing.
func (r *Reader) files(ctx context.Context, from, to time.Time) ([]*record.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != "" {
		f, err := r.get(r.file)
		if err != nil {
			return nil, err
		}
		return []*record.File{f}, nil
	}
	all, err := list(r.dir)
	if err != nil {
		return nil, err
	}
	var out []*record.File
	for _, e := range all {
		if !to.IsZero() && e.from.After(to) || !from.IsZero() && e.at.Before(from.Add(-record.Covers)) {
			continue
		}
		if err := source.Ended(ctx); err != nil {
			return nil, err
		}
		if f, err := r.get(e.path); err == nil {
			out = append(out, f)
		}
	}
	return out, nil
}

// At is the last moment at t or before, of the recording that has the latest one. See past.Source.
func (r *Reader) At(ctx context.Context, t time.Time, only ...model.ClusterName) (past.Moment, error) {
	files, err := r.files(ctx, t, t)
	if err != nil {
		return past.Moment{}, err
	}
	best, found := past.Moment{}, false
	var why error
	for _, f := range files {
		m, err := f.At(ctx, t, only...)
		if err == nil && (!found || m.Judged.After(best.Judged)) {
			best, found = m, true
		}
		if err != nil {
			why = err
		}
	}
	if found {
		return best, nil
	}
	if ended := source.Ended(ctx); ended != nil {
		return past.Moment{}, ended
	}
	var not *past.NotCovered
	if errors.As(why, &not) && not.Why != "" || why != nil && not == nil {
		return past.Moment{}, why
	}
	spans, err := r.Spans(ctx)
	if err != nil {
		return past.Moment{}, err
	}
	return past.Moment{}, &past.NotCovered{At: t, Source: r.name, Has: spans, Next: "pgtui record, which records without a screen"}
}

// Events are what happened between two times. See past.Source.
func (r *Reader) Events(ctx context.Context, from, to time.Time, only ...model.ClusterName) ([]past.Event, error) {
	files, err := r.files(ctx, from, to)
	if err != nil {
		return nil, err
	}
	var out []past.Event
	for _, f := range files {
		events, err := f.Events(ctx, from, to, only...)
		if err != nil {
			return nil, err
		}
		out = append(out, events...)
	}
	return past.Sorted(out), nil
}

// Moments are the times of all moments between two times, in order.
func (r *Reader) Moments(ctx context.Context, from, to time.Time) ([]time.Time, error) {
	files, err := r.files(ctx, from, to)
	if err != nil {
		return nil, err
	}
	var out []time.Time
	for _, f := range files {
		times, err := f.Moments(ctx, from, to)
		if err != nil {
			return nil, err
		}
		out = append(out, times...)
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal), nil
}

// Gaps are what no recording covers between two times. See past.Source.
func (r *Reader) Gaps(ctx context.Context, from, to time.Time) ([]past.Span, error) {
	spans, err := r.Spans(ctx)
	return past.GapsOf(spans, from, to), err
}

// Spans are the times that the recordings cover, in order.
func (r *Reader) Spans(ctx context.Context) ([]past.Span, error) {
	files, err := r.files(ctx, time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	var all []past.Span
	for _, f := range files {
		spans, err := f.Spans(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, spans...)
	}
	slices.SortFunc(all, func(a, b past.Span) int { return a.From.Compare(b.From) })
	var out []past.Span
	for _, s := range all {
		if n := len(out); n > 0 && s.From.Sub(out[n-1].To) <= record.Covers {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out, nil
}

// Event is the event with that ID; false when the recordings do not have it.
func (r *Reader) Event(ctx context.Context, id string) (past.Event, bool, error) {
	events, err := r.Events(ctx, time.Time{}, time.Unix(1<<40, 0))
	for _, e := range events {
		if e.ID() == id {
			return e, true, nil
		}
	}
	return past.Event{}, false, err
}

var _ past.Source = (*Reader)(nil)

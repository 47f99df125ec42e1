package record

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/past"
	"pgtui/source"
)

// The bounds of what is read: of a frame without compression, and of a line.
const (
	mostFrame = 512 << 20
	mostLine  = 64 << 20
)

// Damage is where a recording cannot be read any more, and why.
type Damage struct {
	At  int64 // bytes from the begin
	Why string
}

// Error is one sentence.
func (d *Damage) Error() string { return fmt.Sprintf("byte %d: %s", d.At, d.Why) }

// ErrNotRecording is a file that is not a recording.
var ErrNotRecording = errors.New("it is not a recording of pgtui")

// File is a recording that is read. Its methods may be called at the same time.
type File struct {
	r      io.ReaderAt
	name   string
	frames []frame
	open   []byte  // lines of a last frame that has no index yet, whole lines only
	damage *Damage // nil where the file is whole

	mu     sync.Mutex
	player *player // where the last moment was read
}

// Open reads the indexes of a recording, checks the chain of its hashes, and keeps what is
// before the first damage. name is what documents and errors call it.
func Open(r io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{r: r, name: name}
	var prev [sha256.Size]byte
	for at := int64(0); at < size; {
		fr, found, err := nextFrame(r, at, size)
		if err != nil {
			return nil, err
		}
		if !found {
			f.open = f.tail(at, size)
			break
		}
		if fr.prev != prev {
			f.damage = &Damage{at, "the frame does not continue the one before"}
			break
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(r, at, fr.size)); err != nil {
			return nil, err
		}
		if [sha256.Size]byte(sum.Sum(nil)) != fr.digest {
			f.damage = &Damage{at, "the frame was changed after it was written"}
			f.open = f.tail(at, at+fr.size)
			break
		}
		f.frames = append(f.frames, fr)
		prev = fr.digest
		at += fr.size + int64(indexSize)
	}
	if len(f.frames) == 0 && len(f.open) == 0 && size > 0 {
		if !startsFrame(r) {
			return nil, ErrNotRecording
		}
		if f.damage == nil {
			f.damage = &Damage{0, "it ends before its first line"}
		}
	}
	return f, nil
}

// startsFrame reports whether the file may be a recording that ends early.
func startsFrame(r io.ReaderAt) bool {
	head := make([]byte, 3)
	n, _ := r.ReadAt(head, 0)
	return bytes.HasPrefix([]byte{0x1f, 0x8b, 8}, head[:n])
}

// window is how much is searched for an index at once.
const window = 1 << 20

// nextFrame is the frame that begins at that byte; false when no index is behind it.
func nextFrame(r io.ReaderAt, at, size int64) (frame, bool, error) {
	head := indexHead()
	buf := make([]byte, window)
	for from := at; from < size; {
		n, err := r.ReadAt(buf[:min(window, size-from)], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return frame{}, false, err
		}
		for i := 0; ; i++ {
			k := bytes.Index(buf[i:n], head)
			if k < 0 {
				break
			}
			i += k
			index := make([]byte, indexSize)
			if got, _ := r.ReadAt(index, from+int64(i)); got < indexSize {
				continue
			}
			if f, ok := parseIndex(index); ok && f.size == from+int64(i)-at {
				f.at = at
				return f, true, nil
			}
		}
		if n < window {
			break
		}
		from += window - int64(len(head))
	}
	return frame{}, false, nil
}

// tail are the whole lines from there, as far as they can be read; it sets damage unless the
// recording ends there, because it is still under way or was interrupted.
func (f *File) tail(at, end int64) []byte {
	var lines bytes.Buffer
	in := io.NewSectionReader(f.r, at, end-at)
	buffered := bufio.NewReader(in)
	zip, err := gzip.NewReader(buffered)
	if err == nil {
		zip.Multistream(false)
		_, err = io.Copy(&lines, io.LimitReader(zip, mostFrame))
	}
	read, _ := in.Seek(0, io.SeekCurrent)
	left := end - at - read + int64(buffered.Buffered())
	text := lines.Bytes()
	good, broken := readable(text[:bytes.LastIndexByte(text, '\n')+1])
	ends := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || err == nil && left < int64(indexSize)
	switch {
	case errors.Is(broken, errVersion):
		f.damage = &Damage{at, errVersion.Error()}
	case f.damage == nil && (broken != nil || !ends):
		f.damage = &Damage{at, "the frame cannot be read to its end"}
	}
	return good
}

// readable are the lines before the first that is not one.
func readable(text []byte) ([]byte, error) {
	read := 0
	for part := range bytes.Lines(text) {
		if len(part) > mostLine {
			return text[:read], errForm
		}
		if _, err := parseLine(part); err != nil {
			return text[:read], err
		}
		read += len(part)
	}
	return text, nil
}

// Name is what it is called.
func (f *File) Name() string { return f.name }

// Damage is where the recording cannot be read any more; nil when it is whole.
func (f *File) Damage() *Damage { return f.damage }

// count is how many frames there are, the open one with them.
func (f *File) count() int {
	if len(f.open) > 0 {
		return len(f.frames) + 1
	}
	return len(f.frames)
}

// begins is when a frame begins.
func (f *File) begins(i int) time.Time {
	if i < len(f.frames) {
		return f.frames[i].from
	}
	l, _ := parseLine(firstLine(f.open))
	return l.At
}

func firstLine(text []byte) []byte {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	return first
}

// whole reports whether a frame begins with everything.
func (f *File) whole(i int) bool {
	if i < len(f.frames) {
		return f.frames[i].whole
	}
	var d frameData
	l, err := parseLine(firstLine(f.open))
	return err == nil && json.Unmarshal(l.Data, &d) == nil && d.Whole
}

// text are the lines of a frame.
func (f *File) text(i int) ([]byte, error) {
	if i >= len(f.frames) {
		return f.open, nil
	}
	fr := &f.frames[i]
	zip, err := gzip.NewReader(bufio.NewReader(io.NewSectionReader(f.r, fr.at, fr.size)))
	if err != nil {
		return nil, &Damage{fr.at, "the frame cannot be read"}
	}
	zip.Multistream(false)
	text, err := io.ReadAll(io.LimitReader(zip, mostFrame+1))
	if err != nil || len(text) > mostFrame {
		return nil, &Damage{fr.at, "the frame cannot be read"}
	}
	return text, nil
}

// player reads the lines of a recording one after the other.
type player struct {
	f     *File
	frame int    // that text is of
	text  []byte // what is left of it
	state state
	ahead *line // the first line that was not taken yet
	ended bool
}

// next is the line that is taken next; nil at the end.
func (p *player) next() (*line, error) {
	for p.ahead == nil && !p.ended {
		if len(p.text) == 0 {
			if p.frame++; p.frame >= p.f.count() {
				p.ended = true
				break
			}
			text, err := p.f.text(p.frame)
			if err != nil {
				return nil, err
			}
			p.text = text
			continue
		}
		var one []byte
		if i := bytes.IndexByte(p.text, '\n'); i >= 0 {
			one, p.text = p.text[:i], p.text[i+1:]
		} else {
			one, p.text = p.text, nil
		}
		l, err := parseLine(one)
		if err != nil {
			return nil, err
		}
		p.ahead = &l
	}
	return p.ahead, nil
}

// take makes the next line count.
func (p *player) take() error {
	l := p.ahead
	p.ahead = nil
	return p.state.take(l)
}

// from is a player at the begin of the last frame that is whole and begins at t or before; at the first
// frame when none does.
func (f *File) from(t time.Time) *player {
	start := 0
	for i := range f.count() {
		if f.begins(i).After(t) {
			break
		}
		if f.whole(i) {
			start = i
		}
	}
	return &player{f: f, frame: start - 1}
}

// Covers is how long a moment stands until the next one: a recording without a moment
// for longer does not know what was.
const Covers = 15 * time.Second

// At is the last moment at t or before. See past.Source.
func (f *File) At(ctx context.Context, t time.Time, only ...model.ClusterName) (past.Moment, error) {
	m, ok, err := f.last(ctx, t)
	if err != nil {
		return past.Moment{}, err
	}
	if !ok || t.Sub(m.Judged) > Covers {
		spans, err := f.Spans(ctx)
		if err != nil {
			return past.Moment{}, err
		}
		return past.Moment{}, &past.NotCovered{At: t, Source: f.name, Has: spans}
	}
	for _, name := range only {
		if !Watched(m.Snap, name) {
			return past.Moment{}, &past.NotCovered{At: t, Source: f.name, Why: "it does not have the cluster " + string(name)}
		}
	}
	return m, nil
}

// Watched reports whether the nodes of a cluster were probed.
func Watched(s *model.Snapshot, name model.ClusterName) bool {
	c := s.Inventory.Cluster(name)
	if c == nil {
		return false
	}
	_, any := s.VIP[name]
	for i := range c.Instances {
		_, has := s.Patroni[c.Instances[i].Name]
		any = any || has
	}
	for i := range c.LoadBalancers {
		_, has := s.HAProxy[c.LoadBalancers[i].Host]
		any = any || has
	}
	return any
}

// last is the last moment at t or before; false when the recording begins later.
func (f *File) last(ctx context.Context, t time.Time) (past.Moment, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.player
	if p == nil || p.state.judged.After(t) || t.Sub(p.state.judged) > 2*frameLasts || p.state.judged.IsZero() {
		p = f.from(t)
	}
	f.player = nil // until it is known to be in order
	out, ok := past.Moment{}, false
	if m, has := p.state.moment(); has && !m.Judged.After(t) {
		out, ok = m, true
	}
	for {
		if err := source.Ended(ctx); err != nil {
			return out, ok, err
		}
		l, err := p.next()
		if err != nil {
			return out, ok, err
		}
		if l == nil || !happening(l.Kind) && l.At.After(t) {
			break // lines of an observation have the time of their moment
		}
		kind := l.Kind
		if err := p.take(); err != nil {
			return out, ok, err
		}
		if kind == KindMoment {
			out, ok = p.state.moment()
		}
	}
	out.Source = f.name
	f.player = p
	return out, ok, nil
}

// happening reports whether lines of a kind have an event, and nothing that was observed.
func happening(k Kind) bool { return k == KindEvent || k == KindAction || k == KindMark }

// each calls do for every line from the frame that has t on, until it returns false.
func (f *File) each(ctx context.Context, t time.Time, do func(*line) bool) error {
	start := 0
	for i := range f.count() {
		if !f.begins(i).After(t) {
			start = i
		}
	}
	p := &player{f: f, frame: start - 1}
	for {
		if err := source.Ended(ctx); err != nil {
			return err
		}
		l, err := p.next()
		if err != nil || l == nil || !do(l) {
			return err
		}
		p.ahead = nil
	}
}

// Moments are the times of all moments from one time to another, in order.
func (f *File) Moments(ctx context.Context, from, to time.Time) ([]time.Time, error) {
	var out []time.Time
	err := f.each(ctx, from, func(l *line) bool {
		if l.Kind == KindMoment && !l.At.Before(from) && !l.At.After(to) {
			out = append(out, l.At)
		}
		return l.Kind != KindMoment || !l.At.After(to)
	})
	return out, err
}

// Play calls do with every moment from one time to another, in order, until it returns
// false.
func (f *File) Play(ctx context.Context, from, to time.Time, do func(past.Moment) bool) error {
	p := f.from(from)
	for {
		if err := source.Ended(ctx); err != nil {
			return err
		}
		l, err := p.next()
		if err != nil || l == nil || l.Kind == KindMoment && l.At.After(to) {
			return err
		}
		kind := l.Kind
		if err := p.take(); err != nil {
			return err
		}
		m, ok := p.state.moment()
		if m.Source = f.name; kind == KindMoment && ok && !m.Judged.Before(from) && !do(m) {
			return nil
		}
	}
}

// Events are the events, actions and marks of a time. See past.Source.
func (f *File) Events(ctx context.Context, from, to time.Time, only ...model.ClusterName) ([]past.Event, error) {
	var out []past.Event
	for i := range f.count() {
		if i < len(f.frames) && (f.frames[i].events == 0 || f.frames[i].from.After(to.Add(frameLasts)) || f.frames[i].to.Before(from)) {
			continue
		}
		text, err := f.text(i)
		if err != nil {
			return out, err
		}
		for one := range bytes.Lines(text) {
			l, err := parseLine(one)
			if err != nil {
				return out, err
			}
			e, ok := f.event(&l)
			if ok && !l.At.Before(from) && !l.At.After(to) && (len(only) == 0 || e.Cluster == "" || slices.Contains(only, e.Cluster)) {
				out = append(out, e)
			}
		}
		if err := source.Ended(ctx); err != nil {
			return out, err
		}
	}
	return past.Sorted(out), nil
}

// event is a line as an event; false when it is another.
func (f *File) event(l *line) (past.Event, bool) {
	var d eventData
	if !happening(l.Kind) {
		return past.Event{}, false
	}
	if json.Unmarshal(l.Data, &d) != nil {
		return past.Event{}, false
	}
	e := past.Event{Event: d.event(l.At)}
	e.Evidence = []past.Evidence{{Source: f.name, At: l.At, Text: e.String()}}
	return e, true
}

// Gaps are the parts between two times that the recording does not cover. See past.Source.
func (f *File) Gaps(ctx context.Context, from, to time.Time) ([]past.Span, error) {
	spans, err := f.Spans(ctx)
	return past.GapsOf(spans, from, to), err
}

// Span is from the first line to the last; zero when there is none.
func (f *File) Span() past.Span {
	n := f.count()
	if n == 0 {
		return past.Span{}
	}
	out := past.Span{From: f.begins(0)}
	if len(f.frames) > 0 {
		out.To = f.frames[len(f.frames)-1].to
	}
	for one := range bytes.Lines(f.open) {
		if l, err := parseLine(one); err == nil && l.At.After(out.To) {
			out.To = l.At
		}
	}
	return out
}

// Spans are the times that moments cover.
func (f *File) Spans(ctx context.Context) ([]past.Span, error) {
	var out []past.Span
	for i := range f.count() {
		from, to := f.begins(i), f.Span().To
		if i < len(f.frames) {
			from, to = f.frames[i].from, f.frames[i].to
		}
		if n := len(out); n > 0 && from.Sub(out[n-1].To) <= Covers {
			out[n-1].To = to
			continue
		}
		out = append(out, past.Span{From: from, To: to})
	}
	return out, source.Ended(ctx)
}

// Resume is a Writer that continues a recording: it returns how many bytes of it stand, and what is to be written behind
// them first. A recording that was interrupted keeps the lines of its last frame.
func (f *File) Resume(out io.Writer, program string) (w *Writer, keep int64, first func() error, err error) {
	if f.damage != nil {
		return nil, 0, nil, f.damage
	}
	w = NewWriter(out, program)
	if n := len(f.frames); n > 0 {
		last := f.frames[n-1]
		keep = last.at + last.size + int64(indexSize)
		w.after(last.digest)
	}
	return w, keep, func() error { return w.again(f.open) }, nil
}

// again writes the lines of a frame that was interrupted, and its index.
func (w *Writer) again(lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	for one := range bytes.Lines(lines) {
		l, err := parseLine(one)
		if err != nil {
			return w.fail(err)
		}
		if w.frame.lines == 0 {
			var d frameData
			_ = json.Unmarshal(l.Data, &d)
			w.frame = frame{from: l.At, to: l.At, prev: w.prev, whole: d.Whole}
			w.sum.Reset()
			w.zip.Reset(w)
		}
		w.put(l.At, one)
		if l.Kind == KindMoment {
			w.frame.moments++
		} else if happening(l.Kind) {
			w.frame.events++
		}
	}
	w.rec = 0
	return w.end()
}

var _ past.Source = (*File)(nil)

// NewEvent is an event of the recorder's own: what pgtui did, or a mark of the operator.
func NewEvent(at time.Time, cluster model.ClusterName, k Kind, subject, after string, sev model.Severity) board.Event {
	return board.Event{At: at, Cluster: cluster, Kind: string(k), Subject: subject, After: after, Severity: sev}
}

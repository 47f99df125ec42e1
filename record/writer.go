package record

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"hash/crc32"
	"io"
	"reflect"
	"time"

	"pgtui/model"
	"pgtui/model/board"
)

// The bounds of a frame.
const (
	frameLasts = time.Minute
	// wholeAfter is how long frames may rest on the ones before them, at the most.
	wholeAfter = 10 * time.Minute
)

// Writer writes a recording. It is not safe for concurrent use. After an error it
// writes nothing more.
type Writer struct {
	out     io.Writer
	program string // "pgtui v1.2"
	err     error

	zip   *gzip.Writer
	frame frame // the open one; zero when none is
	sum   hash.Hash
	prev  [sha256.Size]byte // of the frame before

	was       *model.Snapshot // what was written last; nil before the first moment
	whole     time.Time       // when everything was written last
	full, rec int64           // bytes of the last whole moment, and of lines since then
	written   int64           // bytes that have reached out
	buf, data []byte
}

// frame is one frame: where it is, and what its index says.
type frame struct {
	at, size     int64
	from, to     time.Time // of its lines
	lines        uint32
	moments      uint32
	events       uint32
	whole        bool
	prev, digest [sha256.Size]byte
}

// NewWriter writes to out, which may be empty or, after Resume, have frames already.
func NewWriter(out io.Writer, program string) *Writer {
	w := &Writer{out: out, program: program, sum: sha256.New()}
	w.zip, _ = gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	return w
}

// after makes the frame of that digest the one before.
func (w *Writer) after(digest [sha256.Size]byte) { w.prev = digest }

// Size is how many bytes were written.
func (w *Writer) Size() int64 { return w.written }

// Write takes in what the gzip writer makes; it is not for callers.
func (w *Writer) Write(b []byte) (int, error) {
	n, err := w.out.Write(b)
	w.sum.Write(b[:n])
	w.frame.size += int64(n)
	w.written += int64(n)
	return n, err
}

// Moment records what was observed, as it was judged at that time. What has not changed since
// the last moment is not written again. snap must not change any more.
func (w *Writer) Moment(at time.Time, snap *model.Snapshot) error {
	if w.err != nil {
		return w.err
	}
	if err := w.enter(at); err != nil {
		return w.fail(err)
	}
	was := w.was
	if was == nil {
		was = &model.Snapshot{}
	}
	before := w.rec
	if was.Inventory != snap.Inventory {
		if data, differs := differ(w.data[:0], reflect.ValueOf(was.Inventory), reflect.ValueOf(snap.Inventory)); differs {
			w.data = data
			w.line(at, inventoryKind, "", data)
		}
	}
	for _, p := range parts() {
		w.part(at, p, was, snap)
	}
	d, err := json.Marshal(momentData{Seq: snap.Seq, Taken: snap.TakenAt, Unasked: snap.PoolsUnasked})
	if err != nil {
		return w.fail(err)
	}
	w.line(at, KindMoment, "", d)
	if w.frame.moments++; w.was == nil {
		w.full, w.rec = w.rec-before, 0
	}
	w.was = snap
	return w.flush()
}

// part writes the entries of one map that differ.
func (w *Writer) part(at time.Time, p part, was, is *model.Snapshot) {
	x, y := reflect.ValueOf(was).Elem().FieldByName(p.field), reflect.ValueOf(is).Elem().FieldByName(p.field)
	if x.Pointer() == y.Pointer() && x.Len() == y.Len() {
		return
	}
	zero := reflect.Zero(y.Type().Elem())
	for _, k := range sortedKeys(y) {
		old := zero
		there := x.Len() > 0 && x.MapIndex(k).IsValid()
		if there {
			old = x.MapIndex(k)
		}
		data, differs := differ(w.data[:0], old, y.MapIndex(k))
		switch {
		case differs:
		case there:
			continue
		default:
			data = append(w.data[:0], "{}"...)
			if zero.Kind() == reflect.Slice {
				data = append(w.data[:0], "[]"...)
			}
		}
		w.data = data
		w.line(at, p.kind, keyOf(k), data)
	}
	for _, k := range sortedKeys(x) {
		if y.Len() == 0 || !y.MapIndex(k).IsValid() {
			w.line(at, p.kind, keyOf(k), []byte("null"))
		}
	}
}

// Event records transitions that were seen.
func (w *Writer) Event(k Kind, events ...board.Event) error {
	if w.err != nil || len(events) == 0 {
		return w.err
	}
	for i := range events {
		if err := w.enter(events[i].At); err != nil {
			return w.fail(err)
		}
		text, err := eventLine(k, &events[i])
		if err != nil {
			return w.fail(err)
		}
		w.put(events[i].At, text)
		w.frame.events++
	}
	return w.flush()
}

// enter opens a frame where none is open, and closes one that has lasted.
func (w *Writer) enter(at time.Time) error {
	if w.frame.lines > 0 && at.Sub(w.frame.from) >= frameLasts {
		if err := w.end(); err != nil {
			return err
		}
	}
	if w.frame.lines > 0 {
		return nil
	}
	w.frame = frame{from: at, to: at, prev: w.prev}
	w.sum.Reset()
	w.zip.Reset(w)
	if w.was == nil || at.Sub(w.whole) >= wholeAfter || w.rec >= w.full {
		w.was, w.whole, w.frame.whole = nil, at, true
	}
	d, err := json.Marshal(frameData{Prev: hexOf(w.prev), Whole: w.frame.whole, Program: w.program})
	if err != nil {
		return err
	}
	w.line(at, KindFrame, "", d)
	return w.err
}

func hexOf(sum [sha256.Size]byte) string {
	if sum == ([sha256.Size]byte{}) {
		return ""
	}
	return hex.EncodeToString(sum[:])
}

func (w *Writer) line(at time.Time, k Kind, id string, data []byte) {
	w.buf = lineOf(w.buf[:0], at, k, id, data)
	w.put(at, w.buf)
}

func (w *Writer) put(at time.Time, text []byte) {
	if w.err != nil {
		return
	}
	if _, err := w.zip.Write(text); err != nil {
		w.err = err
	}
	w.rec += int64(len(text))
	if w.frame.lines++; at.After(w.frame.to) {
		w.frame.to = at
	}
}

func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return w.err
}

// flush brings the lines to the writer below, so that they survive the program.
func (w *Writer) flush() error {
	if w.err == nil {
		w.err = w.zip.Flush()
	}
	return w.err
}

// end closes the open frame and writes its index.
func (w *Writer) end() error {
	if w.frame.lines == 0 || w.err != nil {
		return w.err
	}
	if err := w.zip.Close(); err != nil {
		return w.fail(err)
	}
	w.sum.Sum(w.frame.digest[:0])
	w.prev = w.frame.digest
	index := w.frame.index()
	w.frame = frame{}
	n, err := w.out.Write(index)
	w.written += int64(n)
	return w.fail(err)
}

// Close ends the recording, with the index of its last frame.
func (w *Writer) Close() error { return w.end() }

// An index is an empty gzip member with a field in its header. Its size is always the same.
const indexData = 8 + 8 + 8 + 4 + 4 + 4 + 1 + 2*sha256.Size + 4

// indexHead is what an index begins with.
func indexHead() []byte {
	head := []byte{0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255}
	head = binary.LittleEndian.AppendUint16(head, indexData+4)
	head = append(head, 'P', 'G')
	return binary.LittleEndian.AppendUint16(head, indexData)
}

// indexTail is an empty stream, its checksum and its length.
func indexTail() []byte { return []byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 0} }

// indexSize is the length of an index in bytes.
var indexSize = len(indexHead()) + indexData + len(indexTail())

// index is the index behind a frame.
func (f *frame) index() []byte {
	b := indexHead()
	for _, n := range []uint64{uint64(f.size), uint64(f.from.UnixNano()), uint64(f.to.UnixNano())} { //nolint:gosec // as they are
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	for _, n := range []uint32{f.lines, f.moments, f.events} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	whole := byte(0)
	if f.whole {
		whole = 1
	}
	b = append(append(append(b, whole), f.prev[:]...), f.digest[:]...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return append(b, indexTail()...)
}

// parseIndex reads an index; false when b is none.
func parseIndex(b []byte) (f frame, ok bool) {
	head := indexHead()
	if len(b) != indexSize || string(b[:len(head)]) != string(head) || string(b[indexSize-len(indexTail()):]) != string(indexTail()) {
		return f, false
	}
	le, sum := binary.LittleEndian, len(head)+indexData-4
	if le.Uint32(b[sum:]) != crc32.ChecksumIEEE(b[:sum]) {
		return f, false
	}
	b = b[len(head):]
	f.size = int64(le.Uint64(b))                                                                 //nolint:gosec // compared with where the frame is
	f.from, f.to = time.Unix(0, int64(le.Uint64(b[8:]))), time.Unix(0, int64(le.Uint64(b[16:]))) //nolint:gosec // any time is one
	f.lines, f.moments, f.events = le.Uint32(b[24:]), le.Uint32(b[28:]), le.Uint32(b[32:])
	f.whole = b[36] == 1
	copy(f.prev[:], b[37:])
	copy(f.digest[:], b[37+sha256.Size:])
	return f, true
}

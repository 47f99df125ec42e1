package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/past"
)

// Kind is what a line is about.
type Kind string

// The kinds of lines beside those of observations, which part lists.
const (
	KindFrame  Kind = "frame"  // the first line of a frame
	KindMoment Kind = "moment" // what was observed together is complete
	KindEvent  Kind = "event"  // a transition, an Event
	KindAction Kind = "action" // what pgtui did, an Event
	KindMark   Kind = "mark"   // the operator set it, an Event
)

// line is one line of a recording.
type line struct {
	Version int             `json:"v"`
	At      time.Time       `json:"t"`
	Kind    Kind            `json:"k"`
	ID      string          `json:"id"`
	Data    json.RawMessage `json:"d"`
}

// version is of the format.
const version = 1

// part is one map of a snapshot: the kind of its lines, and its field.
type part struct {
	kind  Kind
	field string
}

// parts are the maps of a snapshot. A map that is added to model.Snapshot needs a
// row, which TestEveryFieldIsKnown says.
func parts() []part {
	return []part{
		{"patroni", "Patroni"}, {"haproxy", "HAProxy"}, {"vip", "VIP"}, {"proof", "Proofs"}, {"conf", "Conf"}, {"workers", "Workers"},
		{"node", "Nodes"}, {"servers", "Servers"}, {"rules", "Rules"}, {"sql", "SQL"}, {"audit", "Marks"}, {"reach", "Reach"},
	}
}

// inventoryKind is of the line with the inventory.
const inventoryKind Kind = "inventory"

// partOf is the map of the snapshot that lines of a kind are about; the zero value when there is none.
func partOf(s *model.Snapshot, k Kind) reflect.Value {
	for _, p := range parts() {
		if p.kind == k {
			return reflect.ValueOf(s).Elem().FieldByName(p.field)
		}
	}
	return reflect.Value{}
}

// momentData is what a line of KindMoment has.
type momentData struct {
	Seq     uint64    `json:"seq"`
	Taken   time.Time `json:"taken"`
	Unasked bool      `json:"unasked,omitempty"`
}

// frameData is what a line of KindFrame has.
type frameData struct {
	Prev    string `json:"prev,omitempty"` // SHA-256 of the frame before, in hex
	Whole   bool   `json:"whole,omitempty"`
	Program string `json:"program,omitempty"`
}

// eventData is an event as it is recorded.
type eventData struct {
	Cluster  model.ClusterName `json:"cluster,omitempty"`
	Kind     string            `json:"kind"`
	Subject  string            `json:"subject,omitempty"`
	Before   string            `json:"before,omitempty"`
	After    string            `json:"after,omitempty"`
	Severity model.Severity    `json:"severity"`
	About    board.FindingKey  `json:"about,omitzero"`
}

// eventLine is the line of an event.
func eventLine(k Kind, e *board.Event) ([]byte, error) {
	d := eventData{Cluster: e.Cluster, Kind: harmless(e.Kind), Subject: harmless(e.Subject), Before: harmless(e.Before), After: harmless(e.After), Severity: e.Severity, About: e.About}
	data, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	clean := d.event(e.At)
	return lineOf(nil, e.At, k, past.IDOf(&clean), data), nil
}

func (d *eventData) event(at time.Time) board.Event {
	return board.Event{At: at, Cluster: model.ClusterName(harmless(string(d.Cluster))), Kind: harmless(d.Kind), Subject: harmless(d.Subject), Before: harmless(d.Before),
		After: harmless(d.After), Severity: min(max(d.Severity, model.Critical), model.Info), About: d.About}
}

// lineOf appends one line.
func lineOf(b []byte, at time.Time, k Kind, id string, data []byte) []byte {
	b = append(b, `{"v":1,"t":"`...)
	b = at.AppendFormat(b, time.RFC3339Nano)
	b = append(append(append(b, `","k":"`...), k...), `","id":`...)
	b = append(quoted(b, id), `,"d":`...)
	return append(append(b, data...), "}\n"...)
}

// errVersion is a recording of a later pgtui.
var errVersion = errors.New("it was written by a later version of pgtui")

// parseLine reads one line.
func parseLine(text []byte) (line, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return l, errForm
	}
	if l.Version > version {
		return l, errVersion
	}
	if l.Version < 1 || l.Kind == "" || l.At.IsZero() {
		return l, errForm
	}
	return l, nil
}

// tree is the data of a line, with its numbers as they are written.
func (l *line) tree() (any, error) {
	dec := json.NewDecoder(bytes.NewReader(l.Data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return v, nil
}

// state is what the lines until now amount to. Its snapshot is changed in place: those
// that were handed out are not.
type state struct {
	snap   model.Snapshot
	judged time.Time // of the last moment; zero before the first
	shared bool      // snap's maps were handed out
}

// take makes one line count.
func (s *state) take(l *line) error {
	if happening(l.Kind) {
		return nil
	}
	switch l.Kind {
	case KindFrame:
		var d frameData
		if err := json.Unmarshal(l.Data, &d); err != nil {
			return err
		}
		if d.Whole {
			*s = state{}
		}
		return nil
	case KindMoment:
		var d momentData
		if err := json.Unmarshal(l.Data, &d); err != nil {
			return err
		}
		s.snap.Seq, s.snap.TakenAt, s.snap.PoolsUnasked, s.judged = d.Seq, d.Taken, d.Unasked, l.At
		return nil
	}
	d, err := l.tree()
	if err != nil {
		return err
	}
	if l.Kind == inventoryKind {
		return merge(reflect.ValueOf(&s.snap.Inventory).Elem(), d)
	}
	s.own()
	m := partOf(&s.snap, l.Kind)
	if !m.IsValid() {
		return nil // of a later pgtui that has kept the version
	}
	k, err := keyFrom(l.ID, m.Type().Key())
	if err != nil {
		return err
	}
	if m.IsNil() {
		m.Set(reflect.MakeMap(m.Type()))
	}
	if d == nil {
		m.SetMapIndex(k, reflect.Value{})
		return nil
	}
	v := reflect.New(m.Type().Elem()).Elem()
	if old := m.MapIndex(k); old.IsValid() {
		v.Set(old)
	}
	if err := merge(v, d); err != nil {
		return err
	}
	m.SetMapIndex(k, v)
	return nil
}

// own gives the state maps of its own.
func (s *state) own() {
	if !s.shared {
		return
	}
	s.shared = false
	for _, p := range parts() {
		m := reflect.ValueOf(&s.snap).Elem().FieldByName(p.field)
		if m.IsNil() {
			continue
		}
		fresh := reflect.MakeMapWithSize(m.Type(), m.Len())
		for it := m.MapRange(); it.Next(); {
			fresh.SetMapIndex(it.Key(), it.Value())
		}
		m.Set(fresh)
	}
}

// moment is what was observed at the last moment; false before the first, and without an inventory.
func (s *state) moment() (past.Moment, bool) {
	if s.judged.IsZero() || s.snap.Inventory == nil {
		return past.Moment{}, false
	}
	s.shared = true
	snap := s.snap
	return past.Moment{Snap: &snap, Judged: s.judged}, true
}

package record_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/fuzz"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/past"
	"pgtui/record"
	"pgtui/source"
)

var t0 = modeltest.T0

// scene is what was observed, and when it was judged.
type scene struct {
	at   time.Time
	snap *model.Snapshot
}

// incident is a cluster that loses its leader, gets another, a reading over SSH, another
// inventory, and is calm in between: n moments, two seconds apart.
func incident(n int) []scene {
	w := modeltest.AccessWorld()
	w.Identify("771")
	w.Listed()
	w.Conf("ttl", "30")
	var out []scene
	for i := range n {
		at := t0.Add(time.Duration(i) * 2 * time.Second)
		snap := *w.Snap
		snap.Seq, snap.TakenAt = uint64(i+1), at.Add(-time.Millisecond)
		snap.Patroni = map[model.InstanceName]model.PatroniView{}
		for name, v := range w.Snap.Patroni {
			v.Status = v.Status.Next(v.Status.Value, nil, at.Add(-30*time.Millisecond), 5*time.Millisecond)
			v.Status.Value.Location += int64(i) * 4096
			if i%20 >= 8 && i%20 < 14 && name == "pg-test-1" {
				v.Status = v.Status.Next(model.PatroniStatus{}, errors.New("connection refused"), at, time.Millisecond)
				v.Pool.Err = &model.ConsoleRefused{Text: "not allowed"}
			}
			snap.Patroni[name] = v
		}
		snap.HAProxy = map[model.Host]source.Observed[haproxy.Stats]{}
		for h, o := range w.Snap.HAProxy {
			o.At, o.Tried = at.Add(-time.Second), at.Add(-time.Second)
			if i%20 >= 8 {
				o.Value.Proxies = slices.Clone(o.Value.Proxies)
				for p := range o.Value.Proxies {
					o.Value.Proxies[p].Servers = slices.Clone(o.Value.Proxies[p].Servers)
					o.Value.Proxies[p].Servers[0].Status, o.Value.Proxies[p].Servers[0].Sessions = "DOWN", int64(i)
				}
			}
			snap.HAProxy[h] = o
		}
		if i%7 == 3 {
			snap.Workers = map[model.Host]source.Observed[haproxy.Processes]{"10.10.10.11": {Value: haproxy.Processes{At: at, Workers: []haproxy.Worker{{PID: i, Started: at}}}, At: at, Tried: at}}
		}
		if i == n-2 {
			inv := *snap.Inventory
			inv.Hash, inv.Clusters = "another", slices.Clone(inv.Clusters)
			inv.Clusters[0].TTL = time.Minute
			snap.Inventory = &inv
		}
		out = append(out, scene{at, &snap})
	}
	return out
}

// recording is the scenes as a file, with an event at each tenth.
func recording(t testing.TB, scenes []scene) []byte {
	t.Helper()
	var out bytes.Buffer
	w := record.NewWriter(&out, "pgtui test")
	for i, s := range scenes {
		if err := w.Moment(s.at, s.snap); err != nil {
			t.Fatal(err)
		}
		if i%10 == 9 {
			if err := w.Event(record.KindEvent, event(s.at, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func event(at time.Time, i int) board.Event {
	return board.Event{At: at, Cluster: "pg-test", Kind: "leader", Subject: "leader", Before: "pg-test-1", After: fmt.Sprintf("pg-test-%d", i), Severity: model.Warning}
}

func open(t testing.TB, b []byte) *record.File {
	t.Helper()
	f, err := record.Open(bytes.NewReader(b), int64(len(b)), "test.rec")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// verdict is a hash of all that is judged of a moment.
func verdict(t testing.TB, s *model.Snapshot, at time.Time) string {
	t.Helper()
	boards := check.Boards(s, at)
	for i := range boards {
		boards[i].Cluster = nil
	}
	text, err := json.Marshal(boards)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

func TestEveryMomentIsJudgedAsItWas(t *testing.T) {
	scenes := incident(400) // 13 minutes: frames of their own, and one that is whole again
	b := recording(t, scenes)
	f := open(t, b)
	if f.Damage() != nil {
		t.Fatal(f.Damage())
	}
	i := 0
	err := f.Play(context.Background(), time.Time{}, t0.Add(time.Hour), func(m past.Moment) bool {
		s := scenes[i]
		if !m.Judged.Equal(s.at) || m.Snap.Seq != s.snap.Seq || verdict(t, m.Snap, m.Judged) != verdict(t, s.snap, s.at) {
			t.Fatalf("moment %d at %s: %s\nwas %s", i, m.Judged, check.Boards(m.Snap, m.Judged)[0].Summary, check.Boards(s.snap, s.at)[0].Summary)
		}
		i++
		return true
	})
	if err != nil || i != len(scenes) {
		t.Fatalf("%d of %d moments, %v", i, len(scenes), err)
	}
	for _, k := range []int{399, 0, 37, 38, 36, 36, 250, 8, 131, 399} { // in any order
		for _, later := range []time.Duration{0, time.Second} {
			m, err := f.At(context.Background(), scenes[k].at.Add(later))
			if err != nil || !m.Judged.Equal(scenes[k].at) || verdict(t, m.Snap, m.Judged) != verdict(t, scenes[k].snap, scenes[k].at) {
				t.Errorf("at moment %d and %s: %v, judged %s", k, later, err, m.Judged)
			}
		}
	}
	events, err := f.Events(context.Background(), scenes[0].at, scenes[399].at)
	if err != nil || len(events) != 40 || events[3].After != "pg-test-39" || !past.IsID(events[3].ID()) {
		t.Errorf("%d events, %v: %+v", len(events), err, events)
	}
	t.Logf("%d bytes a moment", len(b)/len(scenes))
}

func TestATimeThatIsNotCovered(t *testing.T) {
	f := open(t, recording(t, incident(5)))
	for _, tt := range []struct {
		at   time.Duration
		want string
	}{
		{-time.Minute, " is unknown: test.rec begins at "},
		{time.Minute, " is unknown: test.rec ends at "},
	} {
		_, err := f.At(context.Background(), t0.Add(tt.at))
		var not *past.NotCovered
		if !errors.As(err, &not) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.at, err)
		}
	}
	if _, err := f.At(context.Background(), t0, "pg-other"); err == nil || !strings.Contains(err.Error(), "does not have the cluster pg-other") {
		t.Error(err)
	}
}

func TestAGapIsNotKnown(t *testing.T) {
	scenes := incident(60)
	scenes = append(scenes[:10:10], scenes[40:]...)
	f := open(t, recording(t, scenes))
	_, err := f.At(context.Background(), t0.Add(50*time.Second))
	var not *past.NotCovered
	if !errors.As(err, &not) {
		t.Errorf("%v", err)
	}
	if m, err := f.At(context.Background(), t0.Add(80*time.Second)); err != nil || !m.Judged.Equal(t0.Add(80*time.Second)) {
		t.Errorf("%v %v", m.Judged, err)
	}
}

// TestCutAnywhere: a recording that ends at any byte opens, and has a prefix of the
// moments.
func TestCutAnywhere(t *testing.T) {
	scenes := incident(32)
	b := recording(t, scenes)
	last := -1
	for n := range len(b) {
		if n > 200 && n < len(b)-300 && n%37 != 0 {
			continue // the headers byte by byte, the rest by samples
		}
		f, err := record.Open(bytes.NewReader(b[:n]), int64(n), "cut")
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		got, err := f.Moments(context.Background(), time.Time{}, t0.Add(time.Hour))
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		for i, at := range got {
			if !at.Equal(scenes[i].at) {
				t.Fatalf("%d bytes: moment %d is of %s", n, i, at)
			}
		}
		if len(got) < last {
			t.Fatalf("%d bytes: %d moments, and %d with fewer bytes", n, len(got), last)
		}
		last = len(got)
		if len(got) > 0 {
			m, err := f.At(context.Background(), got[len(got)-1])
			if err != nil || n%5 == 0 && verdict(t, m.Snap, m.Judged) != verdict(t, scenes[len(got)-1].snap, scenes[len(got)-1].at) {
				t.Fatalf("%d bytes: %v", n, err)
			}
		}
	}
	if last < len(scenes)-1 {
		t.Errorf("only %d moments of %d, one byte before the end", last, len(scenes))
	}
}

// TestChangedAnywhere: a byte that was changed is noticed, and nothing behind it counts.
func TestChangedAnywhere(t *testing.T) {
	scenes := incident(70) // three frames
	b := recording(t, scenes)
	for n := 0; n < len(b); n += 211 {
		changed := slices.Clone(b)
		changed[n] ^= 0x10
		f, err := record.Open(bytes.NewReader(changed), int64(len(changed)), "changed")
		if errors.Is(err, record.ErrNotRecording) && n < 40 {
			continue
		}
		if err != nil {
			t.Fatalf("byte %d: %v", n, err)
		}
		got, err := f.Moments(context.Background(), time.Time{}, t0.Add(time.Hour))
		if err != nil || len(got) > len(scenes) {
			t.Fatalf("byte %d: %d moments, %v", n, len(got), err)
		}
		if f.Damage() == nil {
			t.Errorf("byte %d was changed, and nothing is reported", n)
		}
	}
}

func TestResume(t *testing.T) {
	scenes := incident(100)
	whole := recording(t, scenes[:50])
	for _, cut := range []int{0, 1, 700} { // closed, without the end of its index, in the middle of a frame
		kept := slices.Clone(whole[:len(whole)-cut])
		had, err := open(t, kept).Moments(context.Background(), time.Time{}, t0.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		var more bytes.Buffer
		w, keep, first, err := open(t, kept).Resume(&more, "pgtui test")
		if err != nil {
			t.Fatal(err)
		}
		if err := first(); err != nil {
			t.Fatal(err)
		}
		for _, s := range scenes[50:] {
			if err := w.Moment(s.at, s.snap); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f := open(t, append(kept[:keep:keep], more.Bytes()...))
		got, err := f.Moments(context.Background(), time.Time{}, t0.Add(time.Hour))
		if err != nil || f.Damage() != nil || len(got) != len(had)+50 {
			t.Errorf("cut by %d: %d moments of %d and 50, %v, %v", cut, len(got), len(had), f.Damage(), err)
		}
		if m, err := f.At(context.Background(), scenes[99].at); err != nil || verdict(t, m.Snap, m.Judged) != verdict(t, scenes[99].snap, scenes[99].at) {
			t.Errorf("cut by %d: %v", cut, err)
		}
	}
}

func TestNotARecording(t *testing.T) {
	for _, b := range []string{"all:\n  children:\n", "PK\x03\x04", strings.Repeat("x", 3000)} {
		if _, err := record.Open(strings.NewReader(b), int64(len(b)), "x"); !errors.Is(err, record.ErrNotRecording) {
			t.Errorf("%.10q: %v", b, err)
		}
	}
}

// TestZcat: the lines are there for any program that reads gzip.
func TestZcat(t *testing.T) {
	z, err := gzip.NewReader(bytes.NewReader(recording(t, incident(70))))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for l := range bytes.Lines(text) {
		var v struct {
			V int       `json:"v"`
			T time.Time `json:"t"`
			K string    `json:"k"`
			D any       `json:"d"`
		}
		if err := json.Unmarshal(l, &v); err != nil || v.V != 1 || v.T.IsZero() {
			t.Fatalf("%s: %v", l, err)
		}
		kinds[v.K]++
	}
	if kinds["moment"] != 70 || kinds["frame"] != 3 || kinds["inventory"] < 2 || kinds["event"] != 7 || kinds["haproxy"] == 0 {
		t.Errorf("%v", kinds)
	}
}

// fill gives every field below v a value that is not zero, and every text that of secret.
func fill(v reflect.Value, secret string, depth int) {
	if depth > 12 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(t0))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), secret, depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), secret, depth+1)
	case reflect.Map:
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k, "key", depth+1)
		fill(e, secret, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(k, e)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), secret, depth+1)
	case reflect.Interface:
		v.Set(reflect.ValueOf(errors.New(secret)))
	case reflect.String:
		v.SetString(secret)
	}
}

// TestNoSecretIsRecorded plants secrets where they may be: in every model.Secret, in every
// text as a password of a URL, of a connection string and of stats auth, and in the fields that are withheld.
func TestNoSecretIsRecorded(t *testing.T) {
	const secret = "hunter2secretvalue"
	plain := func(b []byte) string {
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, text := range []string{
		"postgres://dbuser_dba:" + secret + "@10.10.10.11/postgres", "host=a password=" + secret + " user=b", "PGPASSWORD=" + secret, "PATRONI_TOKEN: '" + secret + "'",
		"stats auth admin:" + secret, "\x1b[31mapi_token = " + secret,
	} {
		s := &model.Snapshot{}
		fill(reflect.ValueOf(s).Elem(), text, 0)
		got := plain(recording(t, []scene{{t0, s}}))
		if at := strings.Index(got, secret); at >= 0 {
			t.Errorf("%q is recorded as …%s", text, got[max(0, at-80):at+len(secret)])
		}
		if strings.Contains(got, `\u001b`) {
			t.Error("an escape sequence is recorded")
		}
	}
	s := &model.Snapshot{}
	fill(reflect.ValueOf(s).Elem(), "word", 0)
	withheld(reflect.ValueOf(s).Elem(), secret)
	if got := plain(recording(t, []scene{{t0, s}})); strings.Contains(got, secret) || !strings.Contains(got, "word") {
		t.Error("a field that is withheld is recorded")
	}
}

// withheld puts secret into each model.Secret, and into the fields that may not be recorded.
func withheld(v reflect.Value, secret string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			if f.CanSet() && f.Kind() == reflect.String && (f.Type() == reflect.TypeFor[model.Secret]() || record.Withheld(v.Type(), v.Type().Field(i).Name)) {
				f.SetString(secret)
				continue
			}
			withheld(f, secret)
		}
	case reflect.Slice:
		for i := range v.Len() {
			withheld(v.Index(i), secret)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			withheld(e, secret)
			v.SetMapIndex(k, e)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			withheld(v.Elem(), secret)
		}
	}
}

// TestEveryFieldSurvives: what is recorded of a snapshot in which every field has a value
// is all of it, but for what is withheld.
func TestEveryFieldSurvives(t *testing.T) {
	s := &model.Snapshot{}
	fill(reflect.ValueOf(s).Elem(), "word", 0)
	b := recording(t, []scene{{t0, s}})
	m, err := open(t, b).At(context.Background(), t0)
	if err != nil {
		t.Fatal(err)
	}
	if again := recording(t, []scene{{t0, m.Snap}}); !bytes.Equal(again, b) {
		t.Errorf("a recording of what was read differs from the recording")
	}
	if m.Snap.Patroni["key"].Status.Value.Role != "word" || m.Snap.Patroni["key"].Status.Err.Error() != "word" || m.Snap.Inventory.Clusters[0].Instances[0].Name != "word" {
		t.Errorf("%+v", m.Snap)
	}
}

func FuzzOpen(f *testing.F) {
	fuzz.Target(f)
	whole := recording(f, incident(3))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := record.Open(bytes.NewReader(b), int64(len(b)), "fuzz")
		if err != nil {
			return
		}
		_ = file.Play(context.Background(), time.Time{}, t0.Add(1000*time.Hour), func(m past.Moment) bool {
			_ = check.Boards(m.Snap, m.Judged)
			return true
		})
		_, _ = file.Events(context.Background(), time.Time{}, t0.Add(time.Hour))
	})
}

func BenchmarkMoment(b *testing.B) {
	scenes := incident(200)
	w := record.NewWriter(io.Discard, "bench")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := scenes[i%len(scenes)]
		if err := w.Moment(t0.Add(time.Duration(i)*2*time.Second), s.snap); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(w.Size())/float64(b.N), "B/moment")
}

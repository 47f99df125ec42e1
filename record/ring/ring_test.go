package ring_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/past"
	"pgtui/record"
	"pgtui/record/ring"
)

var t0 = modeltest.T0

// snap is what was observed at a time; each differs from the one before.
func snap(i int) *model.Snapshot {
	w := modeltest.NewWorld()
	s := *w.Snap
	s.Seq, s.TakenAt = uint64(i), t0.Add(time.Duration(i)*2*time.Second)
	s.Patroni = map[model.InstanceName]model.PatroniView{}
	for name, v := range w.Snap.Patroni {
		v.Status.Value.Location, v.Status.At = int64(i)*1000003, s.TakenAt
		s.Patroni[name] = v
	}
	return &s
}

func files(t *testing.T, dir string) (names []string, size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		if st.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", path, st.Mode())
		}
		names, size = append(names, path), size+st.Size()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, size
}

func TestRing(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "pigsty.yml-00000000")
	const most, step = 1 << 20, 10*time.Second
	w := &ring.Writer{Root: root, Dir: dir, Most: most, Program: "pgtui test"}
	n := 0
	for ; n < 1800; n++ { // five hours: a file an hour
		at := t0.Add(time.Duration(n) * step)
		if err := w.Moment(at, snap(n%50)); err != nil {
			t.Fatal(err)
		}
		if n%200 == 0 {
			if err := w.Event(record.KindEvent, board.Event{At: at, Cluster: "pg-test", Kind: "leader", After: "pg-test-1"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	names, size := files(t, root)
	if len(names) < 3 || size > most || size < most/20 {
		t.Errorf("%d files with %d bytes", len(names), size)
	}
	r := ring.NewReader("recorder", dir)
	defer r.Close()
	last := t0.Add((time.Duration(n) - 1) * step)
	m, err := r.At(context.Background(), last.Add(time.Second), "pg-test")
	if err != nil || !m.Judged.Equal(last) || m.Source != "recorder" {
		t.Errorf("%v: %s", err, m.Judged)
	}
	m, err = r.At(context.Background(), last.Add(-20*time.Minute)) // in another file
	if err != nil || !m.Judged.Equal(last.Add(-20*time.Minute)) {
		t.Errorf("%v: %s", err, m.Judged)
	}
	var not *past.NotCovered
	if _, err := r.At(context.Background(), last.Add(time.Hour)); !errors.As(err, &not) || !strings.Contains(err.Error(), "recorder ends at") {
		t.Errorf("%v", err)
	}
	events, err := r.Events(context.Background(), last.Add(-time.Hour), last)
	if err != nil || len(events) < 1 || len(events) > 2 {
		t.Errorf("%v: %d events", err, len(events))
	}
	if e, ok, err := r.Event(context.Background(), events[0].ID()); err != nil || !ok || !e.At.Equal(events[0].At) {
		t.Errorf("%v %v %v", e, ok, err)
	}
	if gaps, err := r.Gaps(context.Background(), last.Add(-30*time.Minute), last); err != nil || len(gaps) != 0 {
		t.Errorf("%v %v", gaps, err)
	}
}

func TestOldFilesGo(t *testing.T) {
	root := t.TempDir()
	write := func(sub string, at time.Time) string {
		t.Helper()
		w := &ring.Writer{Root: root, Dir: filepath.Join(root, sub), Keep: time.Hour}
		if err := errors.Join(w.Moment(at, snap(0)), w.Close()); err != nil {
			t.Fatal(err)
		}
		all, err := filepath.Glob(filepath.Join(root, sub, "*.rec"))
		if err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		return all[len(all)-1]
	}
	now := time.Now()
	old := write("a", now.Add(-3*time.Hour))
	if err := os.Chtimes(old, now, now.Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(root, "a", "notes.txt")
	if err := os.WriteFile(note, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	write("b", now)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is kept: %v", old, err)
	}
	if _, err := os.Stat(note); err != nil {
		t.Error(err)
	}
}

func TestAppend(t *testing.T) {
	name := filepath.Join(t.TempDir(), "incident.rec")
	for round := range 2 {
		a, err := ring.Append(name, "pgtui test")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ring.Append(name, "pgtui test"); err == nil || !strings.Contains(err.Error(), "another process records into") {
			t.Errorf("a second one at the same time: %v", err)
		}
		for i := range 5 {
			n := round*5 + i
			if err := a.Moment(t0.Add(time.Duration(n)*2*time.Second), snap(n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := ring.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := r.Moments(context.Background(), t0, t0.Add(time.Hour)); err != nil || len(got) != 10 || r.Damage(context.Background()) != "" {
		t.Errorf("%d moments, %v, %q", len(got), err, r.Damage(context.Background()))
	}
	if _, err := owned(name); err != nil {
		t.Error(err)
	}
}

// owned checks the mode of one file.
func owned(name string) (fs.FileMode, error) {
	st, err := os.Stat(name)
	if err == nil && st.Mode().Perm() != 0o600 {
		err = errors.New(st.Mode().String())
	}
	if err != nil {
		return 0, err
	}
	return st.Mode(), nil
}

func TestAppendLeavesOtherFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pigsty.yml")
	text := []byte("all:\n  children:\n")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Append(name, "x"); !errors.Is(err, record.ErrNotRecording) {
		t.Errorf("%v", err)
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ring.OpenFile(name); !errors.Is(err, record.ErrNotRecording) {
		t.Errorf("%v", err)
	}
}

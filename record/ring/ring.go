// Package ring keeps recordings in a directory: the writer removes the oldest files of the ring, and the
// reader finds the moments in those that are left.
package ring

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/record"
	"pgtui/source"
)

// The bounds of a ring where none are set.
const (
	Most = 64 << 20
	Keep = 24 * time.Hour
)

// The bounds of one file: a ring loses a file at a time.
const (
	fileLasts = time.Hour
	parts     = 16 // of a ring, at the least
)

// suffix is of the files of a ring.
const suffix = ".rec"

// Writer writes a recording into a ring. It is not safe for concurrent use.
type Writer struct {
	Root string // of the rings of all inventories, which share Most
	Dir  string // of this inventory, below Root
	// Most is how many bytes all files below Root may have; 0 is Most.
	Most int64
	// Keep is how long a file is kept after it was written; 0 is Keep.
	Keep    time.Duration
	Program string

	file  *os.File
	to    *record.Writer
	began time.Time
}

// Moment records what was observed.
func (w *Writer) Moment(at time.Time, snap *model.Snapshot) error {
	if err := w.enter(at); err != nil {
		return err
	}
	return w.to.Moment(at, snap)
}

// Event records transitions.
func (w *Writer) Event(k record.Kind, events ...board.Event) error {
	if len(events) == 0 {
		return nil
	}
	if err := w.enter(events[0].At); err != nil {
		return err
	}
	return w.to.Event(k, events...)
}

// enter opens a file where none is open, and closes one that is full.
func (w *Writer) enter(at time.Time) error {
	if w.file != nil && (at.Sub(w.began) >= fileLasts || w.to.Size() >= cmp.Or(w.Most, Most)/parts) {
		if err := w.Close(); err != nil {
			return err
		}
	}
	if w.file != nil {
		return nil
	}
	if err := w.prune(at); err != nil {
		return err
	}
	name := filepath.Join(w.Dir, fmt.Sprintf("%s-%d%s", at.UTC().Format(stamp), os.Getpid(), suffix))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := lock(f); err != nil {
		return errors.Join(err, f.Close())
	}
	w.file, w.began, w.to = f, at, record.NewWriter(f, w.Program)
	return nil
}

// stamp is the time in the name of a file.
const stamp = "20060102T150405.000"

// lock holds a file while it is written; an error says that another process does.
func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) } //nolint:gosec // a descriptor

// prune makes the directory, and removes the files that are too old and the oldest of those that are too
// many. A file that is being written stays.
func (w *Writer) prune(now time.Time) error {
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		return err
	}
	all, err := list(w.Root)
	if err != nil {
		return err
	}
	total := int64(0)
	for _, f := range all {
		total += f.size
	}
	most, keep := cmp.Or(w.Most, Most), cmp.Or(w.Keep, Keep)
	for _, f := range all {
		if now.Sub(f.at) <= keep && total <= most-most/parts {
			continue
		}
		if f.remove() {
			total -= f.size
		}
	}
	return nil
}

// Close ends the open file.
func (w *Writer) Close() error {
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.to.Close(), w.file.Close())
	w.file, w.to = nil, nil
	return err
}

// entry is one file of a ring.
type entry struct {
	path string
	from time.Time // by its name
	at   time.Time // of its last write
	size int64
}

// list are the files below a directory, the oldest first. A directory that is not there has none.
func list(root string) ([]entry, error) {
	var out []entry
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != suffix {
			return err
		}
		first, _, _ := strings.Cut(d.Name(), "-")
		from, err := time.Parse(stamp, first)
		if err != nil {
			return nil // another's
		}
		st, err := d.Info()
		if err != nil || !st.Mode().IsRegular() {
			return nil // it was removed meanwhile
		}
		out = append(out, entry{path, from, st.ModTime(), st.Size()})
		return nil
	})
	slices.SortFunc(out, func(a, b entry) int { return cmp.Or(a.from.Compare(b.from), strings.Compare(a.path, b.path)) })
	return out, err
}

// remove removes a file that no process writes, and reports whether it is gone.
func (e *entry) remove() bool {
	f, err := os.Open(e.path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	return lock(f) == nil && os.Remove(e.path) == nil
}

// Appended is a recording that is written to one file.
type Appended struct {
	*record.Writer
	file *os.File
}

// Append opens a file to record into, and creates it with mode 0600. One that is there is continued; what is
// not a recording, or is damaged, stays as it is.
func Append(name, program string) (*Appended, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	to, err := resume(f, name, program)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Appended{to, f}, nil
}

func resume(f *os.File, name, program string) (*record.Writer, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", name)
	}
	if err := lock(f); err != nil {
		return nil, fmt.Errorf("another process records into %s", name)
	}
	had, err := record.Open(f, st.Size(), name)
	if err != nil {
		return nil, &source.Hint{Err: fmt.Errorf("%s: %w", name, err), Try: "record --out with the name of a new file"}
	}
	to, keep, first, err := had.Resume(f, program)
	if err != nil {
		return nil, &source.Hint{Err: fmt.Errorf("%s is damaged: %w", name, err), Try: "record --out with the name of a new file"}
	}
	if err := f.Truncate(keep); err != nil {
		return nil, err
	}
	if _, err := f.Seek(keep, 0); err != nil {
		return nil, err
	}
	return to, first()
}

// Close ends the recording.
func (a *Appended) Close() error { return errors.Join(a.Writer.Close(), a.file.Close()) }

package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/source"
)

// inputs collects what an inventory is read from. Each file is stamped before
// its text is read: a write in between is a change.
type inputs struct {
	mu   sync.Mutex
	list []source.Input
	at   map[string]int // of a path in list
}

func newInputs() *inputs { return &inputs{at: map[string]int{}} }

// add stamps a file, once.
func (n *inputs) add(path string) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, there := n.at[abs]; !there {
		n.at[abs] = len(n.list)
		n.list = append(n.list, source.Input{Path: abs, Name: filepath.Base(abs), Stamp: stampOf(abs)})
	}
}

// ran marks a file as a program that was run.
func (n *inputs) ran(path string) {
	n.add(path)
	abs, err := filepath.Abs(path)
	n.mu.Lock()
	defer n.mu.Unlock()
	if i, there := n.at[abs]; err == nil && there {
		n.list[i].Runs = true
	}
}

func (n *inputs) all() []source.Input {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.list
}

// dir is a directory that adds every file that is opened or searched in it.
func (n *inputs) dir(path string) fs.FS { return noted{os.DirFS(path), path, n} }

// noted is what inputs.dir returns.
type noted struct {
	fs.FS
	path string
	seen *inputs
}

// Open adds the file and opens it.
func (d noted) Open(name string) (fs.File, error) {
	d.seen.add(filepath.Join(d.path, name))
	return d.FS.Open(name)
}

// Stat adds the file and reads its state.
func (d noted) Stat(name string) (fs.FileInfo, error) {
	d.seen.add(filepath.Join(d.path, name))
	return fs.Stat(d.FS, name)
}

// ReadDir adds the directory and lists it.
func (d noted) ReadDir(name string) ([]fs.DirEntry, error) {
	d.seen.add(filepath.Join(d.path, name))
	return fs.ReadDir(d.FS, name)
}

// stampOf is the stamp of a model.Input.
func stampOf(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	if st.IsDir() {
		entries, err := os.ReadDir(path)
		names := make([]string, 0, len(entries))
		for _, e := range entries {
			if n := e.Name(); !strings.HasPrefix(n, ".") && !strings.HasSuffix(n, "~") { // not those of an editor
				names = append(names, n)
			}
		}
		return fmt.Sprintf("%v/%s", err, strings.Join(names, "/"))
	}
	var inode uint64
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		inode = sys.Ino
	}
	return fmt.Sprintf("%d %d %d %v", inode, st.Size(), st.ModTime().UnixNano(), st.Mode())
}

// Stamp are the inputs as they are now.
func (s *Session) Stamp(was []source.Input) []source.Input {
	out := slices.Clone(was)
	for i := range out {
		out[i].Stamp = stampOf(out[i].Path)
	}
	return out
}

// Change is a change of the files that an inventory was read from.
type Change struct {
	Names []string         // of the changed files
	Inv   *model.Inventory // read again; nil when that failed, or was not tried
	Err   error
}

// What is the change in one sentence.
func (c *Change) What() string { return "the inventory changed: " + strings.Join(c.Names, ", ") }

// Text is the change and what was done about it.
func (c *Change) Text() string {
	switch {
	case c.Err != nil:
		return c.What() + "; the last good inventory is still in use, because this one cannot be read: " + c.Err.Error()
	case c.Inv == nil:
		return c.What() + "; it is not read again, because that runs a program: restart the watch"
	}
	return c.What() + "; it was read again"
}

// Changes sends every change of an inventory's files until ctx ends, once they
// have stopped changing. An inventory that is a program is not read again.
func (s *Session) Changes(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan Change {
	out := make(chan Change)
	guard.Go("watching the inventory", func() {
		base, last, over := inv.Inputs, inv.Inputs, false
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			is := s.Stamp(base)
			still := len(source.ChangedInputs(last, is)) == 0
			last = is
			names := source.ChangedInputs(base, is)
			if len(names) == 0 || !still || over {
				continue
			}
			c := Change{Names: names}
			if over = source.RunsProgram(base); !over {
				if c.Inv, c.Err = s.Load(ctx); c.Err == nil {
					base = c.Inv.Inputs
				} else {
					base = inputsOf(c.Err, is)
				}
				last = base
			}
			select {
			case out <- c:
			case <-ctx.Done():
				return
			}
		}
	}, func(error) {})
	return out
}

// inputsOf are the inputs of a load that failed, else the other ones.
func inputsOf(err error, other []source.Input) []source.Input {
	if u, ok := errors.AsType[*source.Unread](err); ok && len(u.Inputs) > 0 {
		return u.Inputs
	}
	return other
}

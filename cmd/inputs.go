package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/source"
)

// inputs notes what an inventory is read from. Each file is noted as it was
// before its text was read: what is written meanwhile is a change.
type inputs struct {
	mu   sync.Mutex
	list []source.Input
	at   map[string]int // of a path in list
}

func newInputs() *inputs { return &inputs{at: map[string]int{}} }

// add notes a file, once.
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

// ran notes that a file was run.
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

// dir is a directory that notes what is opened or looked for in it.
func (n *inputs) dir(path string) fs.FS { return noted{os.DirFS(path), path, n} }

// noted is what inputs.dir returns.
type noted struct {
	fs.FS
	path string
	seen *inputs
}

// Open notes the file and opens it.
func (d noted) Open(name string) (fs.File, error) {
	d.seen.add(filepath.Join(d.path, name))
	return d.FS.Open(name)
}

// Stat notes the file and looks at it.
func (d noted) Stat(name string) (fs.FileInfo, error) {
	d.seen.add(filepath.Join(d.path, name))
	return fs.Stat(d.FS, name)
}

// ReadDir notes the directory and lists it.
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
			if n := e.Name(); !strings.HasPrefix(n, ".") && !strings.HasSuffix(n, "~") { // an editor's own
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

// stamped are the inputs as they are now.
func stamped(was []source.Input) []source.Input {
	out := make([]source.Input, len(was))
	for i, in := range was {
		in.Stamp = stampOf(in.Path)
		out[i] = in
	}
	return out
}

// inputsEvery is how often a watch looks whether its inventory has changed.
const inputsEvery = 2 * time.Second

// reread is a change of the files that an inventory was read from.
type reread struct {
	names []string         // of what has changed
	inv   *model.Inventory // read again; nil where that has failed, or was not tried
	err   error
}

// text is what is said of it.
func (r *reread) text() string {
	what := "the inventory was changed: " + strings.Join(r.names, ", ")
	switch {
	case r.err != nil:
		return what + "; it cannot be read, and what was read before it stays: " + r.err.Error()
	case r.inv == nil:
		return what + "; it is not read again, for that would run a program: start the watch again"
	}
	return what + "; it was read again"
}

// rereads tells of every change of an inventory's files until ctx ends, once
// they have stopped changing. Where a program is among them nothing is read
// again: it would be run.
func (a *app) rereads(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan reread {
	out := make(chan reread)
	guard.Go("watching the inventory", func() {
		base, last, told := inv.Inputs, inv.Inputs, false
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			is := stamped(base)
			still := len(source.ChangedInputs(last, is)) == 0
			last = is
			names := source.ChangedInputs(base, is)
			if len(names) == 0 || !still || told {
				continue
			}
			r := reread{names: names}
			if told = source.RunsProgram(base); !told {
				if r.inv, r.err = a.load(ctx); r.err == nil {
					base = r.inv.Inputs
				} else {
					base = inputsOf(r.err, is)
				}
				last = base
			}
			select {
			case out <- r:
			case <-ctx.Done():
				return
			}
		}
	}, func(error) {})
	return out
}

// inputsOf are the inputs of a reading that has failed, else those that are
// given.
func inputsOf(err error, other []source.Input) []source.Input {
	if u, ok := errors.AsType[*source.Unread](err); ok && len(u.Inputs) > 0 {
		return u.Inputs
	}
	return other
}

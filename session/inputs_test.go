package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/source"
)

// house is a directory with an inventory of several files.
type house struct {
	*testing.T
	dir string
	s   *Session
}

func newHouse(t *testing.T) *house {
	h := &house{T: t, dir: t.TempDir()}
	h.write("pigsty.yml", "all: { children: { pg-a: { hosts: { 10.0.0.1: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg-a } } } }\n")
	h.write("group_vars/pg-a.yml", "x: 1\n")
	h.write("host_vars/10.0.0.1.yml", "y: 1\n")
	h.write("ansible.cfg", "[defaults]\ninventory = pigsty.yml\n")
	env := map[string]string{"PIGSTY_HOME": h.dir}
	h.s = with(env)
	h.s.PigstyHome = h.dir
	return h
}

func (h *house) write(name, text string) {
	h.Helper()
	file := filepath.Join(h.dir, name)
	part := filepath.Join(filepath.Dir(file), ".part")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(part, []byte(text), 0o600), os.Rename(part, file)); err != nil {
		h.Fatal(err)
	}
}

func (h *house) load() *model.Inventory {
	h.Helper()
	inv, err := h.s.Load(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return inv
}

// TestEveryFileOfAnInventoryIsWatched: what it was read from, and what would have
// been read had it been there.
func TestEveryFileOfAnInventoryIsWatched(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(h *house)
		want   string // "" is no change
	}{
		{"nothing", func(*house) {}, ""},
		{"the file", func(h *house) { h.write("pigsty.yml", "all: {}\n") }, "pigsty.yml"},
		{"the file is replaced by one of the same size and time", func(h *house) {
			file := filepath.Join(h.dir, "pigsty.yml")
			st, err := os.Stat(file)
			if err == nil {
				err = os.Rename(file, file+".old")
			}
			if err == nil {
				h.write("pigsty.yml", strings.Repeat(" ", int(st.Size())))
				err = os.Chtimes(file, st.ModTime(), st.ModTime())
			}
			if err != nil {
				h.Fatal(err)
			}
		}, "pigsty.yml"},
		{"the file is gone", func(h *house) { _ = os.Remove(filepath.Join(h.dir, "pigsty.yml")) }, "pigsty.yml"},
		{"a file of group_vars", func(h *house) { h.write("group_vars/pg-a.yml", "x: 22\n") }, "pg-a.yml"},
		{"a file of host_vars", func(h *house) { h.write("host_vars/10.0.0.1.yml", "y: 22\n") }, "10.0.0.1.yml"},
		{"a new file of group_vars", func(h *house) { h.write("group_vars/all.yml", "z: 1\n") }, "all.yml"},
		{"a new directory of variables", func(h *house) { h.write("group_vars/all/one.yml", "z: 1\n") }, "all"},
		{"ansible.cfg", func(h *house) { h.write("ansible.cfg", "[defaults]\ninventory = other.yml\n") }, "ansible.cfg"},
		{"an editor's file beside it", func(h *house) { h.write(".pigsty.yml.swp", "x"); h.write("pigsty.yml~", "x") }, ""},
		{"a file of somebody else", func(h *house) { h.write("notes.txt", "x") }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			inv := h.load()
			tt.change(h)
			got := source.ChangedInputs(inv.Inputs, h.s.Stamp(inv.Inputs))
			if tt.want == "" && len(got) > 0 || tt.want != "" && !slices.Contains(got, tt.want) || source.RunsProgram(inv.Inputs) {
				t.Errorf("changed %q, want %q", got, tt.want)
			}
		})
	}
}

// TestWhatRunsIsMarked: programs are marked.
func TestWhatRunsIsMarked(t *testing.T) {
	h := newHouse(t)
	h.write("inv.sh", "#!/bin/sh\necho '{\"pg-a\": {\"hosts\": [\"10.0.0.1\"], \"vars\": {\"pg_cluster\": \"pg-a\", \"pg_seq\": 1, \"pg_role\": \"primary\"}}, \"_meta\": {\"hostvars\": {}}}'\n")
	if err := os.Chmod(filepath.Join(h.dir, "inv.sh"), 0o700); err != nil {
		t.Fatal(err)
	}
	h.s.Inventory = filepath.Join(h.dir, "inv.sh")
	inv := h.load()
	if !source.RunsProgram(inv.Inputs) {
		t.Errorf("%+v", inv.Inputs)
	}
	h.write("inv.sh", "#!/bin/sh\necho changed\n")
	if got := source.ChangedInputs(inv.Inputs, h.s.Stamp(inv.Inputs)); !slices.Contains(got, "inv.sh") {
		t.Errorf("changed %q", got)
	}
}

// TestChanges: a change is sent once the files are at rest, with the inventory
// they make, or why they make none.
func TestChanges(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes := h.s.Changes(ctx, h.load(), time.Millisecond)
	next := func() Change {
		t.Helper()
		select {
		case r := <-changes:
			return r
		case <-time.After(20 * time.Second):
			t.Fatal("no change was sent")
		}
		return Change{}
	}
	h.write("pigsty.yml", "all:\n  children: [1]\n")
	if r := next(); r.Inv != nil || r.Err == nil || !strings.Contains(r.Text(), "pigsty.yml:2") || !slices.Contains(r.Names, "pigsty.yml") {
		t.Errorf("%+v", r)
	}
	h.write("pigsty.yml", "all: { children: { pg-b: { hosts: { 10.0.0.1: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg-b } } } }\n")
	if r := next(); r.Err != nil || r.Inv == nil || r.Inv.Cluster("pg-b") == nil {
		t.Errorf("%+v", r)
	}
}

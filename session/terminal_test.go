package session

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/source"
)

// declared is an inventory in which every kind of thing has a line of its own.
const declared = `all:
  children:
    pg-test:
      hosts:
        10.10.10.11: { pg_seq: 1, pg_role: primary }
        10.10.10.12: { pg_seq: 2, pg_role: replica }
      vars:
        pg_cluster: pg-test
        pg_services:
          - { name: standby, port: 5435, selector: "[]", check: /sync }
  vars:
    version: v4.5.0
`

// TestEditorOpensWhatIsDeclared: the line of the editor is that of what is under
// the cursor, and a file that does not load is opened all the same.
func TestEditorOpensWhatIsDeclared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pigsty.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(declared)
	env := map[string]string{"EDITOR": "nano -w"}
	s := New(Options{Inventory: file}, World{Getenv: func(name string) string { return env[name] }, Now: time.Now})
	inv, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		at   model.Place
		pos  source.Pos
		want string
	}{
		{"a value whose line is known", model.Place{Cluster: "pg-test"}, source.Pos{File: file, Line: 12}, "+12"},
		{"an instance", model.Place{Cluster: "pg-test", Instance: "pg-test-2", Service: "standby"}, source.Pos{}, "+6"},
		{"a node", model.Place{Cluster: "pg-test", Host: "10.10.10.11"}, source.Pos{}, "+5"},
		{"a service", model.Place{Cluster: "pg-test", Service: "standby"}, source.Pos{}, "+10"},
		{"a service of Pigsty's own", model.Place{Cluster: "pg-test", Service: "primary"}, source.Pos{}, "+8"},
		{"a cluster", model.Place{Cluster: "pg-test"}, source.Pos{}, "+8"},
	} {
		p, err := s.Editor(t.Context(), inv, tt.at, tt.pos)
		if want := []string{"nano", "-w", tt.want, file}; err != nil || !slices.Equal(p.Argv, want) {
			t.Errorf("%s: %q, %v, expected %q", tt.name, p.Argv, err, want)
		}
	}
	write("all: [")
	if p, err := s.Editor(t.Context(), inv, model.Place{Cluster: "pg-test"}, source.Pos{}); err != nil || !slices.Equal(p.Argv, []string{"nano", "-w", file}) {
		t.Errorf("a file that does not load: %q, %v", p.Argv, err)
	}
	env["VISUAL"] = "vim 'half"
	if _, err := s.Editor(t.Context(), inv, model.Place{}, source.Pos{}); err == nil || !strings.Contains(err.Error(), "$VISUAL: a quote is not closed") {
		t.Errorf("an editor with half a quote: %v", err)
	}
	s.ReadOnly = "--read-only"
	if _, err := s.Editor(t.Context(), inv, model.Place{}, source.Pos{}); !errors.Is(err, transport.ErrReadOnly) {
		t.Errorf("read-only: %v", err)
	}
}

// TestShellHasTheOptionsOfScripts: a shell goes the way that scripts go, with a
// terminal in place of what keeps scripts away from one.
func TestShellHasTheOptionsOfScripts(t *testing.T) {
	inv := &model.Inventory{Nodes: []model.Node{{Host: "10.10.10.11", Name: "pg-test-1",
		SSH: model.SSHTarget{Address: "192.0.2.7", User: "dba", Port: 2222, CommonArgs: "-J 'jump host'"}}}}
	s := New(Options{SSHConfig: "/x/ssh_config", SSHProgram: "/bin/false", ReadOnly: "--read-only"}, World{Getenv: func(string) string { return "" }, Now: time.Now})
	p, err := s.Shell(t.Context(), inv, "10.10.10.11")
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Join(p.Argv, " ")
	for _, want := range []string{"/bin/false -t ", "ConnectTimeout=5", "ForwardAgent=no", "ControlMaster=no", "StrictHostKeyChecking=yes", "-F /x/ssh_config -p 2222 -l dba -J jump host -- 192.0.2.7"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q is not in %q", want, line)
		}
	}
	for _, not := range []string{"BatchMode", "RequestTTY", " -T"} {
		if strings.Contains(line, not) {
			t.Errorf("%q is in %q", not, line)
		}
	}
	if _, err := s.Shell(t.Context(), inv, "10.10.10.99"); err == nil {
		t.Error("a shell on a node that the inventory does not have")
	}
}

package apply

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgtui/plan"
	"pgtui/probe/transport"
)

// shell is a Runner that runs scripts here, on a directory that stands for the
// node. kill, when set, is asked after each line whether the script and all
// its process group shall be killed, with signal 9.
type shell struct {
	root string
	sh   string
	kill func(line string) bool
}

func (s shell) Run(ctx context.Context, c transport.Cmd) (transport.Output, error) {
	sh := s.sh
	if sh == "" {
		sh = "sh"
	}
	cmd := exec.CommandContext(ctx, sh, append([]string{"-c", c.Script, "pgtui"}, c.Args...)...)
	cmd.Stdin = bytes.NewReader(c.Stdin)
	cmd.Env = append(os.Environ(), "PGTUI_ROOT="+s.root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out, errs bytes.Buffer
	w := &lineWriter{w: &out, line: func(l string) {
		c.OnLine(l)
		if s.kill != nil && s.kill(l) {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}}
	cmd.Stdout, cmd.Stderr = w, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("connection lost: %w", err)
	}
	return transport.Output{Stdout: out.Bytes(), Stderr: errs.Bytes(), Exit: cmd.ProcessState.ExitCode()}, err
}

type lineWriter struct {
	w    io.Writer
	rest string
	line func(string)
}

func (l *lineWriter) Write(p []byte) (int, error) {
	l.rest += string(p)
	for {
		line, rest, ok := strings.Cut(l.rest, "\n")
		if !ok {
			break
		}
		l.rest = rest
		l.line(line)
	}
	return l.w.Write(p)
}

const (
	okHaproxy = `#!/bin/sh
echo "haproxy $*" >>"$PGTUI_ROOT/calls"
`
	okSystemctl = `#!/bin/sh
echo "systemctl $*" >>"$PGTUI_ROOT/calls"
cat "$PGTUI_ROOT"/etc/haproxy/conf.d/*.cfg >"$PGTUI_ROOT/loaded"
`
)

const oldPrimary = "# ansible managed: 2026-01-01 00:00:00\n# service: pg-test-primary @ 10.10.10.11:5433\nlisten pg-test-primary\n    bind *:5433\n    server pg-test-1 10.10.10.11:6432 check port 8008 weight 100 \n"

// writeFile writes a file that may be a program. No test starts a process
// meanwhile: the process would have the file open for a moment, and a file that
// is open for writing is not executed.
func writeFile(t *testing.T, path, data string, mode fs.FileMode) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(data), mode); err != nil {
		t.Fatal(err)
	}
}

// nodeDir makes a directory that looks like a node: pg-test with a primary, a
// replica and a retired service, beside files that are not pg-test's.
func nodeDir(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write := func(name, data string, mode fs.FileMode) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, data, mode)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("bin/haproxy", okHaproxy, 0o755)
	write("bin/systemctl", okSystemctl, 0o755)
	write("etc/haproxy/haproxy.cfg", "global\n", 0o644)
	d := "etc/haproxy/conf.d/"
	write(d+"pg-test-primary.cfg", oldPrimary, 0o640)
	write(d+"pg-test-replica.cfg", strings.ReplaceAll(oldPrimary, "primary", "replica"), 0o644)
	write(d+"pg-test-retired.cfg", strings.ReplaceAll(oldPrimary, "primary", "retired"), 0o644)
	write(d+"pg-test-2-primary.cfg", "# service: pg-test-2-primary @ 10.10.10.21:5433\nlisten pg-test-2-primary\n", 0o644)
	write(d+"pg-test-byhand.cfg", "listen by-hand\n", 0o644)
	write(d+"grafana.cfg", "listen grafana\n", 0o644)
	write(d+"pg-test-primary.cfg.cfg", "not read by haproxy\n", 0o644)
	return root
}

func confFiles(t *testing.T, root string) map[string][]byte {
	t.Helper()
	dir := filepath.Join(root, "etc/haproxy/conf.d")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !e.Type().IsRegular() {
			continue
		}
		if out[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// tree is every file below etc with mode and content, hidden ones too.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(filepath.Join(root, "etc"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		out[rel] = info.Mode().String() + " " + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func diffTree(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name, data := range want {
		if g, ok := got[name]; !ok {
			t.Errorf("%s: %s is gone", what, name)
		} else if g != data {
			t.Errorf("%s: %s is %q, want %q", what, name, g, data)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s has appeared", what, name)
		}
	}
}

// change is the plan of these tests: the primary's weight, a new service, and
// the retired one away.
func change(t *testing.T, root string) *plan.Node {
	t.Helper()
	have := confFiles(t, root)
	n := &plan.Node{
		Host: "10.10.10.11", Node: "pg-test-1", ConfDir: "/etc/haproxy/conf.d", Have: map[string]string{},
		Foreign: []string{"grafana.cfg", "pg-test-2-primary.cfg", "pg-test-byhand.cfg", "pg-test-primary.cfg.cfg"},
	}
	for _, name := range []string{"pg-test-primary.cfg", "pg-test-replica.cfg", "pg-test-retired.cfg"} {
		n.Have[name] = plan.Sum(have[name])
	}
	n.Changes = []plan.FileChange{
		{Name: "pg-test-new one.cfg", After: []byte("listen pg-test-new\n\\backslash $HOME `id` 'quote'\n")},
		{Name: "pg-test-primary.cfg", Before: have["pg-test-primary.cfg"], After: bytes.Replace(have["pg-test-primary.cfg"], []byte("weight 100"), []byte("weight 50"), 1)},
		{Name: "pg-test-retired.cfg", Before: have["pg-test-retired.cfg"]},
	}
	return n
}

func wantTree(before map[string]string) map[string]string {
	want := map[string]string{}
	for k, v := range before {
		want[k] = v
	}
	d := "etc/haproxy/conf.d/"
	want[d+"pg-test-primary.cfg"] = strings.Replace(before[d+"pg-test-primary.cfg"], "weight 100", "weight 50", 1)
	want[d+"pg-test-new one.cfg"] = "-rw-r--r-- listen pg-test-new\n\\backslash $HOME `id` 'quote'\n"
	delete(want, d+"pg-test-retired.cfg")
	return want
}

const testPlan = "0123456789ab"

func applyScript(t *testing.T, runner shell, n *plan.Node) (*run, []plan.StepResult, error) {
	t.Helper()
	var steps []plan.StepResult
	a := &Applier{Runner: runner, Now: time.Now}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := a.runScript(ctx, n, func(s plan.StepResult) { steps = append(steps, s) }, payload(n, "pg-test-", true),
		"apply", testPlan, n.ConfDir, "alice@admin", "pg-test-", "20261120T093000Z", "0")
	return r, steps, err
}

func done(steps []plan.StepResult) string {
	var out []string
	for _, s := range steps {
		if s.Done && s.Err != nil {
			out = append(out, s.Step+"!")
		} else if s.Done {
			out = append(out, s.Step)
		}
	}
	return strings.Join(out, " ")
}

func tool(t *testing.T, root, name, text string) {
	t.Helper()
	writeFile(t, filepath.Join(root, "bin", name), text, 0o755)
}

func calls(t *testing.T, root string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "calls"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// shells are the shells of this machine that a node may have as sh.
func shells(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range []string{"dash", "bash", "busybox"} {
		p, err := exec.LookPath(name)
		if err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		if err == nil {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		t.Fatal("neither dash nor bash is here")
	}
	return out
}

// asSh makes a shell the sh of a node, and returns what starts it. It runs both
// parts of the script then, as it does on a real node.
func asSh(t *testing.T, root, sh string) string {
	t.Helper()
	link := filepath.Join(root, "bin/sh")
	must(t, os.Symlink(sh, link))
	return link
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

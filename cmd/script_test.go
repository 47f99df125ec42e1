package cmd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pgtui/cmd"
)

func TestMain(m *testing.M) {
	// A sandbox that a test starts in this process calls this program for its
	// nodes: it must not run the tests again.
	if len(os.Args) > 1 && os.Args[1] == "sandbox-node" {
		os.Exit(cmd.Main())
	}
	if os.Getenv("PGTUI_TEST_RUN") == "broken" {
		os.Exit(broken())
	}
	testscript.Main(m, map[string]func(){
		"pgtui": func() { os.Exit(recorded()) },
	})
}

// program is pgtui: this test binary by that name. Under the race detector it is
// a build of its own, without the detector: what Bubble Tea's reader of the
// terminal does at the end is not ours, and would change the exit code.
func program(t testing.TB) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "pgtui")
	if raced {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./pgtui").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return bin
	}
	exe, err := os.Executable()
	if err == nil {
		err = os.Symlink(exe, bin)
	}
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// TestScripts runs the scenarios of testdata/script: each is one readable file
// with its inputs and what must come out.
func TestScripts(t *testing.T) {
	printed := t.TempDir()
	t.Cleanup(func() {
		all := !t.Failed() && !strings.Contains(flag.Lookup("test.run").Value.String(), "/")
		validate(t, printed, all)
	})
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv(printedDir, printed)
			e.Defer(func() { keepAudit(t, printed, e.WorkDir) })
			return os.MkdirAll(filepath.Join(e.WorkDir, "home"), 0o755)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"big":     big,
			"await":   await,
			"replace": replace,
			"forward": forward,
			"exits":   exits,
			"stores":  stores,
		},
	})
}

// keepAudit copies the audit files of a script to the documents that are validated.
func keepAudit(t *testing.T, to, work string) {
	for i, name := range []string{"home/.local/state/pgtui/audit.jsonl", "sb/audit.jsonl"} {
		b, err := os.ReadFile(filepath.Join(work, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, fmt.Sprintf("audit.%s%d", filepath.Base(work), i)), b, 0o600)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	}
}

// exits CODE COMMAND ARGS...: runs a command, which must exit with that code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ee, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = ee.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit %d, want %d", code, want)
	}
}

// stores CONFIG SERIES LOGS: a store that answers as VictoriaMetrics does, with the recorded series of
// a file (the lines of /api/v1/export), and one that answers as VictoriaLogs does, with the lines of
// another. CONFIG names both as the site "recorded". storetest runs the real engines.
func stores(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	series, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	lines, err := os.ReadFile(ts.MkAbs(args[2]))
	ts.Check(err)
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(r.FormValue("query"), "{")
		if r.URL.Path == "/select/logsql/query" {
			w.Write(lines)
			return
		}
		type result struct {
			Metric map[string]string `json:"metric"`
			Values [][2]any          `json:"values"`
		}
		found := []result{}
		for row := range bytes.Lines(series) {
			var x struct {
				Metric     map[string]string
				Values     []float64
				Timestamps []int64
			}
			if json.Unmarshal(row, &x) != nil || x.Metric["__name__"] != name {
				continue
			}
			one := result{Metric: x.Metric}
			for i, at := range x.Timestamps {
				one.Values = append(one.Values, [2]any{float64(at) / 1000, fmt.Sprint(x.Values[i])})
			}
			found = append(found, one)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": found}})
	})}
	go s.Serve(l)
	ts.Defer(func() { s.Close() })
	text := fmt.Sprintf("stores:\n  recorded: {metrics: 'http://%s', logs: 'http://%[1]s'}\n", l.Addr())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// big FILE MEGABYTES: makes a large file that begins like an inventory.
func big(ts *testscript.TestScript, _ bool, args []string) {
	n := 20 << 20
	data := append([]byte("all:\n  vars:\n"), bytes.Repeat([]byte("    # x\n"), n/8)...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}

// await FILE: waits until a file is there.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for t0 := time.Now(); time.Since(t0) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s never came", args[0])
}

// forward CONFIG NODE PORT: a balancer that nobody knows, in front of the port
// of the address in the file NODE. CONFIG names it as the entry point "via".
func forward(ts *testscript.TestScript, _ bool, args []string) {
	node, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	text := fmt.Sprintf("entry-points:\n  via: {host: 127.0.0.1, cluster: pg-test, scheme: l4vip, ports: {primary: %d}}\n", l.Addr().(*net.TCPAddr).Port)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", net.JoinHostPort(strings.TrimSpace(string(node)), args[2]))
			if err != nil {
				client.Close()
				continue
			}
			for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
				go func() {
					io.Copy(to, from)
					to.Close()
				}()
			}
		}
	}()
}

// replace FILE OLD NEW: replaces a text that must be there.
func replace(ts *testscript.TestScript, _ bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if !bytes.Contains(data, []byte(args[1])) {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Replace(data, []byte(args[1]), []byte(args[2]), 1), 0o600))
}

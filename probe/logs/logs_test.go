package logs

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/probe/transport"
)

// waits is how long anything may take; it is seconds only on a busy machine.
const waits = 30 * time.Second

// nodeIn is a node whose "/" is a directory of the test.
func nodeIn(t *testing.T) (*model.Node, string) {
	t.Helper()
	dir := t.TempDir()
	return &model.Node{Host: "n1", SSH: model.SSHTarget{Address: "n1", Root: dir}}, dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func patroniLine(s string) string { return "2026-01-05 11:59:50 +0800 INFO: " + s + "\n" }

// TestRead: the newest lines of the file that Pigsty declares, and a unit without one.
func TestRead(t *testing.T) {
	n, dir := nodeIn(t)
	for i := range 20 {
		write(t, dir+"/logs of patroni/patroni.log", patroniLine(fmt.Sprint("line ", i)))
	}
	in := &model.Instance{Logs: model.LogDirs{Patroni: "/logs of patroni"}}
	var src model.LogSource
	var got []string
	read := func(u model.LogUnit) error {
		got = nil
		return Reader{transport.Local{}}.Read(t.Context(), n, in, u, model.LogRequest{Lines: 2},
			func(s model.LogSource) { src = s }, func(l model.LogLine) { got = append(got, l.Text) })
	}
	if err := read(model.LogPatroni); err != nil || src.From != "/logs of patroni/patroni.log" || strings.Join(got, "|") != "line 18|line 19" {
		t.Errorf("%q from %+v, %v", got, src, err)
	}
	if err := read(model.LogHAProxy); err != nil || src.Err == nil || len(got) > 0 {
		t.Errorf("no log: %q from %+v, %v", got, src, err)
	}
	write(t, dir+"/pg/log/postgres/postgresql-Sun.csv", "old\n")
	write(t, dir+"/pg/log/postgres/postgresql-Mon.csv", `2026-01-05 11:59:51.000 CST,,,700,,695b.2,1,,2026-01-05 11:00:00 CST,,0,LOG,00000,"ready",,,,,,,,,"","postmaster",,0`+"\n")
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dir+"/pg/log/postgres/postgresql-Sun.csv", past, past); err != nil {
		t.Fatal(err)
	}
	if err := read(model.LogPostgres); err != nil || src.From != "/pg/log/postgres/postgresql-Mon.csv" || strings.Join(got, "|") != "[700] ready" {
		t.Errorf("%q from %+v, %v", got, src, err)
	}
}

// TestFollow: new lines arrive, also of the file of the next day, the node waits for
// a reader that is slow, and nothing runs there once no one reads.
func TestFollow(t *testing.T) {
	n, dir := nodeIn(t)
	logs := dir + "/pg/log/postgres"
	write(t, logs+"/postgresql-Sun.log", patroniLine("first"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines, ended := make(chan string), make(chan error, 1)
	go func() {
		ended <- Reader{transport.Local{}}.Read(ctx, n, nil, model.LogPostgres, model.LogRequest{Lines: 10, Follow: true}, func(model.LogSource) {}, func(l model.LogLine) {
			select {
			case lines <- l.Text:
			case <-ctx.Done():
			}
		})
	}()
	next := func(want string) {
		t.Helper()
		select {
		case got := <-lines:
			if got != want {
				t.Fatalf("got %q, expected %q", got, want)
			}
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-time.After(waits):
			t.Fatalf("no %q within %s", want, waits)
		}
	}
	next("first")
	write(t, logs+"/postgresql-Sun.log", patroniLine("second"))
	next("second")
	future := time.Now().Add(time.Hour)
	write(t, logs+"/postgresql-Mon.log", patroniLine("third"))
	if err := os.Chtimes(logs+"/postgresql-Mon.log", future, future); err != nil {
		t.Fatal(err)
	}
	next("third")
	running := below(dir)
	if len(running) == 0 {
		t.Fatal("no process of the script was found: the test is broken")
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("an end that the context made is no end of the log")
	}
	for began := time.Now(); len(below(dir)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > waits {
			t.Fatalf("still running: %q", below(dir))
		}
	}
}

// TestFollowThatEnds: a reader that ends on the node ends the log, and its own words
// show why.
func TestFollowThatEnds(t *testing.T) {
	n, dir := nodeIn(t)
	write(t, dir+"/pg/log/patroni/patroni.log", patroniLine("first"))
	tail := dir + "/bin/tail"
	write(t, tail, "#!/bin/sh\necho 'tail: no space left for watches' >&2\n")
	if err := os.Chmod(tail, 0o755); err != nil {
		t.Fatal(err)
	}
	err := Reader{transport.Local{}}.Read(t.Context(), n, nil, model.LogPatroni, model.LogRequest{Lines: 1, Follow: true}, func(model.LogSource) {}, func(model.LogLine) {})
	if err == nil || !strings.Contains(err.Error(), "n1: the log of patroni is no longer followed: tail: no space left for watches") {
		t.Errorf("it ended with %v", err)
	}
}

// TestReaderThatIsGone: sshd closes the pipes of a script when its client is killed,
// and signals nothing. The script notices that and ends its tail.
func TestReaderThatIsGone(t *testing.T) {
	_, dir := nodeIn(t)
	write(t, dir+"/pg/log/patroni/patroni.log", patroniLine("first"))
	in := strings.Join(append([]string{"set --"}, args(model.LogPatroni, nil, model.LogRequest{Lines: 10, Follow: true})...), " ")
	c := exec.CommandContext(t.Context(), "sh", "-c", in+"\n"+script)
	c.Env = append(os.Environ(), "PGTUI_ROOT="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	words, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for sc := bufio.NewScanner(out); !strings.Contains(sc.Text(), "first"); {
		if !sc.Scan() {
			t.Fatal("no line came: ", sc.Err())
		}
	}
	if len(below(dir)) < 2 {
		t.Errorf("only %q runs: the test is broken", below(dir))
	}
	out.Close()
	words.Close()
	_ = c.Wait()
	for began := time.Now(); len(below(dir)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > waits {
			t.Fatalf("still running: %q", below(dir))
		}
	}
}

// below are the command lines of the processes that have the directory in their
// environment or arguments.
func below(dir string) []string {
	var out []string
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range all {
		var pid int
		if _, err := fmt.Sscan(filepath.Base(d), &pid); err != nil || pid == os.Getpid() {
			continue
		}
		env, _ := os.ReadFile(d + "/environ")
		line, _ := os.ReadFile(d + "/cmdline")
		if len(line) > 0 && strings.Contains(string(env)+string(line), dir) {
			out = append(out, string(line))
		}
	}
	return out
}

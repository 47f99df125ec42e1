//go:build lab

package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"pgtui/cmd"
	"pgtui/cmd/jsonv1"
	"pgtui/internal/labtest"
)

// journalled writes messages to a real journal of a node, as journald does for a unit.
func journalled(t *testing.T, node, unit string, messages ...string) {
	t.Helper()
	var b strings.Builder
	boot := strings.ReplaceAll(lab(t, "exec", node, "cat", "/proc/sys/kernel/random/boot_id"), "-", "") // journalctl -f shows this boot only
	for _, m := range messages {
		fmt.Fprintf(&b, "__REALTIME_TIMESTAMP=%d\n_BOOT_ID=%s\n_SYSTEMD_UNIT=%s.service\nPRIORITY=6\nMESSAGE=%s\n\n", time.Now().UnixMicro(), strings.TrimSpace(boot), unit, m)
	}
	c := exec.CommandContext(t.Context(), labDir+"/lab", "exec", node, "sh", "-c",
		"mkdir -p /var/log/lab-journal && exec /lib/systemd/systemd-journal-remote -o /var/log/lab-journal/lab.journal -")
	c.Stdin = strings.NewReader(b.String())
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("systemd-journal-remote: %v: %s", err, out)
	}
}

// followed is `pgtui logs -f` while it runs.
type followed struct {
	mu  sync.Mutex
	b   bytes.Buffer
	end func() int
}

func (f *followed) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.b.Write(p)
}

func (f *followed) await(t *testing.T, text string) {
	t.Helper()
	until(t, "the log shows "+text, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return strings.Contains(f.b.String(), text)
	})
}

func follow(t *testing.T, args ...string) *followed {
	t.Helper()
	f := &followed{}
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	inv, ssh := labInventory(t), labtest.SSHConfig(t)
	go func() {
		code <- cmd.Run(ctx, append([]string{"-i", inv, "--ssh-config", ssh, "logs", "-f"}, args...), cmd.IO{In: strings.NewReader(""), Out: f, Err: f, Getenv: func(string) string { return "" }})
	}()
	f.end = func() int { cancel(); return <-code }
	t.Cleanup(cancel)
	return f
}

// TestLabLogs reads what real programs wrote: Patroni, PostgreSQL in csvlog and
// pgbouncer to files, HAProxy to a journal that the real journalctl reads. It
// follows both, and nothing is left on the node.
func TestLabLogs(t *testing.T) {
	needLab(t)
	t.Cleanup(func() { lab(t, "exec", "pg-test-1", "rm", "-rf", "/var/log/lab-journal") })
	journalled(t, "pg-test-1", "haproxy",
		"[WARNING]  (812) : Server pg-test-primary/pg-test-1 is DOWN, reason: Layer7 wrong status, code: 503",
		"[NOTICE]   (812) : haproxy version is 2.6 for user password=Hush-J0urnal")
	fails := func(query string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), labDir+"/lab", "exec", "pg-test-1", "psql", "host=10.10.10.11 user=dbuser_dba password=DBUser.DBA dbname=test", "-c", query)
		if out, err := c.CombinedOutput(); err == nil {
			t.Fatalf("%s did not fail: %s", query, out)
		}
	}
	fails("alter role test password 'Hush-L0g' foo")

	var doc jsonv1.Logs
	r := pgtui(t, labInventory(t), "logs", "pg-test-1", "-n", "2000", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &doc); err != nil || r.code != 0 && r.code != 1 {
		t.Fatalf("exit %d, %v: %s%s", r.code, err, r.out, r.err)
	}
	from := map[string]string{}
	for _, s := range doc.Sources {
		from[s.Unit] = s.From
	}
	for unit, want := range map[string]string{"patroni": "/pg/log/patroni/patroni.log", "postgres": "/pg/log/postgres/postgresql-", "pgbouncer": "/pg/log/pgbouncer/pgbouncer.log", "haproxy": "the journal of haproxy"} {
		if !strings.HasPrefix(from[unit], want) {
			t.Errorf("%s comes from %q, expected %s", unit, from[unit], want)
		}
	}
	for _, want := range []struct{ unit, level, text string }{
		{"patroni", "info", "the leader with the lock"},
		{"postgres", "error", `dbuser_dba@test [`},
		{"postgres", "error", `alter role test password '********' foo`},
		{"haproxy", "warning", "Server pg-test-primary/pg-test-1 is DOWN"},
		{"haproxy", "info", "password=********"},
		{"pgbouncer", "info", ""},
	} {
		found := false
		for i, l := range doc.Lines {
			found = found || l.Unit == want.unit && l.Level == want.level && strings.Contains(l.Text, want.text)
			if i > 0 && l.At != nil && doc.Lines[i-1].At != nil && l.At.Before(*doc.Lines[i-1].At) {
				t.Fatalf("line %d is older than the one before", i)
			}
		}
		if !found {
			t.Errorf("no line of %s with %s and %q", want.unit, want.level, want.text)
		}
	}
	if strings.Contains(r.out, "Hush-") {
		t.Error("a password is in the output")
	}

	f := follow(t, "pg-test-1", "-n", "1")
	f.await(t, "haproxy version")
	journalled(t, "pg-test-1", "haproxy", "[ALERT]    (812) : proxy 'pg-test-primary' has no server available!")
	f.await(t, "has no server available!")
	fails("select no_such_column")
	f.await(t, `column "no_such_column" does not exist`)
	running := func() string {
		return strings.TrimSpace(lab(t, "exec", "pg-test-1", "sh", "-c", "ps -eo args | grep -e '^tail ' -e 'journalctl.*-f$' || true"))
	}
	if running() == "" {
		t.Error("nothing follows on the node: the test is broken")
	}
	if code := f.end(); code != 0 {
		t.Errorf("ended with %d", code)
	}
	until(t, "nothing runs on the node", func() bool { return running() == "" })
}

// TestLabLogsOfANodeThatIsGone: a node without a link is one sentence in some
// seconds, and a link that breaks ends what follows on both sides.
func TestLabLogsOfANodeThatIsGone(t *testing.T) {
	needLab(t)
	t.Cleanup(func() { lab(t, "heal", "pg-test-2"); lab(t, "reset") })
	lab(t, "partition", "pg-test-2")
	began := time.Now()
	r := pgtui(t, labInventory(t), "logs", "pg-test-2")
	if took := time.Since(began); r.code != 3 || strings.Count(r.err, "pgtui: ") != 1 || took > 30*time.Second {
		t.Errorf("exit %d after %s: %s", r.code, took, r.err)
	}
}

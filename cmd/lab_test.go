//go:build lab

package cmd_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/cmd"
	"pgtui/cmd/jsonv1"
	"pgtui/internal/labtest"
)

// These tests run the commands against the lab: real PostgreSQL, Patroni,
// HAProxy and sshd. They fail when it is not up.

const labDir = "../testdata/lab"

// lab runs one lab command and returns its output.
func lab(t *testing.T, args ...string) string {
	t.Helper()
	return labtest.Run(t, args...)
}

// needLab fails unless the lab is up, and puts it into its known state. What the
// test leaves is the next one's to undo: each begins so.
func needLab(t *testing.T) {
	t.Helper()
	lab(t, "reset")
}

// result is what one run of pgtui left.
type result struct {
	code     int
	out, err string
	took     time.Duration
}

// pgtui runs the program in this process against an inventory.
func pgtui(t *testing.T, inv string, args ...string) result {
	t.Helper()
	return typing(t, "", inv, args...)
}

// typing is pgtui with something on its standard input.
func typing(t *testing.T, input, inv string, args ...string) result {
	t.Helper()
	var out, errb bytes.Buffer
	labtest.Step(t, "pgtui "+strings.Join(args, " "))
	audit := filepath.Join(t.TempDir(), "audit.jsonl")
	t0 := time.Now()
	code := cmd.Run(t.Context(), append([]string{"-i", inv, "--ssh-config", labtest.SSHConfig(t)}, args...),
		cmd.IO{In: strings.NewReader(input), Out: &out, Err: &errb, Getenv: func(name string) string {
			if name == "PGTUI_AUDIT" {
				return audit
			}
			return ""
		}})
	return result{code, out.String(), errb.String(), time.Since(t0)}
}

func labInventory(t *testing.T) string { return lab(t, "inventory") }

// status is `pgtui status pg-test -o json`, decoded.
func status(t *testing.T) (jsonv1.Cluster, result) {
	t.Helper()
	r := pgtui(t, labInventory(t), "status", "pg-test", "-o", "json")
	var st jsonv1.Status
	if err := json.Unmarshal([]byte(r.out), &st); err != nil {
		t.Fatalf("status: exit %d: %v\n%s%s", r.code, err, r.out, r.err)
	}
	if len(st.Clusters) != 1 || st.ExitCode != r.code {
		t.Fatalf("status: %d clusters, exit %d, says %d", len(st.Clusters), r.code, st.ExitCode)
	}
	return st.Clusters[0], r
}

func service(t *testing.T, c jsonv1.Cluster, name string) jsonv1.Service {
	t.Helper()
	for _, s := range c.Services {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no service %s in %+v", name, c.Services)
	return jsonv1.Service{}
}

// until polls until ok holds.
func until(t *testing.T, what string, ok func() bool) time.Duration {
	t.Helper()
	return labtest.Until(t, what, ok, nil)
}

// calm waits until it has been ok for eight seconds on end: after a switchover
// the old leader starts anew, and each HAProxy's checks of it fall and rise.
func calm(t *testing.T, what string, ok func() bool) {
	t.Helper()
	var since time.Time
	until(t, what, func() bool {
		switch {
		case !ok():
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
		return !since.IsZero() && time.Since(since) > 8*time.Second
	})
}

func TestLabStatus(t *testing.T) {
	needLab(t)
	c, r := status(t)
	t.Logf("status answered in %s", r.took.Round(time.Millisecond))
	if r.code != 0 || c.Leader == nil || *c.Leader != "pg-test-1" {
		t.Fatalf("exit %d, health %s (%s), leader %v", r.code, c.Health, c.Summary, c.Leader)
	}
	for name, want := range map[string][]string{
		"primary": {"pg-test-1"}, "default": {"pg-test-1"}, "replica": {"pg-test-2", "pg-test-3"}, "offline": {"pg-test-3"},
	} {
		s := service(t, c, name)
		if !slices.Equal(s.Serving, want) || len(s.Views) != 3 {
			t.Errorf("%s: serving %v over %d views, want %v: %s", name, s.Serving, len(s.Views), want, s.Why)
		}
		who := lab(t, "exec", "pg-test-2", "psql", dsn(s.Port), "-AXtc", "select current_setting('lab.node')")
		if !slices.Contains(s.Serving, who) {
			t.Errorf("%s: a real connection was answered by %s, pgtui says %v", name, who, s.Serving)
		}
	}
}

// dsn connects to a service port on pg-test-1's HAProxy.
func dsn(port any) string {
	b, _ := json.Marshal(port)
	return "postgres://test:test@10.10.10.11:" + string(b) + "/test?connect_timeout=3"
}

func TestLabStatusFollowsASwitchover(t *testing.T) {
	needLab(t)
	lab(t, "switchover", "pg-test", "pg-test-2")
	took := until(t, "primary and default are served by pg-test-2", func() bool {
		c, _ := status(t)
		return slices.Equal(service(t, c, "primary").Serving, []string{"pg-test-2"}) && slices.Equal(service(t, c, "default").Serving, []string{"pg-test-2"})
	})
	t.Logf("primary followed the switchover %s after Patroni said done", took.Round(100*time.Millisecond))
	until(t, "the cluster is healthy, with drift", func() bool { _, r := status(t); return r.code == 0 })
	c, _ := status(t)
	if c.Leader == nil || *c.Leader != "pg-test-2" {
		t.Errorf("leader %v", c.Leader)
	}
	stale := false
	for _, f := range c.Drift {
		stale = stale || f.Code == "stale-roles"
	}
	if !stale {
		t.Errorf("no stale-roles finding in %+v", c.Findings)
	}
}

func TestLabStatusWithAPartitionedNode(t *testing.T) {
	needLab(t)
	lab(t, "partition", "pg-test-2")
	until(t, "the other HAProxy nodes dropped pg-test-2", func() bool {
		c, _ := status(t)
		return !slices.Contains(service(t, c, "replica").Views[0].Serving, "pg-test-2")
	})
	c, r := status(t)
	t.Logf("status with a partitioned node answered in %s", r.took.Round(time.Millisecond))
	if r.code == 0 {
		t.Errorf("exit 0 with a node that cannot be reached")
	}
	for _, m := range c.Members {
		if m.Known == (m.Name == "pg-test-2") {
			t.Errorf("%s: known %v", m.Name, m.Known)
		}
	}
	for _, s := range c.Services {
		if !slices.Equal(s.Silent, []string{"10.10.10.12"}) || len(s.Serving) == 0 {
			t.Errorf("%s: serving %v by the HAProxies that answer, silent %v", s.Name, s.Serving, s.Silent)
		}
		for _, v := range s.Views {
			if silent := v.HAProxy == "10.10.10.12"; silent != (v.Verdict == "unknown") {
				t.Errorf("%s on %s: %s, %s", s.Name, v.HAProxy, v.Verdict, v.Why)
			}
		}
	}
}

// edited writes the lab's inventory with one replacement and returns its path.
func edited(t *testing.T, old, new string) string {
	t.Helper()
	data, err := os.ReadFile(labInventory(t))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), old, new, 1)
	if text == string(data) {
		t.Fatalf("the inventory has no %q", old)
	}
	path := filepath.Join(t.TempDir(), "pigsty.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLabDiffAndReload(t *testing.T) {
	needLab(t)
	if r := pgtui(t, labInventory(t), "diff", "pg-test"); r.code != 0 {
		t.Fatalf("diff before any change: exit %d\n%s%s", r.code, r.out, r.err)
	}
	inv := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 50 }")
	r := pgtui(t, inv, "diff", "pg-test")
	if r.code != 1 {
		t.Fatalf("diff: exit %d\n%s%s", r.code, r.out, r.err)
	}
	for _, host := range []string{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
		if !strings.Contains(r.out, host) {
			t.Errorf("diff does not name %s\n%s", host, r.out)
		}
	}
	for _, line := range changed(r.out) {
		if !strings.Contains(line, "server pg-test-2 ") {
			t.Errorf("diff changes more than pg-test-2's server line: %q", line)
		}
	}
	if !strings.Contains(r.out, "weight of pg-test-2: 100 → 50") {
		t.Errorf("the summary in words is missing\n%s", r.out)
	}
	if r = pgtui(t, inv, "reload", "pg-test"); r.code != 3 {
		t.Errorf("reload without --yes and without a terminal: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = pgtui(t, inv, "reload", "pg-test", "--dry-run"); r.code != 0 {
		t.Errorf("reload --dry-run: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = pgtui(t, inv, "diff", "pg-test"); r.code != 1 {
		t.Fatalf("neither of these may change anything: diff exits %d", r.code)
	}
	r = pgtui(t, inv, "reload", "pg-test", "--yes")
	t.Logf("reload of three nodes took %s", r.took.Round(time.Millisecond))
	if r.code != 0 || strings.Count(r.out, "applied") != 3 {
		t.Fatalf("reload: exit %d\n%s%s", r.code, r.out, r.err)
	}
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		got := lab(t, "exec", n, "sh", "-c", "echo 'show servers state pg-test-replica' | socat - /var/run/haproxy.sock | awk '$4==\"pg-test-2\"{print $8}'")
		if got != "50" {
			t.Errorf("%s: HAProxy runs pg-test-2 with weight %q, want 50", n, got)
		}
	}
	if r = pgtui(t, inv, "diff", "pg-test"); r.code != 0 {
		t.Errorf("diff after the reload: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

// Where sudo wants a password it is asked for once, and only sudo hears it.
func TestLabSudoPassword(t *testing.T) {
	needLab(t)
	const password = "sudo-s3cret"
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		lab(t, "exec", n, "sh", "-c", "echo dba:"+password+" | chpasswd && sed -i s/NOPASSWD:// /etc/sudoers.d/admin")
		t.Cleanup(func() {
			lab(t, "exec", n, "sh", "-c", "usermod -p '*' dba; sed -i 's/ ALL$/ NOPASSWD: ALL/' /etc/sudoers.d/admin")
		})
	}
	r := pgtui(t, labInventory(t), "diff", "pg-test")
	if r.code != 2 || !strings.Contains(r.out, "sudo wants a password") || !strings.Contains(r.out, "--ask-become-pass") {
		t.Errorf("without a password: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = typing(t, password+"\n", labInventory(t), "diff", "pg-test", "--ask-become-pass"); r.code != 0 {
		t.Errorf("with it: exit %d\n%s%s", r.code, r.out, r.err)
	}
	inv := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 50 }")
	if r = typing(t, password+"\n", inv, "reload", "pg-test", "--yes", "-K"); r.code != 0 || strings.Contains(r.out+r.err, password) {
		t.Errorf("a reload with it: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = typing(t, "wrong\n", inv, "diff", "pg-test", "-K"); r.code != 2 || !strings.Contains(r.out, "sudo does not accept the password") {
		t.Errorf("with a wrong one: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

// A saved plan runs as it was looked at, and a plan stops at what the lab can
// make of the risks.
func TestLabPlan(t *testing.T) {
	needLab(t)
	inv := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 50 }")
	file := filepath.Join(t.TempDir(), "plan.json")
	r := pgtui(t, inv, "reload", "pg-test", "--dry-run", "--out", file)
	t.Logf("the plan of three nodes, with its risks, took %s", r.took.Round(time.Millisecond))
	if r.code != 0 || !strings.Contains(r.out, "misroute-window") || strings.Contains(r.out, "STOP") {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	before := sums(t)
	stops := func(name string, args ...string) {
		t.Helper()
		r := pgtui(t, inv, append([]string{"reload", "pg-test", "--yes"}, args...)...)
		if r.code != 3 || !strings.Contains(r.out, "STOP      "+name+" ") || !strings.Contains(r.err, name) {
			t.Errorf("%s: exit %d\n%s%s", name, r.code, r.out, r.err)
		}
		if now := sums(t); now != before {
			t.Fatalf("%s: a refused reload has changed files:\n%s\nwere\n%s", name, now, before)
		}
	}

	lab(t, "exec", "pg-test-1", "sh", "-c", "printf 'listen elsewhere\\n    bind *:5433\\n    mode tcp\\n' >/etc/haproxy/conf.d/zz.cfg")
	before = sums(t)
	stops("port-collision", "--accept-risk", "unreloaded-edits")
	stops("unreloaded-edits", "--accept-risk", "port-collision")
	lab(t, "exec", "pg-test-1", "sh", "-c", "printf 'listen elsewhere\\n    nonsense here\\n' >/etc/haproxy/conf.d/zz.cfg")
	before = sums(t)
	stops("config-rejected", "--accept-risk", "unreloaded-edits")
	lab(t, "exec", "pg-test-1", "rm", "/etc/haproxy/conf.d/zz.cfg")
	before = sums(t)

	pause := func(on string) {
		lab(t, "api", "pg-test-1", "/config", "-f", "-m", "20", "-u", "postgres:Patroni.API", "-XPATCH", "-d", `{"pause": `+on+`}`, "-o", "/dev/null")
	}
	t.Cleanup(func() { pause("null") })
	pause("true")
	until(t, "Patroni to be paused", func() bool { return strings.Contains(lab(t, "api", "pg-test-1", "/patroni"), `"pause"`) })
	stops("paused")
	pause("null")
	until(t, "Patroni to go on", func() bool { return !strings.Contains(lab(t, "api", "pg-test-1", "/patroni"), `"pause"`) })

	if r = pgtui(t, inv, "apply", file, "--yes"); r.code != 0 || strings.Count(r.out, "  applied") != 3 {
		t.Fatalf("apply: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = pgtui(t, inv, "apply", file, "--yes"); r.code != 3 || !strings.Contains(r.err, "is stale") {
		t.Errorf("the same plan once more: exit %d\n%s%s", r.code, r.out, r.err)
	}
	lab(t, "exec", "pg-test-3", "sh", "-c", "echo '# by hand' >>/etc/haproxy/conf.d/pg-test-replica.cfg")
	before = sums(t)
	stops("hand-edited")
}

// After a switchover the inventory's roles are put in step with the live ones,
// and both ways of a reload come to the same files.
func TestLabRoles(t *testing.T) {
	needLab(t)
	data, err := os.ReadFile(labInventory(t))
	if err != nil {
		t.Fatal(err)
	}
	inv := filepath.Join(t.TempDir(), "pigsty.yml")
	if err := os.WriteFile(inv, data, 0o640); err != nil {
		t.Fatal(err)
	}
	lab(t, "switchover", "pg-test", "pg-test-2")
	calm(t, "all HAProxies have the same servers, and pg-test-2 for primary", func() bool {
		c, _ := status(t)
		return slices.Equal(service(t, c, "primary").Serving, []string{"pg-test-2"}) &&
			!slices.ContainsFunc(c.Services, func(s jsonv1.Service) bool { return s.Serving == nil })
	})
	until(t, "roles can be told", func() bool { return pgtui(t, inv, "roles", "pg-test").code == 1 })
	r := pgtui(t, inv, "reload", "pg-test", "--dry-run")
	if r.code != 0 || !strings.Contains(r.out, "stale-roles") {
		t.Fatalf("a plan from stale roles: exit %d\n%s%s", r.code, r.out, r.err)
	}
	live := pgtui(t, inv, "reload", "pg-test", "--dry-run", "--live-roles")
	if live.code != 0 || len(changed(live.out)) == 0 || strings.Contains(live.out, "STOP") {
		t.Fatalf("a plan from live roles: exit %d\n%s%s", live.code, live.out, live.err)
	}
	if r = pgtui(t, inv, "roles", "pg-test", "--edit", "--yes"); r.code != 0 {
		t.Fatalf("roles --edit: exit %d\n%s%s", r.code, r.out, r.err)
	}
	now, err := os.ReadFile(inv)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("10.10.10.11: { pg_seq: 1, pg_role: primary }", "10.10.10.11: { pg_seq: 1, pg_role: replica }",
		"10.10.10.12: { pg_seq: 2, pg_role: replica }", "10.10.10.12: { pg_seq: 2, pg_role: primary }").Replace(string(data))
	if string(now) != want || want == string(data) {
		t.Fatalf("the inventory is now\n%s", now)
	}
	r = pgtui(t, inv, "reload", "pg-test", "--dry-run")
	if got := changed(r.out); !slices.Equal(got, changed(live.out)) {
		t.Errorf("from the edited inventory\n%s\nfrom live roles\n%s", got, changed(live.out))
	}
	if r = pgtui(t, inv, "reload", "pg-test", "--yes"); r.code != 0 || strings.Count(r.out, "  applied") != 3 {
		t.Fatalf("reload: exit %d\n%s%s", r.code, r.out, r.err)
	}
	var c jsonv1.Cluster
	until(t, "all is well with the new roles", func() bool {
		r = pgtui(t, inv, "status", "pg-test", "-o", "json")
		var doc jsonv1.Status
		if err := json.Unmarshal([]byte(r.out), &doc); err != nil || len(doc.Clusters) != 1 {
			t.Fatalf("%v\n%s", err, r.out)
		}
		c = doc.Clusters[0]
		return r.code == 0
	})
	if got := service(t, c, "replica").Serving; slices.Contains(got, "pg-test-2") {
		t.Errorf("the replica service still reaches the primary: %v", got)
	}
}

// changed are the + and - lines of a unified diff.
func changed(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if (strings.HasPrefix(line, "+") && !strings.HasPrefix(line, "+++")) || (strings.HasPrefix(line, "-") && !strings.HasPrefix(line, "---")) {
			out = append(out, line)
		}
	}
	return out
}

func TestLabReloadRefusesABrokenFile(t *testing.T) {
	needLab(t)
	before := sums(t)
	inv := edited(t, "        pg_cluster: pg-test           # define pgsql cluster name\n",
		"        pg_cluster: pg-test\n        pg_services: [ { name: broken, port: 5439, selector: '[]', balance: 'no-such-algorithm' } ]\n")
	r := pgtui(t, inv, "reload", "pg-test", "--yes")
	if r.code == 0 {
		t.Fatalf("reload of a file HAProxy rejects exits 0\n%s", r.out)
	}
	all := r.out + r.err
	for _, want := range []string{"10.10.10.11", "pg-test-broken.cfg", "no-such-algorithm"} {
		if !strings.Contains(all, want) {
			t.Errorf("the message does not name %s\n%s", want, all)
		}
	}
	if after := sums(t); after != before {
		t.Errorf("something on a node changed:\n%s\n%s", before, after)
	}
}

// sums are the checksums of every HAProxy file on every node of pg-test.
func sums(t *testing.T) string {
	var all []string
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		all = append(all, n, lab(t, "exec", n, "sh", "-c", "find /etc/haproxy -type f | sort | xargs sha256sum"))
	}
	return strings.Join(all, "\n")
}

func TestLabWrongPassword(t *testing.T) {
	needLab(t)
	r := pgtui(t, edited(t, "haproxy_admin_password: pigsty", "haproxy_admin_password: S3cret.Wrong"), "status", "pg-test")
	if r.code == 0 || !strings.Contains(r.out, "password") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if strings.Contains(r.out+r.err, "S3cret.Wrong") {
		t.Errorf("the password is printed\n%s%s", r.out, r.err)
	}
}

//go:build lab

package cmd_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/cmd/jsonv1"
)

// doctor is `pgtui doctor pg-test -o json`, decoded.
func doctor(t *testing.T, args ...string) (jsonv1.DoctorCluster, result) {
	t.Helper()
	r := pgtui(t, labInventory(t), append([]string{"doctor", "pg-test", "-o", "json"}, args...)...)
	var d jsonv1.Doctor
	if err := json.Unmarshal([]byte(r.out), &d); err != nil {
		t.Fatalf("doctor: exit %d: %v\n%s%s", r.code, err, r.out, r.err)
	}
	if len(d.Clusters) != 1 || d.ExitCode != r.code {
		t.Fatalf("doctor: %d clusters, exit %d, says %d", len(d.Clusters), r.code, d.ExitCode)
	}
	return d.Clusters[0], r
}

// found is the finding of that code on the host ("" for any), or fails the test.
func found(t *testing.T, d jsonv1.DoctorCluster, code, host string) jsonv1.Finding {
	t.Helper()
	var codes []string
	for _, f := range d.Findings {
		if f.Code == code && (host == "" || f.Host == host) {
			return f
		}
		codes = append(codes, f.Code+"@"+f.Host)
	}
	t.Errorf("no finding %s on %q among %v", code, host, codes)
	return jsonv1.Finding{}
}

func says(t *testing.T, f jsonv1.Finding, severity, text string) {
	t.Helper()
	if f.Code != "" && (f.Severity != severity || !strings.Contains(f.Summary+" "+strings.Join(f.Evidence, " "), text)) {
		t.Errorf("%s %s: want %s and %q in\n  %s\n  %s", f.Code, f.Severity, severity, text, f.Summary, strings.Join(f.Evidence, "\n  "))
	}
}

func TestLabDoctorOfAHealthyCluster(t *testing.T) {
	needLab(t)
	d, r := doctor(t)
	t.Logf("doctor took %s", r.took.Round(time.Millisecond))
	for _, f := range d.Findings {
		if f.Code != "ghost-worker" { // one of an earlier test may still be ending
			t.Errorf("%s: %s %v", f.Code, f.Summary, f.Evidence)
		}
	}
	for _, n := range d.Nodes {
		if len(n.Files) != 4 || n.Drift == nil || len(n.Drift) > 0 || len(n.Workers) == 0 {
			t.Errorf("%+v", n)
		}
	}
}

// TestLabProven compares who answers by pgtui with the lab's own mark.
func TestLabProven(t *testing.T) {
	needLab(t)
	r := pgtui(t, labInventory(t), "status", "pg-test", "--prove", "--count", "4", "-o", "json")
	var st jsonv1.Status
	if err := json.Unmarshal([]byte(r.out), &st); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	if strings.Contains(r.out+r.err, "DBUser.Monitor") {
		t.Error("the password is printed")
	}
	for _, s := range st.Clusters[0].Services {
		for _, v := range s.Views {
			p := v.Proven
			if p == nil || p.Failed > 0 || p.Unnamed > 0 || p.Agrees == nil || !*p.Agrees || p.Ms == nil || *p.Ms <= 0 || p.Timeline == 0 {
				t.Errorf("%s on %s: %+v", s.Name, v.HAProxy, p)
				continue
			}
			// The services balance by least connections: who holds a session of another client may get none of the four.
			for name := range p.Instances {
				if !slices.Contains(v.Serving, name) {
					t.Errorf("%s on %s: a connection reached %s, served are %v", s.Name, v.HAProxy, name, v.Serving)
				}
			}
			if len(p.Instances) == 0 {
				t.Errorf("%s on %s: nobody is named", s.Name, v.HAProxy)
			}
		}
		who := lab(t, "exec", "pg-test-2", "psql", dsn(s.Port), "-AXtc", "select current_setting('lab.node')")
		if !slices.Contains(s.Views[0].Serving, who) {
			t.Errorf("%s: the lab's mark says %s answers, pgtui says %v serve", s.Name, who, s.Views[0].Serving)
		}
	}
}

func TestLabCheckYesPortNo(t *testing.T) {
	needLab(t)
	lab(t, "kill", "pg-test-1", "pgbouncer")
	d, r := doctor(t)
	t.Logf("doctor took %s; %+v", r.took.Round(time.Millisecond), d.Findings)
	f := found(t, d, "check-yes-port-no", "")
	says(t, f, "critical", "10.10.10.11:6432")
	if f.Service != "primary" {
		t.Errorf("service %q", f.Service)
	}
	for _, f := range d.Findings {
		if f.Service == "default" {
			t.Errorf("5436 does not go through pgbouncer: %+v", f)
		}
	}
}

// TestLabReadOnlyLeaderAndTwoVIPs: what neither Patroni nor HAProxy tells. The
// lab's nodes share one clock, so that a skewed one cannot be had there.
func TestLabReadOnlyLeaderAndTwoVIPs(t *testing.T) {
	needLab(t)
	sql := func(q string) { lab(t, "exec", "pg-test-1", "su", "postgres", "-c", "psql -qc '"+q+"'") }
	sql("alter system set default_transaction_read_only = on")
	sql("select pg_reload_conf()")
	lab(t, "freeze", "pg-test-2", "vip-manager") // a live one gives the address back at once
	lab(t, "exec", "pg-test-2", "ip", "addr", "add", "10.10.10.3/24", "dev", "eth0")
	t.Cleanup(func() {
		lab(t, "exec", "pg-test-2", "ip", "addr", "del", "10.10.10.3/24", "dev", "eth0")
		lab(t, "thaw", "pg-test-2", "vip-manager")
		lab(t, "exec", "pg-test-1", "su", "postgres", "-c", "PGOPTIONS=\"-c default_transaction_read_only=off\" psql -qc \"alter system reset default_transaction_read_only\"")
		sql("select pg_reload_conf()")
	})
	d, _ := doctor(t)
	says(t, found(t, d, "leader-read-only", "10.10.10.11"), "critical", "pg-test-1 leads but accepts no writes")
	says(t, found(t, d, "vip", ""), "critical", "ip addr on 10.10.10.12 has it")
}

// TestLabTwoSectionsOnOnePort lets a second section take half of 5433.
func TestLabTwoSectionsOnOnePort(t *testing.T) {
	needLab(t)
	lab(t, "exec", "pg-test-1", "sh", "-c", "printf 'listen other\\n    bind *:5433\\n    mode tcp\\n    server pg-test-2 10.10.10.12:5432\\n' >/etc/haproxy/conf.d/zz-other.cfg && systemctl reload haproxy")
	t.Cleanup(func() {
		lab(t, "exec", "pg-test-1", "sh", "-c", "rm -f /etc/haproxy/conf.d/zz-other.cfg; systemctl reload haproxy")
	})
	time.Sleep(8 * time.Second) // until no transition is as young as the look at it
	d, _ := doctor(t, "--count", "20")
	says(t, found(t, d, "port-twice", "10.10.10.11"), "critical", "zz-other.cfg")
	says(t, found(t, d, "foreign-files", "10.10.10.11"), "info", "zz-other.cfg")
	says(t, found(t, d, "proof-differs", "10.10.10.11"), "critical", "in recovery")
}

func TestLabEditedNeverReloaded(t *testing.T) {
	needLab(t)
	lab(t, "exec", "pg-test-2", "sed", "-i", "/server pg-test-3 /s/weight 100/weight 7/", "/etc/haproxy/conf.d/pg-test-replica.cfg")
	d, r := doctor(t, "--count", "0")
	says(t, found(t, d, "config-unloaded", "10.10.10.12"), "warning", "server pg-test-3 runs with weight 100, the file has 7")
	says(t, found(t, d, "config-unloaded", "10.10.10.12"), "warning", "pg-test-replica.cfg was changed")
	says(t, found(t, d, "config-drift", "10.10.10.12"), "warning", "weight of pg-test-3: 7 → 100")
	for _, f := range d.Findings {
		if strings.HasPrefix(f.Code, "config-") && f.Host != "10.10.10.12" {
			t.Errorf("%s on %s: %v", f.Code, f.Host, f.Evidence)
		}
	}
	if r.code != 0 || len(d.Drift) == 0 {
		t.Errorf("exit %d, drift %v: a file that differs is no question of health", r.code, d.Drift)
	}
}

func TestLabHalfWiped(t *testing.T) {
	needLab(t)
	lab(t, "exec", "pg-test-3", "rm", "/etc/haproxy/conf.d/pg-test-primary.cfg", "/etc/haproxy/conf.d/pg-test-offline.cfg")
	d, _ := doctor(t, "--count", "0")
	says(t, found(t, d, "half-wiped", "10.10.10.13"), "critical", "2 of 4 services run on pg-test-3 without a file on disk")
}

func TestLabNodeUnread(t *testing.T) {
	needLab(t)
	// Nothing listens on port 2: that is told at once, and no connection that
	// lingers from before helps.
	inv := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, ansible_port: 2 }")
	r := pgtui(t, inv, "doctor", "pg-test", "-o", "json", "--count", "0")
	var all jsonv1.Doctor
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all.Clusters) != 1 {
		t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	d := all.Clusters[0]
	says(t, found(t, d, "node-unread", "10.10.10.12"), "warning", "on pg-test-2")
	if r.code != 1 {
		t.Errorf("exit %d with a node that could not be read", r.code)
	}
	for _, n := range d.Nodes {
		if n.HAProxy == "10.10.10.12" && (n.Files != nil || n.Workers != nil || n.Error == "") {
			t.Errorf("%+v", n)
		}
	}
}

// TestLabGhosts holds a writer through a reload and a switchover.
func TestLabGhosts(t *testing.T) {
	needLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	conn, err := pgconn.Connect(ctx, "host=10.10.10.11 port=5433 user=test password=test dbname=test sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	lab(t, "exec", "pg-test-1", "systemctl", "reload", "haproxy")
	time.Sleep(3 * time.Second)
	d, _ := doctor(t, "--count", "0")
	says(t, found(t, d, "ghost-worker", "10.10.10.11"), "info", "1 to pg-test-primary/pg-test-1")
	if slices.ContainsFunc(d.Findings, func(f jsonv1.Finding) bool { return f.Code == "ghost-pinned" }) {
		t.Error("the ghost's session is where it should be")
	}
	lab(t, "switchover", "pg-test", "pg-test-2")
	until(t, "5433 is served by pg-test-2", func() bool {
		c, _ := status(t)
		return slices.Equal(service(t, c, "primary").Serving, []string{"pg-test-2"})
	})
	d, _ = doctor(t, "--count", "0")
	f := found(t, d, "ghost-pinned", "10.10.10.11")
	says(t, f, "critical", "1 session of primary is stuck on pg-test-1, which Patroni refuses for it")
	t.Logf("%s\n%s", strings.Join(f.Evidence, "\n"), f.Hint)

	// The one that is stuck is closed, and one that is well is left.
	well, err := pgconn.Connect(ctx, "host=10.10.10.11 port=5433 user=test password=test dbname=test sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer well.Close(context.Background())
	r := pgtui(t, labInventory(t), "ghosts", "pg-test", "-o", "json")
	if r.code != 1 || !strings.Contains(r.out, `"instance": "pg-test-1"`) {
		t.Fatalf("ghosts: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = pgtui(t, labInventory(t), "ghosts", "pg-test", "--close"); r.code != 3 || !strings.Contains(r.err, "nothing was changed") {
		t.Errorf("without an answer: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if _, err := conn.Exec(ctx, "select 1").ReadAll(); err != nil {
		t.Fatalf("it was closed without an answer: %v", err)
	}
	if r = pgtui(t, labInventory(t), "ghosts", "pg-test", "--close", "--yes"); r.code != 0 || !strings.Contains(r.out, "primary to pg-test-1: 1 session closed, 0 left") {
		t.Errorf("ghosts --close: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if _, err := conn.Exec(ctx, "select 1").ReadAll(); err == nil {
		t.Error("the stuck session is still there")
	}
	if _, err := well.Exec(ctx, "select 1").ReadAll(); err != nil {
		t.Errorf("a session that was well is gone: %v", err)
	}
	if r = pgtui(t, labInventory(t), "ghosts", "pg-test"); r.code != 0 {
		t.Errorf("afterwards: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

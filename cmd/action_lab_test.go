//go:build lab

package cmd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgtui/internal/labtest"
	"pgtui/model"
	"pgtui/model/trace"
	"pgtui/plan/action"
	"pgtui/probe"
	"pgtui/session"
)

// timeline is the timeline that a node's Patroni reports.
func timeline(t *testing.T, node string) int {
	t.Helper()
	var doc struct{ Timeline int }
	if err := json.Unmarshal([]byte(lab(t, "api", node, "/patroni")), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Timeline
}

// independentClient connects through 5433 of a HAProxy again and again, apart from
// pgtui's own probe clients; stop returns the longest gap that it saw, and its slowest
// connection that was served: its measure is not more exact than that.
func independentClient(t *testing.T, host string) (stop func() (gap, slack time.Duration)) {
	t.Helper()
	inv, err := session.New(session.Options{Inventory: labInventory(t)}, session.World{Getenv: func(string) string { return "" }, Now: time.Now}).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	target, err := session.Target(inv, []string{"postgres://dbuser_monitor@" + host + ":5433/postgres"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan [2]time.Duration, 1)
	go func() {
		p := probe.New(probe.Options{})
		var gap trace.Gap
		var slack time.Duration
		for ctx.Err() == nil {
			begun := time.Now()
			got := p.Connect(ctx, inv, target, time.Second, false)
			if ctx.Err() == nil {
				s, _ := trace.SampleOf(nil, inv, target, &got[len(got)-1], begun, time.Now())
				gap.Add(s, true)
				if s.Fault == "" {
					slack = max(slack, s.Done.Sub(s.At))
				}
			}
			time.Sleep(max(0, 50*time.Millisecond-time.Since(begun)))
		}
		done <- [2]time.Duration{gap.Longest, slack}
	}()
	return func() (gap, slack time.Duration) { cancel(); got := <-done; return got[0], got[1] }
}

var gapOf = regexp.MustCompile(`clients through (\S+): .*the longest (\d+) ms`)

// gaps are the longest gaps that a run reports, by HAProxy.
func gaps(r result) map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, m := range gapOf.FindAllStringSubmatch(r.out, -1) {
		n, _ := strconv.Atoi(m[2])
		out[m[1]] = time.Duration(n) * time.Millisecond
	}
	return out
}

// TestLabSwitchover: a calm switchover needs no risk accepted, is proven, and the
// gap that it reports is the one that another client sees.
func TestLabSwitchover(t *testing.T) {
	needLab(t)
	before := timeline(t, "pg-test-1")
	stop := independentClient(t, "10.10.10.13")
	time.Sleep(500 * time.Millisecond)
	r := pgtui(t, labInventory(t), "switchover", "pg-test", "--candidate", "pg-test-2", "--yes")
	seen, slack := stop()
	reported := gaps(r)["10.10.10.13"]
	t.Logf("%s: gap %s by pgtui, %s ± %s by another client", r.took.Round(100*time.Millisecond), reported, seen.Round(time.Millisecond), slack.Round(time.Millisecond))
	if r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if lab(t, "leader", "pg-test") != "pg-test-2" || timeline(t, "pg-test-2") != before+1 {
		t.Errorf("%s leads on timeline %d", lab(t, "leader", "pg-test"), timeline(t, "pg-test-2"))
	}
	if diff := (seen - reported).Abs(); seen == 0 || diff > 500*time.Millisecond+slack {
		t.Errorf("pgtui reports a gap of %s, another client saw %s", reported, seen)
	}
	for _, state := range []string{"sent", "accepted", "promoted", "routed", "proven", "settled"} {
		if !strings.Contains(r.out, "  "+state+" ") {
			t.Errorf("no state %s\n%s", state, r.out)
		}
	}
	c, _ := status(t)
	for _, s := range c.Services {
		if len(s.Serving) == 0 {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	if !strings.Contains(r.out, "pgtui roles pg-test --edit") {
		t.Errorf("the stale roles are not named\n%s", r.out)
	}
}

// TestLabSwitchoverRefused: Patroni's own refusal is the outcome, with its words,
// and the state is known.
func TestLabSwitchoverRefused(t *testing.T) {
	needLab(t)
	tagPatroni(t, "pg-test-2", "nofailover", "true")
	t.Cleanup(func() {
		lab(t, "exec", "pg-test-2", "sed", "-i", "s/^  nofailover: .*/  nofailover: false/", "/etc/patroni/patroni.yml")
		lab(t, "api", "pg-test-2", "/reload", "-u", "postgres:Patroni.API", "-XPOST")
	})
	until(t, "the tag is in the DCS", func() bool {
		return strings.Contains(lab(t, "api", "pg-test-1", "/cluster"), `"nofailover": true`)
	})
	r := pgtui(t, labInventory(t), "switchover", "pg-test", "--candidate", "pg-test-2", "--yes", "--accept-risk", "patroni-refuses")
	if r.code != 1 || !strings.Contains(r.out+r.err, "no good candidates have been found") || !strings.Contains(r.err, "pg-test-1 still leads") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if lab(t, "leader", "pg-test") != "pg-test-1" {
		t.Error("the leader has changed")
	}
}

// cutter is a proxy before Patroni that passes requests on, counts those that write,
// and cuts the connection instead of the reply of the first POST.
type cutter struct {
	mu    sync.Mutex
	posts int
}

func (c *cutter) serve(t *testing.T, listen, to string) {
	t.Helper()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.pass(conn, to)
		}
	}()
}

func (c *cutter) pass(conn net.Conn, to string) {
	defer conn.Close()
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	up, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer up.Close()
	if req.Method == http.MethodPost {
		c.mu.Lock()
		c.posts++
		c.mu.Unlock()
	}
	if req.Write(up) != nil {
		return
	}
	if req.Method == http.MethodPost {
		time.Sleep(300 * time.Millisecond) // Patroni has read it; its reply is lost
		go func() { time.Sleep(30 * time.Second); _ = up.Close() }()
		_ = conn.(*net.TCPConn).SetLinger(0)
		return
	}
	_, _ = io.Copy(conn, up)
}

// TestLabSwitchoverReplyCut: the reply is lost, one POST was sent, and what is
// observed decides.
func TestLabSwitchoverReplyCut(t *testing.T) {
	needLab(t)
	audit := t.TempDir() + "/audit.jsonl"
	getenv := func(name string) string { return map[string]string{"PGTUI_AUDIT": audit}[name] }
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == "10.10.10.13:8008" {
			addr = "127.0.0.1:18008"
		}
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}
	s := session.New(session.Options{Inventory: labInventory(t), SSHConfig: labtest.SSHConfig(t)}, session.World{Getenv: getenv, Now: time.Now, Dial: dial})
	inv, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cut := &cutter{}
	cut.serve(t, "127.0.0.1:18008", "10.10.10.13:8008")
	labtest.Step(t, "plan")
	p, err := s.PlanAction(t.Context(), inv, action.Request{Kind: action.Switchover, Cluster: "pg-test", Candidate: "pg-test-2"})
	if err != nil || p.Refused != nil || p.Steps[0].Via != "pg-test-3" {
		t.Fatalf("%v, %v, %+v", err, p.Refused, p.Steps)
	}
	labtest.Step(t, "switch over")
	var states []string
	rep, err := s.Act(t.Context(), inv, p, func(e action.Event) { states = append(states, string(e.State)) })
	t.Logf("%s, %v: %v", rep.Outcome, err, states)
	leader := lab(t, "leader", "pg-test")
	if cut.posts != 1 {
		t.Errorf("%d POSTs were sent, want 1", cut.posts)
	}
	if want := map[string]action.Outcome{"pg-test-2": action.EndDone, "pg-test-1": action.EndUnknown}[leader]; rep.Outcome != want {
		t.Errorf("%s leads, the outcome is %s (%v)", leader, rep.Outcome, err)
	}
	if !strings.Contains(strings.Join(states, " "), "unknown") {
		t.Errorf("the lost reply is not reported: %v", states)
	}
	if rep.Leader != model.InstanceName(leader) {
		t.Errorf("%s leads, reported is %s", leader, rep.Leader)
	}
}

// started is when PostgreSQL of each member started.
func started(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		var doc struct {
			Start string `json:"postmaster_start_time"`
		}
		_ = json.Unmarshal([]byte(lab(t, "api", n, "/patroni")), &doc)
		out[n] = doc.Start
	}
	return out
}

// TestLabRestart: replicas first, the leader last, each back before the next.
func TestLabRestart(t *testing.T) {
	needLab(t)
	before := started(t)
	r := pgtui(t, labInventory(t), "restart", "pg-test", "--yes")
	if r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if got := fmt.Sprint(restartedIn(&r)); got != "[pg-test-2 pg-test-3 pg-test-1]" {
		t.Errorf("order %s\n%s", got, r.out)
	}
	after := started(t)
	for n, at := range before {
		if at == "" || after[n] == at || after[n] == "" {
			t.Errorf("%s: started %s, was %s", n, after[n], at)
		}
	}
	if lab(t, "leader", "pg-test") != "pg-test-1" {
		t.Error("the leader has changed")
	}
	if r = pgtui(t, labInventory(t), "restart", "pg-test", "--pending", "--yes"); r.code != 0 || !strings.Contains(r.out, "nothing to do") {
		t.Errorf("--pending without any: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

// TestLabReinit: a replica gets a new copy and streams.
func TestLabReinit(t *testing.T) {
	needLab(t)
	lab(t, "exec", "pg-test-3", "touch", "/pg/data/old-copy")
	r := pgtui(t, labInventory(t), "reinit", "pg-test-1", "--yes")
	if r.code != 3 || !strings.Contains(r.err, "leads") {
		t.Errorf("the leader: exit %d\n%s%s", r.code, r.out, r.err)
	}
	r = pgtui(t, labInventory(t), "reinit", "pg-test-3", "--yes")
	t.Logf("%s\n%s", r.took.Round(100*time.Millisecond), r.out)
	if r.code != 0 || !strings.Contains(r.out, "settled") {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if !strings.Contains(r.out, "Free space of the data directory on pg-test-3: ") || strings.Contains(r.out, "on pg-test-3: unknown") {
		t.Errorf("no free space\n%s", r.out)
	}
	if out := lab(t, "exec", "pg-test-3", "sh", "-c", "ls /pg/data/old-copy 2>/dev/null; true"); out != "" {
		t.Error("the old data directory is still there")
	}
	if !strings.Contains(lab(t, "api", "pg-test-1", "/patroni"), `"application_name": "pg-test-3"`) {
		t.Error("pg-test-3 does not stream")
	}
}

// diverge has a replica's PostgreSQL write on a timeline of its own, and Patroni keep
// that: as after somebody promoted it by hand.
func diverge(t *testing.T, node string) {
	t.Helper()
	as := func(line string) { lab(t, "exec", node, "su", "postgres", "-c", line) }
	lab(t, "exec", node, "sed", "-i", "/^  use_pg_rewind:/s/true/false/; /^  remove_data_directory_on_rewind_failure:/s/true/false/", "/etc/patroni/patroni.yml")
	lab(t, "api", "pg-test-1", "/config", "-u", "postgres:Patroni.API", "-XPATCH", "-d", `{"postgresql": {"use_pg_rewind": false, "remove_data_directory_on_rewind_failure": false}}`)
	lab(t, "exec", node, "systemctl", "stop", "patroni")
	as("/usr/pgsql/bin/pg_ctl -D /pg/data -w start >/dev/null && /usr/pgsql/bin/pg_ctl -D /pg/data -w promote")
	sql(t, node, "create table astray as select generate_series(1, 1000) as n", "checkpoint")
	as("/usr/pgsql/bin/pg_ctl -D /pg/data -m fast -w stop")
	sql(t, "pg-test-1", "create table astray (n text)", "checkpoint") // the leader writes, too
	lab(t, "exec", node, "systemctl", "start", "patroni")
}

// TestLabReinitDiverged: a replica that somebody promoted and wrote to does not
// stream; doctor shows it, and a reinit brings it back to the leader's timeline.
func TestLabReinitDiverged(t *testing.T) {
	needLab(t)
	t.Cleanup(func() {
		lab(t, "exec", "pg-test-3", "sed", "-i", "/^  use_pg_rewind:/s/false/true/; /^  remove_data_directory_on_rewind_failure:/s/false/true/", "/etc/patroni/patroni.yml")
		lab(t, "api", "pg-test-3", "/reload", "-u", "postgres:Patroni.API", "-XPOST")
	})
	diverge(t, "pg-test-3")
	var says string
	until(t, "doctor shows it", func() bool {
		d, _ := doctor(t, "--count", "0")
		says = ""
		for _, f := range d.Findings {
			if f.Instance == "pg-test-3" || strings.Contains(f.Summary, "pg-test-3") {
				says += f.Severity + " " + f.Code + ": " + f.Summary + "\n"
			}
		}
		return strings.Contains(says, "diverged") || strings.Contains(says, "does not stream")
	})
	t.Logf("doctor of a diverged replica:\n%s", says)
	r := pgtui(t, labInventory(t), "reinit", "pg-test-3", "--yes")
	t.Logf("%s\n%s", r.took.Round(100*time.Millisecond), r.out)
	if r.code != 0 || !strings.Contains(r.out, "streams on the leader's timeline") {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if was, is := timeline(t, "pg-test-1"), timeline(t, "pg-test-3"); was != is {
		t.Errorf("pg-test-3 is on timeline %d, the leader on %d", is, was)
	}
	if !strings.Contains(lab(t, "api", "pg-test-1", "/patroni"), `"application_name": "pg-test-3"`) {
		t.Error("pg-test-3 does not stream")
	}
	if got := sql(t, "pg-test-3", "select count(*) from astray"); got != "0" {
		t.Errorf("the rows that went astray are still there: %s", got)
	}
}

// TestLabPause: every member reports it, and the end of it.
func TestLabPause(t *testing.T) {
	needLab(t)
	t.Cleanup(func() {
		lab(t, "api", "pg-test-1", "/config", "-u", "postgres:Patroni.API", "-XPATCH", "-d", `{"pause":null}`)
	})
	everywhere := func(want bool) {
		t.Helper()
		for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
			if got := strings.Contains(lab(t, "api", n, "/patroni"), `"pause": true`); got != want {
				t.Errorf("%s: pause %t, want %t", n, got, want)
			}
		}
	}
	if r := pgtui(t, labInventory(t), "pause", "pg-test", "--why", "a test", "--yes"); r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	everywhere(true)
	if r := pgtui(t, labInventory(t), "resume", "pg-test", "--yes"); r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	everywhere(false)
}

// TestLabPatroniConfig: max_connections is raised and lowered while clients write,
// each time by a change of the configuration and one restart of what is pending: the
// replicas first, then the leader first. No replica refuses to start. PGTUI_LONG does
// it three times.
func TestLabPatroniConfig(t *testing.T) {
	needLab(t)
	nodes := []string{"pg-test-1", "pg-test-2", "pg-test-3"}
	values := []string{"150", "100"}
	if os.Getenv("PGTUI_LONG") != "" {
		values = []string{"150", "100", "250", "60", "120", "100"}
	}
	var logs []int
	for _, n := range nodes {
		logs = append(logs, len(postgresLog(t, n)))
	}
	was := 100
	for _, value := range values {
		is, _ := strconv.Atoi(value)
		words, order := "it is raised: restart the replicas first", "[pg-test-2 pg-test-3 pg-test-1]"
		if is < was {
			words, order = "it is lowered: restart the leader first", "[pg-test-1 pg-test-2 pg-test-3]"
		}
		c := writing(t, 1, 20*time.Millisecond, fronts()...)
		r := pgtui(t, labInventory(t), "patroni", "config", "pg-test", "--set", "postgresql.parameters.max_connections="+value, "--yes")
		if r.code != 0 || !strings.Contains(r.out, words) || !strings.Contains(r.out, "a restart is pending on") {
			t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
		}
		r = pgtui(t, labInventory(t), "restart", "pg-test", "--pending", "--yes")
		time.Sleep(500 * time.Millisecond)
		c.end()
		if r.code != 0 {
			t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
		}
		seen := c.all()
		t.Logf("max_connections %d → %d in %s: %d writes, %d failed (%s); the longest gap %s, through %s", was, is, r.took.Round(100*time.Millisecond), seen.total, seen.failed, seen.firstFailure, seen.gap.Round(10*time.Millisecond), seen.gapAt)
		if got := fmt.Sprint(restartedIn(&r)); got != order {
			t.Errorf("order %s, expected %s\n%s", got, order, r.out)
		}
		for _, n := range nodes {
			if got := lab(t, "exec", n, "psql", "postgres://test:test@127.0.0.1:5432/test", "-AXtc", "show max_connections"); got != value {
				t.Errorf("%s has max_connections %s", n, got)
			}
			if strings.Contains(lab(t, "api", n, "/patroni"), `"pending_restart": true`) {
				t.Errorf("%s reports a pending restart", n)
			}
		}
		if lab(t, "leader", "pg-test") != "pg-test-1" {
			t.Error("the leader has changed")
		}
		was = is
	}
	for i, n := range nodes {
		log := postgresLog(t, n)
		for _, bad := range []string{"hot standby is not possible", "insufficient parameter settings", "recovery aborted"} {
			if strings.Contains(log[min(logs[i], len(log)):], bad) {
				t.Errorf("PostgreSQL of %s logged %q", n, bad)
			}
		}
	}
}

// postgresLog is the log of a node's PostgreSQL.
func postgresLog(t *testing.T, node string) string {
	t.Helper()
	return lab(t, "exec", node, "sh", "-c", "cat /pg/log/postgres/*")
}

// restartedIn are the members that a run has restarted, in order.
func restartedIn(r *result) []string {
	var order []string
	for _, m := range regexp.MustCompile(`PostgreSQL of (\S+) has started again`).FindAllStringSubmatch(r.out, -1) {
		order = append(order, m[1])
	}
	return order
}

// labHost is the address by which this machine reaches the lab's nodes.
func labHost(t *testing.T) string {
	t.Helper()
	conn, err := net.Dial("tcp", "10.10.10.11:8008")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	host, _, _ := net.SplitHostPort(conn.LocalAddr().String())
	return host
}

// TestLabPatroniForbidden: where Patroni's list does not have this machine, the plan
// explains it, and SSH to the node is the way around.
func TestLabPatroniForbidden(t *testing.T) {
	needLab(t)
	nodes := []string{"pg-test-1", "pg-test-2", "pg-test-3"}
	here := "  - " + labHost(t)
	list := func(edit string) {
		for _, n := range nodes {
			lab(t, "exec", n, "sed", "-i", edit, "/etc/patroni/patroni.yml")
			lab(t, "exec", n, "curl", "-sf", "-u", "postgres:Patroni.API", "-XPOST", "http://10.10.10.1"+strings.TrimPrefix(n, "pg-test-")+":8008/reload")
		}
	}
	t.Cleanup(func() {
		list("/^" + here + "$/d; s/^  allowlist:$/&\\n" + here + "/")
		for _, n := range nodes { // Patroni reads its file again in its next loop
			until(t, n+" takes writes again", func() bool {
				return lab(t, "api", n, "/config", "-u", "postgres:Patroni.API", "-XPATCH", "-d", "{}", "-o", "/dev/null", "-w", "%{http_code}") == "400"
			})
		}
	})
	list("/^" + here + "$/d")
	var r result
	until(t, "Patroni takes no writes from here", func() bool {
		r = pgtui(t, labInventory(t), "pause", "pg-test", "--dry-run")
		return r.code == 3
	})
	if !strings.Contains(r.out+r.err, "restapi.allowlist") || !strings.Contains(r.out+r.err, "--ssh") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	r = pgtui(t, labInventory(t), "pause", "pg-test", "--ssh", "--yes")
	if r.code != 0 {
		t.Errorf("--ssh: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = pgtui(t, labInventory(t), "resume", "pg-test", "--ssh", "--yes"); r.code != 0 {
		t.Errorf("--ssh: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

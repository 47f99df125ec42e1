package sandbox

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgtui/pigsty"
	"pgtui/source"
)

// TestMain is also the program behind the nodes' haproxy and systemctl.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sandbox-node" {
		os.Exit(NodeMain(os.Args[2:], os.Getenv, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// serverRows are the rows of a section's servers on the stats page of a node's
// HAProxy, by the place in the row.
func serverRows(s *Sandbox, node, section string) (out [][]string) {
	w := s.lock()
	defer s.unlock()
	n := w.byName[node]
	n.ha.CatchUp(w.Now())
	for _, line := range strings.Split(string(n.ha.CSV(section)), "\n") {
		if cells := strings.Split(line, ","); cells[0] == section && cells[1] != "FRONTEND" && cells[1] != "BACKEND" {
			out = append(out, cells)
		}
	}
	return out
}

// servers are the names and states of those servers.
func servers(s *Sandbox, node, section string) string {
	var out []string
	for _, cells := range serverRows(s, node, section) {
		out = append(out, cells[1]+" "+cells[17])
	}
	return strings.Join(out, ", ")
}

// when steps the clock until ok, and returns how long that took.
func when(t *testing.T, s *Sandbox, what string, ok func() bool) time.Duration {
	t.Helper()
	const step = 100 * time.Millisecond
	for d := time.Duration(0); d < 2*time.Minute; d += step {
		if ok() {
			return d
		}
		s.Advance(step)
	}
	t.Fatalf("%s: not within two minutes", what)
	return 0
}

func optionsOf(s *Sandbox, node, path string) int {
	w := s.lock()
	defer s.unlock()
	if n := w.byName[node]; n.m.Runs {
		return n.m.Code("OPTIONS", path)
	}
	return 0
}

// The times that were measured on the real cluster, from the event on; each
// with the spread that the phase of the loops and of the checks gives.
func TestTimesAreTheMeasuredOnes(t *testing.T) {
	serves := func(s *Sandbox, name string) func() bool {
		return func() bool {
			return strings.Contains(servers(s, "pg-test-3", "pg-test-primary"), name+" UP") &&
				!strings.Contains(servers(s, "pg-test-3", "pg-test-primary"), name+" UP 1/3")
		}
	}
	down := func(s *Sandbox, name string) func() bool {
		return func() bool { return strings.Contains(servers(s, "pg-test-3", "pg-test-primary"), name+" DOWN") }
	}
	is := func(s *Sandbox, node string, code int) func() bool {
		return func() bool { return optionsOf(s, node, "/primary") == code }
	}
	type moment struct {
		what     string
		ok       func(s *Sandbox) func() bool
		min, max time.Duration
	}
	for _, c := range []struct {
		name, script string
		moments      []moment
	}{
		{"Patroni of the leader killed", "kill patroni pg-test-1", []moment{
			{"old server DOWN", func(s *Sandbox) func() bool { return down(s, "pg-test-1") }, 2 * time.Second, 4500 * time.Millisecond},
			{"new leader, +26.8 s", func(s *Sandbox) func() bool { return is(s, "pg-test-2", 200) }, 25 * time.Second, 31500 * time.Millisecond},
			{"5433 serves again, +30.0 s", func(s *Sandbox) func() bool { return serves(s, "pg-test-2") }, 27 * time.Second, 35500 * time.Millisecond},
		}},
		{"leader killed", "fail pg-test-1", []moment{
			{"5433 serves again, +29.5 to 31.5 s", func(s *Sandbox) func() bool { return serves(s, "pg-test-2") }, 27 * time.Second, 35500 * time.Millisecond},
		}},
		{"switchover", "switchover pg-test pg-test-2", []moment{
			{"old leader steps down, +1.05 s", func(s *Sandbox) func() bool { return is(s, "pg-test-1", 503) }, time.Second, 1200 * time.Millisecond},
			{"new leader, +1.3 s", func(s *Sandbox) func() bool { return is(s, "pg-test-2", 200) }, 1200 * time.Millisecond, 1500 * time.Millisecond},
			{"old server DOWN, 3.3 s after it stepped down", func(s *Sandbox) func() bool { return down(s, "pg-test-1") }, 3 * time.Second, 5500 * time.Millisecond},
			{"old leader is a replica, +4.3 s", func(s *Sandbox) func() bool {
				return func() bool { return optionsOf(s, "pg-test-1", "/replica") == 200 }
			}, 3 * time.Second, 4500 * time.Millisecond},
		}},
		{"a replica's Patroni freezes", "freeze pg-test-2", []moment{
			{"DOWN after three time outs", func(s *Sandbox) func() bool {
				return func() bool { return strings.Contains(servers(s, "pg-test-1", "pg-test-replica"), "pg-test-2 DOWN") }
			}, 7 * time.Second, 11 * time.Second},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := manual(t, Bookworm)
			do(t, s, c.script)
			var past time.Duration
			for _, m := range c.moments {
				past += when(t, s, m.what, m.ok(s))
				if past < m.min || past > m.max {
					t.Errorf("%s: at %v, expected %v to %v", m.what, past, m.min, m.max)
				}
			}
		})
	}
}

func TestIdleSandboxShowsNothingMoving(t *testing.T) {
	s := manual(t, Bookworm)
	take := func() string {
		_, csv := request("GET", "http://"+s.Addr("pg-test-1")+":9101/haproxy/pg-test-1/;csv", "admin", "pigsty", patient)
		_, doc := request("GET", "http://"+s.Addr("pg-test-2")+":8008/cluster", "", "", patient)
		var b strings.Builder
		for _, line := range strings.Split(string(csv), "\n") {
			cells := strings.Split(line, ",")
			if len(cells) > 24 {
				cells[23], cells[24] = "", "" // lastchg, downtime: seconds
			}
			b.WriteString(strings.Join(cells, ",") + "\n")
		}
		return b.String() + string(doc)
	}
	before := take()
	if !strings.Contains(before, "L7OK") || !strings.Contains(before, "leader") {
		t.Fatalf("not a page:\n%s", before)
	}
	for range 5 {
		s.Advance(1700 * time.Millisecond)
		if after := take(); after != before {
			t.Fatalf("moved:\n%s\n%s", before, after)
		}
	}
}

func TestSessionsFollowTheRoute(t *testing.T) {
	s := manual(t, Bookworm)
	held := func() (out []int) {
		for _, cells := range serverRows(s, "pg-test-1", "pg-test-replica") {
			n, err := strconv.Atoi(cells[4])
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, n)
		}
		return out
	}
	sum := func(n []int) int { return n[0] + n[1] + n[2] }
	before := held()
	if before[0] != 0 || before[1] == 0 || before[2] == 0 {
		t.Fatalf("sessions %v: expected them on the two replicas", before)
	}
	do(t, s, "drain pg-test-1 pg-test-replica/pg-test-2\nwait 10s")
	if drained := held(); drained[1] != before[1] || sum(drained) != sum(before) {
		t.Errorf("a draining server keeps what it has: %v, then %v", before, drained)
	}
	do(t, s, "fail pg-test-2\nwait 10s\nfail pg-test-3\nwait 10s")
	if left := held(); left[0] == 0 || left[2] != 0 {
		t.Errorf("with the replicas gone the backup has them: %v", left)
	}
}

func TestScriptErrorsSayWhatWasExpected(t *testing.T) {
	s := manual(t, Bookworm)
	for _, c := range []struct{ script, want string }{
		{"explode pg-test-1", `unknown command "explode"`},
		{"fail", "fail: expected NODE"},
		{"fail pg-test-9", `no node "pg-test-9": expected a name`},
		{"switchover pg-nope", `no cluster "pg-nope"`},
		{"switchover pg-test pg-test-1", "leads pg-test already"},
		{"switchover pg-test pg-meta-1", "not a member"},
		{"kill mysql pg-test-1", "expected patroni, postgres, pgbouncer or haproxy"},
		{"drain all pg-test-replica", "expected PROXY/SERVER"},
		{"drain all pg-test-replica/pg-test-9", "no running HAProxy has a server"},
		{"weight all pg-test-replica/pg-test-2 300", "expected a weight from 0 to 256"},
		{"wait", "wait: expected DURATION"},
		{"wait soon", "expected a duration"},
		{"lag pg-test-2 much", "expected bytes"},
		{"lag pg-test-1 8B", "only replicas lag"},
		{"dcs sideways", "expected up or down"},
		{"sync pg-test quorum", "expected off, on"},
		{"declare pg-test-2 pg_weight lots", "expected a weight"},
		{"# fine\n\nwait 1s\nfail pg-test-9", "line 4: fail: no node"},
	} {
		if err := s.Do(t.Context(), c.script); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, expected %q", c.script, err, c.want)
		}
	}
	if try := source.TryOf(s.Do(t.Context(), "explode all")); !strings.Contains(try, "switchover") {
		t.Errorf("no list of commands: %q", try)
	}
	if strings.Count(Help(), "\n") != len(commandNames()) {
		t.Errorf("Help has not every command:\n%s", Help())
	}
}

func TestDemoKeysWork(t *testing.T) {
	s := manual(t, Bookworm)
	for _, a := range s.Actions() {
		do(t, s, a.Command+"\nwait 60s")
	}
	do(t, s, "wait 60s")
	if got := servers(s, "pg-test-1", "pg-test-replica"); strings.Contains(got, "DRAIN") || strings.Count(got, " UP") != 3 {
		t.Errorf("after the last key not everything is well: %s", got)
	}
}

// run runs a node's program as apply would.
func run(t *testing.T, s *Sandbox, node, tool string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), filepath.Join(s.NodeRoot(node), "bin", tool), args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return code, out.String(), errs.String()
}

func TestReloadAsOnANode(t *testing.T) {
	s := manual(t, Bookworm)
	root := s.NodeRoot("pg-test-1")
	file := filepath.Join(root, "etc/haproxy/conf.d/pg-test-replica.cfg")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	check := []string{"-Ws", "-f", filepath.Join(root, "etc/haproxy/haproxy.cfg"), "-f", filepath.Join(root, "etc/haproxy/conf.d"), "-c"}
	if code, out, errs := run(t, s, "pg-test-1", "haproxy", check...); code != 0 || errs != "" || out != "Configuration file is valid\n" {
		t.Fatalf("valid files: %d %q %q", code, out, errs)
	}
	write := func(b string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(b), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	do(t, s, "maint pg-test-1 pg-test-replica/pg-test-3")

	// A broken file: refused, and the worker continues.
	write(strings.Replace(string(text), "balance roundrobin", "ballance roundrobin", 1))
	code, _, errs := run(t, s, "pg-test-1", "haproxy", check...)
	line := strconv.Itoa(1 + strings.Count(strings.SplitN(string(text), "balance", 2)[0], "\n"))
	if want := "config : parsing [" + file + ":" + line + "] : unknown keyword 'ballance' in 'listen' section"; code != 1 || !strings.Contains(errs, want) {
		t.Errorf("exit %d, %q; expected %q", code, errs, want)
	}
	if code, _, errs := run(t, s, "pg-test-1", "systemctl", "reload", "haproxy"); code != 1 || !strings.Contains(errs, "ballance") || !strings.Contains(errs, "Job for haproxy.service failed") {
		t.Errorf("reload of a broken file: exit %d, %q", code, errs)
	}
	if got := servers(s, "pg-test-1", "pg-test-replica"); !strings.Contains(got, "pg-test-3 MAINT") {
		t.Errorf("the worker was touched: %s", got)
	}

	// A good change: a new worker, that knows nothing of maintenance.
	write(strings.Replace(string(text), "weight 100 \n", "weight 50 \n", 1))
	if code, out, errs := run(t, s, "pg-test-1", "systemctl", "reload", "haproxy"); code != 0 {
		t.Fatalf("reload: exit %d %q %q", code, out, errs)
	}
	if got, want := servers(s, "pg-test-1", "pg-test-replica"), "pg-test-1 UP 1/3, pg-test-2 UP 1/3, pg-test-3 UP 1/3"; got != want {
		t.Errorf("right after the reload: %s", got)
	}
	s.Advance(2 * time.Second)
	if got, want := servers(s, "pg-test-1", "pg-test-replica"), "pg-test-1 UP, pg-test-2 UP, pg-test-3 UP"; got != want {
		t.Errorf("later: %s", got)
	}
	if got := servers(s, "pg-test-1", "pg-test-primary"); got != "pg-test-1 UP, pg-test-2 DOWN, pg-test-3 DOWN" {
		t.Errorf("the primary service: %s", got)
	}

	do(t, s, "partition pg-test-1")
	if code, _, errs := run(t, s, "pg-test-1", "haproxy", check...); code != 255 || !strings.Contains(errs, "no route to host") {
		t.Errorf("a partitioned node: exit %d, %q", code, errs)
	}
}

func TestDeclareChangesOneLine(t *testing.T) {
	s := manual(t, Bookworm)
	before, err := os.ReadFile(s.InventoryPath())
	if err != nil {
		t.Fatal(err)
	}
	do(t, s, "declare pg-test-2 pg_weight 50\ndeclare pg-test-2 pg_weight 25")
	after, err := os.ReadFile(s.InventoryPath())
	if err != nil {
		t.Fatal(err)
	}
	a, b := strings.Split(string(before), "\n"), strings.Split(string(after), "\n")
	changed := 0
	for i := range a {
		if a[i] != b[i] {
			changed++
			if want := strings.Replace(a[i], "pgtui_root", "pg_weight: 25, pgtui_root", 1); b[i] != want {
				t.Errorf("%q, expected %q", b[i], want)
			}
		}
	}
	if changed != 1 || len(a) != len(b) {
		t.Errorf("%d lines changed", changed)
	}
}

func TestSendReachesARunningSandbox(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, strings.Repeat("d", 90)) // too long for a socket
	s, err := Start(t.Context(), Options{Dir: deep, Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := Send(t.Context(), s.InventoryPath(), "pause pg-test"); err != nil {
		t.Error(err)
	}
	if err := Send(t.Context(), deep, "pause pg-nope"); err == nil || !strings.Contains(err.Error(), "no cluster") {
		t.Errorf("%v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := Send(t.Context(), deep, "pause pg-test"); source.TryOf(err) == "" {
		t.Errorf("a closed sandbox: %v, expected a hint", err)
	}
}

func TestClosesWithoutTrace(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := Start(t.Context(), Options{Speed: 50})
	if err != nil {
		t.Fatal(err)
	}
	dir, addr := s.Dir(), s.Addr("pg-test-1")
	do(t, s, "freeze pg-test-1\nkill patroni pg-test-2\nwait 2s")
	hung := make(chan struct{})
	go func() { // a client that waits for a frozen Patroni must be let go
		request("GET", "http://"+addr+":8008/patroni", "", "", patient)
		close(hung)
	}()
	time.Sleep(20 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-hung
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
	for _, p := range s.ports {
		if p.ln != nil {
			t.Errorf("%s is still open", p.addr)
		}
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 500 {
			b := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestTwoAtOnce(t *testing.T) {
	a, b := manual(t, Bookworm), manual(t, Trixie)
	if a.Addr("pg-test-1") == b.Addr("pg-test-1") {
		t.Fatal("the same addresses")
	}
	do(t, a, "kill patroni pg-test-1")
	if code, _ := request("OPTIONS", "http://"+b.Addr("pg-test-1")+":8008/primary", "", "", patient); code != 200 {
		t.Errorf("the other sandbox answers %d", code)
	}
	if code, _ := request("OPTIONS", "http://"+a.Addr("pg-test-1")+":8008/primary", "", "", silent); code != 0 {
		t.Errorf("a killed Patroni answers %d", code)
	}
}

func TestStatsPageDoors(t *testing.T) {
	s := manual(t, Bookworm)
	base := "http://" + s.Addr("pg-test-1") + ":9101"
	for _, c := range []struct {
		name, path, user, password string
		code                       int
		has                        string
	}{
		{"read-only login", "/haproxy/pg-test-1/;csv", "haproxy", "haproxy", 200, "# pxname,"},
		{"no password", "/haproxy/pg-test-1/;csv", "", "", 401, "valid user and password"},
		{"wrong password", "/haproxy/pg-test-1/;csv", "admin", "admin", 401, ""},
		{"another node's page", "/haproxy/pg-test-2/;csv", "admin", "pigsty", 503, "No server is available"},
		{"no slash", "/haproxy/pg-test-1;csv", "admin", "pigsty", 503, ""},
		{"metrics need no password", "/metrics", "", "", 200, `haproxy_server_status{proxy="pg-test-primary",server="pg-test-1",state="UP"} 1`},
		{"one section, one order", "/haproxy/pg-test-1/;csv?scope=replica", "admin", "pigsty", 200, "pg-test-replica,BACKEND"},
		{"one section, other order", "/haproxy/pg-test-1/?scope=replica;csv", "admin", "pigsty", 200, "pg-test-replica,BACKEND"},
		{"for eyes", "/haproxy/pg-test-1/", "admin", "pigsty", 200, "<html>"},
	} {
		code, body := request("GET", base+c.path, c.user, c.password, patient)
		if code != c.code || !strings.Contains(string(body), c.has) {
			t.Errorf("%s: %d %.200q", c.name, code, body)
		}
	}
}

func TestStatsPost(t *testing.T) {
	s := manual(t, Bookworm)
	addr := s.Addr("pg-test-1") + ":9101"
	for _, c := range []struct{ name, login, form, want string }{
		{"drain", "YWRtaW46cGlnc3R5", "b=pg-test-replica&action=drain&s=pg-test-3", ";st=DONE"},
		{"no server", "YWRtaW46cGlnc3R5", "b=pg-test-replica&action=drain", ";st=NONE"},
		{"no such server", "YWRtaW46cGlnc3R5", "b=pg-test-replica&action=drain&s=x", ";st=ERRP"},
		{"one of two", "YWRtaW46cGlnc3R5", "b=pg-test-replica&action=maint&s=x&s=pg-test-2", ";st=PART"},
		{"no such action", "YWRtaW46cGlnc3R5", "b=pg-test-replica&action=explode&s=pg-test-2", ";st=ERRP"},
		{"read-only login", "aGFwcm94eTpoYXByb3h5", "b=pg-test-replica&action=drain&s=pg-test-2", ";st=DENY"},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "POST /haproxy/pg-test-1/ HTTP/1.0\r\nAuthorization: Basic "+c.login+
			"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "+strconv.Itoa(len(c.form))+"\r\n\r\n"+c.form)
		b, _ := io.ReadAll(conn)
		_ = conn.Close()
		if !strings.Contains(string(b), " 303 ") || !strings.Contains(string(b), c.want+"\r\n") {
			t.Errorf("%s: %q", c.name, b)
		}
	}
	if got := servers(s, "pg-test-1", "pg-test-replica"); got != "pg-test-1 UP, pg-test-2 MAINT, pg-test-3 DRAIN" {
		t.Errorf("servers: %s", got)
	}
}

// A real HAProxy on this machine holds 9101 on every address: the sandbox
// takes another port, which is in all of its files.
func TestPortsThatAreTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	taken := ln.Addr().(*net.TCPAddr).Port
	if got, err := freePort(taken); err != nil || got == taken {
		t.Errorf("port %d, %v; expected another than %d", got, err, taken)
	}
	s := &Sandbox{dir: t.TempDir(), hosts: layout(77, 1), statsPort: 19101, patroniPort: 18008, opt: Options{Now: time.Now}}
	if err := errors.Join(s.writeTree(), s.writeServices()); err != nil {
		t.Fatal(err)
	}
	inv, err := pigsty.Parse("pigsty.yml", []byte(s.inventoryText()), pigsty.Options{})
	if err != nil || len(inv.Problems) > 0 {
		t.Fatalf("%v %v", err, inv.Problems)
	}
	c := inv.Cluster("pg-test")
	n := inv.Node(c.Instances[1].Host)
	if n.HAProxy.Port != 19101 || c.Instances[1].PatroniPort != 18008 || n.SSH.Root != s.NodeRoot("pg-test-2") || !n.SSH.Local {
		t.Errorf("node %+v, instance %+v", n, c.Instances[1])
	}
	for file, want := range map[string]string{"haproxy.cfg": "bind *:19101\n", "conf.d/pg-test-primary.cfg": " check port 18008 "} {
		if b, err := os.ReadFile(filepath.Join(s.NodeRoot("pg-test-2"), "etc/haproxy", file)); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%v, %s lacks %q: %s", err, file, want, b)
		}
	}
}

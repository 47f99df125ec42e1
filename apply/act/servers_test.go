package act

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgtui/apply"
	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/probe/transport"
)

// fake is the HAProxy of each node: what a server's state and weight are, and how
// the way to it fails.
type fake struct {
	mu       sync.Mutex
	states   map[string]string // "a pg-test-replica/pg-test-2": ready, drain, maint
	weights  map[string]int
	down     map[string]bool
	sessions map[string]int64
	turning  map[string]int    // how often a server still shows DRAIN 1/3
	ways     map[string]string // by host: "", dead, cut-before, cut-after, no-socket, ignores, refuses
	pages    map[string]bool   // by host: its stats page is dead
	st       string            // the stats page's word in place of DONE; "lost" hangs up
	writes   []string          // every command and form, "a set server …"
	headers  []http.Header
}

func newFake() *fake {
	return &fake{states: map[string]string{}, weights: map[string]int{}, down: map[string]bool{}, sessions: map[string]int64{}, turning: map[string]int{}, ways: map[string]string{}, pages: map[string]bool{}}
}

const replica2 = "pg-test-replica/pg-test-2"

func (f *fake) apply(h, server, word string, value string) {
	k := h + " " + server
	switch word {
	case "state":
		if value == "drain" && f.states[k] == "maint" {
			f.turning[k] = 2
		}
		f.states[k] = value
	case "weight":
		_, _ = fmt.Sscanf(value, "%d", new(int))
		n := 0
		_, _ = fmt.Sscanf(value, "%d", &n)
		f.weights[k] = n
	case "shutdown":
		f.sessions[k] = 0
	}
}

// command is one command of HAProxy's socket.
func (f *fake) command(h, line string) string {
	w := strings.Fields(line)
	switch {
	case f.ways[h] == "refuses":
		return "No such server."
	case f.ways[h] == "ignores":
	case strings.HasPrefix(line, "set server "):
		f.apply(h, w[2], w[3], w[4])
	case strings.HasPrefix(line, "shutdown sessions server "):
		f.apply(h, w[3], "shutdown", "")
	}
	return ""
}

func (f *fake) showStates(h string) string {
	k := h + " " + replica2
	bits := map[string]int{"drain": 8, "maint": 1}[f.states[k]]
	weight := 100
	if n, ok := f.weights[k]; ok {
		weight = n
	}
	return fmt.Sprintf("1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight\n6 pg-test-replica 2 pg-test-2 10.0.0.2 2 %d %d 100\n", bits, weight)
}

func (f *fake) showStat(h string) string {
	k := h + " " + replica2
	status := map[string]string{"": "UP", "ready": "UP", "drain": "DRAIN", "maint": "MAINT"}[f.states[k]]
	if f.down[k] && status != "MAINT" {
		status = "DOWN"
	}
	if f.turning[k] > 0 {
		f.turning[k]--
		status = "DRAIN 1/3"
	}
	return fmt.Sprintf("# pxname,svname,scur,status,weight,bck,type,check_status\npg-test-replica,FRONTEND,0,OPEN,,,0,\npg-test-replica,pg-test-2,%d,%s,100,0,2,L7OK\n", f.sessions[k], status)
}

// Run stands for servers.sh on a node.
func (f *fake) Run(_ context.Context, c transport.Cmd) (transport.Output, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, commands := c.Target.Address, c.Args[2:]
	switch f.ways[h] {
	case "dead":
		return transport.Output{}, fmt.Errorf("%s: no connection: %w", h, transport.ErrNotStarted)
	case "no-socket":
		return transport.Output{Stdout: []byte(serversMagic + "no socket answers\n")}, nil
	case "cut-before", "cut-after":
		if len(commands) > 0 {
			for _, x := range commands {
				f.writes = append(f.writes, h+" "+x)
				if f.ways[h] == "cut-after" {
					f.command(h, x)
				}
			}
			return transport.Output{}, fmt.Errorf("%s: %w", h, transport.ErrInterrupted)
		}
	}
	out := serversMagic + "way worker\n"
	for _, x := range commands {
		f.writes = append(f.writes, h+" "+x)
		c.OnLine("sending")
		a := f.command(h, x)
		out += fmt.Sprintf("sending\nanswer %d\n%s\n", len(a), a)
	}
	states, stat := f.showStates(h), f.showStat(h)
	out += fmt.Sprintf("states %d\n%s\nstat %d\n%s\nend\n", len(states), states, len(stat), stat)
	return transport.Output{Stdout: []byte(out)}, nil
}

// stats is the stats page of a node.
func (f *fake) stats(_ context.Context, n model.Node) (haproxy.Stats, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pages[string(n.Host)] {
		return haproxy.Stats{}, errors.New("no connection")
	}
	st, err := haproxy.ParseStats([]byte(f.showStat(string(n.Host))))
	st.URI = "/haproxy/x/"
	return st, err
}

// ServeHTTP is the form of the stats page; the host is in the Host header.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = r.ParseForm()
	h, _, _ := net.SplitHostPort(r.Host)
	f.headers = append(f.headers, r.Header)
	f.writes = append(f.writes, h+" POST "+r.PostForm.Encode())
	st := f.st
	if st == "" || st == "lost" {
		for _, s := range r.PostForm["s"] {
			if a := r.PostForm.Get("action"); a == "shutdown" {
				f.apply(h, r.PostForm.Get("b")+"/"+s, a, "")
			} else {
				f.apply(h, r.PostForm.Get("b")+"/"+s, "state", a)
			}
		}
	}
	if st == "lost" {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
		return
	}
	if st == "" {
		st = "DONE"
	}
	w.Header().Set("Location", "/haproxy/x/;st="+st)
	w.WriteHeader(http.StatusSeeOther)
}

// bench is an actor over three HAProxies, and its inventory.
func bench(t *testing.T, f *fake) (*Actor, *model.Inventory) {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	inv := &model.Inventory{Source: "x", Path: "/x", Hash: "h"}
	c := model.Cluster{Name: "pg-test"}
	for _, h := range []model.Host{"a", "b", "c"} {
		inv.Nodes = append(inv.Nodes, model.Node{Host: h, SSH: model.SSHTarget{Address: string(h)}, HAProxy: model.HAProxyAccess{Port: 9101, User: "admin", Password: "s3cret"}})
		c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: h})
	}
	inv.Clusters = []model.Cluster{c}
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var mu sync.Mutex
	return &Actor{
		Audit: &apply.Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}, Runner: f, Stats: f.stats, Poll: time.Millisecond,
		Now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			clock = clock.Add(100 * time.Millisecond)
			return clock
		},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
		},
	}, inv
}

// planOf sets pg-test-2 on the three HAProxies to the values, one after the other.
func planOf(r action.Request, values ...string) action.Plan {
	r.Cluster, r.Instance = "pg-test", "pg-test-2"
	p := action.Plan{ID: "p", Inventory: "h", Request: r}
	for _, v := range values {
		for _, h := range []model.Host{"a", "b", "c"} {
			s := action.Step{Do: action.DoServer, HAProxy: h, Instance: "pg-test-2", Servers: []string{replica2}, Value: v, What: "set " + v}
			if v == "checked" {
				s.Do, s.Value = action.DoChecked, ""
			}
			p.Steps = append(p.Steps, s)
		}
	}
	return p
}

func TestSetServers(t *testing.T) {
	drain := action.Request{Kind: action.Drain}
	for _, tt := range []struct {
		name   string
		do     func(*fake)
		plan   action.Plan
		end    action.Outcome
		state  string // of the report
		err    string
		writes []string // nil: not compared
	}{
		{name: "all three", plan: planOf(drain, "drain"), end: action.EndDone, state: "pg-test-2 is in drain on 3 of 3 HAProxies",
			writes: []string{"a set server " + replica2 + " state drain", "b set server " + replica2 + " state drain", "c set server " + replica2 + " state drain"}},
		{name: "a weight", plan: planOf(action.Request{Kind: action.Weight}, "weight 50"), end: action.EndDone, state: "pg-test-2 has weight 50 on 3 of 3 HAProxies"},
		{name: "one is dead: the others are done", do: func(f *fake) { f.ways["a"], f.pages["a"] = "dead", true }, plan: planOf(drain, "drain"), end: action.EndFailed,
			state: "pg-test-2 is in drain on 2 of 3 HAProxies; not, or unknown, on a", err: "its stats page does not answer either",
			writes: []string{"b set server " + replica2 + " state drain", "c set server " + replica2 + " state drain"}},
		{name: "all are dead: nothing was sent", do: func(f *fake) {
			for _, h := range []string{"a", "b", "c"} {
				f.ways[h], f.pages[h] = "dead", true
			}
		}, plan: planOf(drain, "drain"), end: action.EndRefused, err: "nothing was sent", writes: []string{}},
		{name: "no SSH: the stats page", do: func(f *fake) { f.ways["b"] = "dead" }, plan: planOf(drain, "drain"), end: action.EndDone, state: "on 3 of 3",
			writes: []string{"a set server " + replica2 + " state drain", "b POST action=drain&b=pg-test-replica&s=pg-test-2", "c set server " + replica2 + " state drain"}},
		{name: "no socket answers: the stats page", do: func(f *fake) { f.ways["b"] = "no-socket" }, plan: planOf(action.Request{Kind: action.Maint}, "maint"), end: action.EndDone},
		{name: "no SSH, and the server is DOWN: the drain cannot be read back", do: func(f *fake) { f.ways["b"], f.down["b "+replica2] = "dead", true }, plan: planOf(drain, "drain"),
			end: action.EndUnknown, state: "2 of 3 HAProxies; not, or unknown, on b", err: "does not show whether it is in drain"},
		{name: "no SSH, a weight", do: func(f *fake) { f.ways["b"] = "dead" }, plan: planOf(action.Request{Kind: action.Weight}, "weight 5"), end: action.EndFailed, err: "the stats page takes no such command"},
		{name: "the stats page denies it", do: func(f *fake) { f.ways["b"], f.st = "dead", "DENY" }, plan: planOf(drain, "drain"), end: action.EndFailed, err: "answers DENY"},
		{name: "the stats page has only some", do: func(f *fake) { f.ways["b"], f.st = "dead", "PART" }, plan: planOf(drain, "drain"), end: action.EndFailed, err: "answers PART"},
		{name: "the stats page answers something new", do: func(f *fake) { f.ways["b"], f.st = "dead", "NEW" }, plan: planOf(drain, "drain"), end: action.EndUnknown, err: `answers "NEW"`},
		{name: "the reply of the stats page is lost: not sent again", do: func(f *fake) { f.ways["b"], f.st = "dead", "lost" }, plan: planOf(drain, "drain"), end: action.EndUnknown, err: "the reply was lost",
			writes: []string{"a set server " + replica2 + " state drain", "b POST action=drain&b=pg-test-replica&s=pg-test-2", "c set server " + replica2 + " state drain"}},
		{name: "contact is lost, and it was done: it is read", do: func(f *fake) { f.ways["b"] = "cut-after" }, plan: planOf(drain, "drain"), end: action.EndDone},
		{name: "contact is lost, and it was not done: unknown, not sent again", do: func(f *fake) { f.ways["b"] = "cut-before" }, plan: planOf(drain, "drain"), end: action.EndUnknown,
			writes: []string{"a set server " + replica2 + " state drain", "b set server " + replica2 + " state drain", "c set server " + replica2 + " state drain"}},
		{name: "HAProxy refuses", do: func(f *fake) { f.ways["b"] = "refuses" }, plan: planOf(drain, "drain"), end: action.EndFailed, err: `answers "No such server."`},
		{name: "it does not read back", do: func(f *fake) { f.ways["b"] = "ignores" }, plan: planOf(drain, "drain"), end: action.EndFailed, err: "it is in ready"},
		{name: "from maint by drain and a check", do: func(f *fake) {
			for _, h := range []string{"a", "b", "c"} {
				f.states[h+" "+replica2] = "maint"
			}
		}, plan: planOf(action.Request{Kind: action.Ready}, "drain", "checked", "ready"), end: action.EndDone, state: "pg-test-2 is ready on 3 of 3 HAProxies"},
		{name: "no check ends on one: it stays in drain, the others are ready", do: func(f *fake) { f.turning["b "+replica2] = 1 << 30 }, plan: planOf(action.Request{Kind: action.Ready}, "drain", "checked", "ready"),
			end: action.EndFailed, state: "pg-test-2 is ready on 2 of 3 HAProxies; not, or unknown, on b", err: "DRAIN 1/3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			if tt.do != nil {
				tt.do(f)
			}
			a, inv := bench(t, f)
			rep, err := a.Run(t.Context(), inv, tt.plan, nil)
			if rep.Outcome != tt.end || !strings.Contains(rep.State, tt.state) {
				t.Errorf("outcome %s, state %q, want %s %q: %v", rep.Outcome, rep.State, tt.end, tt.state, err)
			}
			if (err != nil) != (tt.end != action.EndDone) || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if tt.writes != nil && !slices.Equal(f.writes, tt.writes) {
				t.Errorf("writes\n  %s\nwant\n  %s", strings.Join(f.writes, "\n  "), strings.Join(tt.writes, "\n  "))
			}
			for _, h := range f.headers {
				if h.Get("Origin") != "" || h.Get("Referer") != "" || h.Get("Authorization") == "" {
					t.Errorf("headers %v", h)
				}
			}
			log, rerr := a.Audit.Read()
			if rerr != nil || len(log.Records) != 2 || log.Records[1].Kind != plan.RecordEnd || strings.Contains(fmt.Sprint(log.Records), "s3cret") {
				t.Errorf("%v, %+v", rerr, log.Records)
			}
		})
	}
}

// TestSessions: a drain waits, and what is left is reported, or cut.
func TestSessions(t *testing.T) {
	wait := func(cut bool) action.Plan {
		p := planOf(action.Request{Kind: action.Drain, Wait: 3 * time.Second, Cut: cut}, "drain")
		p.Steps = append(p.Steps, action.Step{Do: action.DoSessions, Instance: "pg-test-2", Servers: []string{replica2}, What: "wait"})
		if cut {
			p.Steps = append(p.Steps, action.Step{Do: action.DoCut, HAProxy: "b", Instance: "pg-test-2", Servers: []string{replica2}, What: "cut"})
		}
		return p
	}
	for _, tt := range []struct {
		name     string
		sessions int64
		cut      bool
		way      string
		page     bool // dead
		end      action.Outcome
		err      string
	}{
		{name: "none left", end: action.EndDone},
		{name: "some left", sessions: 3, end: action.EndFailed, err: "pg-test-2 has 3 sessions left"},
		{name: "cut", sessions: 3, cut: true, end: action.EndDone},
		{name: "cut through the stats page", sessions: 3, cut: true, way: "dead", end: action.EndDone},
		{name: "a HAProxy that cannot be read", page: true, way: "dead", end: action.EndUnknown, err: "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			a, inv := bench(t, f)
			f.sessions["b "+replica2], f.ways["b"] = tt.sessions, tt.way
			p := wait(tt.cut)
			if tt.page {
				p.Steps = p.Steps[3:]
				f.pages["b"] = true
			}
			var progress []string
			rep, err := a.Run(t.Context(), inv, p, func(e action.Event) {
				if e.State == action.Waiting {
					progress = append(progress, fmt.Sprintf("%d/%d", e.Done, e.Total))
				}
			})
			if rep.Outcome != tt.end || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s, %v", rep.Outcome, err)
			}
			if want := "pgtui drain pg-test-2 --cut; pgtui undrain pg-test-2"; tt.name == "some left" && strings.Join(rep.Next, "; ") != want {
				t.Errorf("next %v, want %s", rep.Next, want)
			}
			if tt.sessions > 0 && !slices.Contains(progress, "0/3") {
				t.Errorf("progress %v", progress)
			}
		})
	}
}

// TestStopsBetweenSteps: what the operator stops is reported with what was done.
func TestStopsBetweenSteps(t *testing.T) {
	f := newFake()
	a, inv := bench(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	rep, err := a.Run(ctx, inv, planOf(action.Request{Kind: action.Drain}, "drain"), func(e action.Event) {
		if e.State == action.Proven {
			cancel()
		}
	})
	if rep.Outcome != action.EndFailed || err == nil || !strings.Contains(err.Error(), "stopped by the operator before: ") || len(f.writes) != 1 || !rep.Stopped || rep.State != "pg-test-2 is in drain on 1 of 3 HAProxies" {
		t.Errorf("%s, %v, %v, %q", rep.Outcome, err, f.writes, rep.State)
	}
}

// TestAStoppedWait: the drain is set, the wait for its sessions is what was stopped.
func TestAStoppedWait(t *testing.T) {
	f := newFake()
	a, inv := bench(t, f)
	f.sessions["b "+replica2] = 3
	p := planOf(action.Request{Kind: action.Drain, Instance: "pg-test-2", Service: "replica", Wait: time.Hour, Cut: true}, "drain")
	p.Steps = append(p.Steps, action.Step{Do: action.DoSessions, Instance: "pg-test-2", Servers: []string{replica2}, What: "wait"},
		action.Step{Do: action.DoCut, HAProxy: "b", Instance: "pg-test-2", Servers: []string{replica2}, What: "cut"})
	ctx, cancel := context.WithCancel(t.Context())
	rep, err := a.Run(ctx, inv, p, func(e action.Event) {
		if e.State == action.Waiting {
			cancel()
		}
	})
	if rep.Outcome != action.EndFailed || !rep.Stopped || rep.State != "pg-test-2 is in drain on 3 of 3 HAProxies" || len(f.writes) != 3 {
		t.Errorf("%s, stopped %t, %q, %v", rep.Outcome, rep.Stopped, rep.State, f.writes)
	}
	if want := p.Request.Title() + ": the wait was stopped by the operator: 3 sessions of pg-test-2 left"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if got, want := strings.Join(rep.Next, "; "), "pgtui drain pg-test-2 --service replica --timeout 1h --cut; pgtui undrain pg-test-2 --service replica"; got != want {
		t.Errorf("next %q, want %q", got, want)
	}
}

// TestReadOnlyPassesNoVerb: whatever a plan does, a read-only run sends nothing of it.
func TestReadOnlyPassesNoVerb(t *testing.T) {
	f := newFake()
	a, inv := bench(t, f)
	a.ReadOnly = "--read-only"
	for verb := range verbs() {
		p := planOf(action.Request{Kind: action.Drain}, "drain")
		for i := range p.Steps {
			p.Steps[i].Do = verb
		}
		rep, err := a.Run(t.Context(), inv, p, nil)
		if rep.Outcome != action.EndRefused || err == nil || !strings.Contains(err.Error(), "read-only") || len(f.writes) > 0 {
			t.Errorf("%s: %s, %v, %v", verb, rep.Outcome, err, f.writes)
		}
	}
}

func TestParseServers(t *testing.T) {
	f := newFake()
	out, err := f.Run(t.Context(), transport.Cmd{Target: model.SSHTarget{Address: "a"}, Args: []string{"1", "1", "set server " + replica2 + " state drain"}, OnLine: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	whole := string(out.Stdout)
	got, err := parseServers([]byte(whole), 1)
	if err != nil || len(got.states) != 1 || got.row("pg-test-replica", "pg-test-2").Status != "DRAIN" || got.answers[0] != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	for n := range len(whole) {
		if _, err := parseServers([]byte(whole[:n]), 1); err == nil {
			t.Fatalf("cut after %d bytes: no error", n)
		}
	}
	for _, bad := range []string{"", "x", serversMagic, serversMagic + "none of socat\n", strings.Replace(whole, "answer 0", "answer -1", 1), strings.Replace(whole, "answer 0", "answer 99999999999", 1)} {
		if _, err := parseServers([]byte(bad), 1); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if _, err := parseServers([]byte(whole), 2); err == nil {
		t.Error("an answer is missing: no error")
	}
	for _, bad := range []string{"", "x", "a b/c", "a/b;shutdown", "a/b/c", "a/"} {
		if _, _, err := splitServer(bad); err == nil {
			t.Errorf("%q is taken as a server", bad)
		}
	}
}

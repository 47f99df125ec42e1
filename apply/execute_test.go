package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/transport"
	"pgtui/source"
)

// fakeNode plays node.sh on one host: what it prints by mode.
type fakeNode struct {
	ready, apply, restore, settle, confirm []string
	applyErr, restoreErr                   error // the connection broke after those lines
}

// fakeRunner plays nodes and remembers the modes it was asked for.
type fakeRunner struct {
	mu    sync.Mutex
	nodes map[string]*fakeNode
	calls []string
	live  map[string]bool // hosts whose new files were loaded
}

func (f *fakeRunner) Run(_ context.Context, c transport.Cmd) (transport.Output, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.nodes[c.Target.Address]
	mode := c.Args[0]
	if mode == "ready" {
		if n.ready == nil {
			n.ready = []string{"@begin ready", "@ok ready", "@end untouched"}
		}
		for _, l := range n.ready {
			c.OnLine(l)
		}
		return transport.Output{}, nil
	}
	f.calls = append(f.calls, mode+" "+c.Target.Address)
	lines, err := n.apply, n.applyErr
	switch mode {
	case "restore":
		lines, err = n.restore, n.restoreErr
	case "confirm":
		lines, err = n.confirm, nil
	case "settle":
		lines, err = n.settle, nil
		if lines == nil {
			err = errors.New("no route to host")
		}
	}
	for _, l := range lines {
		c.OnLine(l)
		switch l {
		case "@ok reload":
			f.live[c.Target.Address] = true
		case "@end restored":
			f.live[c.Target.Address] = false
		}
	}
	return transport.Output{}, err
}

var good = []string{"@begin stage", "@ok stage", "@staged /x/conf.d", "@begin check", "@ok check", "@begin compare", "@ok compare",
	"@begin backup", "@ok backup /var/lib/pgtui/backup/b", "@begin swap", "@ok swap", "@begin reload", "@ok reload", "@end applied"}

var goodRestore = []string{"@begin restore", "@ok restore", "@end restored"}

// bench is a plan of three nodes that all change one weight from 100 to 50.
type bench struct {
	inv    *model.Inventory
	plan   plan.Plan
	runner *fakeRunner
	app    *Applier
	page   func(host string, live bool) (haproxy.Stats, error) // the stats page
	steps  []string
}

func page(weight int, age int64, check string) haproxy.Stats {
	return haproxy.Stats{Proxies: []haproxy.Proxy{{
		Name: "pg-test-primary", Front: haproxy.ProxyRow{Total: 1000 - 1000/(age+1)},
		Servers: []haproxy.ServerRow{{Name: "pg-test-1", Status: "UP", Weight: weight, UserWeight: weight, CheckStatus: check, LastChange: age}},
	}}}
}

func newBench() *bench {
	b := &bench{inv: &model.Inventory{Hash: "h"}, runner: &fakeRunner{nodes: map[string]*fakeNode{}, live: map[string]bool{}}}
	b.plan = plan.Plan{ID: testPlan, Cluster: "pg-test", Inventory: "h"}
	for _, h := range []string{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
		target := model.SSHTarget{Address: h}
		b.inv.Nodes = append(b.inv.Nodes, model.Node{Host: model.Host(h), Name: "pg-test-" + h[len(h)-1:], SSH: target})
		b.runner.nodes[h] = &fakeNode{apply: good, restore: goodRestore}
		b.plan.Nodes = append(b.plan.Nodes, plan.Node{
			Host: model.Host(h), Node: "pg-test-" + h[len(h)-1:], Target: target, ConfDir: "/etc/haproxy/conf.d",
			Changes: []plan.FileChange{{Name: "pg-test-primary.cfg", Before: []byte("100"), After: []byte("50")}},
			Become:  []haproxy.Section{{File: "pg-test-primary.cfg", Name: "pg-test-primary", Servers: []haproxy.ServerLine{{Name: "pg-test-1", Weight: "50"}}}},
		})
	}
	b.page = func(_ string, live bool) (haproxy.Stats, error) {
		if live {
			return page(50, 0, "L7OK"), nil
		}
		return page(100, 500, "L7OK"), nil
	}
	b.app = &Applier{
		Runner: b.runner, Now: time.Now, VerifyFor: 100 * time.Millisecond, Poll: time.Millisecond,
		Stats: func(_ context.Context, n model.Node) (haproxy.Stats, error) {
			b.runner.mu.Lock()
			live := b.runner.live[string(n.Host)]
			b.runner.mu.Unlock()
			return b.page(string(n.Host), live)
		},
	}
	return b
}

func (b *bench) run(ctx context.Context) (string, error) {
	rep, err := b.app.Execute(ctx, b.inv, b.plan, func(s plan.StepResult) {
		switch {
		case !s.Done:
		case s.Err != nil:
			b.steps = append(b.steps, string(s.Host)+" "+s.Step+"!")
		default:
			b.steps = append(b.steps, string(s.Host)+" "+s.Step)
		}
	})
	var out []string
	for _, n := range rep.Nodes {
		out = append(out, string(n.Outcome))
	}
	return strings.Join(out, " "), err
}

func TestExecute(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection reset by peer")
	tests := []struct {
		name     string
		set      func(b *bench)
		outcomes string
		calls    string // modes and last digits of hosts
		err, try string
	}{
		{name: "three nodes, one after the other", set: func(*bench) {}, outcomes: "applied applied applied", calls: "apply1 apply2 apply3"},
		{
			name: "a node that is as it should be is not touched", set: func(b *bench) { b.plan.Nodes[1].Changes = nil },
			outcomes: "applied unchanged applied", calls: "apply1 apply3",
		},
		{
			name: "haproxy refuses on the second: the third is not touched",
			set: func(b *bench) {
				b.runner.nodes["10.10.10.12"].apply = []string{
					"@begin stage", "@ok stage", "@staged /etc/haproxy/.pgtui-1/conf.d", "@begin check",
					"@text check [NOTICE]   (13456) : haproxy version is 2.6.12-1+deb12u4",
					"@text check [ALERT]    (13456) : config : parsing [/etc/haproxy/.pgtui-1/conf.d/pg-test-primary.cfg:3] : unknown proxy mode 'tcpx'.",
					"@text check [ALERT]    (13456) : config : [/etc/haproxy/.pgtui-1/conf.d/pg-test-primary.cfg:5] : 'server pg-test-broken/pg-test-1' : unknown keyword 'foo'",
					"@fail check haproxy refuses the would-be configuration: exit code 1", "@end untouched",
				}
			},
			outcomes: "applied untouched untouched", calls: "apply1 apply2",
			err: "pg-test: pg-test-2 (10.10.10.12): check: haproxy refuses the configuration: /etc/haproxy/conf.d/pg-test-primary.cfg:3: unknown proxy mode 'tcpx'. (and 1 more)",
			try: "nothing on 10.10.10.12 has changed",
		},
		{
			name: "the reload fails and the node restores itself",
			set: func(b *bench) {
				b.runner.nodes["10.10.10.11"].apply = append(slices.Clone(good[:12]), "@text reload Job for haproxy.service failed.",
					"@fail reload haproxy was not reloaded", "@begin restore", "@ok restore", "@end restored")
			},
			outcomes: "restored untouched untouched", calls: "apply1", err: "reload: haproxy was not reloaded: Job for haproxy.service failed.", try: "runs what it ran before",
		},
		{
			name: "and cannot restore itself",
			set: func(b *bench) {
				b.runner.nodes["10.10.10.11"].apply = append(slices.Clone(good[:12]), "@fail reload haproxy was not reloaded",
					"@begin restore", "@fail restore cannot put back /b", "@end broken")
			},
			outcomes: "broken untouched untouched", calls: "apply1", err: "haproxy was not reloaded; then restore: cannot put back /b", try: "check 10.10.10.11 now",
		},
		{
			name: "the new server set never shows: restored",
			set: func(b *bench) {
				b.page = func(string, bool) (haproxy.Stats, error) { return page(100, 500, "L7OK"), nil }
			},
			outcomes: "restored untouched untouched", calls: "apply1 restore1", err: "verify: the stats page does not confirm the reload: pg-test-primary.cfg: server pg-test-1 runs with weight 100, the file has 50",
		},
		{
			name: "the checks never end: restored",
			set: func(b *bench) {
				b.page = func(_ string, live bool) (haproxy.Stats, error) {
					if live {
						return page(50, 0, "INI"), nil
					}
					return page(100, 500, "L7OK"), nil
				}
			},
			outcomes: "restored untouched untouched", calls: "apply1 restore1", err: "no check of pg-test-primary/pg-test-1 has ended yet",
		},
		{
			name: "the old worker stays and nothing but the check changed: not believed",
			set: func(b *bench) {
				b.page = func(string, bool) (haproxy.Stats, error) { return page(50, 500, "L7OK"), nil }
			},
			outcomes: "restored untouched untouched", calls: "apply1 restore1", err: "nothing proves that it comes from a new worker",
		},
		{
			name: "the same server set, but the counters began anew: believed",
			set: func(b *bench) {
				b.page = func(_ string, live bool) (haproxy.Stats, error) {
					if live {
						return page(50, 0, "L7OK"), nil
					}
					return page(50, 500, "L7OK"), nil
				}
			},
			outcomes: "applied applied applied", calls: "apply1 apply2 apply3",
		},
		{
			name: "verification and restore both fail",
			set: func(b *bench) {
				b.page = func(string, bool) (haproxy.Stats, error) { return page(100, 500, "L7OK"), nil }
				b.runner.nodes["10.10.10.11"].restore = []string{"@begin restore", "@fail restore the old files are back, but haproxy was not reloaded with them", "@end broken"}
			},
			outcomes: "broken untouched untouched", calls: "apply1 restore1", err: "then restore: the old files are back",
		},
		{
			name: "the restore is not heard to end, twice",
			set: func(b *bench) {
				b.page = func(string, bool) (haproxy.Stats, error) { return page(100, 500, "L7OK"), nil }
				b.runner.nodes["10.10.10.11"].restore, b.runner.nodes["10.10.10.11"].restoreErr = nil, lost
			},
			outcomes: "uncertain untouched untouched", calls: "apply1 restore1 restore1", err: "the end of the restore was not reported", try: "/var/lib/pgtui/backup/b",
		},
		{
			name: "the stats page cannot be read: nothing is begun",
			set: func(b *bench) {
				b.page = func(string, bool) (haproxy.Stats, error) {
					return haproxy.Stats{}, &source.Hint{Err: errors.New("HTTP 401"), Try: "check haproxy_admin_password"}
				}
			},
			outcomes: "untouched untouched untouched", calls: "", err: "the result could not be verified: HTTP 401", try: "check haproxy_admin_password",
		},
		{
			name: "ssh never gets in: nothing was begun",
			set: func(b *bench) {
				b.runner.nodes["10.10.10.12"].apply, b.runner.nodes["10.10.10.12"].applyErr = nil, fmt.Errorf("connection refused: %w", transport.ErrNotStarted)
			},
			outcomes: "applied untouched untouched", calls: "apply1 apply2", err: "connection refused",
		},
		{
			name: "the connection breaks while checking, and the node says it is as it was",
			set: func(b *bench) {
				n := b.runner.nodes["10.10.10.11"]
				n.apply, n.applyErr, n.settle = good[:4], lost, []string{"@begin settle", "@ok settle", "@state old"}
			},
			outcomes: "untouched untouched untouched", calls: "apply1 settle1", err: "check: connection reset by peer",
		},
		{
			name: "the connection breaks after the swap, and the node had gone on to the end",
			set: func(b *bench) {
				n := b.runner.nodes["10.10.10.11"]
				n.apply, n.applyErr, n.settle = good[:13], lost, []string{"@begin settle", "@ok settle /var/lib/pgtui/backup/b", "@state new"}
			},
			outcomes: "applied applied applied", calls: "apply1 settle1 apply2 apply3",
		},
		{
			name: "the connection breaks after the swap, and the node took it back",
			set: func(b *bench) {
				n := b.runner.nodes["10.10.10.11"]
				n.apply, n.applyErr, n.settle = good[:11], lost, []string{"@begin settle", "@ok settle", "@state old"}
			},
			outcomes: "restored untouched untouched", calls: "apply1 settle1", err: "swap: connection reset by peer",
		},
		{
			name: "the connection breaks and the node cannot be asked",
			set: func(b *bench) {
				n := b.runner.nodes["10.10.10.11"]
				n.apply, n.applyErr = good[:11], lost
			},
			outcomes: "uncertain untouched untouched", calls: "apply1 settle1", err: "no route to host", try: "the old or the new files",
		},
		{
			name:     "a script that says nothing",
			set:      func(b *bench) { b.runner.nodes["10.10.10.11"].apply = nil },
			outcomes: "uncertain untouched untouched", calls: "apply1 settle1", err: "ended without a result",
		},
		{
			name:     "a node of the plan could not be read",
			set:      func(b *bench) { b.plan.Nodes[2].Err = errors.New("permission denied") },
			outcomes: "untouched untouched untouched", calls: "", err: "nothing was changed: 10.10.10.13: permission denied",
		},
		{
			name: "a service could not be rendered",
			set: func(b *bench) {
				b.plan.Problems = []source.Problem{{Subject: "pg-test-x", What: "no selector", Fatal: true}}
			},
			outcomes: "untouched untouched untouched", calls: "", err: "nothing was changed: pg-test-x: no selector",
		},
		{
			name:     "the inventory was edited after the preview",
			set:      func(b *bench) { b.inv.Hash = "other" },
			outcomes: "untouched untouched untouched", calls: "", err: "the inventory has changed since the plan was made", try: "plan again",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			tt.set(b)
			outcomes, err := b.run(t.Context())
			var calls []string
			for _, c := range b.runner.calls {
				mode, host, _ := strings.Cut(c, " ")
				calls = append(calls, mode+host[len(host)-1:])
			}
			if got := strings.Join(calls, " "); outcomes != tt.outcomes || got != tt.calls {
				t.Errorf("outcomes %q, calls %q\nwant     %q, calls %q (%v)", outcomes, got, tt.outcomes, tt.calls, err)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v\nwant  %s", err, tt.err)
			}
			if try := source.TryOf(err); !strings.Contains(try, tt.try) {
				t.Errorf("hint %q, want %q", try, tt.try)
			}
		})
	}
}

// TestExecuteCancelled: an interrupt ends the run after the node it is at.
func TestExecuteCancelled(t *testing.T) {
	t.Parallel()
	b := newBench()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rep, err := b.app.Execute(ctx, b.inv, b.plan, func(s plan.StepResult) {
		if s.Step == plan.StepSwap {
			cancel()
		}
	})
	if !errors.Is(err, errAborted) || rep.Nodes[0].Outcome != plan.Applied || rep.Nodes[1].Outcome != plan.Untouched {
		t.Errorf("%v, %+v", err, rep.Nodes)
	}
}

func TestExecuteTellsEveryStep(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.plan.Nodes = b.plan.Nodes[:1]
	if outcomes, err := b.run(t.Context()); err != nil || outcomes != "applied" {
		t.Fatal(outcomes, err)
	}
	want := []string{"stage", "check", "compare", "backup", "swap", "reload", "verify"}
	for i := range want {
		want[i] = "10.10.10.11 " + want[i]
	}
	if !slices.Equal(b.steps, want) {
		t.Errorf("steps %q, want %q", b.steps, want)
	}
}

func TestPlanQuestions(t *testing.T) {
	t.Parallel()
	inv, _ := world()
	a := &Applier{Now: time.Now}
	tests := []struct {
		name     string
		cluster  model.ClusterName
		hosts    []model.Host
		err, try string
	}{
		{name: "unknown cluster", cluster: "pg-tset", err: "no cluster \"pg-tset\" in : did you mean pg-test?"},
		{name: "unknown host", cluster: "pg-test", hosts: []model.Host{"10.10.10.10"}, err: "10.10.10.10 is not a HAProxy node of pg-test: did you mean 10.10.10.11?"},
		{name: "a cluster without HAProxy", cluster: "pg-meta", err: "no HAProxy node"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := a.Plan(t.Context(), inv, tt.cluster, tt.hosts)
			if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(source.TryOf(err), tt.try) {
				t.Errorf("error %v, hint %q", err, source.TryOf(err))
			}
		})
	}
}

// TestPlanAndExecuteLocally goes the whole way on two directories that stand
// for nodes, through the real transport.
func TestPlanAndExecuteLocally(t *testing.T) {
	t.Parallel()
	inv, _ := world()
	for i := range inv.Nodes {
		inv.Nodes[i].SSH.Root = nodeDir(t)
	}
	weights := map[bool]int{false: 100, true: 50}
	a := &Applier{
		Runner: transport.Local{}, Now: time.Now, Managed: "2026-11-11 00:00:00", VerifyFor: 5 * time.Second, Poll: time.Millisecond,
		Stats: func(_ context.Context, n model.Node) (haproxy.Stats, error) {
			st := page(weights[strings.Contains(calls(t, n.SSH.Root), "systemctl reload haproxy")], 500, "L7OK")
			p := &st.Proxies[0]
			p.Servers = append(p.Servers, haproxy.ServerRow{Name: "pg-test-2", Backup: true, Weight: 100, UserWeight: 100, CheckStatus: "L7STS", LastChange: 500})
			return st, nil
		},
	}
	p, err := a.Plan(t.Context(), inv, "pg-test", nil)
	if err != nil || p.Refusal() != nil {
		t.Fatal(err, p.Refusal())
	}
	want := "change pg-test-primary.cfg, delete pg-test-replica.cfg, delete pg-test-retired.cfg"
	if len(p.Nodes) != 2 || kinds(p.Nodes[0]) != want || kinds(p.Nodes[1]) != want {
		t.Fatalf("%q, want %q", kinds(p.Nodes[0]), want)
	}
	rep, err := a.Execute(t.Context(), inv, p, nil)
	if err != nil || !rep.OK() || rep.Nodes[0].Backup == "" {
		t.Fatal(err, rep)
	}
	for _, n := range inv.Nodes {
		files := confFiles(t, n.SSH.Root)
		for _, name := range []string{"pg-test-2-primary.cfg", "pg-test-byhand.cfg", "grafana.cfg", "pg-test-primary.cfg", "pg-test-primary.cfg.cfg"} {
			if _, ok := files[name]; !ok {
				t.Errorf("%s: %s is gone", n.Host, name)
			}
		}
		if len(files) != 5 {
			t.Errorf("%s: %d files are left, want 5", n.Host, len(files))
		}
	}
	again, err := a.Plan(t.Context(), inv, "pg-test", []model.Host{"10.10.10.12"})
	if err != nil || len(again.Nodes) != 1 || again.Changed() || again.Nodes[0].Same != 1 {
		t.Errorf("a second plan still wants %+v, %v", again.Nodes, err)
	}
}

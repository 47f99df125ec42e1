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

func TestArrange(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		order []model.Host
		vip   model.Host
		want  string
	}{
		{"as the plan has them", nil, "", "1 2 3"},
		{"the VIP's node last", nil, "1", "2 3 1"},
		{"the named ones first", []model.Host{"3"}, "", "3 1 2"},
		{"both", []model.Host{"3"}, "1", "3 2 1"},
		{"the VIP's node is named", []model.Host{"1", "3"}, "1", "1 3 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := plan.Plan{Nodes: []plan.Node{{Host: "1"}, {Host: "2"}, {Host: "3"}}}
			was := p.Nodes
			Arrange(&p, tt.order, tt.vip)
			if got := join(p.Nodes, func(n plan.Node) string { return string(n.Host) }); strings.ReplaceAll(got, ",", "") != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if was[0].Host != "1" || was[2].Host != "3" {
				t.Error("the plan it was given has changed")
			}
		})
	}
	p := plan.Plan{Nodes: []plan.Node{{Host: "1"}, {Host: "2"}}}
	if err := Order(&p, []model.Host{"2", "9"}); err == nil || !strings.Contains(err.Error(), "--order: 9 is not in the plan") || source.TryOf(err) != "its nodes are 1, 2" {
		t.Errorf("%v, %q", err, source.TryOf(err))
	}
	if err := Order(&p, []model.Host{"2"}); err != nil {
		t.Error(err)
	}
}

// TestPreflight: what would stop a run at any node is found before the first
// is touched, and every such node is named.
func TestPreflight(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.runner.nodes["10.10.10.12"].ready = []string{"@begin ready", "@fail ready locked by bob@admin since 2026-11-20T09:00:00Z (plan aaaa)", "@end untouched"}
	b.runner.nodes["10.10.10.13"].ready = []string{"@begin ready", "@fail ready cannot write to /etc/haproxy: is the file system read-only?", "@end untouched"}
	outcomes, err := b.run(t.Context())
	if outcomes != "untouched untouched untouched" || len(b.runner.calls) > 0 {
		t.Errorf("outcomes %q, calls %q", outcomes, b.runner.calls)
	}
	const want = "pg-test: pg-test-2 (10.10.10.12): stage: locked by bob@admin since 2026-11-20T09:00:00Z (plan aaaa) (and 1 more: 10.10.10.13); nothing was changed"
	if err == nil || err.Error() != want || !errors.Is(err, ErrNotBegun) || !strings.Contains(source.TryOf(err), "wait until that run has ended") {
		t.Errorf("error %v, hint %q\nwant  %s", err, source.TryOf(err), want)
	}
	if want := []string{"10.10.10.12 stage!", "10.10.10.13 stage!"}; !slices.Equal(b.steps, want) {
		t.Errorf("steps %q", b.steps)
	}
}

// meeting is a Runner that tells how many nodes are applied at once.
type meeting struct {
	transport.Runner
	mu        sync.Mutex
	once      sync.Once
	now, most int
	order     []string
	arrived   chan struct{}
	together  int // an apply after the first waits until so many are there
}

func (m *meeting) Run(ctx context.Context, c transport.Cmd) (transport.Output, error) {
	if c.Args[0] == "apply" {
		m.mu.Lock()
		first := len(m.order) == 0
		m.order = append(m.order, c.Target.Address)
		m.now++
		if m.most = max(m.most, m.now); m.now == m.together {
			m.once.Do(func() { close(m.arrived) })
		}
		m.mu.Unlock()
		if !first {
			select {
			case <-m.arrived:
			case <-time.After(10 * time.Second):
			}
		}
		defer func() { m.mu.Lock(); m.now--; m.mu.Unlock() }()
	}
	return m.Runner.Run(ctx, c)
}

// TestRolloutParallel: the canary is alone, the others come together, and never
// more than asked for.
func TestRolloutParallel(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{0, 2} {
		b := newBench()
		for _, h := range []string{"10.10.10.14", "10.10.10.15"} {
			n := b.plan.Nodes[0]
			n.Host, n.Target = model.Host(h), model.SSHTarget{Address: h}
			b.plan.Nodes = append(b.plan.Nodes, n)
			b.inv.Nodes = append(b.inv.Nodes, model.Node{Host: n.Host, SSH: n.Target})
			b.runner.nodes[h] = &fakeNode{apply: good}
		}
		m := &meeting{Runner: b.runner, arrived: make(chan struct{}), together: max(1, parallel)}
		b.app.Runner, b.app.Rollout.Parallel, b.app.VerifyFor = m, parallel, 20*time.Second
		outcomes, err := b.run(t.Context())
		if err != nil || outcomes != "applied applied applied applied applied" {
			t.Fatal(outcomes, err)
		}
		if m.most != max(1, parallel) || m.order[0] != "10.10.10.11" {
			t.Errorf("--parallel %d: %d at once, in the order %q", parallel, m.most, m.order)
		}
	}
}

// TestRolloutAbort: the second interrupt puts back the node that is being
// worked on, and the others are not touched.
func TestRolloutAbort(t *testing.T) {
	t.Parallel()
	b := newBench()
	abort := make(chan struct{})
	b.app.Rollout.Abort = abort
	rep, err := b.app.Execute(t.Context(), b.inv, b.plan, func(s plan.StepResult) {
		if s.Step == plan.StepReload && s.Done {
			close(abort)
		}
	})
	if !errors.Is(err, errAborted) || rep.Nodes[0].Outcome != plan.Restored || rep.Nodes[1].Outcome != plan.Untouched {
		t.Errorf("%v, %+v", err, rep.Nodes)
	}
	if got := fmt.Sprint(b.runner.calls); got != "[apply 10.10.10.11 restore 10.10.10.11]" {
		t.Errorf("calls %s", got)
	}
}

// TestConfirm: a node that waits is told that its routing is good; what it
// answers is how it ended.
func TestConfirm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		confirm  []string
		page     func(string, bool) (haproxy.Stats, error)
		outcomes string
		calls    string
		err      string
	}{
		{"it keeps the new files", []string{"@begin confirm", "@ok confirm", "@end applied"}, nil,
			"applied applied applied", "apply1 confirm1 apply2 confirm2 apply3 confirm3", ""},
		{"it was too late", []string{"@begin confirm", "@fail confirm the confirmation came too late: the node has put the old files back by itself", "@end restored"}, nil,
			"restored untouched untouched", "apply1 confirm1", "verify: the confirmation came too late"},
		{"it says nothing until its window is over", nil, nil,
			"uncertain untouched untouched", "", "the node got no confirmation and has restored the old files by itself"},
		{"the routing is not good: it is never told so", nil, func(string, bool) (haproxy.Stats, error) { return page(100, 500, "L7OK"), nil },
			"restored untouched untouched", "apply1 restore1", "the stats page does not confirm the reload"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			b.app.Rollout.ConfirmWithin, b.app.ReadFor = time.Second, time.Second
			b.app.Poll, b.app.VerifyFor = 50*time.Millisecond, 300*time.Millisecond
			if tt.page != nil {
				b.page = tt.page
			}
			for _, n := range b.runner.nodes {
				n.confirm = tt.confirm
			}
			outcomes, err := b.run(t.Context())
			if outcomes != tt.outcomes || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("outcomes %q, %v\nwant     %q, %s", outcomes, err, tt.outcomes, tt.err)
			}
			var calls []string
			for _, c := range b.runner.calls {
				mode, host, _ := strings.Cut(c, " ")
				calls = append(calls, mode+host[len(host)-1:])
			}
			if got := strings.Join(calls, " "); tt.calls != "" && got != tt.calls {
				t.Errorf("calls %q, want %q", got, tt.calls)
			}
		})
	}
}

package apply

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/transport"
	"pgtui/source"
)

// TestAPanicIsAFailedStep: where pgtui itself fails in the middle of a node, that
// node ends as it does where the connection is lost or the page is not right, and
// no other is begun.
func TestAPanicIsAFailedStep(t *testing.T) {
	t.Parallel()
	const first = "10.10.10.11"
	settled := []string{"@begin settle", "@ok settle /var/lib/pgtui/backup/b", "@state new"}
	for _, tt := range []struct {
		name            string
		set             func(b *bench)
		outcomes, calls string
	}{
		{"before the first node", func(b *bench) {
			b.page = func(string, bool) (haproxy.Stats, error) { panic("broken on purpose") }
		}, "untouched untouched untouched", ""},
		{"over the stats page of the new worker", func(b *bench) {
			b.page = func(_ string, live bool) (haproxy.Stats, error) {
				if live {
					panic("broken on purpose")
				}
				return page(100, 500, "L7OK"), nil
			}
		}, "restored untouched untouched", "apply1 restore1"},
		{"while the script runs, and it has ended well", func(b *bench) {
			b.runner.nodes[first].settle = settled
			b.breaks("apply", 1)
			b.page = func(_ string, live bool) (haproxy.Stats, error) {
				return page(map[bool]int{true: 50, false: 100}[live], 500, "L7OK"), nil
			}
		}, "restored untouched untouched", "settle1 restore1"},
		{"while the script runs, and nothing had begun", func(b *bench) {
			b.runner.nodes[first].settle = []string{"@begin settle", "@ok settle", "@state old"}
			b.breaks("apply", 1)
		}, "untouched untouched untouched", "settle1"},
		{"while the script runs, and nobody says how it ended", func(b *bench) { b.breaks("apply", 1) },
			"uncertain untouched untouched", "settle1"},
		{"while the old files are put back: once more", func(b *bench) {
			b.page = func(string, bool) (haproxy.Stats, error) { return page(100, 500, "L7OK"), nil }
			b.breaks("restore", 1)
		}, "restored untouched untouched", "apply1 restore1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			tt.set(b)
			outcomes, err := b.run(t.Context())
			if outcomes != tt.outcomes || !strings.Contains(b.called(), tt.calls) || strings.Contains(b.called(), "2") {
				t.Errorf("%s after %q, want %s after %q", outcomes, b.called(), tt.outcomes, tt.calls)
			}
			if err == nil || tt.name[:5] != "while" && !strings.Contains(err.Error(), "pgtui itself failed") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// breaks makes the first n runs of a mode panic.
func (b *bench) breaks(mode string, n int) {
	b.app.Runner = runner(func(ctx context.Context, c transport.Cmd) (transport.Output, error) {
		if c.Args[0] == mode && n > 0 {
			n--
			panic("broken on purpose")
		}
		return b.runner.Run(ctx, c)
	})
}

type runner func(context.Context, transport.Cmd) (transport.Output, error)

func (r runner) Run(ctx context.Context, c transport.Cmd) (transport.Output, error) { return r(ctx, c) }

// called are the modes that were run, with the last digit of the host.
func (b *bench) called() string {
	var out []string
	for _, c := range b.runner.calls {
		mode, host, _ := strings.Cut(c, " ")
		out = append(out, mode+host[len(host)-1:])
	}
	return strings.Join(out, " ")
}

// TestAPanicOfTheScreenEndsTheRunAfterItsNode: the node whose step could not be
// shown is finished.
func TestAPanicOfTheScreenEndsTheRunAfterItsNode(t *testing.T) {
	t.Parallel()
	b := newBench()
	rep, err := b.app.Execute(t.Context(), b.inv, b.plan, func(plan.StepResult) { panic("broken on purpose") })
	if rep.Nodes[0].Outcome != plan.Applied || rep.Nodes[1].Outcome != plan.Untouched {
		t.Errorf("%+v", rep.Nodes)
	}
	if err == nil || !strings.Contains(err.Error(), "pgtui itself failed reporting stage on 10.10.10.11") {
		t.Errorf("%v", err)
	}
}

// TestAPanicWhilePlanningIsTheNodesError: of every node that is read, and what a
// plan could not be judged by is a risk.
func TestAPanicWhilePlanningIsTheNodesError(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.app.Runner = runner(func(context.Context, transport.Cmd) (transport.Output, error) { panic("broken on purpose") })
	b.app.Probe = func(context.Context, *model.Inventory, ...model.ClusterName) (*model.Snapshot, error) {
		panic("broken on purpose")
	}
	c := model.Cluster{Name: "pg-test"}
	for _, n := range b.plan.Nodes {
		c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: n.Host})
	}
	b.inv.Clusters = []model.Cluster{c}
	p, err := b.app.Plan(t.Context(), b.inv, "pg-test", nil)
	if err != nil || len(p.Nodes) != 3 {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, n := range p.Nodes {
		if n.Err == nil || !strings.Contains(n.Err.Error(), "pgtui itself failed") {
			t.Errorf("%s: %v", n.Host, n.Err)
		}
	}
	for h, o := range b.app.Examine(t.Context(), b.inv, []*model.Cluster{&c}).Conf {
		if o.Err == nil {
			t.Errorf("%s is known", h)
		}
	}
	if s := b.app.Assess(t.Context(), b.inv, &b.plan); s != nil || len(b.plan.Unaccepted()) == 0 {
		t.Errorf("a plan that could not be judged has no risk: %+v", b.plan.Risks)
	}
	if errors.Is(Refused(&b.plan), nil) {
		t.Error("it would be run")
	}
}

// TestSudoWithoutAPasswordSaysWhatToDo: the hint of the door to the nodes is not
// lost on the way, be it to a plan or to a reload.
func TestSudoWithoutAPasswordSaysWhatToDo(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.app.Runner = runner(func(context.Context, transport.Cmd) (transport.Output, error) {
		return transport.Output{}, &source.Hint{Err: transport.ErrNotStarted, Try: "start pgtui with -K"}
	})
	_, err := b.run(t.Context())
	if source.TryOf(err) != "start pgtui with -K" {
		t.Errorf("reload: %v, try %q", err, source.TryOf(err))
	}
	c := model.Cluster{Name: "pg-test", LoadBalancers: []model.LoadBalancer{{Host: "10.10.10.11"}}}
	b.inv.Clusters = []model.Cluster{c}
	p, err := b.app.Plan(t.Context(), b.inv, "pg-test", nil)
	if err != nil || len(p.Nodes) != 1 || source.TryOf(p.Nodes[0].Err) != "start pgtui with -K" || source.TryOf(p.Refusal()) == "" {
		t.Errorf("plan: %+v, %v", p.Nodes, err)
	}
}

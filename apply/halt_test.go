package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/probe/transport"
)

// halting is a Runner that ends a context while a script of that mode runs on a
// node, as an operator's ctrl-c does.
type halting struct {
	transport.Runner
	mode, host string
	halt       context.CancelFunc
	ran        []string // "mode host" of what changes a node
	lines      map[string][]string
}

func (h *halting) Run(ctx context.Context, c transport.Cmd) (transport.Output, error) {
	if ctx.Err() != nil {
		return transport.Output{}, fmt.Errorf("%w: %w", ctx.Err(), transport.ErrNotStarted)
	}
	mode := c.Args[0]
	if slices.Contains([]string{"apply", "states", "close", "play"}, mode) {
		h.ran = append(h.ran, mode+" "+c.Target.Address)
	}
	if mode == h.mode && c.Target.Address == h.host {
		h.halt()
	}
	if lines, ok := h.lines[mode]; ok {
		for _, l := range lines {
			c.OnLine(l)
		}
		return transport.Output{}, ctx.Err()
	}
	out, err := h.Runner.Run(ctx, c)
	return out, errors.Join(err, ctx.Err())
}

// TestHaltedOnANodeTheNextIsUntouched: whoever stops a run while a node is being
// worked on has that node finished, and no other begun, whatever the run does.
func TestHaltedOnANodeTheNextIsUntouched(t *testing.T) {
	t.Parallel()
	runs := map[string]func(ctx context.Context, b *bench) (string, error){
		"apply": func(ctx context.Context, b *bench) (string, error) {
			outcomes, err := b.run(ctx)
			return outcomes, err
		},
		"states": func(ctx context.Context, b *bench) (string, error) {
			rep, err := b.app.EnableStates(ctx, b.inv, b.plan, nil)
			var out []string
			for _, n := range rep.Nodes {
				out = append(out, string(n.Outcome))
			}
			return strings.Join(out, " "), err
		},
		"close": func(ctx context.Context, b *bench) (string, error) {
			var pins []board.Pinned
			for i, n := range b.inv.Nodes {
				pins = append(pins, board.Pinned{Host: n.Host, Worker: haproxy.Worker{PID: 100 + i}, Service: "primary", Instance: "pg-test-1", Refused: true})
			}
			done, err := b.app.Close(ctx, b.inv, &model.Cluster{Name: "pg-test"}, pins)
			var out []string
			for _, x := range done {
				if x.Err != nil {
					t.Errorf("%s: %v", x.Host, x.Err)
				}
				out = append(out, string(plan.Applied))
			}
			for range pins[len(done):] {
				out = append(out, string(plan.Untouched))
			}
			return strings.Join(out, " "), err
		},
	}
	hosts := []string{"10.10.10.11", "10.10.10.12", "10.10.10.13"}
	for mode, run := range runs {
		for k := range hosts {
			t.Run(fmt.Sprintf("%s, on node %d", mode, k+1), func(t *testing.T) {
				ctx, halt := context.WithCancel(t.Context())
				defer halt()
				b := newBench()
				b.runner.live["10.10.10.11"] = false
				h := &halting{Runner: b.runner, mode: mode, host: hosts[k], halt: halt, lines: map[string][]string{
					"states": {"@begin stage", "@ok stage", "@begin reload", "@ok reload 7 took over from 6", "@end applied"},
					"close":  {"@closed 2 0", "@end applied"},
				}}
				b.app.Runner = h
				if mode == "states" {
					b.page = func(string, bool) (haproxy.Stats, error) { return page(50, 0, "L7OK"), nil }
				}
				outcomes, err := run(ctx, b)
				want := []string{"untouched", "untouched", "untouched"}
				var ran []string
				for i := range k + 1 {
					want[i] = "applied"
					ran = append(ran, mode+" "+hosts[i])
				}
				if outcomes != strings.Join(want, " ") || !slices.Equal(h.ran, ran) {
					t.Errorf("outcomes %q, want %q; it ran %q", outcomes, want, h.ran)
				}
				if last := k == len(hosts)-1; last != (err == nil) || !last && (!errors.Is(err, errAborted) || !strings.Contains(err.Error(), "stopped before")) {
					t.Errorf("it says %v", err)
				}
			})
		}
	}
}

// TestHaltedBeforeTheFirstNode: nothing is begun, and no node is blamed.
func TestHaltedBeforeTheFirstNode(t *testing.T) {
	t.Parallel()
	ctx, halt := context.WithCancel(t.Context())
	b := newBench()
	h := &halting{Runner: b.runner, mode: "ready", host: "10.10.10.12", halt: halt}
	b.app.Runner = h
	outcomes, err := b.run(ctx)
	if outcomes != "untouched untouched untouched" || len(h.ran) > 0 || !errors.Is(err, ErrNotBegun) || err.Error() != "pg-test: stopped before the first node: stopped by the operator; nothing was changed" {
		t.Errorf("%q, %v, it ran %q", outcomes, err, h.ran)
	}
}

// TestHaltedWithPigsty: the play is not begun once it is stopped, and one that is
// under way is not cut off by the first word.
func TestHaltedWithPigsty(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		mode  string
		plays int
	}{
		{"while the nodes are looked at", "ready", 0}, {"while they are locked", "hold", 0}, {"in the play", "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, halt := context.WithCancel(t.Context())
			defer halt()
			b := newBench()
			b.app.Runner = &halting{Runner: b.runner, mode: tt.mode, host: "10.10.10.12", halt: halt, lines: map[string][]string{"hold": {"@begin hold", "@ok hold", "@end untouched"}, "release": {"@end untouched"}}}
			b.app.Rollout.Via = "pigsty"
			b.inv.Clusters = []model.Cluster{{Name: "pg-test"}}
			plays := 0
			_, err := b.app.ViaPigsty(ctx, b.inv, b.plan, func(ctx context.Context) error {
				plays++
				halt()
				if ctx.Err() != nil {
					t.Error("the play was cut off")
				}
				return nil
			}, nil)
			if plays != tt.plays || tt.plays == 0 && !errors.Is(err, errAborted) && !errors.Is(err, ErrNotBegun) {
				t.Errorf("%d plays, %v", plays, err)
			}
		})
	}
}

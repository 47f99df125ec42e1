package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/tui/page"
	"pgtui/tui/page/reload"
)

// paper is a terminal that only remembers, and tells when it was written on.
type paper struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	wrote chan struct{}
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case p.wrote <- struct{}{}:
	default:
	}
	return p.buf.Write(b)
}

func TestTheTerminalIsRestoredAndNothingKeepsRunning(t *testing.T) {
	ends := map[string]func(cancel context.CancelFunc, keyboard io.Writer){
		"asked to leave from outside": func(cancel context.CancelFunc, _ io.Writer) { cancel() },
		"q":                           func(_ context.CancelFunc, keyboard io.Writer) { _, _ = keyboard.Write([]byte("q")) },
		"ctrl-c":                      func(_ context.CancelFunc, keyboard io.Writer) { _, _ = keyboard.Write([]byte{3}) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			d := deps(newWorld())
			d.Now = func() time.Time { return t0 }
			watching := make(chan context.Context, 1)
			d.Watch = func(ctx context.Context, _ *model.Inventory, _ time.Duration) <-chan *model.Snapshot {
				watching <- ctx
				ch := make(chan *model.Snapshot)
				context.AfterFunc(ctx, func() { close(ch) })
				return ch
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			in, keyboard := io.Pipe()
			out := &paper{wrote: make(chan struct{}, 1)}
			done := make(chan error, 1)
			go func() { done <- Run(ctx, d.deps(), in, out) }()
			<-out.wrote
			watch := <-watching
			end(cancel, keyboard)
			if err := <-done; err != nil {
				t.Errorf("left with %v", err)
			}
			_ = keyboard.Close()
			<-watch.Done()
			out.mu.Lock()
			defer out.mu.Unlock()
			screen := out.buf.String()
			if i, j := strings.LastIndex(screen, "\x1b[?1049h"), strings.LastIndex(screen, "\x1b[?1049l"); i < 0 || j < i {
				t.Errorf("the alternate screen was not left: %q", screen[max(0, len(screen)-120):])
			}
			if i, j := strings.LastIndex(screen, "\x1b[?25l"), strings.LastIndex(screen, "\x1b[?25h"); j < i {
				t.Errorf("the cursor was not shown again: %q", screen[max(0, len(screen)-120):])
			}
		})
	}
}

func TestAReloadThatPanicsIsAnError(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Start = "pg-test"
		d.Execute = func(_ context.Context, _ *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
			emit(plan.StepResult{Host: p.Nodes[0].Host, Step: plan.StepSwap})
			panic("index out of range")
		}
	})
	r.press("r", "r")
	r.fire(true)
	r.readToEnd()
	r.typing("pg-test")
	r.press("enter")
	r.want("the reload did not finish", "10.10.10.11; its state is unknown", "index out of range")
}

func TestABrokenNodeIsShouted(t *testing.T) {
	w := newWorld()
	p := planOf(w, "pg-test")
	var run page.Page = reload.NewProgress(page.PlanMsg{Cluster: "pg-test", Plan: p})
	run, _ = run.(page.Listener).Update(page.DoneMsg{Report: plan.Report{Nodes: []plan.NodeReport{
		{Host: "10.10.10.11", Outcome: plan.Broken, Step: plan.StepReload, Err: errors.New("reload failed, restore failed")},
		{Host: "10.10.10.12", Outcome: plan.Uncertain, Step: plan.StepSwap, Err: errors.New("connection lost")},
		{Host: "10.10.10.13", Outcome: plan.Untouched, Recovered: []plan.Recovery{{Plan: "feedfacef00d", Outcome: plan.Undecided, Why: "changed since"}}},
	}}}, page.Env{})
	r := newRig(t, w, 100, 30)
	r.m.push(run)
	r.want("plan feedfacef00d was interrupted on this node and is now undecided: changed since", "CHECK 2 NODES NOW", "BROKEN", "UNCERTAIN", "could not be restored: check it now", "its state is unknown")
}

// TestBeforeTheInventoryComes presses every key on a console that has none yet:
// nothing happens that should not, and every line is there.
func TestBeforeTheInventoryComes(t *testing.T) {
	for _, start := range []model.ClusterName{"", "pg-test"} {
		w := newWorld()
		w.snap = nil
		r := newRig(t, w, 80, 24, func(d *fake) { d.Inventory, d.Start = nil, start })
		r.want("reading the inventory …")
		for _, k := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "f", "d", "r", "e", "s", "S", "z", "i", "t", "n", "a", "c", "T", "v", "w", "enter", "tab",
			"y", "m", "+", "-", "space", "<", ">", "?", "down", "up", "right", "pgdown", "D", "esc"} {
			r.press(k)
			if n := len(strings.Split(r.m.View().Content, "\n")); n != 24 {
				t.Fatalf("after %s: %d lines", k, n)
			}
			if r.quit {
				t.Fatalf("%s ended it", k)
			}
			r.press("esc", "esc", "esc")
		}
		r.press(":")
		r.typing("find")
		r.press("enter", "esc", "esc")
		r.lazy = true // nobody answers here
		r.send(inventoryMsg{gen: r.m.gen, inv: w.inv})
		r.wantNot("reading the inventory")
	}
}

// TestWithoutAnInventoryItEnds with the error of reading it.
func TestWithoutAnInventoryItEnds(t *testing.T) {
	d := deps(newWorld())
	d.Now = func() time.Time { return t0 }
	d.Inventory, d.Load = nil, func(context.Context) (*model.Inventory, error) { return nil, errors.New("pigsty.yml:7: no such thing") }
	in, _ := io.Pipe()
	if err := Run(t.Context(), d.deps(), in, &paper{wrote: make(chan struct{}, 1)}); err == nil || err.Error() != "pigsty.yml:7: no such thing" {
		t.Errorf("ended with %v", err)
	}
}

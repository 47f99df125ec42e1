package cmd

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"pgtui/model"
	"pgtui/probe"
	"pgtui/session"
	"pgtui/tui"
)

// RunBroken is the console on the inventory of -i, with three keys more: f12
// makes the next update panic, f11 panics in work that an update has started, f10
// makes every question to a node panic.
// The released program has no such thing.
func RunBroken(ctx context.Context, args []string, ios IO) int {
	a := newApp(ios)
	root := a.root()
	root.SetArgs(args)
	if err := root.ParseFlags(args); err != nil {
		return 2
	}
	inv, err := a.Load(ctx)
	if err != nil {
		printError(ios.Err, err)
		return 2
	}
	var armed, deaf atomic.Bool
	d := a.deps(inv.Source)
	d.Inventory = inv
	d.Now = func() time.Time {
		if armed.Load() {
			panic("broken on purpose")
		}
		return now()
	}
	dial := (&net.Dialer{}).DialContext
	pr := probe.New(probe.Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if deaf.Load() {
			panic("broken on purpose")
		}
		return dial(ctx, network, addr)
	}})
	d.Session = watching{a.Session, pr}
	d.Actions = []tui.Action{
		{Key: "f12", Label: "break", Do: func(context.Context) error { armed.Store(true); return nil }},
		{Key: "f10", Label: "break asking", Do: func(context.Context) error { deaf.Store(true); return nil }},
		{Key: "f11", Label: "break work", Do: func(context.Context) error { panic("broken on purpose") }},
	}
	if err := tui.Run(ctx, d, ios.In, ios.Out); err != nil {
		printError(ios.Err, err)
		return 1
	}
	return 0
}

// watching is a session that watches by another prober.
type watching struct {
	*session.Session
	p *probe.Prober
}

func (w watching) Watch(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan *model.Snapshot {
	return w.p.Watch(ctx, inv, every)
}

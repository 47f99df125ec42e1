package cmd

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/trace"
	"pgtui/probe"
	"pgtui/session"
)

type traceOptions struct {
	output   format
	count    int
	watch    bool
	every    time.Duration
	duration time.Duration // 0: until interrupted
}

func (o *traceOptions) check() error {
	if o.watch && (o.output.document() || o.count != 1) {
		return wrong("--watch cannot be combined with -o json, -o yaml or --count: it prints lines")
	}
	return cmp.Or(within("--count", o.count, 1, mostConnections),
		lasting("--every", o.every, leastEvery, mostEvery), lasting("--for", o.duration, 0, mostWait))
}

func (a *app) traceCmd() *cobra.Command {
	var o traceOptions
	c := &cobra.Command{
		Use:   "trace <dsn | cluster service | entry-point service>",
		Short: "The path of one connection, hop by hop: name, VIP, HAProxy, server, pgbouncer, PostgreSQL",
		Long: "trace connects as a client would and shows what each hop did and how long it took: who resolved the\n" +
			"name, which node has the VIP, which server HAProxy chose and what its check reports, pgbouncer, PostgreSQL.\n" +
			"An entry point comes from the configuration. Several hosts are tried as libpq does. Without a password\n" +
			"for the DSN's user, it logs in as the monitoring user. It changes nothing, and prints no password. Exit\n" +
			"codes: 0 the connection reaches the right instance, 1 it works and a hop failed, 2 there is no connection,\n" +
			"3 unknown; with --watch 1 after a gap.",
		Args: between(1, 2, "a connection string, or a cluster and a service", "pgtui trace pg-test primary"),
		RunE: verb(&o, a.trace),
	}
	outputFlag(c, &o.output, "", "table", "json")
	c.Flags().IntVar(&o.count, "count", 1, "connections to make: which instance answers how often")
	c.Flags().BoolVarP(&o.watch, "watch", "w", false, "keep connecting, and print every gap in service in milliseconds")
	c.Flags().DurationVar(&o.every, "every", 100*time.Millisecond, "with --watch: how often to connect")
	c.Flags().DurationVar(&o.duration, "for", 0, "with --watch: end after this time (default: until interrupted)")
	return c
}

func (a *app) trace(ctx context.Context, o *traceOptions, args []string) error {
	if err := o.check(); err != nil {
		return err
	}
	inv, _, err := a.open(ctx, healthUnknown)
	if err != nil {
		return err
	}
	target, err := session.Target(inv, args)
	if err != nil {
		return exit(healthUnknown, err)
	}
	if o.watch {
		return a.watchTrace(ctx, inv, target, o)
	}
	tr, snap := a.TraceTo(ctx, inv, target)
	spread := []model.Try{tr.Kept().Try}
	for p := a.Prober(); len(spread) < o.count && ctx.Err() == nil; {
		got := p.Connect(ctx, inv, target, 0, false)
		spread = append(spread, got[len(got)-1].Try)
	}
	sum := trace.SpreadOf(snap, &tr, spread)
	return a.reply(o.output, int(model.Worse(tr.Health, sum.Health())),
		func() any { return jsonv1.NewTrace(inv, &tr, &sum) },
		func(w show.Out) { show.Trace(w, &tr, &sum) })
}

// watchLimit is how long one connection of a watch may take: short, so that one
// that hangs does not hide the next.
const watchLimit = time.Second

// watchTrace connects again and again, and prints each gap in service, the hop
// that fails, and how long it lasted. The nodes are watched at the same time, and
// the hop is found by a connection of its own: neither delays the client's.
func (a *app) watchTrace(ctx context.Context, inv *model.Inventory, target trace.Target, o *traceOptions) error {
	operator := ctx // ends when the operator interrupts
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := a.Prober()
	tr, snap := a.TraceTo(ctx, inv, target)
	if operator.Err() != nil {
		return exit(exitInterrupted, errInterrupted)
	}
	show.Target(a.plain(), &target)
	a.traceLine(now(), fmt.Sprintf("%s: %s", tr.Kept().Chain(), tr.Summary))
	cls := trace.Clusters(inv, target, nil)
	var snaps <-chan *model.Snapshot
	if len(cls) > 0 {
		snaps = p.Watch(ctx, inv, time.Second, session.Only(cls)...)
	}
	tries := make(chan timedAttempt)
	go func() {
		defer close(tries)
		sampleTrace(ctx, p, inv, target, o.every, tries)
	}()
	why := make(chan trace.Trace, 1)
	tracing := false
	var gap trace.Gap
	changes := a.Changes(ctx, inv, inputsEvery)
	for {
		select {
		case c := <-changes:
			a.traceLine(now(), c.What()+"; this watch continues with the previous one")
		case s, ok := <-snaps:
			if !ok {
				snaps = nil
				continue
			}
			if s.Complete(cls...) { // a first round that is under way names no server
				snap = s
			}
		case t := <-why:
			if tracing = false; ctx.Err() != nil {
				continue // interrupted: it proves nothing
			}
			a.traceLine(now(), fmt.Sprintf("%s: %s", t.Kept().Chain(), t.Summary))
		case one, ok := <-tries:
			if !ok {
				return a.endWatch(&gap, operator)
			}
			s, fixed := trace.SampleOf(snap, inv, target, &one.Attempt, one.begun, one.done)
			news := gap.Add(s, fixed)
			if news == "" {
				continue
			}
			a.traceLine(s.Done, news)
			if gap.Served+gap.Failed > 1 && !tracing {
				tracing = true
				go func() {
					t, _ := a.TraceTo(ctx, inv, target)
					why <- t
				}()
			}
		}
	}
}

func (a *app) traceLine(at time.Time, line string) {
	fmt.Fprintf(a.io.Out, "%s  %s\n", at.Format("15:04:05.000"), text.Line(line, 600))
}

// endWatch is the summary of a watch; there is none when the operator interrupted
// it before its first connection.
func (a *app) endWatch(g *trace.Gap, operator context.Context) error {
	fmt.Fprintf(a.io.Out, "\n%s\n", text.Line(g.Summary(), 400))
	switch {
	case g.Served+g.Failed == 0 && operator.Err() != nil:
		return exit(exitInterrupted, errInterrupted)
	case g.Out() || g.Served == 0:
		return exit(int(model.HealthDown), nil)
	case g.Gaps > 0 || g.Failed > 0:
		return exit(int(model.HealthDegraded), nil)
	}
	return nil
}

// timedAttempt is the attempt that one connection ended with.
type timedAttempt struct {
	trace.Attempt
	begun, done time.Time
}

// sampleTrace connects every so often until ctx ends. A connection that this end
// interrupts does not count.
func sampleTrace(ctx context.Context, p *probe.Prober, inv *model.Inventory, target trace.Target, every time.Duration, out chan<- timedAttempt) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		begun := now()
		got := p.Connect(ctx, inv, target, watchLimit, false)
		// the connection has the same deadline, and may end first
		if end, ok := ctx.Deadline(); ctx.Err() != nil || ok && !now().Before(end) {
			return
		}
		select {
		case out <- timedAttempt{got[len(got)-1], begun, now()}:
		case <-ctx.Done():
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

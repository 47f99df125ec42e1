package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/trace"
	"pgtui/probe"
)

// traceFlags are what a trace was asked for beside its target.
type traceFlags struct {
	output   string
	count    int
	watch    bool
	every    time.Duration
	duration time.Duration // 0: until interrupted
}

func (f *traceFlags) check() error {
	switch {
	case f.watch && f.output == "json", f.watch && f.count != 1:
		return wrong("--watch prints lines: --watch and -o json exclude each other, and so do --watch and --count")
	}
	return cmp.Or(expect("-o", f.output, "table", "json"), within("--count", f.count, 1, mostConnections),
		lasting("--every", f.every, leastEvery, mostEvery), lasting("--for", f.duration, 0, mostWait))
}

func (a *app) traceCmd() *cobra.Command {
	var f traceFlags
	c := &cobra.Command{
		Use:   "trace <dsn | cluster service | entry-point service>",
		Short: "The way of one connection, hop by hop: name, VIP, HAProxy, server, pgbouncer, PostgreSQL",
		Long: "trace connects as a client would and says what each hop did and how long it took: who resolved the\n" +
			"name, who has the VIP, which server HAProxy chose and what its check says, pgbouncer, PostgreSQL.\n" +
			"An entry point is one of the configuration. Several hosts are tried as libpq does. Where there is no password for the DSN's user, it logs in as the\n" +
			"monitoring user. It changes nothing, and prints no password. Exit codes: 0 the connection goes where it\n" +
			"should, 1 it works and a hop is wrong, 2 there is no connection, 3 the question could not be asked;\n" +
			"with --watch 1 after a gap.",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			unknown := int(model.HealthUnknown)
			if err := f.check(); err != nil {
				return err
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return exit(unknown, err)
			}
			target, err := traceTarget(inv, args)
			if err != nil {
				return exit(unknown, err)
			}
			if f.watch {
				return a.watchTrace(cmd.Context(), inv, target, &f)
			}
			p := a.prober()
			tr, snap := traced(cmd.Context(), p, inv, target)
			spread := []model.Try{tr.Kept().Try}
			for len(spread) < f.count && cmd.Context().Err() == nil {
				got := p.Connect(cmd.Context(), inv, target, 0, false)
				spread = append(spread, got[len(got)-1].Try)
			}
			sum := trace.SpreadOf(snap, &tr, spread)
			if err := a.printTrace(inv, &tr, &sum, f.output); err != nil {
				return err
			}
			return exit(int(model.Worse(tr.Health, sum.Health())), nil)
		},
	}
	c.Flags().StringVarP(&f.output, "output", "o", "table", "table or json")
	c.Flags().IntVar(&f.count, "count", 1, "connections to make: who answers how often")
	c.Flags().BoolVarP(&f.watch, "watch", "w", false, "go on connecting, and print every gap in service in milliseconds")
	c.Flags().DurationVar(&f.every, "every", 100*time.Millisecond, "with --watch: how often to connect")
	c.Flags().DurationVar(&f.duration, "for", 0, "with --watch: end after this time (default: until interrupted)")
	return c
}

// traceTarget reads a DSN, or a cluster and a service.
func traceTarget(inv *model.Inventory, args []string) (trace.Target, error) {
	if len(args) == 2 {
		if p := inv.EntryPoint(args[0]); p != nil && inv.Cluster(model.ClusterName(args[0])) == nil {
			d, c, err := access.TracePoint(inv, p, model.ServiceName(args[1]))
			if err != nil {
				return trace.Target{}, err
			}
			return trace.Target{DSN: d, Login: c.Monitor, As: "the monitoring user"}, nil
		}
		cls, err := clusters(inv, args[:1])
		if err != nil {
			return trace.Target{}, err
		}
		d, err := trace.DSN(cls[0], model.ServiceName(args[1]))
		return trace.Target{DSN: d, Login: cls[0].Monitor, As: "the monitoring user"}, err
	}
	if !strings.ContainsAny(args[0], "=/") {
		try := "pgtui trace pg-test primary"
		if p := inv.EntryPoint(args[0]); p != nil {
			try = fmt.Sprintf("pgtui trace %s primary", p.Name)
		}
		return trace.Target{}, misuse(try, "expected a connection string, or a cluster and a service")
	}
	t, err := probe.ParseDSN(args[0])
	if err != nil || t.Login.Password != "" {
		return t, usage(err)
	}
	if cls := trace.Clusters(inv, t, nil); len(cls) > 0 {
		t.Login = model.Login{User: cls[0].Monitor.User, Password: cls[0].Monitor.Password, Databases: []string{t.Database}}
		t.As = "the monitoring user, because no password is known here for " + t.User
	}
	return t, nil
}

// traced is one connection with what the nodes say of its way. They are asked
// right after it, so that what they say is not older than the connection.
func traced(ctx context.Context, p *probe.Prober, inv *model.Inventory, target trace.Target) (trace.Trace, *model.Snapshot) {
	attempts := p.Connect(ctx, inv, target, 0, true)
	cls := trace.Clusters(inv, target, attempts)
	var snap *model.Snapshot
	var boards []board.Board
	if len(cls) > 0 {
		// What cannot be asked is unknown at its hop.
		if s, err := p.Probe(ctx, inv, only(cls)...); err == nil {
			snap, boards = s, boardsOf(s, cls, now())
		}
	}
	return trace.Of(snap, inv, boards, target, attempts), snap
}

func (a *app) printTrace(inv *model.Inventory, t *trace.Trace, sum *trace.Spread, output string) error {
	if output == "json" {
		enc := json.NewEncoder(a.io.Out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(jsonv1.NewTrace(inv, t, sum))
	}
	w := a.io.Out
	printTarget(w, &t.Target)
	for i := range t.Attempts {
		at := &t.Attempts[i]
		if len(t.Attempts) > 1 {
			fmt.Fprintf(w, "\n%s", at.Endpoint)
			if at.Skipped != "" {
				fmt.Fprintf(w, "  skipped: %s", text.Line(at.Skipped, 200))
			}
			fmt.Fprintln(w)
		}
		tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		for _, h := range at.Hops {
			took := "–"
			if h.Took > 0 {
				took = msText(h.Took) + " ms"
			}
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\n", h.Kind, text.Line(h.At, 80), h.Verdict, took, text.Line(h.Text, 400))
		}
		tw.Flush()
	}
	if sum.Total > 1 {
		fmt.Fprintf(w, "\n%s\n", text.Line(sum.Text(), 400))
	}
	fmt.Fprintf(w, "\n%s %s  %s\n", mark(t.Health), t.Health, text.Line(t.Summary, 400))
	return nil
}

func printTarget(w io.Writer, t *trace.Target) {
	fmt.Fprintf(w, "%s\n", text.Line(t.Text(access.FormURI), 600))
	if t.As != "" {
		fmt.Fprintf(w, "as %s, %s\n", text.Line(t.Login.User, 80), text.Line(t.As, 200))
	}
}

// watchLimit is how long one connection of a watch may take: a client's short
// patience, so that a hanging one does not hide the next.
const watchLimit = time.Second

// watchTrace connects again and again, and says when it is not served, which
// hop breaks it, and how long that was. The nodes are watched beside it, and
// asked for the hop by a connection of its own: neither holds up the client's.
func (a *app) watchTrace(ctx context.Context, inv *model.Inventory, target trace.Target, f *traceFlags) error {
	operator := ctx // ends when the operator does not want to go on
	if f.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.duration)
		defer cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := a.prober()
	tr, snap := traced(ctx, p, inv, target)
	if operator.Err() != nil {
		return exit(exitInterrupted, errInterrupted)
	}
	printTarget(a.io.Out, &target)
	a.traceLine(now(), fmt.Sprintf("%s: %s", tr.Kept().Chain(), tr.Summary))
	cls := trace.Clusters(inv, target, nil)
	var snaps <-chan *model.Snapshot
	if len(cls) > 0 {
		snaps = p.Watch(ctx, inv, time.Second, only(cls)...)
	}
	tries := make(chan timedAttempt)
	go func() {
		defer close(tries)
		sampleTrace(ctx, p, inv, target, f.every, tries)
	}()
	why := make(chan trace.Trace, 1)
	looking := false
	var gap trace.Gap
	changes := a.rereads(ctx, inv, inputsEvery)
	for {
		select {
		case r := <-changes:
			a.traceLine(now(), "the inventory was changed: "+strings.Join(r.names, ", ")+"; this watch goes on with what it has read")
		case s, ok := <-snaps:
			if !ok {
				snaps = nil
				continue
			}
			snap = s
		case t := <-why:
			if looking = false; ctx.Err() != nil {
				continue // it was cut off, and says nothing of the way
			}
			a.traceLine(now(), fmt.Sprintf("%s: %s", t.Kept().Chain(), t.Summary))
		case one, ok := <-tries:
			if !ok {
				return a.endWatch(&gap, operator)
			}
			s, fixed := sampleOf(snap, inv, target, &one)
			news := gap.Add(s, fixed)
			if news == "" {
				continue
			}
			a.traceLine(s.Done, news)
			if gap.Served+gap.Failed > 1 && !looking {
				looking = true
				go func() {
					t, _ := traced(ctx, p, inv, target)
					why <- t
				}()
			}
		}
	}
}

func (a *app) traceLine(at time.Time, raw string) {
	fmt.Fprintf(a.io.Out, "%s  %s\n", at.Format("15:04:05.000"), text.Line(raw, 600))
}

// endWatch is the summary of a watch. One that operator's end has cut off before its
// first connection has nothing to sum up.
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

// sampleTrace connects every so often until ctx ends. A connection that was
// cut off by that end is none.
func sampleTrace(ctx context.Context, p *probe.Prober, inv *model.Inventory, target trace.Target, every time.Duration, out chan<- timedAttempt) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		begun := now()
		got := p.Connect(ctx, inv, target, watchLimit, false)
		// The connection has the deadline of the end, and may notice it first.
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

// sampleOf is what a connection means to a client, and whether one instance at
// a time should answer there.
func sampleOf(snap *model.Snapshot, inv *model.Inventory, target trace.Target, one *timedAttempt) (trace.Sample, bool) {
	way := trace.WayOf(inv, &one.Attempt)
	s := trace.Sample{At: one.begun, Done: one.done, Timeline: one.Try.Answer.Timeline, Fault: trace.ServedBy(target, way, &one.Attempt)}
	if s.Fault == "" && way.Cluster != nil && snap != nil {
		s.Instance, _, _ = board.Identify(snap, way.Cluster, one.Try.Answer)
	}
	fixed := way.Service != nil && access.TargetOf(way.Service) == model.TargetPrimary || slices.Contains([]string{"primary", "read-write"}, target.Attrs)
	return s, fixed
}

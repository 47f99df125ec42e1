package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/past"
	"pgtui/record/ring"
	"pgtui/session"
	"pgtui/source"
	"pgtui/tui"
)

type replayOptions struct{ at string }

func (a *app) replayCmd() *cobra.Command {
	var o replayOptions
	c := &cobra.Command{
		Use:   "replay [file]",
		Short: "The console on a recording: the same screens and verdicts, of a time that is over",
		Long: "replay opens a file that pgtui record --out wrote, else the recordings of the inventory. It contacts no node and\n" +
			"changes nothing. In it [ and ] go by event, { and } by minute, and space plays. Without a terminal use\n" +
			"pgtui status --at TIME --from FILE.",
		Args: upTo(1, "file"),
		RunE: verb(&o, a.replay),
	}
	c.Flags().StringVar(&o.at, "at", "", "where to begin, as of status --at (default: the first event, else the begin)")
	c.Annotations = map[string]string{ends: "itself"}
	return c
}

func (a *app) replay(ctx context.Context, o *replayOptions, args []string) error {
	from := ""
	if len(args) == 1 {
		from = args[0]
	}
	return a.replayConsole(ctx, &pastOptions{at: o.at, from: from}, "")
}

// replayConsole is the console on a recording.
func (a *app) replayConsole(ctx context.Context, o *pastOptions, start model.ClusterName) error {
	sources, err := a.pastSources(o.from)
	if err != nil {
		return err
	}
	r, ok := sources[0].(*ring.Reader)
	if !ok {
		return wrong("--from %s: the console replays recordings only", text.Line(o.from, 60))
	}
	defer r.Close()
	var at time.Time
	if o.at != "" {
		at, err = a.timeOf(ctx, o.at, sources)
	} else {
		at, err = firstOf(ctx, r)
	}
	if err != nil {
		return err
	}
	p, err := session.NewPlayer(ctx, r, at)
	if err != nil {
		return exit(healthUnknown, err)
	}
	inv, err := p.Load(ctx)
	if err != nil {
		return exit(healthUnknown, err)
	}
	if start != "" && inv.Cluster(start) == nil {
		return inv.NoCluster(string(start))
	}
	if !a.terminal() {
		return &source.Hint{Err: errors.New("the console needs a terminal; for text or JSON use `pgtui status`"), Try: "pgtui status --at " + p.Now().Format(time.RFC3339)}
	}
	d := a.replayDeps(p, inv)
	d.Start = start
	return tui.Run(ctx, d, a.io.In, a.io.Out)
}

// firstOf is where a replay begins: at the first event, else at the begin.
func firstOf(ctx context.Context, r *ring.Reader) (time.Time, error) {
	spans, err := r.Spans(ctx)
	if err != nil {
		return time.Time{}, exit(healthUnknown, err)
	}
	if len(spans) == 0 {
		return time.Time{}, exit(healthUnknown, &past.NotCovered{At: now(), Source: r.Name()})
	}
	events, err := r.Events(ctx, spans[0].From, spans[len(spans)-1].To)
	if err != nil {
		return time.Time{}, exit(healthUnknown, err)
	}
	if len(events) > 0 {
		return events[0].At, nil
	}
	times, err := r.Moments(ctx, spans[0].From, spans[0].From.Add(time.Minute))
	if err != nil || len(times) == 0 {
		return spans[0].To, err
	}
	return times[0], nil
}

// replayDeps is what the console on a recording gets: no session, and so no way to a node.
func (a *app) replayDeps(p *session.Player, inv *model.Inventory) tui.Deps {
	d := a.deps(inv.Source)
	d.Session, d.Replay, d.Now, d.Inventory = p, p, p.Now, inv
	d.ReadOnly, d.Past, d.Open, d.Contexts, d.Actions = "", nil, nil, nil, nil
	return d
}

// pastDeps opens the recordings of the inventory at path at their end.
func (a *app) pastDeps(ctx context.Context, path string) (tui.Deps, error) {
	dir := a.Recordings(path)
	if dir == "" {
		return tui.Deps{}, errors.New("there are no recordings")
	}
	p, err := session.NewPlayer(ctx, ring.NewReader("recorder", dir), time.Time{})
	if err != nil {
		return tui.Deps{}, err
	}
	inv, err := p.Load(ctx)
	if err != nil {
		return tui.Deps{}, err
	}
	return a.replayDeps(p, inv), nil
}

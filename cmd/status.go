package cmd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
)

func (a *app) statusCmd() *cobra.Command {
	var output string
	var watch, prove bool
	var count int
	var every time.Duration
	c := &cobra.Command{
		Use:   "status [cluster]",
		Short: "Who serves each service port now; exits 0 ok, 1 degraded, 2 down, 3 unknown",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := statusFlags(output, watch, prove, count, every); err != nil {
				return err
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return exit(int(model.HealthUnknown), err)
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return exit(int(model.HealthUnknown), err)
			}
			if watch {
				return a.watchStatus(cmd.Context(), inv, args, output, every)
			}
			snap, err := a.snapshot(cmd.Context(), inv, cls, prove, count)
			if err != nil {
				return exit(int(model.HealthUnknown), err)
			}
			boards := boardsOf(snap, cls, now())
			if err := a.printStatus(inv, boards, output, len(args) == 0, now()); err != nil {
				return err
			}
			if snap.PoolsUnasked {
				fmt.Fprintln(a.io.Err, "pgtui: more than 200 ports: pgbouncers' consoles were not asked whether they keep clients waiting; pgtui status CLUSTER asks them")
			}
			return exit(int(worst(boards)), nil)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json; with --watch also ndjson, an event a line")
	c.Flags().BoolVarP(&watch, "watch", "w", false, "go on until interrupted, with a line for each change")
	c.Flags().BoolVar(&prove, "prove", false, "connect through every port as the monitoring user, and say who really answers")
	c.Flags().IntVar(&count, "count", 3, "with --prove: connections through each port of each HAProxy")
	c.Flags().DurationVar(&every, "every", 2*time.Second, "with --watch: how often the nodes are asked")
	return c
}

// statusFlags checks the flags of status.
func statusFlags(output string, watch, prove bool, count int, every time.Duration) error {
	if output == "ndjson" && !watch {
		return wrong("-o ndjson: expected --watch with it, or table or json")
	}
	if prove && watch {
		return wrong("--prove and --watch exclude each other")
	}
	return cmp.Or(expect("-o", output, "table", "json", "ndjson"), within("--count", count, 1, mostConnections), lasting("--every", every, leastEvery, mostEvery))
}

// snapshot is one sweep, with real connections when prove says so.
func (a *app) snapshot(ctx context.Context, inv *model.Inventory, cls []*model.Cluster, prove bool, count int) (*model.Snapshot, error) {
	if prove {
		return proven(ctx, a.prober(), inv, cls, count)
	}
	return a.prober().Probe(ctx, inv, only(cls)...)
}

// only are the names of the clusters, for the prober.
func only(cls []*model.Cluster) []model.ClusterName {
	out := make([]model.ClusterName, len(cls))
	for i, c := range cls {
		out[i] = c.Name
	}
	return out
}

func boardsOf(snap *model.Snapshot, cls []*model.Cluster, at time.Time) []board.Board {
	out := make([]board.Board, len(cls))
	for i, c := range cls {
		out[i] = check.Board(snap, c, at)
	}
	return out
}

// worst is the health of them all; unknown when there is none.
func worst(boards []board.Board) model.Health {
	if len(boards) == 0 {
		return model.HealthUnknown
	}
	h := model.HealthOK
	for i := range boards {
		h = model.Worse(h, boards[i].Health)
	}
	return h
}

func (a *app) printStatus(inv *model.Inventory, boards []board.Board, output string, fleet bool, at time.Time) error {
	if output == "json" {
		enc := json.NewEncoder(a.io.Out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(jsonv1.NewStatus(inv, boards, at))
	}
	printBoards(a.io.Out, boards, at, fleet && len(boards) > 3)
	return nil
}

// watchStatus goes on until interrupted: the state at the start, then what
// changes. As a table that is a line an event; as JSON a whole status document
// a line each time the answer changes; as NDJSON one event a line. Ages alone
// are not a change. An inventory whose files change is read again.
func (a *app) watchStatus(ctx context.Context, inv *model.Inventory, names []string, output string, every time.Duration) error {
	w := statusWatch{app: a, names: names, output: output, every: every}
	changes := a.rereads(ctx, inv, inputsEvery)
	for {
		next, err := w.follow(ctx, inv, changes)
		if err != nil {
			return err
		}
		if next == nil {
			break
		}
		inv, w.before = next, nil
	}
	if w.latest == nil && ctx.Err() != nil {
		return exit(exitInterrupted, errInterrupted)
	}
	return exit(int(worst(w.latest)), nil)
}

// statusWatch is a `status --watch`.
type statusWatch struct {
	*app
	names          []string // of the clusters; none is all
	output         string
	every          time.Duration
	before, latest []board.Board // of the inventory at hand, and of any
	last           []byte        // the last document without its ages
}

// follow watches the nodes of one inventory until ctx ends, or until it was read
// again: then it returns that.
func (w *statusWatch) follow(ctx context.Context, inv *model.Inventory, changes <-chan reread) (*model.Inventory, error) {
	cls, err := clusters(inv, w.names)
	if err != nil {
		return nil, exit(int(model.HealthUnknown), err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	started := now()
	snaps := w.prober().Watch(ctx, inv, w.every, only(cls)...)
	for {
		select {
		case r := <-changes:
			if w.notice(r.text()); r.inv == nil {
				continue
			}
			if _, err := clusters(r.inv, w.names); err != nil {
				w.notice(err.Error() + ": the watch goes on with the one before")
				continue
			}
			return r.inv, nil
		case snap, ok := <-snaps:
			if !ok {
				return nil, nil
			}
			boards := boardsOf(snap, cls, now())
			if w.before == nil && !snap.Complete(cls) && now().Sub(started) < 3*time.Second {
				continue // the first sweep is still under way: not an answer yet
			}
			if err := w.show(inv, boards); err != nil {
				return nil, err
			}
			w.before, w.latest = boards, boards
		}
	}
}

// show prints the first boards of an inventory, and what changes after them.
func (w *statusWatch) show(inv *model.Inventory, boards []board.Board) (err error) {
	switch {
	case w.output == "json":
		w.last, err = w.watchJSON(inv, boards, w.last)
	case w.before == nil && w.output == "table":
		printBoards(w.io.Out, boards, time.Time{}, len(boards) > 3)
		fmt.Fprintln(w.io.Out, "\nwatching; ctrl-c ends")
	default:
		err = w.printEvents(w.before, boards, w.output)
	}
	return err
}

// notice is a line of the table; beside documents it is on standard error.
func (w *statusWatch) notice(raw string) {
	if w.output == "table" {
		fmt.Fprintf(w.io.Out, "%s  %-8s %s\n", now().Format("15:04:05.000"), "notice", text.Line(raw, 600))
		return
	}
	fmt.Fprintln(w.io.Err, "pgtui: "+text.Line(raw, 600))
}

// watchJSON prints the status when it differs from the last one by more than
// its ages, and returns what the next is compared with.
func (a *app) watchJSON(inv *model.Inventory, boards []board.Board, last []byte) ([]byte, error) {
	ageless, err := json.Marshal(jsonv1.NewStatus(inv, boards, time.Time{}))
	if err != nil || bytes.Equal(ageless, last) {
		return last, err
	}
	return ageless, json.NewEncoder(a.io.Out).Encode(jsonv1.NewStatus(inv, boards, now()))
}

// printEvents prints what changed between two sets of boards; before the first
// there is nothing to compare with.
func (a *app) printEvents(before, after []board.Board, output string) error {
	for i := range before {
		for _, e := range board.Events(&before[i], &after[i]) {
			if output == "ndjson" {
				if err := json.NewEncoder(a.io.Out).Encode(jsonv1.NewEvent(e)); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(a.io.Out, "%s  %-8s %s\n", e.At.Format("15:04:05.000"), e.Severity, text.Line(e.String(), 300))
		}
	}
	return nil
}

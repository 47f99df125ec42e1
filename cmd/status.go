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
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/session"
)

// healthUnknown is the exit code of a question without an answer.
const healthUnknown = int(model.HealthUnknown)

type statusOptions struct {
	output       format
	watch, prove bool
	strict       bool
	count        int
	every        time.Duration
	past         pastOptions
}

func (a *app) statusCmd() *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status [cluster…]",
		Short: "Which instance serves each service port now; exits 0 ok, 1 degraded, 2 down, 3 unknown",
		Args:  cobra.ArbitraryArgs,
		RunE:  verb(&o, a.status),
	}
	outputFlag(c, &o.output, "ndjson with --watch: an event a line", "table", "json", "ndjson")
	c.Flags().BoolVarP(&o.watch, "watch", "w", false, "continue until interrupted, with a line for each change")
	c.Flags().BoolVar(&o.prove, "prove", false, "connect through every port as the monitoring user, and show which instance answers")
	c.Flags().IntVar(&o.count, "count", 3, "with --prove: connections through each port of each HAProxy")
	c.Flags().DurationVar(&o.every, "every", 2*time.Second, "with --watch: how often the nodes are probed")
	strictFlag(c, &o.strict)
	return pastFlags(c, &o.past)
}

// strictFlag lets drift count for the exit code.
func strictFlag(c *cobra.Command, strict *bool) {
	c.Flags().BoolVar(strict, "strict", false, "exit with 1 where a healthy cluster differs from the inventory (drift)")
}

func (o *statusOptions) check() error {
	if o.output == "ndjson" && !o.watch {
		return wrong("-o ndjson needs --watch: expected table, wide, json or yaml without it")
	}
	if o.prove && o.watch {
		return wrong("--prove cannot be combined with --watch")
	}
	if o.past.given() && (o.prove || o.watch) {
		return wrong("--at cannot be combined with --prove or --watch: it contacts no node")
	}
	return cmp.Or(within("--count", o.count, 1, mostConnections), lasting("--every", o.every, leastEvery, mostEvery))
}

func (a *app) status(ctx context.Context, o *statusOptions, names []string) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.past.given() {
		m, err := a.moment(ctx, &o.past, names)
		if err != nil {
			return err
		}
		return a.statusOf(o, names, m)
	}
	inv, cls, err := a.matching(ctx, healthUnknown, names...)
	if err != nil {
		return err
	}
	if o.watch {
		return a.watchStatus(ctx, inv, names, o)
	}
	proofs := 0
	if o.prove {
		proofs = o.count
	}
	snap, err := a.Probe(ctx, inv, cls, proofs)
	if err != nil {
		return exit(healthUnknown, err)
	}
	if snap.PoolsUnasked {
		fmt.Fprintln(a.io.Err, lang.Text("pgtui: more than 200 ports: waiting clients of pgbouncer are not checked; pgtui status CLUSTER checks them"))
	}
	return a.statusOf(o, names, present(inv, cls, snap))
}

// statusOf replies the status of a moment.
func (a *app) statusOf(o *statusOptions, names []string, m *moment) error {
	boards := m.boards()
	return a.reply(o.output, board.Code(boards, o.strict),
		func() any {
			d := jsonv1.NewStatus(m.inv, boards, m.judged, o.strict)
			d.Past = m.past
			return d
		},
		func(w show.Out) {
			m.header(w)
			show.Boards(w, boards, m.judged, several(names) && len(boards) > 3)
		})
}

// inputsEvery is how often a watch checks whether its inventory has changed.
const inputsEvery = 2 * time.Second

// watchStatus continues until interrupted: the state at the start, then what
// changes. As a table that is a line an event; as JSON a whole status document
// a line each time the answer changes; as NDJSON one event a line. Ages alone
// are not a change. An inventory whose files change is read again.
func (a *app) watchStatus(ctx context.Context, inv *model.Inventory, names []string, o *statusOptions) error {
	w := statusWatch{app: a, names: names, output: o.output, every: o.every, strict: o.strict}
	changes := a.Changes(ctx, inv, inputsEvery)
	defer a.EndRecording(recordingEnds)
	if why := a.Unrecorded(); why != "" {
		w.notice(why)
	}
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
	return exit(board.Code(w.latest, o.strict), nil)
}

// statusWatch is a `status --watch`.
type statusWatch struct {
	*app
	names          []string // of the clusters; none is all
	output         format
	every          time.Duration
	strict         bool
	before, latest []board.Board // of the present inventory, and of any
	last           []byte        // the last document without its ages
}

// follow watches the nodes of one inventory until ctx ends, or until it was read
// again: then it returns the new one.
func (w *statusWatch) follow(ctx context.Context, inv *model.Inventory, changes <-chan session.Change) (*model.Inventory, error) {
	cls, err := session.Matching(inv, w.names...)
	if err != nil {
		return nil, exit(healthUnknown, err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	started := now()
	snaps := w.WatchOf(ctx, inv, w.every, session.Only(cls)...)
	for {
		select {
		case c := <-changes:
			if w.notice(c.Text()); c.Inv == nil {
				continue
			}
			if _, err := session.Matching(c.Inv, w.names...); err != nil {
				w.notice(err.Error() + ": the watch continues with the previous inventory")
				continue
			}
			return c.Inv, nil
		case snap, ok := <-snaps:
			if !ok {
				return nil, nil
			}
			at := now()
			boards := session.Boards(snap, cls, at)
			if w.before == nil && !snap.Complete(cls...) && now().Sub(started) < 3*time.Second {
				continue // the first sweep is still under way
			}
			events := changed(w.before, boards)
			w.Recorded(at, snap, events)
			if err := w.show(inv, boards, events); err != nil {
				return nil, err
			}
			w.before, w.latest = boards, boards
		}
	}
}

// show prints the first boards of an inventory, and what changes after them.
func (w *statusWatch) show(inv *model.Inventory, boards []board.Board, events []board.Event) error {
	switch {
	case w.output.document():
		return w.showJSON(inv, boards)
	case w.before == nil && w.lines():
		show.Boards(w.to(w.output), boards, time.Time{}, len(boards) > 3)
		fmt.Fprintln(w.io.Out, "\nwatching; ctrl-c ends")
		return nil
	}
	return w.showEvents(events)
}

// lines reports whether the answer is text for a person.
func (w *statusWatch) lines() bool { return !w.output.document() && w.output != "ndjson" }

// notice is a line of the table; beside documents it is on standard error.
func (w *statusWatch) notice(line string) {
	if w.lines() {
		fmt.Fprintf(w.io.Out, "%s  %-8s %s\n", now().Format("15:04:05.000"), "notice", text.Line(line, 600))
		return
	}
	fmt.Fprintln(w.io.Err, "pgtui: "+lang.Text(text.Line(line, 600)))
}

// showJSON prints the status when it differs from the last one by more than its
// ages.
func (w *statusWatch) showJSON(inv *model.Inventory, boards []board.Board) error {
	ageless, err := json.Marshal(jsonv1.NewStatus(inv, boards, time.Time{}, w.strict))
	if err != nil || bytes.Equal(ageless, w.last) {
		return err
	}
	w.last = ageless
	doc := jsonv1.NewStatus(inv, boards, now(), w.strict)
	return w.printBatch(w.output, doc)
}

// showEvents prints what changed since the boards before.
func (w *statusWatch) showEvents(events []board.Event) error {
	for _, e := range events {
		if w.output == "ndjson" {
			if err := json.NewEncoder(w.io.Out).Encode(jsonv1.NewEvent(e)); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w.io.Out, "%s  %-8s %s\n", e.At.Format("15:04:05.000"), e.Severity, text.Line(e.String(), 300))
	}
	return nil
}

// changed are the transitions from some boards to later ones of the same clusters. Before
// the first there are none.
func changed(before, after []board.Board) []board.Event {
	var out []board.Event
	for i := range before {
		out = append(out, board.Events(&before[i], &after[i])...)
	}
	return out
}

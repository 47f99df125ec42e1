package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/record"
	"pgtui/record/ring"
	"pgtui/session"
)

// recordingEnds is how long the end of a command waits for the disk.
const recordingEnds = 2 * time.Second

type recordOptions struct {
	lasts, every time.Duration
	out          string
}

func (a *app) recordCmd() *cobra.Command {
	var o recordOptions
	c := &cobra.Command{
		Use:   "record [cluster…]",
		Short: "Record what the nodes answer, without a screen; pgtui replay and --at read it",
		Long: "record probes the nodes as status --watch does, and writes what changed into the recordings of the inventory, in\n" +
			"pgtui/rec of $XDG_STATE_HOME or ~/.local/state, or with --out into one file. The console and status --watch record\n" +
			"by themselves. A recording has no password. Without --for it runs until it is interrupted. Exit codes: 0 the time is\n" +
			"over, or it was interrupted; 1 nothing could be recorded, or the recording stopped.",
		Args:        cobra.ArbitraryArgs,
		RunE:        verb(&o, a.record),
		Annotations: map[string]string{ends: "itself"},
	}
	c.Flags().DurationVar(&o.lasts, "for", 0, "how long to record, such as 8h (default: until interrupted)")
	c.Flags().StringVar(&o.out, "out", "", "file to record into; a recording that is there is continued (default: the recordings of the inventory)")
	c.Flags().DurationVar(&o.every, "every", 2*time.Second, "how often the nodes are probed")
	return writes(c)
}

// recording is where record writes.
type recording interface {
	Moment(at time.Time, snap *model.Snapshot) error
	Event(k record.Kind, events ...board.Event) error
	Close() error
}

func (a *app) record(ctx context.Context, o *recordOptions, names []string) (err error) {
	if o.lasts != 0 {
		if err := lasting("--for", o.lasts, time.Second, 365*24*time.Hour); err != nil {
			return err
		}
	}
	if err := lasting("--every", o.every, leastEvery, mostEvery); err != nil {
		return err
	}
	inv, _, err := a.matching(ctx, 1, names...)
	if err != nil {
		return err
	}
	to, where, err := a.recordInto(inv.Source, o.out)
	if err != nil {
		return exit(1, err)
	}
	defer func() { err = exitWith(1, errors.Join(err, to.Close())) }()
	if o.lasts > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, o.lasts)
		defer stop()
	}
	r := recorder{app: a, names: names, every: o.every, to: to}
	fmt.Fprintf(a.io.Out, "recording into %s; ctrl-c ends\n", where)
	changes := a.Changes(ctx, inv, inputsEvery)
	for inv != nil {
		if inv, err = r.follow(ctx, inv, changes); err != nil {
			return fmt.Errorf("the recording has stopped after %s: %w", text.Plural(r.moments, "moment"), err)
		}
	}
	fmt.Fprintf(a.io.Out, "recorded %s and %s in %s\n", text.Plural(r.moments, "moment"), text.Plural(r.events, "event"), where)
	return nil
}

// exitWith is an error with that exit code; nil stays nil.
func exitWith(code int, err error) error {
	if err == nil {
		return nil
	}
	return exit(code, err)
}

// recordInto opens what is recorded into, and names it.
func (a *app) recordInto(inventory, out string) (recording, string, error) {
	program := "pgtui " + version()
	if out != "" {
		to, err := ring.Append(out, program)
		return to, out, err
	}
	dir := a.Recordings(inventory)
	if dir == "" {
		return nil, "", errors.New("neither HOME nor XDG_STATE_HOME is set: name a file with --out")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", err
	}
	return &ring.Writer{Root: filepath.Dir(dir), Dir: dir, Most: a.Recorder.Most, Keep: a.Recorder.Keep, Program: program}, dir, nil
}

// recorder is a `record`.
type recorder struct {
	*app
	names           []string // of the clusters; none is all
	every           time.Duration
	to              recording
	moments, events int
}

// follow records the nodes of one inventory until ctx ends, or until it was read
// again: then it returns the new one.
func (r *recorder) follow(ctx context.Context, inv *model.Inventory, changes <-chan session.Change) (*model.Inventory, error) {
	cls, err := session.Matching(inv, r.names...)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	started, last := now(), time.Time{}
	var before []board.Board
	snaps := r.WatchOf(ctx, inv, r.every, session.Only(cls)...)
	for {
		select {
		case c := <-changes:
			if r.notice(c.Text()); c.Inv == nil {
				continue
			}
			if _, err := session.Matching(c.Inv, r.names...); err != nil {
				r.notice(err.Error() + ": the recording continues with the previous inventory")
				continue
			}
			return c.Inv, nil
		case snap, ok := <-snaps:
			if !ok {
				return nil, nil
			}
			at := now()
			boards := session.Boards(snap, cls, at)
			if before == nil && !snap.Complete(cls...) && at.Sub(started) < 3*time.Second {
				continue // the first sweep is still under way
			}
			events := changed(before, boards)
			before = boards
			if len(events) == 0 && at.Sub(last) < session.Pause(inv) {
				continue
			}
			last = at
			if err := errors.Join(r.to.Moment(at, snap), r.to.Event(record.KindEvent, events...)); err != nil {
				return nil, err
			}
			r.moments, r.events = r.moments+1, r.events+len(events)
		}
	}
}

// notice is a line about the recording, on standard error.
func (r *recorder) notice(line string) { r.Notice(text.Line(line, 600)) }

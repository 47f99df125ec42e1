package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/past"
	"pgtui/record"
	"pgtui/record/ring"
	"pgtui/session"
	"pgtui/source"
)

// pastOptions are the flags of commands that answer for a time that is over.
type pastOptions struct{ at, from string }

// fromStore is the value of --from for the stores.
const fromStore = "store"

// pastFlags adds them.
func pastFlags(c *cobra.Command, o *pastOptions) *cobra.Command {
	c.Flags().StringVar(&o.at, "at", "", "a time that is over, from the recordings, without contacting a node: 15:04 or 15:04:05 (the latest), -2h, RFC 3339, an event's ID")
	c.Flags().StringVar(&o.from, "from", "", "with --at: a file that record --out wrote, or store (default: the recordings of the inventory, then the stores)")
	return c
}

// given reports whether the command is to answer for the past.
func (o *pastOptions) given() bool { return o.at != "" || o.from != "" }

// moment is what a command answers for: now, or a time that is over.
type moment struct {
	inv    *model.Inventory
	cls    []*model.Cluster
	snap   *model.Snapshot
	judged time.Time
	past   jsonv1.Past // zero for now
	within time.Duration
}

// present is what the nodes have answered just now.
func present(inv *model.Inventory, cls []*model.Cluster, snap *model.Snapshot) *moment {
	return &moment{inv: inv, cls: cls, snap: snap, judged: now()}
}

func (m *moment) boards() []board.Board { return session.Boards(m.snap, m.cls, m.judged) }

// header says on paper which time it is about; nothing for now.
func (m *moment) header(w show.Out) {
	if m.past.At == nil {
		return
	}
	within := ""
	if m.within > 0 {
		within = " ± " + m.within.String()
	}
	fmt.Fprintf(w, "PAST: as of %s%s, from %s\n\n", m.judged.Local().Format(past.Layout), within, m.past.Source)
}

// moment finds the moment of the flags, and picks the named clusters of its inventory, all when none is named. A
// time that is unknown exits 3.
func (a *app) moment(ctx context.Context, o *pastOptions, names []string) (*moment, error) {
	if o.at == "" {
		return nil, misuse("--at -1h", "--from needs --at")
	}
	sources, err := a.pastSources(o.from)
	if err != nil {
		return nil, err
	}
	at, err := a.timeOf(ctx, o.at, sources)
	if err != nil {
		return nil, err
	}
	m, _, err := past.First(ctx, sources, at)
	if err != nil {
		return nil, exit(healthUnknown, err)
	}
	cls, err := session.Matching(m.Snap.Inventory, names...)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		if m, _, err = past.First(ctx, sources, at, session.Only(cls)...); err != nil {
			return nil, exit(healthUnknown, err)
		}
		if cls, err = session.Matching(m.Snap.Inventory, names...); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		cls = a.recordedOf(m.Snap, cls)
	}
	return &moment{inv: m.Snap.Inventory, cls: cls, snap: m.Snap, judged: m.Judged, past: jsonv1.Past{At: &at, Source: m.Source}, within: m.Within}, nil
}

// recordedOf are the clusters that the moment has. A line names those that it does not have.
func (a *app) recordedOf(s *model.Snapshot, cls []*model.Cluster) []*model.Cluster {
	var has []*model.Cluster
	var lacks []model.ClusterName
	for _, c := range cls {
		if record.Watched(s, c.Name) {
			has = append(has, c)
		} else {
			lacks = append(lacks, c.Name)
		}
	}
	if len(has) == 0 {
		return cls // all are unknown
	}
	if len(lacks) > 0 {
		fmt.Fprintln(a.io.Err, lang.Text(text.Line(fmt.Sprintf("pgtui: not recorded, so unknown: %s", model.Join(lacks)), 600)))
	}
	return has
}

// pastSources are the sources that --from selects.
func (a *app) pastSources(from string) ([]past.Source, error) {
	switch from {
	case fromStore:
		return nil, exit(healthUnknown, &source.Hint{Err: errors.New("no store is configured"), Try: "--from with a file, or without it the recordings"})
	case "":
	default:
		r, err := a.openRecording(from)
		if err != nil {
			return nil, err
		}
		return []past.Source{r}, nil
	}
	path, err := a.Find()
	if err != nil {
		return nil, exit(healthUnknown, err)
	}
	dir := a.Recordings(path)
	if dir == "" {
		return nil, exit(healthUnknown, &source.Hint{Err: errors.New("neither HOME nor XDG_STATE_HOME is set: there are no recordings"), Try: "--from with a file"})
	}
	return []past.Source{ring.NewReader("recorder", dir)}, nil
}

// openRecording opens a file that record --out wrote. Where it is damaged, a line says so.
func (a *app) openRecording(path string) (*ring.Reader, error) {
	r, err := ring.OpenFile(path)
	if err != nil {
		return nil, exit(healthUnknown, &source.Hint{Err: err, Try: "a file that pgtui record --out wrote"})
	}
	if why := r.Damage(context.Background()); why != "" {
		fmt.Fprintln(a.io.Err, lang.Text("pgtui: "+text.Line(why, 600)))
	}
	return r, nil
}

// timeOf is the time that --at names.
func (a *app) timeOf(ctx context.Context, at string, sources []past.Source) (time.Time, error) {
	if !past.IsID(at) {
		t, err := parseAt(at, now())
		return t, err
	}
	for _, s := range sources {
		r, ok := s.(interface {
			Event(context.Context, string) (past.Event, bool, error)
		})
		if !ok {
			continue
		}
		e, found, err := r.Event(ctx, at)
		if err != nil {
			return time.Time{}, exit(healthUnknown, err)
		}
		if found {
			return e.At, nil
		}
	}
	return time.Time{}, exit(healthUnknown, fmt.Errorf("--at %s: no recording has an event with this ID", at))
}

// parseAt is a time as --at takes it. The error is one of usage.
func parseAt(at string, now time.Time) (time.Time, error) {
	t, err := anyTime(at, now)
	switch {
	case err != nil:
		return t, misuse("--at 03:12", "--at %s: expected 15:04, 15:04:05, -2h, RFC 3339 or an event's ID", text.Line(at, 60))
	case t.After(now):
		return t, misuse("--at -1h", "--at %s: this time is in the future", text.Line(at, 60))
	}
	return t, nil
}

func anyTime(at string, now time.Time) (time.Time, error) {
	if strings.HasPrefix(at, "-") {
		d, err := time.ParseDuration(at)
		return now.Add(d), err
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		t, err := time.ParseInLocation(layout, at, now.Location())
		if err != nil {
			continue
		}
		t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
		if t.After(now) {
			t = t.AddDate(0, 0, -1)
		}
		return t, nil
	}
	for _, layout := range []string{past.Layout, "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, at, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Parse(time.RFC3339Nano, at)
}

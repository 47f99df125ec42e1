package cmd

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/session"
)

// The exit codes of ghosts.
const (
	ghostsStuck   = 1
	ghostsUnknown = 2
	ghostsRefused = 3
)

type ghostsOptions struct {
	close, yes bool
	output     format
}

func (a *app) ghostsCmd() *cobra.Command {
	var o ghostsOptions
	c := &cobra.Command{
		Use:   "ghosts <cluster…>",
		Short: "Old HAProxy processes and their sessions; --close ends sessions that are stuck to a wrong instance",
		Long: "A reload leaves the old HAProxy process with its sessions. It makes no health checks: its sessions\n" +
			"do not follow a failover. ghosts lists the old processes on the cluster's HAProxy nodes. With\n" +
			"--close it ends, after a prompt for the cluster's name, those sessions whose instance Patroni\n" +
			"refuses for their service now, one by one, and no others.",
		Args: needs(0, "cluster", "pgtui ghosts pg-test"),
		RunE: verb(&o, a.ghosts),
	}
	c.Flags().BoolVar(&o.close, "close", false, "end the sessions that are stuck to an instance that Patroni refuses for their service")
	c.Flags().BoolVar(&o.yes, "yes", false, "with --close: do not prompt")
	outputFlag(c, &o.output, "", "table", "json")
	return writesWith(c, "close")
}

func (a *app) ghosts(ctx context.Context, o *ghostsOptions, names []string) error {
	fail := ghostsUnknown
	if o.close {
		fail = ghostsRefused
	}
	if o.output.document() && o.close {
		return wrong("-o %s cannot be combined with --close", o.output)
	}
	if o.close && len(names) > 1 {
		return misuse("pgtui ghosts "+names[0]+" --close", "--close takes one cluster, and got %d", len(names))
	}
	if !o.close {
		return a.ghostsOf(ctx, o, names)
	}
	inv, cls, err := a.open(ctx, fail, names...)
	if err != nil {
		return err
	}
	c := cls[0]
	snap, err := a.Examined(ctx, inv, cls, 0)
	if err := cmp.Or(session.Stopped(ctx), err); err != nil {
		return exit(fail, err)
	}
	stuck, code := stuckSessions(snap, c)
	show.Workers(a.plain(), c, snap.Workers, stuck)
	if len(stuck) == 0 {
		return exit(code, nil)
	}
	if !o.yes {
		if err := a.confirm(ctx, "close these sessions of", string(c.Name)); err != nil {
			return exit(ghostsRefused, err)
		}
	}
	return a.closeSessions(ctx, inv, c, stuck)
}

// ghostsOf prints the old HAProxy processes of clusters.
func (a *app) ghostsOf(ctx context.Context, o *ghostsOptions, names []string) error {
	inv, cls, err := a.matching(ctx, ghostsUnknown, names...)
	if err != nil {
		return err
	}
	return a.replies(question{output: o.output, many: several(names), fail: ghostsUnknown, worse: worseCode, ask: func(c *model.Cluster) (answer, error) {
		snap, err := a.Examined(ctx, inv, []*model.Cluster{c}, 0)
		if err := cmp.Or(session.Stopped(ctx), err); err != nil {
			return answer{}, err
		}
		stuck, code := stuckSessions(snap, c)
		return answer{code: code, doc: func() any { return jsonv1.NewGhosts(c, code, snap.Workers, stuck) }, text: func(w show.Out) { show.Workers(w, c, snap.Workers, stuck) }}, nil
	}}, cls)
}

// stuckSessions are the sessions of old HAProxy processes to an instance that
// Patroni refuses for their service, and the exit code.
func stuckSessions(snap *model.Snapshot, c *model.Cluster) ([]board.Pinned, int) {
	b := session.Boards(snap, []*model.Cluster{c}, now())[0]
	var stuck []board.Pinned
	code := 0
	for _, f := range c.LoadBalancers {
		if w := snap.Workers[f.Host]; !w.Known() || w.Value.Missing != "" {
			code = ghostsUnknown
		}
		stuck = append(stuck, board.PinnedSessions(snap, &b, f.Host, now())...)
	}
	stuck = slices.DeleteFunc(stuck, func(p board.Pinned) bool { return !p.Refused })
	if len(stuck) > 0 {
		code = ghostsStuck
	}
	return stuck, code
}

// closeSessions ends stuck sessions and prints what became of them.
func (a *app) closeSessions(ctx context.Context, inv *model.Inventory, c *model.Cluster, stuck []board.Pinned) error {
	ctx, _, stop := a.interrupts(ctx, "finishing this process, then stopping", "this process is finished first")
	defer stop()
	if err := session.Stopped(ctx); err != nil {
		return exit(ghostsRefused, err)
	}
	done, err := a.Applier(inv.Source).Close(ctx, inv, c, stuck)
	code := 0
	if slices.ContainsFunc(done, func(x apply.Closed) bool { return x.Left > 0 }) {
		code = ghostsStuck
	}
	for _, x := range done {
		fmt.Fprintf(a.io.Out, "%s: old HAProxy process %d, %s to %s: %s closed, %d left\n", x.Host, x.Worker.PID, x.Service, x.Instance, text.Plural(x.Ended, "session"), x.Left)
		if x.Err != nil {
			fmt.Fprintf(a.io.Out, "  %s\n", text.Line(x.Err.Error(), 300))
			code = ghostsUnknown
		}
	}
	if err != nil {
		code = ghostsUnknown
	}
	return exit(code, err)
}

package cmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/internal/proc"
	"pgtui/internal/sandbox"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// consoleConfirm is the console's --confirm-within.
const consoleConfirm = 60 * time.Second

// rollFlags are how a plan shall be carried out.
type rollFlags struct {
	confirmWithin time.Duration
	parallel      int
	order         []string
	resume        bool
	accept        []string
}

func (r *rollFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.DurationVar(&r.confirmWithin, "confirm-within", 0, "a node whose routing was not found good within this `time` puts its old files back by itself; 0 is never")
	f.IntVar(&r.parallel, "parallel", 1, "how many nodes to do at once, after the first")
	f.StringSliceVar(&r.order, "order", nil, "`hosts` to begin with, in this order; the node with the VIP is otherwise last")
	f.StringSliceVar(&r.accept, "accept-risk", nil, "`names` of risks to accept, as the plan tells them; see docs/risks.md")
}

func (r *rollFlags) check() error {
	switch {
	case r.confirmWithin != 0 && (r.confirmWithin < 10*time.Second || r.confirmWithin > 10*time.Minute):
		return misuse("--confirm-within 60s", "--confirm-within %s: expected from 10s to 10m, or 0 for none", r.confirmWithin)
	case r.confirmWithin%time.Second != 0:
		return wrong("--confirm-within %s: expected whole seconds", r.confirmWithin)
	}
	if err := within("--parallel", r.parallel, 1, 10); err != nil {
		return err
	}
	for _, name := range r.accept {
		if !slices.Contains(plan.RiskNames(), name) || name == plan.RiskRejected {
			return &source.Hint{
				Err:   fmt.Errorf("--accept-risk %s: no risk of that name can be accepted", text.Line(name, 60)),
				Try:   "they are " + strings.Join(slices.DeleteFunc(plan.RiskNames(), func(n string) bool { return !plan.RiskStops(n) || n == plan.RiskRejected }), ", "),
				Usage: true,
			}
		}
	}
	return nil
}

// judge assesses a plan and puts it into the order of its roll-out: the node
// that carries the cluster's VIP comes last, unless it is named.
func judge(ctx context.Context, ap *apply.Applier, inv *model.Inventory, p *plan.Plan, roll rollFlags) error {
	if err := apply.Order(p, hosts(roll.order)); err != nil {
		return err
	}
	p.Accepted = roll.accept
	var holder model.Host
	if s := ap.Assess(ctx, inv, p); s != nil && s.VIP[p.Cluster].Known() {
		holder = s.VIP[p.Cluster].Value
	}
	apply.Arrange(p, hosts(roll.order), holder)
	return nil
}

// carryOut runs a plan that was shown and accepted.
func (a *app) carryOut(ctx context.Context, ap *apply.Applier, inv *model.Inventory, plan plan.Plan, r rollFlags) error {
	ctx, abort, stop := a.interrupts(ctx, "finishing this node, then stopping; once more puts this node back", "putting this node back, then stopping")
	defer stop()
	if err := stopped(ctx); err != nil {
		return exit(reloadRefused, err)
	}
	ap.Rollout.ConfirmWithin, ap.Rollout.Parallel, ap.Rollout.Abort = r.confirmWithin, r.parallel, abort
	fmt.Fprintf(a.io.Out, "\nplan %s\n", plan.ID)
	report, err := ap.Execute(ctx, inv, plan, a.printStep)
	a.printReport(report)
	a.printGhosts(context.WithoutCancel(ctx), ap, inv, plan.Cluster, report)
	return exit(reloadCode(report, err), err)
}

// interrupts makes the first interrupt end the run before its next node, with
// the first text, and the second close abort, with the second: the node that is
// being worked on is put back then. One that came before ends it, too.
func (a *app) interrupts(ctx context.Context, first, second string) (context.Context, <-chan struct{}, func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	before := ctx.Err() != nil
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if before {
		cancel()
	}
	abort, done := make(chan struct{}), make(chan struct{})
	go func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			switch n {
			case 1:
				fmt.Fprintln(a.io.Err, "pgtui: "+first)
				cancel()
			case 2:
				fmt.Fprintln(a.io.Err, "pgtui: "+second)
				close(abort)
			}
		}
	}()
	return ctx, abort, func() { signal.Stop(signals); close(done); cancel() }
}

// printGhosts lists the old workers that hold sessions after a run.
func (a *app) printGhosts(ctx context.Context, ap *apply.Applier, inv *model.Inventory, name model.ClusterName, r plan.Report) {
	c := inv.Cluster(name)
	reloaded := false
	for _, n := range r.Nodes {
		reloaded = reloaded || n.Outcome == plan.Applied || n.Outcome == plan.Restored
	}
	if c == nil || !reloaded {
		return
	}
	for _, g := range ap.Ghosts(ctx, inv, c) {
		fmt.Fprintf(a.io.Out, "%s: old worker %d, replaced by a reload, still holds %s\n", g.Host, g.PID, g.Text())
	}
}

// auditFile is where the records of the inventory at path are kept: $PGTUI_AUDIT,
// else beside the inventory of a sandbox, else in the user's state directory.
func (a *app) auditFile(inventory string) *apply.Audit {
	path := a.io.Getenv("PGTUI_AUDIT")
	if path == "" {
		path = sandbox.AuditPath(resolved(inventory))
	}
	if path == "" {
		dir := a.io.Getenv("XDG_STATE_HOME")
		if dir == "" {
			dir = join(a.io.Getenv("HOME"), ".local/state")
		}
		path = join(dir, "pgtui/audit.jsonl")
	}
	return &apply.Audit{Path: path, Syslog: a.io.Getenv("PGTUI_SYSLOG") == "1"}
}

// operator is who runs this, as far as the machine tells.
func (a *app) operator() plan.Operator {
	o := plan.Operator{UID: os.Getuid(), LoginUID: -1, PID: os.Getpid(), SudoUser: a.io.Getenv("SUDO_USER")}
	o.User = strconv.Itoa(o.UID)
	if u, err := user.LookupId(o.User); err == nil {
		o.User = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		o.Host = h
	}
	if b, err := os.ReadFile("/proc/self/loginuid"); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32); err == nil && n != 1<<32-1 {
			o.LoginUID = int(n)
		}
	}
	from := a.io.Getenv("SSH_CONNECTION")
	for pid := os.Getppid(); from == "" && pid > 1; pid = parent(pid) {
		from = environ(pid, "SSH_CONNECTION") // sudo drops it
	}
	o.SSHFrom, _, _ = strings.Cut(from, " ")
	return o
}

// environ is a variable of another process, "" when it cannot be read.
func environ(pid int, name string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return ""
	}
	for _, v := range strings.Split(string(b), "\x00") {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// parent is the process that started pid; 0 when it cannot be read.
func parent(pid int) int {
	s, err := proc.Read(pid)
	if err != nil {
		return 0
	}
	return s.Parent
}

package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/source"
)

// Ghost is an old worker of one node with the sessions it holds to one cluster.
type Ghost struct {
	Host model.Host
	PID  int
	Pins []haproxy.Pin
}

// Text is "3 sessions: pg-test-primary/pg-test-1 3".
func (g *Ghost) Text() string {
	var n int64
	var parts []string
	for _, p := range g.Pins {
		n += p.Sessions
		parts = append(parts, fmt.Sprintf("%s/%s %d", p.Proxy, p.Server, p.Sessions))
	}
	return fmt.Sprintf("%d sessions: %s", n, strings.Join(parts, ", "))
}

// Ghosts are the old workers on the cluster's HAProxy nodes that hold sessions
// to it, by node and process. Nodes that cannot be read are left out.
func (a *Applier) Ghosts(ctx context.Context, inv *model.Inventory, c *model.Cluster) []Ghost {
	return ghosts(a.Examine(ctx, inv, []*model.Cluster{c}).Workers, c)
}

func ghosts(workers map[model.Host]source.Observed[haproxy.Processes], c *model.Cluster) []Ghost {
	var out []Ghost
	own := map[string]bool{}
	for i := range c.LoadBalancers {
		for j := range c.LoadBalancers[i].Services {
			own[c.LoadBalancers[i].Services[j].Proxy()] = true
		}
	}
	for h, obs := range workers {
		for _, w := range obs.Value.Workers {
			g := Ghost{Host: h, PID: w.PID}
			for _, p := range w.Pins {
				if own[p.Proxy] {
					g.Pins = append(g.Pins, p)
				}
			}
			if w.Old && len(g.Pins) > 0 {
				out = append(out, g)
			}
		}
	}
	slices.SortFunc(out, func(a, b Ghost) int {
		return cmp.Or(strings.Compare(string(a.Host), string(b.Host)), cmp.Compare(a.PID, b.PID))
	})
	return out
}

// Closed is the result of closing sessions.
type Closed struct {
	board.Pinned
	Ended int // sessions that were closed
	Left  int // sessions that remain
	Err   error
}

// Close ends the sessions that old workers hold to an instance which Patroni
// refuses for their service, and no others. Each is checked on its node again
// first: the worker must still be old. Cancelling ctx stops between two of them.
// The result has those that were tried. The error is why nothing was done, where it
// was stopped, or that the record could not be written.
func (a *Applier) Close(ctx context.Context, inv *model.Inventory, c *model.Cluster, pins []board.Pinned) ([]Closed, error) {
	var out []Closed
	now := a.Now()
	rec := a.record(now, inv, c.Name, "close", plan.ActionClose)
	for _, p := range pins {
		if p.Refused {
			out = append(out, Closed{Pinned: p})
			rec.Nodes = append(rec.Nodes, plan.NodeRecord{Host: p.Host})
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	if a.Audit != nil {
		if err := a.Audit.Append(rec); err != nil {
			return nil, fmt.Errorf("%s: nothing was changed: %w", c.Name, err)
		}
	}
	rec.Kind, rec.Outcome, rec.Nodes = plan.RecordEnd, plan.RunApplied, slices.Clone(rec.Nodes)
	var halted error
	for i := range out {
		x := &out[i]
		if ctx.Err() != nil {
			halted = &source.Hint{Err: fmt.Errorf("%s: stopped before old HAProxy process %d on %s: %w", c.Name, x.Worker.PID, x.Host, errAborted), Try: fmt.Sprintf("pgtui ghosts %s", c.Name)}
			rec.Outcome, rec.Error, out = plan.RunStopped, halted.Error(), out[:i]
			break
		}
		a.close(context.WithoutCancel(ctx), inv, c, x)
		rec.Nodes[i].Outcome = plan.Applied
		step := plan.StepRecord{Step: "close", OK: x.Err == nil, Detail: fmt.Sprintf("worker %d, %s to %s: %d ended, %d left", x.Worker.PID, x.Service, x.Instance, x.Ended, x.Left)}
		if x.Err != nil {
			step.Error, rec.Outcome, rec.Nodes[i].Outcome = recorded(x.Err.Error(), 600), plan.RunStopped, plan.Untouched
		}
		rec.Nodes[i].Steps = []plan.StepRecord{step}
	}
	rec.At, rec.TookMs = a.Now().UTC(), a.Now().Sub(now).Milliseconds()
	if a.Audit != nil {
		return out, errors.Join(halted, a.Audit.Append(rec))
	}
	return out, halted
}

func (a *Applier) close(ctx context.Context, inv *model.Inventory, c *model.Cluster, x *Closed) {
	n := nodeOf(inv, x.Host)
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.RunFor, 5*time.Minute))
	defer cancel()
	proxy := string(c.Name) + "-" + string(x.Service)
	if f := c.LoadBalancer(x.Host); f != nil && f.Service(x.Service) != nil {
		proxy = f.Service(x.Service).Proxy()
	}
	r, err := a.runScript(ctx, n, nil, nil, "close", "0", n.ConfDir, a.who(), strconv.Itoa(x.Worker.PID), proxy, string(x.Instance))
	if err = cmp.Or(err, r.err); err == nil {
		if _, serr := fmt.Sscanf(r.ended, "%d %d", &x.Ended, &x.Left); serr != nil {
			err = errors.New("the node did not report how many sessions it closed")
		}
	}
	x.Err = err
}

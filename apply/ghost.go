package apply

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"pgtui/model"
)

// Ghost is an old worker of one node with what it holds of one cluster.
type Ghost struct {
	Host model.Host
	PID  int
	Pins []model.Pin
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
// to it, by node and process. Nodes that cannot be asked are left out.
func (a *Applier) Ghosts(ctx context.Context, inv *model.Inventory, c *model.Cluster) []Ghost {
	return ghosts(a.Examine(ctx, inv, []*model.Cluster{c}).Workers, c)
}

func ghosts(workers map[model.Host]model.Observed[model.Processes], c *model.Cluster) []Ghost {
	var out []Ghost
	own := map[string]bool{}
	for i := range c.Fronts {
		for j := range c.Fronts[i].Services {
			own[c.Fronts[i].Services[j].Proxy()] = true
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

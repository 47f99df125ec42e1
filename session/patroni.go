package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/probe/transport"
	"pgtui/source"
)

// patroniKinds are the actions that call Patroni.
func patroniKinds() []action.Kind {
	return []action.Kind{action.Switchover, action.Failover, action.Restart, action.Reinit, action.Pause, action.Resume,
		action.PatroniConfig, action.PatroniReload, action.Flush, action.Maintenance, action.EndMaintenance}
}

// askPatroni adds to a plan's input what only its Patroni answers: the
// configuration, and whether it takes writes from here.
func (s *Session) askPatroni(ctx context.Context, in *action.Input, r *action.Request) error {
	if !slices.Contains(patroniKinds(), r.Kind) {
		return nil
	}
	a := s.actor(in.Inventory.Source)
	c := *in.Cluster // the members that answer; a dead one is not waited for again
	c.Instances = slices.DeleteFunc(slices.Clone(c.Instances), func(m model.Instance) bool { return !in.Snap.PatroniStatus(m.Name).Known() })
	return together(
		work{"reading the rights at Patroni", func() error { in.Allowed = a.Rights(ctx, in.Inventory, &c, r.SSH); return nil }},
		work{"reading Patroni's configuration", func() error {
			if slices.Contains([]action.Kind{action.PatroniConfig, action.Restart}, r.Kind) {
				in.Config, _ = a.Config(ctx, in.Inventory, &c, r.SSH) // nil is unknown
			}
			return nil
		}},
		work{"reading the free space", func() error {
			if member := c.Instance(r.Instance); r.Kind == action.Reinit && member != nil {
				in.Free = map[model.InstanceName]source.Observed[int64]{r.Instance: s.free(ctx, in.Inventory, member)}
			}
			return nil
		}},
	)
}

// freeScript prints the free space of Pigsty's data directory, in kB.
const freeScript = `# free space of the data directory
df -Pk "$PGTUI_ROOT/pg/data" | awk 'NR == 2 {print $4}'
`

// free is the free space of an instance's data directory, bytes.
func (s *Session) free(ctx context.Context, inv *model.Inventory, in *model.Instance) source.Observed[int64] {
	return source.Observe(s.Now, func() (int64, error) {
		n, err := inv.NodeNamed(string(in.Host))
		if err != nil {
			return 0, err
		}
		out, err := s.Runner().Run(ctx, transport.Cmd{Target: n.SSH, Script: freeScript, Reads: true})
		if err != nil {
			return 0, err
		}
		kb, err := strconv.ParseInt(strings.TrimSpace(string(out.Stdout)), 10, 64)
		if err != nil || kb < 0 {
			return 0, errors.New("df does not print it")
		}
		return kb << 10, nil
	})
}

// PatroniConfig is Patroni's dynamic configuration of a cluster as a document,
// with its secrets masked.
func (s *Session) PatroniConfig(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool) (any, error) {
	body, err := s.actor(inv.Source).Config(ctx, inv, c, ssh)
	if err != nil {
		return nil, err
	}
	var doc any
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("GET /config: %w", err)
	}
	return action.Masked(doc), nil
}

// PatroniHistory is the timelines of a cluster, the oldest first.
func (s *Session) PatroniHistory(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool) ([]action.TimelineSwitch, error) {
	body, err := s.actor(inv.Source).History(ctx, inv, c, ssh)
	if err != nil {
		return nil, err
	}
	return action.ParseHistory(body)
}

// ClusterOf is the cluster of that name, or of the instance of that name; instance is
// "" for a cluster. The error is one of usage.
func ClusterOf(inv *model.Inventory, name string) (c *model.Cluster, instance model.InstanceName, err error) {
	if c := inv.Cluster(model.ClusterName(name)); c != nil {
		return c, "", nil
	}
	if c, in := inv.InstanceOf(model.InstanceName(name)); in != nil {
		return c, in.Name, nil
	}
	return nil, "", model.NotFound(fmt.Errorf("no cluster and no instance %q in %s", text.Line(name, 60), inv.Source), name, inv.Members(), "pgtui status lists the names")
}

package probe

import (
	"context"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/source"
)

// ReadServers asks HAProxy on the nodes over SSH what was done to its servers,
// several at once and each within 8 s. It changes nothing. A node that cannot be
// read is there with its error.
func (p *Prober) ReadServers(ctx context.Context, r transport.Runner, nodes []*model.Node) map[model.Host]source.Observed[haproxy.ServerStates] {
	return askNodes(ctx, p, nodes, func(ctx context.Context, n *model.Node) (haproxy.ServerStates, error) {
		run, err := readRuntime(ctx, r, n.SSH, 0)
		if err == nil {
			err = run.NoServers
		}
		return run.Servers, err
	})
}

package probe

import (
	"context"

	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"

	"pgtui/model"
)

// vip is a cluster's address that moves: who has it is shown by whose stats
// page answers there, because the page is named after its node.
type vip struct {
	cluster model.ClusterName
	addr    string
	nodes   []model.Node // the cluster's own, in inventory order
}

// vipOf is the question for a cluster's VIP; nil when it has none.
func vipOf(inv *model.Inventory, c *model.Cluster) *vip {
	if c.VIP == "" {
		return nil
	}
	v := &vip{cluster: c.Name, addr: c.VIP}
	for i := range c.Instances {
		if n := inv.Node(c.Instances[i].Host); n != nil && len(n.HAProxy.URIs) > 0 {
			v.nodes = append(v.nodes, *n)
		}
	}
	return v
}

// askVIP reads who has the address, the last holder first: while it stays, that
// is one request.
func (r *turn) askVIP(ctx context.Context, v *vip) {
	r.p.mu.Lock()
	last := r.p.vips[v.place()].Value
	r.p.mu.Unlock()
	nodes := slices.Clone(v.nodes)
	if i := slices.IndexFunc(nodes, func(n model.Node) bool { return n.Host == last }); i > 0 {
		nodes = slices.Insert(slices.Delete(nodes, i, i+1), 0, v.nodes[i])
	}
	r.keepVIP(ctx, v, do(ctx, r, func(ctx context.Context) (model.Host, error) { return r.a.holder(ctx, v.addr, nodes) }))
}

func (r *turn) keepVIP(ctx context.Context, v *vip, got answer[model.Host]) {
	r.record(ctx, func() bool {
		old := r.p.vips[v.place()]
		r.p.vips[v.place()] = got.after(old)
		return isNews(old, got, same)
	})
}

func (v *vip) place() place { return place{string(v.cluster), v.addr} }

// holder is the node whose stats page answers at addr. A password that is
// refused is an answer too; a page of another name is answered with 503.
func (a *asker) holder(ctx context.Context, addr string, nodes []model.Node) (model.Host, error) {
	for _, n := range nodes {
		for _, uri := range n.HAProxy.URIs {
			resp, err := a.ask(ctx, request{
				method: "GET", addr: net.JoinHostPort(addr, strconv.Itoa(int(n.HAProxy.Port))),
				path: uri + "?scope=no-such-proxy;csv", user: n.HAProxy.User, password: n.HAProxy.Password, limit: maxStats,
			})
			if err != nil {
				return "", fmt.Errorf("vip %s: %w", addr, err)
			}
			if resp.code == http.StatusOK || resp.code == http.StatusUnauthorized {
				return n.Host, nil
			}
		}
	}
	return "", fmt.Errorf("vip %s: a HAProxy answers that is not one of the cluster's nodes", addr)
}

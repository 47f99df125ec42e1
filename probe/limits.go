package probe

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// How often a worker's limits are probed, and in a fleet of more HAProxies than
// fewHAProxies, of which: only one with that many sessions can be near its limit.
const (
	limitsGap      = 15 * time.Second
	fewHAProxies   = 200
	manySessions   = 100
	maxLimitsBytes = 64 << 10
)

// limitsDue reports whether a worker's limits are to be probed. large reports that
// its fleet has more than fewHAProxies.
func limitsDue(old source.Observed[haproxy.ProcessLimits], st *haproxy.Stats, large bool, now time.Time) bool {
	if !old.Tried.IsZero() && now.Sub(old.Tried) < limitsGap {
		return false
	}
	sessions := int64(0)
	for i := range st.Proxies {
		sessions += st.Proxies[i].Front.Sessions
	}
	return !large || sessions >= manySessions
}

// limits queries the exporter for the worker's own metrics, some 3 kB.
func (a *asker) limits(ctx context.Context, n *model.Node) (haproxy.ProcessLimits, error) {
	resp, err := a.ask(ctx, request{method: "GET", path: "/metrics?scope=global", limit: maxLimitsBytes,
		addr: net.JoinHostPort(string(n.Host), strconv.Itoa(int(n.HAProxy.Port)))})
	if err != nil {
		return haproxy.ProcessLimits{}, fmt.Errorf("haproxy: metrics: %w", err)
	}
	defer a.done(resp)
	if resp.code != http.StatusOK {
		return haproxy.ProcessLimits{}, fmt.Errorf("haproxy: metrics: HTTP %d", resp.code)
	}
	return haproxy.ParseLimits(resp.body)
}

// process is what is known of a worker's limits after a stats page: the old
// answer, unless it is time to probe again.
func (a *asker) process(ctx context.Context, t *target, old source.Observed[haproxy.ProcessLimits], st *haproxy.Stats) source.Observed[haproxy.ProcessLimits] {
	start := a.now()
	if !limitsDue(old, st, t.large, start) {
		return old
	}
	l, err := a.limits(ctx, t.node)
	end := a.now()
	return old.Next(l, err, end, end.Sub(start))
}

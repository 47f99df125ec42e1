package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"pgtui/model"
)

// ParseLimits reads how many connections a worker has and may have from its
// exporter's metrics. A page without both is an error.
func ParseLimits(page []byte) (model.ProcessLimits, error) {
	l := model.ProcessLimits{Current: -1, Max: -1}
	for line := range bytes.Lines(page) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		var at *int64
		switch string(name) {
		case "haproxy_process_current_connections":
			at = &l.Current
		case "haproxy_process_max_connections":
			at = &l.Max
		default:
			continue
		}
		n, err := strconv.ParseFloat(string(value), 64)
		if err != nil || !(n >= 0 && n < 1<<53) {
			return model.ProcessLimits{}, fmt.Errorf("metrics: %s is no number of connections", name)
		}
		*at = int64(n)
	}
	if l.Current < 0 || l.Max < 0 {
		return model.ProcessLimits{}, errors.New("metrics: HAProxy's exporter does not say how many connections it has and may have")
	}
	return l, nil
}

// How often a worker's limits are asked, and in a fleet of more HAProxies than
// fewHAProxies, of which: only one with that many sessions can be near its limit.
const (
	limitsGap      = 15 * time.Second
	fewHAProxies   = 200
	manySessions   = 100
	maxLimitsBytes = 64 << 10
)

// limitsDue reports whether a worker's limits are to be asked. large tells that
// its fleet has more than fewHAProxies.
func limitsDue(old model.Observed[model.ProcessLimits], st *model.HAProxyStats, large bool, now time.Time) bool {
	if !old.Tried.IsZero() && now.Sub(old.Tried) < limitsGap {
		return false
	}
	sessions := int64(0)
	for i := range st.Proxies {
		sessions += st.Proxies[i].Front.Sessions
	}
	return !large || sessions >= manySessions
}

// limits asks the exporter for the worker's own metrics, some 3 kB.
func (a *asker) limits(ctx context.Context, n *model.Node) (model.ProcessLimits, error) {
	resp, err := a.ask(ctx, request{method: "GET", path: "/metrics?scope=global", limit: maxLimitsBytes,
		addr: net.JoinHostPort(string(n.Host), strconv.Itoa(int(n.HAProxy.Port)))})
	if err != nil {
		return model.ProcessLimits{}, fmt.Errorf("haproxy: metrics: %w", err)
	}
	defer a.done(resp)
	if resp.code != http.StatusOK {
		return model.ProcessLimits{}, fmt.Errorf("haproxy: metrics: HTTP %d", resp.code)
	}
	return ParseLimits(resp.body)
}

// process is what is known of a worker's limits after a stats page: the old
// answer, unless it is time to ask again.
func (a *asker) process(ctx context.Context, t *target, old model.Observed[model.ProcessLimits], st *model.HAProxyStats) model.Observed[model.ProcessLimits] {
	start := a.now()
	if !limitsDue(old, st, t.large, start) {
		return old
	}
	l, err := a.limits(ctx, t.node)
	end := a.now()
	return old.Next(l, err, end, end.Sub(start))
}

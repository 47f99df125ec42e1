package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/probe"
)

// proven is a snapshot with real connections through every port. HAProxy is
// asked before and after: where its word changed meanwhile, the connections
// prove nothing about it.
func proven(ctx context.Context, p *probe.Prober, inv *model.Inventory, cls []*model.Cluster, count int) (*model.Snapshot, error) {
	before, err := p.Probe(ctx, inv, only(cls)...)
	if err != nil {
		return nil, err
	}
	proofs := p.Prove(ctx, inv, count, only(cls)...)
	after, err := p.Probe(ctx, inv, only(cls)...)
	if err != nil {
		return nil, err
	}
	for key, o := range proofs {
		o.Value.Moved = model.Moved(before, after, key.HAProxy, string(key.Cluster)+"-"+string(key.Service))
		proofs[key] = o
	}
	after.Proofs = proofs
	return after, nil
}

// provenText is who answered a service over all HAProxies, how often and how
// slow; "" when nobody tried.
func provenText(r *board.Route) string {
	names := map[model.InstanceName]int{}
	var sum board.Proven
	tried := false
	for _, v := range r.Views {
		if v.Proven == nil {
			continue
		}
		tried = true
		for n, c := range v.Proven.Instances {
			names[n] += c
		}
		sum.Unknown += v.Proven.Unknown
		sum.Failed += v.Proven.Failed
		sum.Connect = max(sum.Connect, v.Proven.Connect+v.Proven.Query)
		if sum.Error == "" {
			sum.Error = v.Proven.Error
		}
	}
	if !tried {
		return ""
	}
	sum.Instances = names
	var parts []string
	for _, n := range sum.Names() {
		parts = append(parts, fmt.Sprintf("%s ×%d", n, names[n]))
	}
	if sum.Unknown > 0 {
		parts = append(parts, fmt.Sprintf("not named ×%d", sum.Unknown))
	}
	if sum.Failed > 0 {
		parts = append(parts, fmt.Sprintf("failed ×%d (%s)", sum.Failed, text.Line(sum.Error, 90)))
	}
	raw := strings.Join(parts, ", ")
	if sum.Total() > sum.Failed {
		raw += fmt.Sprintf(", ≤%s", sum.Connect.Round(100*time.Microsecond))
	}
	return raw
}

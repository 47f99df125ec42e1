package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/patroni"
)

// consulOf is the agent that the configuration names for a name, nil without one.
func consulOf(inv *model.Inventory, name string) *model.Consul {
	for i := range inv.EntryPoints {
		if p := &inv.EntryPoints[i]; p.Host == name && p.Consul != nil {
			return p.Consul
		}
	}
	return nil
}

// consulService takes a name of Consul's DNS apart: [tag.]service.service[.dc].consul
// (the domain may be another).
func consulService(name string) (service, tag, dc string, ok bool) {
	front, back, found := strings.Cut(strings.TrimSuffix(name, "."), ".service.")
	tag, service, two := strings.Cut(front, ".")
	if !two {
		service, tag = tag, ""
	}
	if dc, _, two = strings.Cut(back, "."); !two {
		dc = ""
	}
	return service, tag, dc, found && service != "" && !strings.Contains(service, ".")
}

// passing are the addresses that Consul's health API calls passing for a name:
// those that its DNS gives.
func (a *asker) passing(ctx context.Context, addr, name string) ([]string, error) {
	service, tag, dc, ok := consulService(name)
	if !ok {
		return nil, errNoName
	}
	q := url.Values{"passing": {"1"}}
	if tag != "" {
		q.Set("tag", tag)
	}
	if dc != "" {
		q.Set("dc", dc)
	}
	resp, err := a.ask(ctx, request{method: http.MethodGet, addr: addr, path: "/v1/health/service/" + url.PathEscape(service) + "?" + q.Encode(), limit: maxBody})
	if err != nil {
		return nil, err
	}
	if resp.code != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d: %s", resp.code, text.Line(string(resp.body[:min(len(resp.body), 200)]), 100))
	}
	return ParsePassing(resp.body)
}

// ParsePassing reads the answer of GET /v1/health/service/NAME?passing: the
// address of each instance, that of its node where it has none. Names in place
// of addresses are left out: Consul's DNS has them.
func ParsePassing(body []byte) ([]string, error) {
	var w []struct {
		Node    struct{ Address string }
		Service struct{ Address string }
	}
	if err := patroni.Decode(body, &w); err != nil {
		return nil, err
	}
	var out []string
	for _, x := range w {
		if ip, err := netip.ParseAddr(cmp.Or(x.Service.Address, x.Node.Address)); err == nil && len(out) < maxAddrs && !slices.Contains(out, ip.String()) {
			out = append(out, ip.String())
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no instance passes its checks")
	}
	slices.Sort(out)
	return out, nil
}

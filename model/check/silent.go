package check

import (
	"fmt"
	"strings"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// haproxySilent: a HAProxy that does not answer.
func haproxySilent(in Input, report func(model.Finding)) {
	for _, f := range in.Board.Cluster.LoadBalancers {
		o := in.Snap.HAProxy[f.Host]
		if o.Err == nil {
			continue
		}
		x := model.Finding{Severity: model.Warning, Host: f.Host,
			Summary:  fmt.Sprintf("the stats page of HAProxy on %s does not answer", labelOf(in, f.Host)),
			Evidence: []string{o.Err.Error()}, Hint: hintOr(o.Err, "ssh "+string(f.Host)+" systemctl status haproxy")}
		if vip := in.Board.VIPClients(); vip != "" {
			x.Evidence = append(x.Evidence, vip)
		}
		report(x)
	}
}

// statsRefused: a HAProxy whose stats page could not be used, so that its
// exporter is used. Who serves is known; which servers are backups is taken
// from the inventory.
func statsRefused(in Input, report func(model.Finding)) {
	for _, f := range in.Board.Cluster.LoadBalancers {
		o := in.Snap.HAProxy[f.Host]
		if o.Err != nil || o.Value.Source != haproxy.FromMetrics || o.Value.Why == nil {
			continue
		}
		report(model.Finding{Severity: model.Warning, Host: f.Host,
			Summary:  fmt.Sprintf("the stats page of HAProxy on %s cannot be used; its /metrics are used instead", f.Host),
			Evidence: []string{o.Value.Why.Error()}, Hint: hintOr(o.Value.Why, "curl -u USER http://"+string(f.Host)+":9101/")})
	}
}

// patroniSilent: a member whose Patroni does not answer.
func patroniSilent(in Input, report func(model.Finding)) {
	for _, m := range in.Board.Members {
		o := in.Snap.Patroni[m.Instance].Status
		if o.Err == nil || m.Foreign != nil {
			continue
		}
		f := model.Finding{Severity: model.Warning, Instance: m.Instance, Host: m.Host,
			Summary:  fmt.Sprintf("Patroni on %s does not answer", m.Instance),
			Evidence: []string{m.Why}, Hint: hintOr(o.Err, "ssh "+string(m.Host)+" systemctl status patroni")}
		if ports := behind(in, m.Instance); ports != "" {
			f.Evidence = append(f.Evidence, ports)
		}
		report(f)
	}
}

// behind is which of an instance's own ports take connections though its
// Patroni does not answer: whether the old primary's PostgreSQL still runs.
func behind(in Input, name model.InstanceName) string {
	var open, shut []string
	for _, p := range in.Snap.Patroni[name].Ports {
		what := "PostgreSQL on " + p.Port
		if in.Board.Cluster.Instance(name).Pools(p.Port) {
			what = "pgbouncer on " + p.Port
		}
		switch {
		case p.Open(in.Now):
			open = append(open, what)
		case p.Value.Refused && p.Shut(in.Now) != "":
			shut = append(shut, what)
		}
	}
	var parts []string
	if len(open) > 0 {
		parts = append(parts, strings.Join(open, " and ")+plural(len(open), " accepts connections", " accept connections"))
	}
	if len(shut) > 0 {
		parts = append(parts, strings.Join(shut, " and ")+plural(len(shut), " refuses connections", " refuse connections"))
	}
	return strings.Join(parts, ", ")
}

// hintOr is err's own hint, else the given one.
func hintOr(err error, otherwise string) string {
	if t := source.TryOf(err); t != "" {
		return t
	}
	return otherwise
}

package check

import (
	"fmt"

	"pgtui/model"
)

// haproxySilent: a HAProxy that does not answer.
func haproxySilent(in Input) []model.Finding {
	var out []model.Finding
	for _, f := range in.Board.Cluster.Fronts {
		o := in.Snap.HAProxy[f.Host]
		if o.Err == nil {
			continue
		}
		label := string(f.Host)
		if n := in.Snap.Inventory.Node(f.Host); n != nil && n.Name != "" {
			label = n.Name
		}
		out = append(out, model.Finding{Severity: model.Warning, Host: f.Host,
			Summary:  fmt.Sprintf("HAProxy on %s is not known: its stats page does not answer", label),
			Evidence: []string{o.Err.Error()}, Hint: hintOr(o.Err, "ssh "+string(f.Host)+" systemctl status haproxy")})
	}
	return out
}

// statsRefused: a HAProxy whose stats page could not be used, so that its
// exporter was asked. Who serves is known; which servers are backups is taken
// from the inventory.
func statsRefused(in Input) []model.Finding {
	var out []model.Finding
	for _, f := range in.Board.Cluster.Fronts {
		o := in.Snap.HAProxy[f.Host]
		if o.Err != nil || o.Value.Source != model.FromMetrics || o.Value.Why == nil {
			continue
		}
		out = append(out, model.Finding{Severity: model.Warning, Host: f.Host,
			Summary:  fmt.Sprintf("the stats page of HAProxy on %s cannot be used, its /metrics are read instead", f.Host),
			Evidence: []string{o.Value.Why.Error()}, Hint: hintOr(o.Value.Why, "curl -u USER http://"+string(f.Host)+":9101/")})
	}
	return out
}

// patroniSilent: a member whose Patroni does not answer.
func patroniSilent(in Input) []model.Finding {
	var out []model.Finding
	for _, m := range in.Board.Members {
		o := in.Snap.Patroni[m.Instance].Status
		if o.Err == nil {
			continue
		}
		out = append(out, model.Finding{Severity: model.Warning, Instance: m.Instance, Host: m.Host,
			Summary:  fmt.Sprintf("%s is not known: its Patroni does not answer", m.Instance),
			Evidence: []string{m.Why}, Hint: hintOr(o.Err, "ssh "+string(m.Host)+" systemctl status patroni")})
	}
	return out
}

// hintOr is err's own hint, else the given one.
func hintOr(err error, otherwise string) string {
	if t := model.TryOf(err); t != "" {
		return t
	}
	return otherwise
}

package check

import (
	"fmt"
	"slices"

	"pgtui/model"
)

// foreignPatroni: at an instance's address answers a Patroni that is not the
// instance's, or of which that is unknown. Nothing it reports is used.
func foreignPatroni(in Input, report func(model.Finding)) {
	for i := range in.Board.Members {
		m := &in.Board.Members[i]
		x := m.Foreign
		if x == nil {
			continue
		}
		f := model.Finding{Severity: model.Critical, Instance: m.Instance, Host: m.Host, Summary: fmt.Sprintf("%s: %s", m.Instance, x.Why),
			Evidence: []string{fmt.Sprintf("it reports name %s, scope %s, system identifier %s; the inventory has %s of %s there",
				orNone(x.Name), orNone(x.Scope), orNone(x.SystemID), m.Instance, in.Board.Cluster.Name)},
			Hint: fmt.Sprintf("curl -s http://%s/patroni; check which machine has %s, and whether the inventory has the right address for %s", x.Address, m.Host, m.Instance)}
		if !x.Sure {
			f.Hint = fmt.Sprintf("find out which data is the cluster's: compare curl -s http://%s/patroni with the system identifier in the DCS (key initialize); change nothing before that", x.Address)
		}
		if c := in.Board.Cluster.Instance(m.Instance); c != nil && c.PatroniTLS {
			f.Hint = fmt.Sprintf("check which machine has %s, and whether the inventory has the right address for %s", m.Host, m.Instance)
		}
		f.Evidence = append(f.Evidence, sentTo(in, m.Instance)...)
		report(f)
	}
}

// sentTo says which services send clients to the instance, and on which HAProxies.
func sentTo(in Input, name model.InstanceName) []string {
	var out []string
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		n := 0
		for j := range r.Views {
			for k := range r.Views[j].Cells {
				if c := &r.Views[j].Cells[k]; c.Instance == name && c.Share > 0 {
					n++
				}
			}
		}
		if n > 0 {
			out = append(out, fmt.Sprintf("HAProxy sends clients of %s there on %s", r.Name(), onNodes(n, len(r.Views))))
		}
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "(not reported)"
	}
	return s
}

// notPatroni: a health check gets a status that Patroni never answers with. One
// finding an address.
func notPatroni(in Input, report func(model.Finding)) {
	var found perServer
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		for j := range r.Views {
			v := &r.Views[j]
			for k := range v.Cells {
				c := &v.Cells[k]
				if c.Other == "" {
					continue
				}
				f, first := found.of("", c.Instance)
				if first {
					f.Summary = fmt.Sprintf("%s: %s", c.Instance, c.Other)
					f.Hint = "check what listens on that port: another service, or a proxy in front of Patroni"
					if x := in.Board.Cluster.Instance(c.Instance); x != nil {
						f.Host = x.Host
						f.Hint = fmt.Sprintf("ssh %s sudo ss -ltnp shows what listens on port %d", x.Host, x.PatroniPort)
					}
				}
				if line := fmt.Sprintf("%s: %s", r.Name(), c.Other); !slices.Contains(f.Evidence, line) {
					f.Evidence = append(f.Evidence, line)
				}
			}
		}
	}
	found.report(report)
}

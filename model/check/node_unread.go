package check

import (
	"fmt"

	"pgtui/model"
)

// nodeUnread: what was probed over SSH and not answered. What it would have shown
// is unknown, which is not the same as healthy. One finding a node and source.
func nodeUnread(in Input, report func(model.Finding)) {
	for i := range in.Board.Cluster.LoadBalancers {
		host := in.Board.Cluster.LoadBalancers[i].Host
		f := model.Finding{Severity: model.Warning, Host: host, Hint: "ssh " + string(host) + " sudo -n true"}
		conf, procs := in.Snap.Conf[host], in.Snap.Workers[host]
		if conf.Err != nil {
			f.Evidence, f.Hint = append(f.Evidence, conf.Err.Error()), hintOr(conf.Err, f.Hint)
		} else if conf.Known() && conf.Value.Missing {
			f.Evidence = append(f.Evidence, "there is no "+conf.Value.Dir)
			f.Hint = "check that HAProxy is installed there and that the Pigsty version is right"
		}
		if procs.Err != nil && conf.Err == nil {
			f.Evidence = append(f.Evidence, procs.Err.Error())
		}
		if len(f.Evidence) > 0 {
			f.Summary = fmt.Sprintf("could not read the files and processes of HAProxy on %s", labelOf(in, host))
			report(f)
			continue
		}
		if procs.Known() && procs.Value.Missing != "" {
			f.Severity, f.Evidence = model.Info, []string{procs.Value.Missing}
			f.Summary = fmt.Sprintf("sessions of old HAProxy processes on %s are unknown", labelOf(in, host))
			f.Hint = "Pigsty 4 opens the master socket (haproxy -S); older ones have none"
			report(f)
		}
		if servers := in.Snap.Servers[host]; servers.Err != nil {
			report(model.Finding{Severity: model.Info, Host: host, Evidence: []string{servers.Err.Error()},
				Summary: fmt.Sprintf("drain and maint are unknown for servers of HAProxy on %s that are DOWN", labelOf(in, host)),
				Hint:    hintOr(servers.Err, "check that haproxy.cfg there has the line stats socket /var/run/haproxy.sock mode 600 level admin")})
		}
	}
}

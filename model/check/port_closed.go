package check

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
)

// portClosed: a port that takes no new connection whatever its servers are: its
// frontend is paused, stopped or at its maxconn. One finding a service.
func portClosed(in Input, report func(model.Finding)) {
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		f := model.Finding{Severity: model.Warning, Service: r.Service}
		var hosts []model.Host
		why, ends := "", ""
		for k := range r.Views {
			v := &r.Views[k]
			if v.Closed == "" || processFull(in, v.HAProxy) && v.Frontend.Status == "OPEN" {
				continue
			}
			f.Evidence = append(f.Evidence, v.Label()+": "+v.Closed)
			if why == "" {
				why, ends = v.Closed, v.Ends
			}
			if v.Ends == ends {
				hosts = append(hosts, v.HAProxy)
			}
		}
		n := len(f.Evidence)
		if n == 0 {
			continue
		}
		if svc := in.Board.Cluster.Service(r.Service); n == len(r.Views)-len(r.Silent) && svc != nil && model.LockOnly(svc.Check, in.Board.Cluster.Standby) {
			f.Severity = model.Critical
		}
		f.Summary = fmt.Sprintf("%s accepts no new clients on %s: %s", r.Name(), onNodes(n, len(r.Views)), why)
		if f.Hint = onSockets(hosts, ends); ends == "" {
			f.Hint = fmt.Sprintf("pgtui reload %s %s --force", in.Board.Cluster.Name, hosts[0])
		} else if strings.HasPrefix(ends, "enable frontend ") {
			f.Hint = fmt.Sprintf("pgtui enable %s --service %s", in.Board.Cluster.Name, r.Service)
		}
		report(f)
	}
}

// processFull reports whether the HAProxy takes no client on any port.
func processFull(in Input, h model.Host) bool {
	p := in.Snap.HAProxy[h].Value.Process
	return p.Known() && p.Age(in.Now) <= haproxy.ProcessAge && p.Value.Full()
}

// haproxyFull: a HAProxy that has reached its global maxconn, or nearly: new
// clients of every port wait then, and so does its stats page. One finding a node.
func haproxyFull(in Input, report func(model.Finding)) {
	for i := range in.Board.Cluster.LoadBalancers {
		h := in.Board.Cluster.LoadBalancers[i].Host
		o := in.Snap.HAProxy[h]
		p := o.Value.Process
		if !p.Ever() || !p.Value.Crowded() || p.Age(in.Now) > haproxy.ProcessAge {
			continue
		}
		f := model.Finding{Severity: model.Warning, Host: h, Evidence: []string{o.Value.Process.Value.String()},
			Summary: fmt.Sprintf("HAProxy on %s is nearly full: %s", labelOf(in, h), p.Value),
			Hint:    onSocket(h, "show info") + " shows CurrConns and Maxconn; the global maxconn in haproxy.cfg is the limit"}
		if p.Value.Full() || o.Err != nil {
			f.Severity = model.Critical
			f.Summary = fmt.Sprintf("HAProxy on %s is full: %s; new clients wait on every port", labelOf(in, h), p.Value)
			f.Hint = "end unneeded sessions, or raise the global maxconn in /etc/haproxy/haproxy.cfg on " + string(h) + " and reload HAProxy"
		}
		report(f)
	}
}

// clientsWait: clients that HAProxy holds in a queue because the server, or
// every server, has as many sessions as it may. One finding a service.
func clientsWait(in Input, report func(model.Finding)) {
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		f := model.Finding{Severity: model.Warning, Service: r.Service}
		var waiting int64
		full := false
		for k := range r.Views {
			v := &r.Views[k]
			waiting += v.Backend.Queue
			if v.Backend.Queue > 0 {
				f.Evidence = append(f.Evidence, fmt.Sprintf("%s: %s for any server of the section", v.Label(), wait(v.Backend.Queue)))
			}
			for j := range v.Cells {
				c := &v.Cells[j]
				if c.Queue == 0 && c.Full == "" {
					continue
				}
				waiting += c.Queue
				full = full || c.Full != ""
				if f.Instance == "" {
					f.Instance = c.Instance
				}
				f.Evidence = append(f.Evidence, fmt.Sprintf("%s: %s for %s, %s, %s", v.Label(), wait(c.Queue), c.Instance, of(c.Sessions, c.Limit, "sessions (maxconn)"), of(c.Queue, c.QueueLimit, "in its queue (maxqueue)")))
			}
		}
		if len(f.Evidence) == 0 {
			continue
		}
		f.Summary = fmt.Sprintf("%s: %s in HAProxy's queue", r.Name(), wait(waiting))
		if full {
			f.Summary += ", and the queue is full"
		}
		if r.Verdict == model.Mismatch && slices.ContainsFunc(r.Views, func(v board.View) bool { return takesNone(&v) }) {
			f.Severity = model.Critical
		}
		f.Hint = "the server's sessions are the limit: see pg_stat_activity; maxconn and maxqueue are set in the service's options"
		report(f)
	}
}

// takesNone reports whether every server that gets connections has a full queue.
func takesNone(v *board.View) bool {
	some := false
	for i := range v.Cells {
		if c := &v.Cells[i]; c.Share > 0 {
			if c.Full == "" {
				return false
			}
			some = true
		}
	}
	return some
}

// wait is "1 client waits", "2 clients wait".
func wait(n int64) string {
	return fmt.Sprintf("%d %s", n, plural(int(n), "client waits", "clients wait"))
}

// of is "3 of 5 things", "3 things" without a limit.
func of(n, limit int64, things string) string {
	if limit == 0 {
		return fmt.Sprintf("%d %s", n, things)
	}
	return fmt.Sprintf("%d of %d %s", n, limit, things)
}

package board

import (
	"slices"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
)

// Pinned are the sessions of old workers to servers of a service that it would
// not give to them now.
type Pinned struct {
	Host     model.Host
	Worker   haproxy.Worker
	Service  model.ServiceName
	Instance model.InstanceName
	Sessions int64
	Allowed  int  // Patroni's answer to the service's check on that instance
	Refused  bool // Patroni refuses the instance for that service
}

// PinnedSessions lists, for the ghosts of one HAProxy node, the sessions to
// instances that the service does not send new connections to now. An instance
// that is unknown is left out: it is not counted.
func PinnedSessions(s *model.Snapshot, b *Board, host model.Host, now time.Time) []Pinned {
	o := s.Workers[host]
	if !o.Known() {
		return nil
	}
	f := b.Cluster.LoadBalancer(host)
	if f == nil {
		return nil
	}
	s = s.Screened(b.Cluster)
	var out []Pinned
	for _, w := range o.Value.Workers {
		if !w.Old {
			continue
		}
		for _, p := range w.Pins {
			for i := range f.Services {
				svc := &f.Services[i]
				if svc.Proxy() != p.Proxy || p.Sessions == 0 {
					continue
				}
				name := model.InstanceName(p.Server)
				x := Pinned{Host: host, Worker: w, Service: svc.Name, Instance: name, Sessions: p.Sessions}
				if c := s.Patroni[name].Checks[svc.Check]; c.Current(now) {
					x.Allowed, x.Refused = c.Value, c.Value != 200 && model.Patronis(c.Value)
				}
				if x.Refused || !servedNow(b, host, svc.Name, name) {
					out = append(out, x)
				}
			}
		}
	}
	return out
}

// servedNow reports whether the current worker of the host sends new
// connections of the service to the instance, or is unknown.
func servedNow(b *Board, host model.Host, svc model.ServiceName, name model.InstanceName) bool {
	r := b.Route(svc)
	if r == nil {
		return true
	}
	for i := range r.Views {
		v := &r.Views[i]
		if v.HAProxy != host {
			continue
		}
		switch v.Verdict {
		case model.Unknown, model.Settling, model.Missing:
			return true
		}
		return slices.Contains(v.Serving, name)
	}
	return true
}

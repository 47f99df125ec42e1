package sandbox

import (
	"fmt"
	"strings"
	"time"
)

// find is the proxy and server of "pg-test-replica/pg-test-2".
func (h *haproxy) find(backend, name string) (*proxy, *server) {
	for _, p := range h.proxies {
		if p.conf.name != backend {
			continue
		}
		for _, s := range p.servers {
			if s.conf.name == name {
				return p, s
			}
		}
	}
	return nil, nil
}

// setState is "set server … state": ready, drain or maint.
func (h *haproxy) setState(p *proxy, s *server, state string, now time.Time) {
	i := 0
	for i = range p.servers {
		if p.servers[i] == s {
			break
		}
	}
	holds := p.sessions()[i]
	switch {
	case state == "maint" && !s.maint:
		if s.health >= s.conf.rise || !s.checks() {
			s.changed = now
			s.downs++
		}
		s.maint, s.drain, s.until, s.ramping = true, false, time.Time{}, false
	case state == "drain" && s.maint, state == "ready" && s.maint:
		s.maint, s.drain = false, state == "drain"
		s.downtime += now.Sub(s.changed)
		s.health, s.next = s.conf.rise, now
		s.changed, s.ramping, s.rampedAt = now, s.conf.slowStart > 0, now
		s.reweigh(now)
	case state == "drain" && !s.drain:
		s.drain, s.held = true, holds
		if s.health >= s.conf.rise {
			s.changed = now
		}
	case state == "ready" && s.drain:
		s.drain, s.held = false, 0
		s.changed = now
	}
	p.judge(now)
}

// setChecks is "enable health" and "disable health".
func (h *haproxy) setChecks(p *proxy, s *server, on bool, now time.Time) {
	if !s.conf.check || on == !s.unchecked {
		return
	}
	if s.unchecked = !on; !on && s.health < s.conf.rise {
		s.turn(now, true) // a server that is not checked counts as up
	}
	s.health, s.until, s.next = s.conf.rise+s.conf.fall-1, time.Time{}, now
	p.judge(now)
}

// setWeight is "set server … weight".
func (h *haproxy) setWeight(p *proxy, s *server, weight int, now time.Time) {
	s.weight = weight
	if s.health >= s.conf.rise {
		s.reweigh(now)
	}
	p.judge(now)
}

// post is one form of the stats page: what the redirect says happened.
func (h *haproxy) post(form map[string][]string, now time.Time) string {
	get := func(k string) string {
		if v := form[k]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	action := get("action")
	if action != "ready" && action != "drain" && action != "maint" {
		return "ERRP"
	}
	if len(form["s"]) == 0 {
		return "NONE"
	}
	done := 0
	for _, name := range form["s"] {
		p, s := h.find(get("b"), name)
		if s == nil {
			continue
		}
		h.setState(p, s, action, now)
		done++
	}
	switch {
	case done == len(form["s"]):
		return "DONE"
	case done == 0:
		return "ERRP"
	default:
		return "PART"
	}
}

// splitServer reads "proxy/server".
func splitServer(word string) (backend, name string, err error) {
	backend, name, ok := strings.Cut(word, "/")
	if !ok || backend == "" || name == "" {
		return "", "", fmt.Errorf("%q: expected PROXY/SERVER, for example pg-test-replica/pg-test-2", word)
	}
	return backend, name, nil
}

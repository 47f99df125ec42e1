package haproxy

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Find is the server of a proxy, by names; nil when there is none.
func (h *HAProxy) Find(backend, name string) *Server {
	for s := range h.each {
		if s.proxy.conf.name == backend && s.conf.name == name {
			return s
		}
	}
	return nil
}

// SetState is "set server … state": ready, drain or maint.
func (s *Server) SetState(state string, now time.Time) {
	holds := s.proxy.sessions()[s.id-1]
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
	s.proxy.judge(now)
}

// SetChecks is "enable health" and "disable health".
func (s *Server) SetChecks(on bool, now time.Time) {
	if !s.conf.check || on == !s.unchecked {
		return
	}
	if s.unchecked = !on; !on && s.health < s.conf.rise {
		s.turn(now, true) // a server that is not checked counts as up
	}
	s.health, s.until, s.next = s.conf.rise+s.conf.fall-1, time.Time{}, now
	s.proxy.judge(now)
}

// SetWeight is "set server … weight".
func (s *Server) SetWeight(weight int, now time.Time) {
	s.weight = weight
	if s.health >= s.conf.rise {
		s.reweigh(now)
	}
	s.proxy.judge(now)
}

// post is one form of the stats page. The result is the word in the redirect.
func (h *HAProxy) post(form url.Values, now time.Time) string {
	action := form.Get("action")
	if action != "ready" && action != "drain" && action != "maint" {
		return "ERRP"
	}
	if len(form["s"]) == 0 {
		return "NONE"
	}
	done := 0
	for _, name := range form["s"] {
		if s := h.Find(form.Get("b"), name); s != nil {
			s.SetState(action, now)
			done++
		}
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

// SplitServer reads "proxy/server".
func SplitServer(word string) (backend, name string, err error) {
	backend, name, ok := strings.Cut(word, "/")
	if !ok || backend == "" || name == "" {
		return "", "", fmt.Errorf("%q: expected PROXY/SERVER, for example pg-test-replica/pg-test-2", word)
	}
	return backend, name, nil
}

// Package haproxy simulates HAProxy 2.6 and 3.0: the configuration and the errors
// in it, the health checks and the weights, the stats page, the admin socket and
// the haproxy program. It shares no code with pgtui's own rules about HAProxy,
// because the tests compare the two.
package haproxy

import (
	"cmp"
	"fmt"
	"time"

	"pgtui/internal/sandbox/sim"
)

// HAProxy is the HAProxy of one node: the configuration its worker was started
// with, and what its checks have found since. The zero value does not run.
type HAProxy struct {
	Up      bool
	node    string // nodename
	columns *Columns
	dial    func(addr string) Target
	conf    *Config
	proxies []*proxy
	// Logs takes what HAProxy writes to standard error; nil drops it.
	Logs func(at time.Time, level, text string)
	// clock is how far the checks have been simulated.
	clock time.Time
}

// New is the HAProxy of a node, which does not run yet. dial gives the machine
// behind an address, nil when there is none.
func New(node string, columns *Columns, dial func(addr string) Target) *HAProxy {
	return &HAProxy{node: node, columns: columns, dial: dial}
}

// logs writes a line.
func (h *HAProxy) logs(at time.Time, level, format string, args ...any) {
	if h.Logs != nil {
		h.Logs(at, level, fmt.Sprintf(format, args...))
	}
}

// Target is a machine as the checks of one HAProxy reach it.
type Target interface {
	// Connect is the outcome of a connection to a port at that time. The port
	// is where Patroni is expected, or AnyPort.
	Connect(port int, at time.Time) Outcome
	// Code is the status of a health check that gets an answer.
	Code(method, uri string) int
}

// AnyPort is the port of a check that connects without a request.
const AnyPort = -1

// Outcome is the end of an attempt to connect.
type Outcome int

// The outcomes.
const (
	Unreachable Outcome = iota // no answer to the connection
	Refused
	Hangs // connected, but no answer to a request
	Answers
)

// proxy is one section with servers.
type proxy struct {
	on        *HAProxy
	conf      *section
	id        int
	servers   []*Server
	since     time.Time // last change of the backend's state
	wasUp     bool
	downTrans int
	downtime  time.Duration
	demand    int  // sessions that clients hold on the port while a server is up
	paused    bool // "disable frontend": the port refuses connections
}

// Server is one server line.
type Server struct {
	conf   *serverLine
	proxy  *proxy
	id     int
	target Target // nil: the address belongs to no machine

	maint, drain bool
	unchecked    bool // its checks were switched off by hand
	weight       int  // user weight
	raw          int  // effective weight, in sixteenths; stale while down

	health   int // 0..rise+fall-1; up when >= rise
	result   result
	checked  bool      // false until the first check has ended
	next     time.Time // the next check begins
	until    time.Time // the check in flight ends; zero when there is none
	pending  result
	changed  time.Time // last transition
	ramping  bool      // in slowstart since changed
	rampedAt time.Time // the last recalculation of raw
	fails    int       // chkfail
	downs    int       // chkdown
	downtime time.Duration
	held     int // sessions kept by a draining server
}

// result is how one check ended.
type result struct {
	status string // L7OK, L7STS, L4CON …
	code   int
	last   string // last_chk
	took   time.Duration
}

func (r result) ok() bool { return r.status == "L7OK" || r.status == "L4OK" }

// Start starts a new worker: the state of the old one is lost.
func (h *HAProxy) Start(conf *Config, now time.Time) {
	h.conf, h.Up, h.clock = conf, true, now
	h.proxies = nil
	for i, pc := range conf.sections {
		p := &proxy{on: h, conf: pc, id: i + 2, since: now, wasUp: true, demand: demand(pc.name, h.node)}
		for j, sc := range pc.servers {
			p.servers = append(p.servers, &Server{
				conf: sc, proxy: p, id: j + 1, maint: sc.disabled, weight: sc.weight, raw: 16 * sc.weight,
				health: sc.rise, changed: now, target: h.dial(sc.addr),
			})
		}
		h.proxies = append(h.proxies, p)
	}
	h.logs(now, "NOTICE", "New worker (%d) forked", 1000+sim.Hash(h.node)%9000)
	h.spread(now)
	for _, p := range h.proxies {
		p.wasUp = p.up()
	}
}

// spread sets the first checks apart, as HAProxy does at its start: over one
// interval, in the order of the servers.
func (h *HAProxy) spread(now time.Time) {
	n, widest := 0, time.Duration(0)
	for s := range h.each {
		if s.conf.check {
			n++
			widest = max(widest, s.interval())
		}
	}
	i := 0
	for s := range h.each {
		if s.conf.check {
			s.next = now.Add(firstCheck + widest*time.Duration(i)/time.Duration(n))
			i++
		}
	}
}

// firstCheck is the time from a worker's start to its first check.
const firstCheck = 120 * time.Millisecond

// each is an iterator over the servers of all proxies.
func (h *HAProxy) each(yield func(*Server) bool) {
	for _, p := range h.proxies {
		for _, s := range p.servers {
			if !yield(s) {
				return
			}
		}
	}
}

// interval is the pause before the server's next check.
func (s *Server) interval() time.Duration {
	switch full := s.conf.rise + s.conf.fall - 1; {
	case s.health == full || s.conf.fast == 0 && s.health > 0:
		return s.conf.inter
	case s.health == 0 && s.conf.down > 0:
		return s.conf.down
	case s.health == 0 || s.conf.fast == 0:
		return s.conf.inter
	default:
		return s.conf.fast
	}
}

// CatchUp simulates every check up to t.
func (h *HAProxy) CatchUp(t time.Time) {
	if !h.Up || !t.After(h.clock) {
		return
	}
	for s := range h.each {
		s.catchUp(t)
	}
	h.clock = t
}

func (s *Server) catchUp(t time.Time) {
	for s.checks() && !s.maint {
		if !s.until.IsZero() {
			if s.until.After(t) {
				break
			}
			s.ended()
			continue
		}
		if s.next.After(t) {
			break
		}
		r := s.check()
		if s.settled(r) {
			step := r.took + s.interval()
			s.next = s.next.Add(step * (1 + t.Sub(s.next)/step))
			break
		}
		s.until, s.pending = s.next.Add(r.took), r
	}
	s.ramp(t)
}

// settled reports whether a check with result r would change nothing.
func (s *Server) settled(r result) bool {
	if !s.checked || r != s.result || r.took > time.Second {
		return false
	}
	if r.ok() {
		return s.health == s.conf.rise+s.conf.fall-1
	}
	return s.health == 0
}

// check is one check that begins at s.next.
func (s *Server) check() result {
	conf, meets, port := s.proxy.conf, Unreachable, AnyPort
	if conf.httpCheck {
		port = s.conf.checkPort
	}
	if s.target != nil {
		meets = s.target.Connect(port, s.next)
	}
	quick := latency(conf.name, s.conf.name)
	switch {
	case meets == Unreachable:
		return result{status: "L4TOUT", took: min(cmp.Or(conf.connect, s.conf.inter), s.conf.inter)}
	case meets == Refused:
		return result{status: "L4CON", last: "Connection refused"}
	case meets == Hangs:
		return result{status: "L7TOUT", took: cmp.Or(conf.check, s.conf.inter)}
	case !conf.httpCheck:
		return result{status: "L4OK"}
	case s.conf.ssl:
		return result{status: "L6RSP", last: "SSL handshake failure", took: quick}
	}
	r := result{status: "L7OK", code: s.target.Code(conf.method, conf.uri), took: quick}
	if !expected(conf.expect, r.code) {
		r.status, r.last = "L7STS", "Service Unavailable"
	}
	return r
}

func expected(want string, code int) bool {
	if want == "" {
		return code >= 200 && code < 400
	}
	return want == "200" && code == 200 || want == "503" && code == 503
}

// latency is how long a check of that server takes. It is the same every time:
// nothing changes on the screen of an idle sandbox.
func latency(names ...string) time.Duration {
	return time.Duration(1+sim.Hash(names...)%9) * time.Millisecond
}

// demand is how many sessions clients hold on a service port of a node.
func demand(proxy, node string) int { return 4 + sim.Hash(proxy, node)%37 }

// ended takes the result of the check in flight.
func (s *Server) ended() {
	at := s.until
	s.ramp(at)
	wasUp, full := s.health >= s.conf.rise, s.conf.rise+s.conf.fall-1
	s.result, s.checked, s.until = s.pending, true, time.Time{}
	switch {
	case s.result.ok() && s.health < full:
		s.health++
		if s.health >= s.conf.rise {
			s.health = full
		}
	case s.result.ok():
	case s.health > s.conf.rise:
		s.health--
		s.fails++
	default:
		s.health = 0
		s.fails += flag(wasUp)
	}
	if up := s.health >= s.conf.rise; up != wasUp {
		s.turn(at, up)
		s.proxy.judge(at)
	}
	s.next = at.Add(s.interval())
}

// turn is a server going up or down.
func (s *Server) turn(at time.Time, up bool) {
	if up {
		s.downtime += at.Sub(s.changed)
	} else {
		s.downs++
	}
	state, why := "DOWN", s.result.status
	if up {
		state = "UP"
	}
	if s.result.code != 0 {
		why = fmt.Sprintf("%s, code: %d", why, s.result.code)
	}
	s.proxy.on.logs(at, "WARNING", "Server %s/%s is %s, reason: %s", s.proxy.conf.name, s.conf.name, state, why)
	s.changed, s.ramping, s.rampedAt = at, up && s.conf.slowStart > 0, at
	if up {
		s.reweigh(at)
	}
}

// ramp recalculates the weight of a server in slowstart: HAProxy does it
// twenty times over the whole ramp.
func (s *Server) ramp(t time.Time) {
	if !s.ramping || s.health < s.conf.rise || s.maint {
		s.ramping = s.ramping && s.health >= s.conf.rise
		return
	}
	step := max(s.conf.slowStart/20, time.Millisecond)
	if n := t.Sub(s.rampedAt) / step; n > 0 {
		s.rampedAt = s.rampedAt.Add(n * step)
		s.reweigh(s.rampedAt)
	}
}

// reweigh sets the effective weight as it is at t.
func (s *Server) reweigh(t time.Time) {
	s.raw = 16 * s.weight
	if !s.ramping {
		return
	}
	whole := int(s.conf.slowStart / time.Second)
	past := int(t.Sub(s.changed) / time.Second)
	if past >= whole || whole == 0 {
		s.ramping, s.changed = false, t // HAProxy counts that as a transition
		return
	}
	s.raw = s.weight * ((16*past + whole) / whole)
}

// usable reports whether the server may get new connections.
func (s *Server) usable() bool {
	return !s.maint && !s.drain && s.raw > 0 && (!s.checks() || s.health >= s.conf.rise)
}

// checks reports whether the server's health is checked.
func (s *Server) checks() bool { return s.conf.check && !s.unchecked }

// active are the servers new connections go to now.
func (p *proxy) active() []*Server {
	var act, bck []*Server
	for _, s := range p.servers {
		switch {
		case !s.usable():
		case s.conf.backup:
			bck = append(bck, s)
		default:
			act = append(act, s)
		}
	}
	switch {
	case len(act) > 0:
		return act
	case len(bck) > 1 && !p.conf.allBackups:
		return bck[:1]
	default:
		return bck
	}
}

func (p *proxy) up() bool { return len(p.servers) == 0 || len(p.active()) > 0 }

// judge notices a change of the whole backend.
func (p *proxy) judge(at time.Time) {
	up := p.up()
	if up == p.wasUp {
		return
	}
	if up {
		p.downtime += at.Sub(p.since)
	} else {
		p.downTrans++
	}
	if !up {
		p.on.logs(at, "ALERT", "proxy '%s' has no server available!", p.conf.name)
	}
	p.wasUp, p.since = up, at
}

// Listener is one address that a running HAProxy binds for clients.
type Listener struct{ Proxy, Host, Port string }

// Everywhere reports whether the listener is on every address of its node.
func (l Listener) Everywhere() bool { return l.Host == "" || l.Host == "*" }

// Listeners are the addresses that are bound for clients: neither sockets nor
// the stats page. There are none while HAProxy does not run.
func (h *HAProxy) Listeners() (out []Listener) {
	if !h.Up {
		return nil
	}
	for _, p := range h.proxies {
		for _, b := range p.conf.binds {
			if host, port, ok := cutLast(b, ":"); ok && !p.conf.stats {
				out = append(out, Listener{p.conf.name, host, port})
			}
		}
	}
	return out
}

// Active are the servers that get the new connections of a proxy.
func (h *HAProxy) Active(name string) []*Server {
	for _, p := range h.proxies {
		if p.conf.name == name && !p.paused {
			return p.active()
		}
	}
	return nil
}

// Target is the machine that the server stands for; nil when there is none.
func (s *Server) Target() Target { return s.target }

// Port is the port that clients are connected to.
func (s *Server) Port() int { return s.conf.port }

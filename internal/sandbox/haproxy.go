package sandbox

import (
	"cmp"
	"hash/fnv"
	"path/filepath"
	"time"
)

// haproxy is the HAProxy of one node: the configuration its worker was started
// with, and what its checks have found since.
type haproxy struct {
	node    *node
	up      bool
	since   time.Time // start of the worker
	reloads int
	conf    *haConfig
	proxies []*proxy
	// clock is how far the checks have been simulated.
	clock time.Time
}

// proxy is one section with servers.
type proxy struct {
	conf      *proxyConf
	id        int
	servers   []*server
	since     time.Time // last change of the backend's state
	wasUp     bool
	downTrans int
	downtime  time.Duration
	demand    int // sessions clients hold on the port while anybody serves it
}

// server is one server line.
type server struct {
	conf   *serverConf
	id     int
	target *node // simulated node whose Patroni is asked; nil: nobody there

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

// configFiles are what the node's HAProxy is started with, as Pigsty's unit has it.
func (n *node) configFiles() []string {
	return []string{filepath.Join(n.dir, "etc/haproxy/haproxy.cfg"), filepath.Join(n.dir, "etc/haproxy/conf.d")}
}

// loadConfig reads and checks the node's configuration as it is on disk.
func (n *node) loadConfig() (*haConfig, error) {
	var files []haFile
	for _, p := range n.configFiles() {
		f, err := readConfigs(p)
		if err != nil {
			return nil, err
		}
		files = append(files, f...)
	}
	return parseConfig(files, n.dir), nil
}

// start begins a new worker: whatever the old one knew is gone.
func (h *haproxy) start(w *world, conf *haConfig) {
	h.conf, h.up, h.since, h.clock = conf, true, w.now, w.now
	h.proxies = nil
	for i, pc := range conf.proxies {
		p := &proxy{conf: pc, id: i + 2, since: w.now, wasUp: true, demand: demand(pc.name, h.node.name)}
		for j, sc := range pc.servers {
			s := &server{
				conf: sc, id: j + 1, maint: sc.disabled, weight: sc.weight, raw: 16 * sc.weight,
				health: sc.rise, changed: w.now, target: w.byAddr[sc.addr],
			}
			p.servers = append(p.servers, s)
		}
		h.proxies = append(h.proxies, p)
	}
	h.spread(w.now)
	for _, p := range h.proxies {
		p.wasUp = p.up()
	}
	w.ports(h.node)
}

// spread sets the first checks apart, as HAProxy does at its start: over one
// interval, in the order of the servers.
func (h *haproxy) spread(now time.Time) {
	n, widest := 0, time.Duration(0)
	h.each(func(_ *proxy, s *server) {
		if s.conf.check {
			n++
			widest = max(widest, s.interval())
		}
	})
	i := 0
	h.each(func(_ *proxy, s *server) {
		if s.conf.check {
			s.next = now.Add(firstCheck + widest*time.Duration(i)/time.Duration(n))
			i++
		}
	})
}

// firstCheck is the time from a worker's start to its first check.
const firstCheck = 120 * time.Millisecond

func (h *haproxy) each(do func(*proxy, *server)) {
	for _, p := range h.proxies {
		for _, s := range p.servers {
			do(p, s)
		}
	}
}

// interval is the pause before the server's next check.
func (s *server) interval() time.Duration {
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

// catchUp simulates every check up to t.
func (h *haproxy) catchUp(w *world, t time.Time) {
	if !h.up || !t.After(h.clock) {
		return
	}
	for _, p := range h.proxies {
		for _, s := range p.servers {
			h.catchUpServer(w, p, s, t)
		}
	}
	h.clock = t
}

func (h *haproxy) catchUpServer(w *world, p *proxy, s *server, t time.Time) {
	for s.checks() && !s.maint {
		if !s.until.IsZero() {
			if s.until.After(t) {
				break
			}
			h.ended(p, s)
			continue
		}
		if s.next.After(t) {
			break
		}
		r := h.probe(w, p, s)
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
func (s *server) settled(r result) bool {
	if !s.checked || r != s.result || r.took > time.Second {
		return false
	}
	if r.ok() {
		return s.health == s.conf.rise+s.conf.fall-1
	}
	return s.health == 0
}

// probe is one check: what the world would answer it now.
func (h *haproxy) probe(w *world, p *proxy, s *server) result {
	quick := latency(p.conf.name, s.conf.name)
	timeout := result{status: "L4TOUT", took: min(cmp.Or(p.conf.connect, s.conf.inter), s.conf.inter)}
	n := s.target
	switch {
	case n == nil || !w.linked(h.node, n):
		return timeout
	case !n.m.process || s.conf.checkPort != w.patroniPort && p.conf.httpCheck:
		return result{status: "L4CON", last: "Connection refused"}
	case n.frozen() && s.next.Sub(n.frozenAt) > queueTime:
		return timeout
	case n.frozen():
		return result{status: "L7TOUT", took: cmp.Or(p.conf.check, s.conf.inter)}
	case !p.conf.httpCheck:
		return result{status: "L4OK"}
	case s.conf.ssl:
		return result{status: "L6RSP", last: "SSL handshake failure", took: quick}
	}
	code := n.m.code(p.conf.method, p.conf.uri)
	r := result{status: "L7OK", code: code, took: quick}
	if !expected(p.conf.expect, code) {
		r.status, r.last = "L7STS", "Service Unavailable"
	}
	return r
}

// queueTime is how long the socket of a stopped Patroni takes connections: its
// queue of five is full after that.
const queueTime = 1500 * time.Millisecond

func expected(want string, code int) bool {
	if want == "" {
		return code >= 200 && code < 400
	}
	return want == "200" && code == 200 || want == "503" && code == 503
}

// code is the status of one health check.
func (m *member) code(method, uri string) int {
	if method == "GET" {
		return m.cl.w.patroni(m.node, method, uri).code
	}
	return m.optionsCode(uri)
}

// latency is how long a check of that server takes: the same every time, so
// that an idle sandbox shows nothing moving.
func latency(names ...string) time.Duration {
	return time.Duration(1+hash(names...)%9) * time.Millisecond
}

func hash(names ...string) int {
	h := fnv.New32a()
	for _, n := range names {
		h.Write([]byte(n))
		h.Write([]byte{0})
	}
	return int(h.Sum32() & 0xffffff)
}

// demand is how many sessions clients hold on a service port of a node.
func demand(proxy, node string) int { return 4 + hash(proxy, node)%37 }

// ended takes the result of the check in flight.
func (h *haproxy) ended(p *proxy, s *server) {
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
	case wasUp:
		s.health = 0
		s.fails++
	default:
		s.health = 0
	}
	if up := s.health >= s.conf.rise; up != wasUp {
		s.turn(at, up)
		p.judge(at)
	}
	s.next = at.Add(s.interval())
}

// turn is a server going up or down.
func (s *server) turn(at time.Time, up bool) {
	if up {
		s.downtime += at.Sub(s.changed)
	} else {
		s.downs++
	}
	s.changed, s.ramping, s.rampedAt = at, up && s.conf.slowStart > 0, at
	if up {
		s.reweigh(at)
	}
}

// ramp recalculates the weight of a server in slowstart: HAProxy does it
// twenty times over the whole ramp.
func (s *server) ramp(t time.Time) {
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
func (s *server) reweigh(t time.Time) {
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
func (s *server) usable() bool {
	return !s.maint && !s.drain && s.raw > 0 && (!s.checks() || s.health >= s.conf.rise)
}

// checks reports whether the server's health is checked.
func (s *server) checks() bool { return s.conf.check && !s.unchecked }

// active are the servers new connections go to now.
func (p *proxy) active() []*server {
	var act, bck []*server
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
	p.wasUp, p.since = up, at
}

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"

	"pgtui/internal/sandbox/patroni"
	"pgtui/internal/sandbox/pg"
	"pgtui/source"
)

// The networks 127.77 to 127.126 are tried in turn: several sandboxes may run
// on one machine.
const (
	firstNet = 77
	lastNet  = 126
)

// The ports of a node. They are Pigsty's, unless a program on this machine holds
// one of them on every address.
const (
	patroniPort = 8008
	statsPort   = 9101
	pgPort      = 5432
	bouncerPort = 6432
	etcdPort    = 2379
	etcdPeers   = 2380
)

// listens is the program that listens on a port of a node.
type listens int

const (
	byHAProxy listens = iota
	byPatroni
	byPostgres
	byPgbouncer
	byEtcd // only its health: the DCS is simulated elsewhere
)

// port is one TCP port of one node.
type port struct {
	s    *Sandbox
	host string // nodename
	node *node
	by   listens
	vip  string // the cluster whose VIP this is; "" for a node's own address
	addr string
	ln   net.Listener
}

// portListener carries its port to the requests it accepts. It may be closed
// twice: by the process that ends on the port, and by the server.
type portListener struct {
	net.Listener
	p    *port
	once sync.Once
}

// Close closes the port.
func (l *portListener) Close() (err error) {
	l.once.Do(func() { err = l.Listener.Close() })
	return err
}

// portKey is where a request's context holds its *port.
type portKey struct{}

// bind finds a free network and binds every port of every node in it.
func (s *Sandbox) bind(ctx context.Context) error {
	var err error
	for p, own := range map[*int]int{&s.patroniPort: patroniPort, &s.statsPort: statsPort, &s.pgPort: pgPort, &s.bouncerPort: bouncerPort} {
		if *p, err = freePort(own); err != nil {
			return err
		}
	}
	for s.net = firstNet; s.net <= lastNet; s.net++ {
		if ctx.Err() != nil {
			return fmt.Errorf("sandbox: start: %w", source.Ended(ctx))
		}
		s.hosts = layout(s.net, s.opt.Clusters)
		if err = s.bindAll(); err == nil {
			return nil
		}
		s.closePorts()
		s.ports = nil
	}
	return fmt.Errorf("sandbox: no free network between 127.%d and 127.%d: %w", firstNet, lastNet, err)
}

// freePort is port itself, or another one when a program on this machine listens
// on it at every address, as a real HAProxy does on 9101.
func freePort(port int) (int, error) {
	var err error
	for _, p := range []int{port, port + 10000, port + 20000, port - 1000} {
		if p > 65535 {
			continue
		}
		if err = tryPort(p); err == nil {
			return p, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		err = &source.Hint{Err: err, Try: "run the demo on Linux: other systems need setup for the addresses of 127.0.0.0/8"}
	}
	return 0, fmt.Errorf("sandbox: bind: %w", err)
}

// tryPort binds the port for a moment, where no sandbox has its nodes. Another
// sandbox may try the same address at the same time, so one failure is no proof.
func tryPort(port int) error {
	var err error
	for range 4 {
		addr := netip.AddrFrom4([4]byte{127, 127, byte(rand.IntN(256)), byte(1 + rand.IntN(254))})
		var ln net.Listener
		if ln, err = net.Listen("tcp", netip.AddrPortFrom(addr, uint16(port)).String()); err == nil {
			return ln.Close()
		}
	}
	return err
}

func (s *Sandbox) bindAll() error {
	bind := func(p *port, number int) error {
		p.s, p.addr = s, net.JoinHostPort(p.addr, strconv.Itoa(number))
		if err := p.open(); err != nil {
			return err
		}
		s.ports = append(s.ports, p)
		return nil
	}
	for _, number := range []int{etcdPort, etcdPeers} {
		// When another program has the port on every address, the sandbox has no etcd.
		_ = bind(&port{host: s.hosts[0].name(), by: byEtcd, addr: s.hosts[0].addr}, number)
	}
	for i, d := range s.hosts {
		for by, number := range []int{byHAProxy: s.statsPort, byPatroni: s.patroniPort, byPostgres: s.pgPort, byPgbouncer: s.bouncerPort} {
			if err := bind(&port{host: d.name(), by: listens(by), addr: d.addr}, number); err != nil {
				return err
			}
			if !hasVIP(i) || i > 0 && s.hosts[i-1].cluster == d.cluster || listens(by) == byPatroni {
				continue
			}
			if err := bind(&port{vip: d.cluster, by: listens(by), addr: vip(d)}, number); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *port) open() error {
	ln, err := net.Listen("tcp", p.addr)
	if err != nil {
		return err
	}
	p.ln = &portListener{Listener: ln, p: p}
	return nil
}

// serve lets every bound port answer.
func (s *Sandbox) serve() {
	s.server = s.newServer()
	for _, p := range s.ports {
		if p.vip == "" {
			p.node = s.w.byName[p.host]
		}
		p.run()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.w.nodes {
		s.syncServices(n)
	}
}

func (p *port) run() {
	ln := p.ln
	switch p.by {
	case byPostgres, byPgbouncer:
		p.s.wg.Go(func() { p.s.accept(ln, func(c net.Conn) error { return p.s.direct(pg.NewConn(c), p) }) })
	default:
		p.s.wg.Go(func() { _ = p.s.server.Serve(ln) })
	}
}

// open reports whether the process that listens on a port of n runs.
func (n *node) open(by listens) bool {
	switch by {
	case byPatroni:
		return n.m.Runs
	case byPostgres:
		return n.m.PostgresRuns
	case byPgbouncer:
		return !n.pool.Down
	case byEtcd:
		return true // the handler hangs up while the DCS is down
	}
	return n.ha.Up
}

// syncPorts opens and closes the ports of n as its processes run. The lock is held.
func (s *Sandbox) syncPorts(n *node) {
	for _, p := range s.ports {
		if p.node != n {
			continue
		}
		want := n.open(p.by)
		switch {
		case !want && p.ln != nil:
			_ = p.ln.Close()
			p.ln = nil
		case want && p.ln == nil && !s.closed:
			if p.open() != nil { // another program has it now: try again
				s.w.After(patroni.LoopWait, func() { s.syncPorts(n) })
				continue
			}
			p.run()
		}
	}
	s.syncServices(n)
}

func (s *Sandbox) closePorts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeServices()
	for _, p := range s.ports {
		if p.ln != nil {
			_ = p.ln.Close()
			p.ln = nil
		}
	}
}

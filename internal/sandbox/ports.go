package sandbox

import (
	"errors"
	"net"
	"slices"
	"time"

	"pgtui/internal/sandbox/haproxy"
	"pgtui/internal/sandbox/pg"
)

// maxServiceNodes is the largest sandbox whose service ports are open: a fleet
// would need thousands of listeners.
const maxServiceNodes = 16

// connLife bounds one client connection.
const connLife = 30 * time.Second

// servicePort is one bound port of one node's HAProxy. The zero value with a
// listener is a port of a VIP.
type servicePort struct {
	ln    net.Listener
	node  *node
	proxy string // section
	next  int    // number of the next connection, for the round robin
}

// syncServices opens and closes the service ports of n as its HAProxy binds
// them. The lock is held.
func (s *Sandbox) syncServices(n *node) {
	if len(s.hosts) > maxServiceNodes || s.closed {
		return
	}
	want := map[string]string{}
	for _, l := range n.ha.Listeners() {
		if !l.Everywhere() && l.Host != n.Addr {
			continue
		}
		want[net.JoinHostPort(n.Addr, l.Port)] = l.Proxy
		if l.Everywhere() {
			s.openVIP(n, l.Port)
		}
	}
	for addr, p := range s.services {
		if p.node == n && want[addr] != p.proxy {
			_ = p.ln.Close()
			delete(s.services, addr)
		}
	}
	for addr, name := range want {
		p := &servicePort{node: n, proxy: name}
		s.openService(addr, p, func() *servicePort { return p })
	}
}

// openService opens a service port, unless it is open. at is the port whose
// HAProxy answers a connection, nil when there is none. The lock is held.
func (s *Sandbox) openService(addr string, p *servicePort, at func() *servicePort) {
	if s.services[addr] != nil {
		return
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return // another program has it: its answers count
	}
	p.ln = ln
	s.services[addr] = p
	s.wg.Go(func() {
		s.accept(ln, func(c net.Conn) error {
			if p := at(); p != nil {
				return s.talk(pg.NewConn(c), p)
			}
			return pg.ErrClosed
		})
	})
}

// openVIP opens a service port of the VIP of n's cluster. Each connection finds
// the node that has the VIP. The lock is held.
func (s *Sandbox) openVIP(n *node, number string) {
	cluster := string(n.m.Cluster.Name)
	i := slices.IndexFunc(s.hosts, func(d declared) bool { return d.cluster == cluster })
	if !hasVIP(i) {
		return
	}
	s.openService(net.JoinHostPort(vip(s.hosts[i]), number), &servicePort{}, func() *servicePort { return s.behindVIP(cluster, number) })
}

// behindVIP is the port of the HAProxy that has the cluster's VIP; nil when no
// node has it, or no section listens there.
func (s *Sandbox) behindVIP(cluster, number string) *servicePort {
	n := s.vipHolder(cluster, byHAProxy)
	if n == nil {
		return nil
	}
	s.lock()
	defer s.unlock()
	return s.services[net.JoinHostPort(n.Addr, number)]
}

// closeServices ends every port and connection. The lock is held.
func (s *Sandbox) closeServices() {
	for _, p := range s.services {
		_ = p.ln.Close()
	}
	for c := range s.conns {
		_ = c.Close()
	}
	clear(s.services)
}

// accept calls talk for every connection of a port, until the port is closed.
func (s *Sandbox) accept(ln net.Listener, talk func(net.Conn) error) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed || len(s.conns) > 10000 {
			s.mu.Unlock()
			_ = c.Close()
			continue
		}
		s.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			_ = c.SetDeadline(time.Now().Add(connLife)) //nolint:forbidigo // a deadline of the kernel's
			_ = talk(c)                                 // a client that leaves is no error
			_ = c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

// route picks the server that HAProxy gives the next connection to.
func (s *Sandbox) route(p *servicePort) (*haproxy.Server, error) {
	w := s.lock()
	defer s.unlock()
	p.node.ha.CatchUp(w.Now())
	if p.node.Cut {
		return nil, pg.ErrSilent
	}
	active := p.node.ha.Active(p.proxy)
	if len(active) == 0 {
		return nil, pg.ErrClosed
	}
	p.next++
	return active[p.next%len(active)], nil
}

// talk is one connection to a service port, from its first byte to its last.
func (s *Sandbox) talk(c *pg.Conn, p *servicePort) error {
	if err := c.Startup(); err != nil {
		return err
	}
	sv, err := s.route(p)
	if err != nil {
		return c.TurnAway(err)
	}
	to, _ := sv.Target().(path)
	return c.Serve(s.behind(to.to, sv.Port() == s.bouncerPort, func(w *world) bool { return w.Linked(p.node.Machine, to.to.Machine) }))
}

// direct is one connection to the port of a node's PostgreSQL or pgbouncer.
func (s *Sandbox) direct(c *pg.Conn, p *port) error {
	n := p.node
	if p.vip != "" {
		if n = s.vipHolder(p.vip, p.by); n == nil {
			return pg.ErrClosed
		}
	}
	server := s.behind(n, p.by == byPgbouncer, func(*world) bool { return !n.Cut })
	if err := server(func(*pg.State) error { return nil }); errors.Is(err, pg.ErrSilent) {
		return c.TurnAway(err) // before an answer about TLS
	}
	if err := c.Startup(); err != nil {
		return err
	}
	return c.Serve(server)
}

package sandbox

import (
	"crypto/md5" //nolint:gosec // what the protocol asks for
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What the simulated PostgreSQL lets in: Pigsty's monitoring user, as the
// inventory has it by default.
const (
	monitorUser     = "dbuser_monitor"
	monitorPassword = "DBUser.Monitor"
	monitorDatabase = "postgres"
)

// maxServiceNodes is the largest sandbox whose service ports are open: a fleet
// would need thousands of listeners.
const maxServiceNodes = 16

// connLife bounds one client connection.
const connLife = 30 * time.Second

// wire is the set of service ports that are open, and the connections on
// them. It speaks just enough of PostgreSQL's protocol to log in and to be
// asked who answers.
type wire struct {
	ports map[string]*servicePort // by address
	conns map[net.Conn]bool
}

// servicePort is one bound port of one node's HAProxy.
type servicePort struct {
	ln    net.Listener
	node  *node
	proxy string // section
	next  int    // whose turn it is among the active servers
}

// syncServices opens and closes the service ports of n as its HAProxy binds
// them. The lock is held.
func (s *Sandbox) syncServices(n *node) {
	if len(s.hosts) > maxServiceNodes || s.closed {
		return
	}
	if s.wire.ports == nil {
		s.wire.ports = map[string]*servicePort{}
	}
	want := map[string]string{}
	if n.ha.up {
		for _, p := range n.ha.proxies {
			for _, b := range p.conf.binds {
				host, port, ok := cutLast(b, ":")
				if !ok || p.conf.stats || host != "" && host != "*" && host != n.addr {
					continue
				}
				want[net.JoinHostPort(n.addr, port)] = p.conf.name
				if host != n.addr {
					s.openVIP(n, port)
				}
			}
		}
	}
	for addr, p := range s.wire.ports {
		if p.node == n && want[addr] != p.proxy {
			_ = p.ln.Close()
			delete(s.wire.ports, addr)
		}
	}
	for addr, name := range want {
		if s.wire.ports[addr] != nil {
			continue
		}
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			continue // a program of this machine has it: the port is its own
		}
		p := &servicePort{ln: ln, node: n, proxy: name}
		s.wire.ports[addr] = p
		s.wg.Go(func() { s.accept(ln, func(c net.Conn) error { return s.talk(c, p) }) })
	}
}

// openVIP opens a service port of the VIP of n's cluster, once: whose HAProxy
// answers there is seen at each connection. The lock is held.
func (s *Sandbox) openVIP(n *node, number string) {
	cluster := string(n.m.cl.name)
	i := slices.IndexFunc(s.hosts, func(d declared) bool { return d.cluster == cluster })
	if !hasVIP(i) {
		return
	}
	addr := net.JoinHostPort(vip(s.hosts[i]), number)
	if s.wire.ports[addr] != nil {
		return
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return // as below
	}
	s.wire.ports[addr] = &servicePort{ln: ln}
	s.wg.Go(func() {
		s.accept(ln, func(c net.Conn) error {
			p := s.behindVIP(cluster, number)
			if p == nil {
				return errHungUp
			}
			return s.talk(c, p)
		})
	})
}

// behindVIP is the port of the HAProxy that has the cluster's VIP; nil when
// nobody has it, or no section listens there.
func (s *Sandbox) behindVIP(cluster, number string) *servicePort {
	n := s.vipHolder(cluster, byHAProxy)
	if n == nil {
		return nil
	}
	s.lock()
	defer s.unlock()
	return s.wire.ports[net.JoinHostPort(n.addr, number)]
}

// closeServices ends every port and connection. The lock is held.
func (s *Sandbox) closeServices() {
	for _, p := range s.wire.ports {
		_ = p.ln.Close()
	}
	for c := range s.wire.conns {
		_ = c.Close()
	}
	s.wire.ports = nil
}

// accept gives every connection of a port to talk until the port is closed.
func (s *Sandbox) accept(ln net.Listener, talk func(net.Conn) error) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed || len(s.wire.conns) > 10000 {
			s.mu.Unlock()
			_ = c.Close()
			continue
		}
		s.wire.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			_ = c.SetDeadline(time.Now().Add(connLife)) //nolint:forbidigo // a deadline of the kernel's
			_ = talk(c)                                 // a client that leaves is no error
			_ = c.Close()
			s.mu.Lock()
			delete(s.wire.conns, c)
			s.mu.Unlock()
		})
	}
}

// pgError is what PostgreSQL or pgbouncer answers instead.
type pgError struct{ code, text string }

func (e *pgError) Error() string { return e.text }

// errSilent is a connection that gets no answer; errHungUp one that is closed.
var (
	errSilent = errors.New("no answer")
	errHungUp = errors.New("closed")
)

// route picks the server that HAProxy gives the next connection to.
func (s *Sandbox) route(p *servicePort) (*server, error) {
	w := s.lock()
	defer s.unlock()
	p.node.ha.catchUp(w, w.now)
	if p.node.cut {
		return nil, errSilent
	}
	for _, px := range p.node.ha.proxies {
		if px.conf.name != p.proxy {
			continue
		}
		act := px.active()
		if len(act) == 0 {
			return nil, errHungUp
		}
		p.next++
		return act[p.next%len(act)], nil
	}
	return nil, errHungUp
}

// who is the row that the server answers, in the order of pgtui's question.
func (s *Sandbox) who(p *servicePort, sv *server) ([]string, error) {
	w := s.lock()
	defer s.unlock()
	n := sv.target
	if n == nil || !w.linked(p.node, n) {
		return nil, errSilent
	}
	return n.row(sv.conf.port == s.bouncerPort)
}

// row is what PostgreSQL on the node answers to pgtui's question, pooled or not.
func (n *node) row(pooled bool) ([]string, error) {
	switch {
	case pooled && n.noPooler:
		return nil, errHungUp
	case !n.m.pgUp && pooled:
		return nil, &pgError{"08P01", "pgbouncer cannot connect to server"}
	case !n.m.pgUp:
		return nil, errHungUp
	case n.m.state == stateStarting:
		return nil, &pgError{"57P03", "the database system is starting up"}
	}
	m := n.m
	row := []string{n.addr, m.started.UTC().Format("2006-01-02 15:04:05.000000"), m.cl.sysid, string(m.cl.name), "f", "off", fmt.Sprintf("%08X", m.tl)}
	if pooled {
		row[0] = ""
	}
	if m.role != rolePrimary {
		row[4], row[5], row[6] = "t", "on", strconv.Itoa(m.tl)
	}
	return row, nil
}

// talk is one connection from its first byte to its last.
func (s *Sandbox) talk(c net.Conn, p *servicePort) error {
	params, err := startup(c)
	if err != nil {
		return err
	}
	sv, err := s.route(p)
	if err != nil {
		return turnAway(c, err)
	}
	var pool *node
	if sv.conf.port == s.bouncerPort {
		pool = sv.target
	}
	return s.converse(c, params, pool, func() ([]string, error) { return s.who(p, sv) })
}

// direct is one connection to the port of a node's PostgreSQL or pgbouncer.
func (s *Sandbox) direct(c net.Conn, p *port) error {
	n := p.node
	if p.vip != "" {
		if n = s.vipHolder(p.vip, p.by); n == nil {
			return errHungUp
		}
	}
	who := func() ([]string, error) {
		s.lock()
		defer s.unlock()
		if n.cut {
			return nil, errSilent
		}
		return n.row(p.by == byPgbouncer)
	}
	if _, err := who(); errors.Is(err, errSilent) {
		return turnAway(c, err) // not even a word about TLS
	}
	params, err := startup(c)
	if err != nil {
		return err
	}
	var pool *node
	if p.by == byPgbouncer {
		pool = n
	}
	return s.converse(c, params, pool, who)
}

// turnAway ends a connection, in its own time when nothing answers.
func turnAway(c net.Conn, err error) error {
	if errors.Is(err, errSilent) {
		_, _ = io.Copy(io.Discard, c) // until the client gives up
		return err
	}
	return refuse(c, err)
}

// converse lets a client in that has started up, and answers it with what who
// says. pool is the node whose pgbouncer it has reached; nil is PostgreSQL itself.
func (s *Sandbox) converse(c net.Conn, params map[string]string, pool *node, who func() ([]string, error)) error {
	database := params["database"]
	if pool != nil && database == consoleDatabase {
		return s.console(c, params, pool, who)
	}
	if _, err := who(); err != nil {
		return turnAway(c, err)
	}
	if err := s.admits(pool, database); err != nil {
		return refuse(c, err)
	}
	if err := login(c, params); err != nil {
		return refuse(c, err)
	}
	for {
		kind, body, err := message(c)
		if err != nil || kind == 'X' {
			return err
		}
		if s.pauses(pool, database) {
			return turnAway(c, errSilent)
		}
		row, err := who()
		if err == nil && (kind != 'Q' || !strings.Contains(string(body), "pg_postmaster_start_time()")) {
			err = &pgError{"0A000", "the sandbox has no PostgreSQL: it answers pgtui's own question only"}
		}
		if err != nil {
			if err := refuse(c, err); err != nil {
				return err
			}
			if _, err := c.Write([]byte("Z\x00\x00\x00\x05I")); err != nil {
				return err
			}
			continue
		}
		if _, err := c.Write(rowMessages(row)); err != nil {
			return err
		}
	}
}

// startup reads the first message; it declines TLS as pgbouncer does.
func startup(c net.Conn) (map[string]string, error) {
	for range 3 {
		var head [8]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return nil, err
		}
		n, code := binary.BigEndian.Uint32(head[:4]), binary.BigEndian.Uint32(head[4:])
		if n < 8 || n > 10000 {
			return nil, errHungUp
		}
		body := make([]byte, n-8)
		if _, err := io.ReadFull(c, body); err != nil {
			return nil, err
		}
		switch code {
		case 80877103, 80877104: // TLS, GSS
			if _, err := c.Write([]byte("N")); err != nil {
				return nil, err
			}
		case 3 << 16:
			words := strings.Split(string(body), "\x00")
			params := map[string]string{}
			for i := 0; i+1 < len(words); i += 2 {
				params[words[i]] = words[i+1]
			}
			return params, nil
		default:
			return nil, errHungUp
		}
	}
	return nil, errHungUp
}

// login asks for the password and lets the monitoring user in.
func login(c net.Conn, params map[string]string) error {
	const salt = "salt" // as good as any: the password is public
	if _, err := c.Write([]byte("R\x00\x00\x00\x0c\x00\x00\x00\x05" + salt)); err != nil {
		return err
	}
	kind, body, err := message(c)
	if err != nil {
		return err
	}
	want := "md5" + hexMD5(hexMD5(monitorPassword+monitorUser)+salt)
	if kind != 'p' || params["user"] != monitorUser || strings.TrimRight(string(body), "\x00") != want {
		return &pgError{"28P01", fmt.Sprintf("password authentication failed for user %q", params["user"])}
	}
	if params["database"] != monitorDatabase && params["database"] != consoleDatabase {
		return &pgError{"3D000", fmt.Sprintf("database %q does not exist", params["database"])}
	}
	_, err = c.Write([]byte("R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I"))
	return err
}

func hexMD5(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // what the protocol asks for
	return hex.EncodeToString(sum[:])
}

// message reads one message of a client that has started up.
func message(c net.Conn) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n < 4 || n > 64<<10 {
		return 0, nil, errHungUp
	}
	body = make([]byte, n-4)
	_, err = io.ReadFull(c, body)
	return head[0], body, err
}

// refuse writes a server's error; any other just ends the connection.
func refuse(c net.Conn, err error) error {
	pe := &pgError{}
	if !errors.As(err, &pe) {
		return err
	}
	_, err = c.Write(framed('E', []byte("SFATAL\x00VFATAL\x00C"+pe.code+"\x00M"+pe.text+"\x00\x00")))
	return err
}

// rowMessages are a description, one row of text and the end of the answer.
func rowMessages(row []string) []byte {
	cols := make([]string, len(row))
	for i := range cols {
		cols[i] = fmt.Sprintf("c%d", i)
	}
	return tableMessages("SELECT 1", cols, row)
}

// tableMessages are a description, rows of text and the end of the answer.
func tableMessages(tag string, cols []string, rows ...[]string) []byte {
	desc := binary.BigEndian.AppendUint16(nil, uint16(len(cols)))
	for _, name := range cols {
		desc = append(desc, name+"\x00"...)
		desc = binary.BigEndian.AppendUint32(desc, 0)  // no table
		desc = binary.BigEndian.AppendUint16(desc, 0)  // no column
		desc = binary.BigEndian.AppendUint32(desc, 25) // text
		desc = append(desc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0)
	}
	out := framed('T', desc)
	for _, row := range rows {
		data := binary.BigEndian.AppendUint16(nil, uint16(len(row)))
		for _, v := range row {
			data = binary.BigEndian.AppendUint32(data, uint32(len(v)))
			data = append(data, v...)
		}
		out = append(out, framed('D', data)...)
	}
	out = append(out, framed('C', []byte(tag+"\x00"))...)
	return append(out, "Z\x00\x00\x00\x05I"...)
}

func framed(kind byte, body []byte) []byte {
	out := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4))
	return append(out, body...)
}

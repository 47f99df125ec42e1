package sandbox

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

func (s *Sandbox) newServer() *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext: func(ln net.Listener) context.Context {
			ctx := context.Background()
			if pl, ok := ln.(*portListener); ok {
				ctx = context.WithValue(ctx, portKey{}, pl.p)
			}
			return ctx
		},
	}
}

func (s *Sandbox) handle(w http.ResponseWriter, r *http.Request) {
	p, ok := r.Context().Value(portKey{}).(*port)
	switch {
	case !ok:
		hangUp(w)
	case p.vip != "":
		// vip-manager gives the address to the holder of the leader key, and
		// takes it away when the DCS is gone.
		if n := s.vipHolder(p.vip, p.by); n != nil {
			s.handleHAProxy(w, r, n)
		} else {
			hangUp(w)
		}
	case p.by == byEtcd:
		s.handleEtcd(w)
	case p.by == byPatroni:
		s.handlePatroni(w, r, p.node)
	default:
		s.handleHAProxy(w, r, p.node)
	}
}

// handleEtcd is what etcd says of its health. Nobody asks for more.
func (s *Sandbox) handleEtcd(w http.ResponseWriter) {
	up := s.lock().etcdUp
	s.unlock()
	if !up {
		hangUp(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"health":"true","reason":""}`+"\n")
}

// vipHolder is the node that has the cluster's VIP; nil when none has, or when
// what is asked for does not run there.
func (s *Sandbox) vipHolder(name string, by listens) *node {
	w := s.lock()
	defer s.unlock()
	c, err := w.cluster(name)
	if err != nil || c.leader == nil || !w.etcdUp || !c.leader.node.open(by) {
		return nil
	}
	return c.leader.node
}

// hangUp closes the connection without a word.
func hangUp(w http.ResponseWriter) {
	if hj, ok := w.(http.Hijacker); ok {
		if conn, _, err := hj.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// held waits until something in the sandbox changed: false when the client,
// the sandbox or the given time ended first.
func (s *Sandbox) held(r *http.Request, changed <-chan struct{}, end <-chan time.Time) bool {
	select {
	case <-changed:
		return true
	case <-r.Context().Done():
	case <-s.done:
	case <-end:
	}
	return false
}

func (s *Sandbox) handlePatroni(w http.ResponseWriter, r *http.Request, n *node) {
	var end <-chan time.Time
	for {
		world := s.lock()
		a, runs, changed := world.patroni(n, r.Method, r.RequestURI), n.m.process, s.changed
		python, now := world.gen.python, world.now
		s.unlock()
		if a.eof && end == nil {
			t := time.NewTimer(time.Duration(float64(retryTimeout) / s.opt.Speed))
			defer t.Stop()
			end = t.C
		}
		switch {
		case !runs:
			hangUp(w)
			return
		case !a.silence && !a.eof:
			writePatroni(w, a, python, now)
			return
		case !s.held(r, changed, end):
			hangUp(w)
			return
		}
	}
}

// writePatroni answers as Python's http.server does: HTTP/1.0, one answer for
// each connection, and no header at all where Patroni sends the status alone.
func writePatroni(w http.ResponseWriter, a answer, python string, now time.Time) {
	hj, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	conn, buf, err := hj.Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(buf, "HTTP/1.0 %d %s\r\n", a.code, http.StatusText(a.code))
	if a.ctype != "" {
		fmt.Fprintf(buf, "Server: BaseHTTP/0.6 Python/%s\r\nDate: %s\r\nContent-Type: %s\r\n",
			python, now.UTC().Format(http.TimeFormat), a.ctype)
	}
	_, _ = buf.WriteString("\r\n")
	_, _ = buf.Write(a.body)
	_ = buf.Flush()
}

func (s *Sandbox) handleHAProxy(w http.ResponseWriter, r *http.Request, n *node) {
	for {
		s.lock()
		cut, up, changed := n.cut, n.ha.up, s.changed
		s.unlock()
		switch {
		case !up:
			hangUp(w)
			return
		case !cut:
			s.statsPage(w, r, n)
			return
		case !s.held(r, changed, nil):
			hangUp(w)
			return
		}
	}
}

// reply is one answer of HAProxy's stats port.
type reply struct {
	code     int
	ctype    string
	location string
	auth     bool // ask for a password
	body     []byte
}

func (a reply) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", a.ctype)
	h.Set("Cache-Control", "no-cache")
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.auth {
		h.Set("WWW-Authenticate", `Basic realm="HAProxy Statistics"`)
	}
	w.WriteHeader(a.code)
	_, _ = w.Write(a.body)
}

func haError(code int, text string) reply {
	return reply{code: code, ctype: "text/html", auth: code == http.StatusUnauthorized, body: fmt.Appendf(nil,
		"<html><body><h1>%d %s</h1>\n%s\n</body></html>\n", code, http.StatusText(code), text)}
}

// statsPage is everything HAProxy answers on its stats port. The body of the
// request is read before the simulation is held, and nothing is written while it is.
func (s *Sandbox) statsPage(w http.ResponseWriter, r *http.Request, n *node) {
	form := false
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		form = r.ParseForm() == nil
	}
	world := s.lock()
	n.ha.catchUp(world, world.now)
	a := n.ha.reply(world, r, form)
	if r.Method == http.MethodPost {
		s.notify()
	}
	s.unlock()
	a.write(w)
}

// reply decides one request. form is true when r.PostForm could be read.
func (h *haproxy) reply(w *world, r *http.Request, form bool) reply {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	path, option, _ := strings.Cut(path, ";")
	if _, after, ok := strings.Cut(query, ";"); ok {
		option = after
	}
	page := h.statsProxy()
	switch {
	case page != nil && page.promex && path == "/metrics":
		return reply{code: http.StatusOK, ctype: "text/plain; version=0.0.4", body: []byte(h.metrics())}
	case page == nil, page.statsURI == "", !strings.HasPrefix(path, page.statsURI):
		return haError(http.StatusServiceUnavailable, "No server is available to handle this request.")
	}
	user, password, _ := r.BasicAuth()
	want, exists := h.conf.users[user]
	switch {
	case page.statsAuth && (!exists || want != password):
		return haError(http.StatusUnauthorized, "You need a valid user and password to access this content.")
	case r.Method == http.MethodPost:
		st := "DENY"
		switch {
		case !page.statsAdmin || !h.conf.admins[user]:
		case !form:
			st = "EXCD"
		default:
			st = h.post(r.PostForm, w.now)
		}
		return reply{code: http.StatusSeeOther, ctype: "text/plain", location: page.statsURI + ";st=" + st}
	case strings.HasPrefix(option, "csv"):
		scope, _, _ := strings.Cut(query, ";")
		v, _ := url.ParseQuery(scope)
		return reply{code: http.StatusOK, ctype: "text/plain", body: h.csv(w, v.Get("scope"))}
	}
	return reply{code: http.StatusOK, ctype: "text/html", body: fmt.Appendf(nil,
		"<html><body><h1>Statistics Report on %s</h1>The simulated HAProxy has its CSV: %s;csv</body></html>\n", h.node.name, page.statsURI)}
}

// statsProxy is the section with the stats page.
func (h *haproxy) statsProxy() *proxyConf {
	for _, p := range h.proxies {
		if p.conf.stats {
			return p.conf
		}
	}
	return nil
}

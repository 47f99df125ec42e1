package sandbox

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"pgtui/internal/sandbox/patroni"
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

// handleEtcd is etcd's health page, the only one that is read.
func (s *Sandbox) handleEtcd(w http.ResponseWriter) {
	up := s.lock().EtcdUp
	s.unlock()
	if !up {
		hangUp(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"health":"true","reason":""}`+"\n")
}

// vipHolder is the node that has the cluster's VIP; nil when there is none, or
// when the program that listens on the port does not run there.
func (s *Sandbox) vipHolder(name string, by listens) *node {
	w := s.lock()
	defer s.unlock()
	c, err := w.cluster(name)
	if err != nil || c.Leader() == nil || !w.EtcdUp {
		return nil
	}
	if n := w.byName[c.Leader().Machine.Name]; n.open(by) {
		return n
	}
	return nil
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if hj, ok := w.(http.Hijacker); ok {
		if conn, _, err := hj.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// held waits for a change in the sandbox: false when the client left, the sandbox
// closed or the time ended first.
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
	answer := func() patroni.Answer { return n.m.Answer(r.Method, r.RequestURI) }
	if patroni.Writes(r.Method) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		if err != nil {
			hangUp(w)
			return
		}
		user, password, _ := r.BasicAuth()
		req := patroni.Request{Method: r.Method, Path: r.URL.Path, User: user, Password: password, Body: body}
		answer = func() patroni.Answer { return n.m.Write(&req) }
	}
	for {
		world := s.lock()
		a, runs := answer(), n.m.Runs
		if patroni.Writes(r.Method) {
			s.notify()
		}
		changed := s.changed
		python, now := world.gen.patroni.Python, world.Now()
		s.unlock()
		if a.EOF && end == nil {
			t := time.NewTimer(time.Duration(float64(patroni.RetryTimeout) / s.opt.Speed))
			defer t.Stop()
			end = t.C
		}
		switch {
		case !runs:
			hangUp(w)
			return
		case !a.Silence && !a.EOF:
			a.Write(w, python, now)
			return
		case !s.held(r, changed, end):
			hangUp(w)
			return
		}
	}
}

func (s *Sandbox) handleHAProxy(w http.ResponseWriter, r *http.Request, n *node) {
	for {
		s.lock()
		cut, up, changed := n.Cut, n.ha.Up, s.changed
		s.unlock()
		if up && !cut {
			s.statsPage(w, r, n)
			return
		}
		if !up || !s.held(r, changed, nil) {
			hangUp(w)
			return
		}
	}
}

// statsPage is one request to HAProxy's stats port. Nothing is read from or
// written to the client while the lock is held.
func (s *Sandbox) statsPage(w http.ResponseWriter, r *http.Request, n *node) {
	form := false
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		form = r.ParseForm() == nil
	}
	world := s.lock()
	n.ha.CatchUp(world.Now())
	a := n.ha.Reply(r, form, world.Now())
	if r.Method == http.MethodPost {
		s.notify()
	}
	s.unlock()
	a.Write(w)
}

package probe

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"pgtui/model"
	"pgtui/source"
)

// serveTCP gives each connection on a port of loopback to talk.
func serveTCP(t *testing.T, talk func(net.Conn)) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				talk(c)
			}()
		}
	}()
	return portOf(ln.Addr())
}

func portOf(a net.Addr) uint16 { return netip.MustParseAddrPort(a.String()).Port() }

// replies answers one read with a text.
func replies(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, text)
	}
}

// serveWeb answers each path with its text, anything else with 503.
func serveWeb(t *testing.T, pages map[string]string) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := pages[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, text)
	})}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	return portOf(ln.Addr())
}

// serveDNS answers over UDP.
func serveDNS(t *testing.T, h dns.HandlerFunc) uint16 {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{PacketConn: pc, Handler: h}
	go func() { _ = srv.ActivateAndServe() }()
	t.Cleanup(func() { _ = pc.Close() })
	return portOf(pc.LocalAddr())
}

// TestComponents asks every kind of component, well and not.
func TestComponents(t *testing.T) {
	silent := serveTCP(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	resolver := serveDNS(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassCHAOS}, Txt: []string{"dnsmasq-2.90"}}}
		_ = w.WriteMsg(m)
	})
	clock, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer clock.Close()
	go func() {
		b := make([]byte, 64)
		if _, from, err := clock.ReadFrom(b); err == nil {
			b[0], b[1] = 4<<3|4, 3
			_, _ = clock.WriteTo(b[:48], from)
		}
	}()
	web := serveWeb(t, map[string]string{"/health": `{"health":"true"}`, "/version": `{"etcdserver":"3.4.23"}`})
	for _, tt := range []struct {
		c    model.Component
		want model.ComponentState // Why is a part of it
	}{
		{model.Component{Name: "etcd", Ask: model.AskHTTP, Path: "/health", Port: web}, model.ComponentState{Reachable: true, Health: "up", Version: "3.4.23"}},
		{model.Component{Name: "vmetrics", Ask: model.AskHTTP, Path: "/sick", Port: web}, model.ComponentState{Reachable: true, Health: "sick", Why: "/sick answers 503"}},
		{model.Component{Name: "pg_exporter", Ask: model.AskHTTP, Path: "/metrics", Port: serveWeb(t, map[string]string{"/metrics": "pg_exporter_build_info{goversion=\"go1.24\",version=\"v1.0.3\"} 1\npg_up{a=\"b\"} 0\n"})},
			model.ComponentState{Reachable: true, Health: "sick", Version: "1.0.3", Why: "does not reach PostgreSQL"}},
		{model.Component{Name: "loki", Ask: model.AskHTTP, Path: "/ready", Port: 1}, model.ComponentState{Health: "down", Why: "nothing listens"}},
		{model.Component{Name: "grafana", Ask: model.AskHTTP, Path: "/api/health", Port: silent}, model.ComponentState{Reachable: true, Health: "silent", Why: "no answer within"}},
		{model.Component{Name: "postgres", Ask: model.AskPostgres, Port: serveTCP(t, replies("N"))}, model.ComponentState{Reachable: true, Health: "up"}},
		{model.Component{Name: "postgres", Ask: model.AskPostgres, Port: serveTCP(t, replies("HTTP/1.1 400"))}, model.ComponentState{Reachable: true, Health: "sick", Why: "not PostgreSQL's protocol"}},
		{model.Component{Name: "sshd", Ask: model.AskSSH, Port: serveTCP(t, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2p1 Debian\r\n") })},
			model.ComponentState{Reachable: true, Health: "up", Version: "OpenSSH 9.2p1"}},
		{model.Component{Name: "dnsmasq", Ask: model.AskDNS, Port: resolver}, model.ComponentState{Reachable: true, Health: "up", Version: "2.90"}},
		{model.Component{Name: "ntp", Ask: model.AskNTP, Port: portOf(clock.LocalAddr())}, model.ComponentState{Reachable: true, Health: "up", Version: "stratum 3"}},
		{model.Component{Name: "vip-manager", Ask: model.AskUnit, Unit: "vip-manager"}, model.ComponentState{Health: "down", Unit: "failed", Why: "systemd reports it as failed"}},
		{model.Component{Name: "chronyd", Ask: model.AskUnit, Unit: "chronyd"}, model.ComponentState{Reachable: true, Health: "up", Unit: "active"}},
	} {
		tt.c.Host = "127.0.0.1"
		n := &model.Node{Host: "127.0.0.1", Components: []model.Component{tt.c}}
		facts := map[model.Host]source.Observed[model.NodeFacts]{}
		if tt.c.Unit != "" {
			facts[n.Host] = source.Observed[model.NodeFacts]{At: time.Unix(1, 0), Value: model.NodeFacts{Units: map[string]string{"vip-manager": "failed", "chronyd": "inactive", "chrony": "active"}}}
		}
		o := New(Options{Timeout: 300 * time.Millisecond}).Components(t.Context(), &model.Inventory{}, []*model.Node{n}, facts)
		got := o[tt.c.Key()].Value
		if !strings.Contains(got.Why, tt.want.Why) || tt.want.Why == "" && got.Why != "" {
			t.Errorf("%s: why %q, want %q in it", tt.c.Name, got.Why, tt.want.Why)
		}
		got.Why, tt.want.Why = "", ""
		if got != tt.want {
			t.Errorf("%s %s:\n got %+v\nwant %+v", tt.c.Name, tt.c.Path, got, tt.want)
		}
	}
}

// TestComponentsBounded: a node that swallows everything costs one timeout and
// a little, not one for each component.
func TestComponentsBounded(t *testing.T) {
	port := serveTCP(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	n := &model.Node{Host: "127.0.0.1"}
	for range 8 {
		n.Components = append(n.Components, model.Component{Name: "x" + string(rune('a'+len(n.Components))), Host: n.Host, Port: port, Ask: model.AskHTTP, Path: "/"})
	}
	t0 := time.Now()
	o := New(Options{Timeout: 200 * time.Millisecond}).Components(t.Context(), &model.Inventory{}, []*model.Node{n}, nil)
	if took := time.Since(t0); len(o) != 8 || took > 3*time.Second {
		t.Errorf("%d states after %v", len(o), took)
	}
}

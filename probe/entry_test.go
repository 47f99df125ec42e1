package probe

import (
	"context"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"pgtui/model"
)

// TestCheckEntries: a name is resolved at Pigsty's DNS server, compared with
// where it should lead, and what is there is asked for TLS.
func TestCheckEntries(t *testing.T) {
	good, web := serveTCP(t, replies("N")), serveTCP(t, replies("HTTP/1.1 400"))
	silent := serveTCP(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	server := serveDNS(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		if r.Question[0].Name == "pgtui-cluster.invalid." {
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 7}, A: net.IPv4(127, 0, 0, 1)}}
		}
		_ = w.WriteMsg(m)
	})
	inv := &model.Inventory{
		Nodes:    []model.Node{{Host: "127.0.0.1", Components: []model.Component{{Name: "dnsmasq", Host: "127.0.0.1", Port: server}}}},
		Clusters: []model.Cluster{{Name: "pg-test", DNS: model.DNSName{Name: "pgtui-cluster.invalid", Target: "127.0.0.2"}}},
	}
	ends := []model.Endpoint{{Host: "pgtui-cluster.invalid", Port: good}, {Host: "pgtui-other.invalid", Port: good}, {Host: "127.0.0.1", Port: good},
		{Host: "127.0.0.1", Port: web}, {Host: "127.0.0.1", Port: silent}, {Host: "127.0.0.1", Port: 1}}
	p := New(Options{Timeout: 500 * time.Millisecond})
	got := p.CheckEntries(t.Context(), inv, &inv.Clusters[0], ends)
	named := got[ends[0]].Value
	if len(named.Lookups) != 2 || !reflect.DeepEqual(named.Lookups[1].Addrs, []string{"127.0.0.1"}) || named.Lookups[1].TTL != 7*time.Second || len(named.Touches) != 1 || named.Touches[0].Fault != "" {
		t.Errorf("%+v", named)
	}
	if !strings.Contains(named.Disagree, "should be 127.0.0.2: a stale or foreign record") {
		t.Errorf("disagree %q", named.Disagree)
	}
	if o := got[ends[1]].Value; o.Addrs() != nil || o.Lookups[1].Error != "it does not know the name" {
		t.Errorf("%+v", o)
	}
	for i, want := range map[int]model.Fault{2: "", 4: model.FaultTimeout, 5: model.FaultRefused} {
		if touch := got[ends[i]].Value.Touches[0]; touch.Fault != want || touch.Holder != "127.0.0.1" {
			t.Errorf("%s: %+v, want %q", ends[i], touch, want)
		}
	}
	if touch := got[ends[3]].Value.Touches[0]; touch.Fault == "" || !strings.Contains(touch.Text, "not PostgreSQL's protocol") {
		t.Errorf("%+v", touch)
	}
}

// TestProveEntriesName: a name that nobody knows is said so, and nothing is connected to.
func TestProveEntriesName(t *testing.T) {
	p := New(Options{Timeout: 200 * time.Millisecond, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("connected")
		return nil, io.EOF
	}})
	at := model.Endpoint{Host: "pgtui-other.invalid", Port: 1}
	o := p.ProveEntries(t.Context(), &model.Inventory{}, &model.Cluster{}, []model.Endpoint{at}, 2)[at]
	if len(o.Value.Tries) != 2 || !strings.Contains(o.Value.Tries[1].Text, "the name does not resolve") {
		t.Errorf("%+v", o)
	}
}

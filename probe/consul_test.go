package probe

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"pgtui/internal/fuzz"
	"pgtui/model"
	"pgtui/model/access"
)

// agent stands in for a Consul agent: its health API and its DNS, with their
// own answers.
func agent(t *testing.T, api http.HandlerFunc, addrs ...string) *model.Consul {
	t.Helper()
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	at := serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		for _, a := range addrs {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.ParseIP(a)})
		}
		_ = w.WriteMsg(m)
	})
	return &model.Consul{Address: "127.0.0.1", HTTP: uint16(n), DNS: at}
}

const passing = `[{"Node":{"Node":"pg-test-1","Address":"10.10.10.11"},"Service":{"ID":"x","Address":"","Port":5432}},
 {"Node":{"Address":"10.10.10.12"},"Service":{"Address":"10.10.10.99","Port":5432}},{"Node":{"Address":"name.only"},"Service":{}}]`

func TestConsul(t *testing.T) {
	const name = "primary.pg-test.service.dc1.consul"
	for _, tt := range []struct {
		title    string
		status   int
		body     string
		api, dis string // the API's answer or error, and the disagreement
		dns      []string
	}{
		{"both agree", 200, passing, "10.10.10.11 10.10.10.99", "", []string{"10.10.10.11", "10.10.10.99"}},
		{"its DNS resolves to behind", 200, passing, "10.10.10.11 10.10.10.99", name + " resolves to 10.10.10.12 by the DNS server 127.0.0.1:D, but to 10.10.10.11, 10.10.10.99 by Consul's health API at 127.0.0.1:H", []string{"10.10.10.12"}},
		{"nothing passes", 200, "[]", "no instance passes its checks", "", nil},
		{"it refuses", 403, "Permission denied: token\x1b[2J with AccessorID", "HTTP 403: Permission denied: token", "", nil},
		{"no JSON", 200, "<html>", "the answer is not JSON", "", nil},
	} {
		t.Run(tt.title, func(t *testing.T) {
			var asked string
			c := agent(t, func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.String()
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}, tt.dns...)
			inv := &model.Inventory{EntryPoints: []model.EntryPoint{{Name: "consul", Host: name, Consul: c}}}
			l := New(Options{}).Resolve(t.Context(), inv, name)
			if len(l) != 3 || asked != "/v1/health/service/pg-test?dc=dc1&passing=1&tag=primary" {
				t.Fatalf("asked %q: %+v", asked, l)
			}
			if got := strings.Join(l[2].Addrs, " ") + l[2].Error; !strings.HasPrefix(got, tt.api) || strings.Contains(got, "\x1b") || l[2].TTL != 0 || !l[2].NoTTL {
				t.Errorf("API: %q", got)
			}
			want := strings.NewReplacer(":D", ":"+strconv.Itoa(int(c.DNS)), ":H", ":"+strconv.Itoa(int(c.HTTP))).Replace(tt.dis)
			if got := access.Disagreement(name, l, nil); got != want {
				t.Errorf("disagreement %q, want %q", got, want)
			}
			if other := New(Options{}).Resolve(t.Context(), inv, "other.service.consul"); len(other) != 1 {
				t.Errorf("a name without an agent: %+v", other)
			}
		})
	}
}

func TestConsulService(t *testing.T) {
	for name, want := range map[string][4]string{
		"pg-test.service.consul":              {"pg-test", "", "", "true"},
		"primary.pg-test.service.consul.":     {"pg-test", "primary", "", "true"},
		"primary.pg-test.service.dc2.example": {"pg-test", "primary", "dc2", "true"},
		"pg-test.node.consul":                 {"", "", "", "false"},
		".service.consul":                     {"", "", "", "false"},
		"a.b.c.service.consul":                {"", "", "", "false"},
	} {
		service, tag, dc, ok := consulService(name)
		if got := [4]string{service, tag, dc, strconv.FormatBool(ok)}; got[3] != want[3] || ok && got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func FuzzParsePassing(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte(passing))
	f.Add([]byte("[]"))
	f.Add([]byte(`[{"Node":null,"Service":{"Address":1}}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := ParsePassing(b)
		if err != nil {
			fuzz.Harmless(t, err.Error())
			return
		}
		fuzz.Harmless(t, out)
		if len(out) == 0 || len(out) > maxAddrs {
			t.Fatalf("%d addresses", len(out))
		}
	})
}

package haproxy_test

import (
	"reflect"
	"strings"
	"testing"
	"unicode"

	"pgtui/haproxy"
	"pgtui/internal/fuzz"
)

func TestConf(t *testing.T) {
	const text = `# service: pg-test-primary
global
    bind *:1
listen pg-test-primary
    bind *:5433
    server pg-test-1 10.10.10.11:6432 check port 8008 weight 100
    server pg-test-2 10.10.10.12:6432 check port 8008 weight 50 backup
frontend web
    bind 10.0.0.1:443,10.0.0.2:443 ssl crt /x.pem  # two
    bind /run/web.sock
backend web
    server a 10.0.0.3:80
`
	want := []haproxy.ConfSection{
		{File: "a.cfg", Name: "pg-test-primary", Binds: []string{"*:5433"}, Servers: []haproxy.ExpectedServer{{Name: "pg-test-1", Weight: "100"}, {Name: "pg-test-2", Weight: "50", Backup: true}}},
		{File: "a.cfg", Name: "web", Binds: []string{"10.0.0.1:443,10.0.0.2:443", "/run/web.sock"}},
	}
	if got := haproxy.Conf("a.cfg", []byte(text)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if got := haproxy.Conf("b.cfg", []byte("listen x\n server y 1.2.3.4:5 check\n")); len(got) != 1 || got[0].Servers[0].Weight != "1" {
		t.Errorf("HAProxy's own weight is 1: %+v", got)
	}
}

func FuzzConf(f *testing.F) {
	fuzz.Target(f)
	f.Add("a.cfg", []byte("listen a\n bind *:5433\n server b c:1 weight 2 backup\n"))
	f.Add("\x1b.cfg", []byte("frontend \"x y\"\n bind :1,:2-9 ssl\n"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		odd := func(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) && !strings.Contains(s, "\t") }
		sections := haproxy.Conf(name, b)
		for _, s := range sections {
			text := s.File + s.Name + strings.Join(s.Binds, "")
			for _, v := range s.Servers {
				text += v.Name + v.Weight
			}
			if odd(text) {
				t.Fatalf("%q", text)
			}
		}
		for _, c := range haproxy.Clashes(sections) {
			if c.Port < 1 || c.Port > 65535 || len(c.Sections) < 2 {
				t.Fatalf("%+v", c)
			}
		}
	})
}

package probe

import (
	"context"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/source"
)

func TestShut(t *testing.T) {
	hello := make([]byte, 8)
	tests := []struct {
		name string
		do   func(net.Conn)
		want string // the beginning of what it says
	}{
		{"declines TLS, as pgbouncer does", func(c net.Conn) { _, _ = c.Read(hello); _, _ = c.Write([]byte("N")) }, ""},
		{"cannot serve now", func(c net.Conn) { _, _ = c.Read(hello); _, _ = c.Write([]byte("E")) }, ""},
		{"closes", func(net.Conn) {}, "port 6432 accepts connections and closes them: pgbouncer is not healthy"},
		{"another protocol", func(c net.Conn) { _, _ = c.Read(hello); _, _ = c.Write([]byte("H")) }, "pgbouncer on port 6432: the answer to a TLS request begins with 'H'"},
		{"hangs", func(c net.Conn) { time.Sleep(time.Second) }, "port 6432 takes connections and does not answer within 200ms: pgbouncer hangs"},
	}
	p := New(Options{Timeout: 200 * time.Millisecond})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := p.shut(t.Context(), serverPort{number: "6432", addr: server(t, tt.do), pooler: true})
			if err != nil || (got.Why == "") != (tt.want == "") || !strings.HasPrefix(got.Why, tt.want) || got.Refused {
				t.Errorf("got %+v, %v, want %q", got, err, tt.want)
			}
		})
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	got, err := p.shut(t.Context(), serverPort{number: "5432", addr: ln.Addr().String()})
	if want := "port 5432 refuses connections: no PostgreSQL listens there"; err != nil || got.Why != want || !got.Refused {
		t.Errorf("got %+v, %v, want %q", got, err, want)
	}
	for _, local := range []error{syscall.EMFILE, syscall.EHOSTUNREACH, syscall.EACCES, context.DeadlineExceeded} {
		p := New(Options{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, local }})
		if got, err := p.shut(t.Context(), serverPort{number: "5432", addr: "10.0.0.1:5432"}); got != (model.PortState{}) || err == nil {
			t.Errorf("%v here is told of the port: %+v, %v", local, got, err)
		}
	}
}

func TestPortIsAskedWhenDue(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	well, refused, silent := model.PortState{}, model.PortState{Why: "refuses", Refused: true}, model.PortState{Why: "does not answer"}
	tests := []struct {
		name string
		ago  time.Duration // since it was asked; negative for never
		shut model.PortState
		want bool
	}{
		{"never asked", -1, well, true},
		{"well a moment ago", 900 * time.Millisecond, well, false},
		{"well a turn ago", 1700 * time.Millisecond, well, true},
		{"refused a moment ago", 100 * time.Millisecond, refused, true},
		{"silent a moment ago", 9 * time.Second, silent, false},
		{"silent a while ago", 10 * time.Second, silent, true},
	}
	for _, tt := range tests {
		o := model.PortView{Observed: source.Observed[model.PortState]{Tried: now.Add(-tt.ago), Value: tt.shut}}
		if tt.ago < 0 {
			o.Tried = time.Time{}
		}
		if got := (serverPort{gap: poolerGap}).due(o, now); got != tt.want {
			t.Errorf("%s: due %v", tt.name, got)
		}
	}
}

// TestEasy: few ports are asked as often as theirs bears, many of them in every third turn.
func TestEasy(t *testing.T) {
	for n, want := range map[int][2]time.Duration{fewPorts / 2: {poolerGap, postgresGap}, fewPorts/2 + 1: {6 * time.Second, postgresGap}} {
		targets := make([]target, n)
		for i := range targets {
			targets[i].instances = []instance{{ports: []serverPort{{gap: poolerGap}, {gap: postgresGap}}}}
		}
		easy(targets, 2*time.Second)
		for _, tg := range targets {
			if p := tg.instances[0].ports; p[0].gap != want[0] || p[1].gap != want[1] {
				t.Fatalf("%d nodes: after %v and %v, want %v", n, p[0].gap, p[1].gap, want)
			}
		}
	}
}

// TestPortsOf: PostgreSQL's and pgbouncer's ports, each once, of the cluster's own members;
// what listens on others is not asked.
func TestPortsOf(t *testing.T) {
	open := server(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 8)); _, _ = c.Write([]byte("N")) })
	_, number, _ := net.SplitHostPort(open)
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	c := &model.Cluster{Instances: []model.Instance{{Name: "a-1", Host: "127.0.0.1", PgPort: uint16(n), BouncerPort: 1}, {Name: "a-2", Host: "127.0.0.2", PgPort: 5432, BouncerPort: 6432}}}
	to := func(port string) model.Service {
		return model.Service{Members: []model.Server{{Name: "a-1", Host: "127.0.0.1", Port: port}, {Name: "x-1", Port: port}}}
	}
	c.LoadBalancers = []model.LoadBalancer{{Host: "127.0.0.1", Services: []model.Service{to("1"), to(number), to("1"), to("9999")}}}
	got := portsOf(c)
	if len(got) != 1 || len(got["a-1"]) != 2 || got["a-1"][0].number != "1" || !got["a-1"][0].pooler || got["a-1"][1].addr != open || got["a-1"][1].pooler {
		t.Errorf("ports %+v", got)
	}
}

package probe

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
)

func TestParseDSN(t *testing.T) {
	t.Setenv("PGPASSFILE", t.TempDir()+"/none")
	for _, tt := range []struct{ dsn, want, password string }{
		{"postgres://app:S3cret@pg-test:5433/shop", "postgres://app@pg-test:5433/shop", "S3cret"},
		{"host=a,b port=5432,6432 user=app dbname=shop target_session_attrs=prefer-standby", "postgres://app@a:5432,b:6432/shop?target_session_attrs=prefer-standby", ""},
		{"postgres://app@a,a:1,b/?sslmode=prefer&target_session_attrs=read-write", "postgres://app@a:5432,a:1,b:5432/app?target_session_attrs=read-write", ""},
		{"postgres://app@a/x?target_session_attrs=any", "postgres://app@a:5432/x", ""},
		{"postgres://app@a/x?target_session_attrs=primary&sslmode=disable", "postgres://app@a:5432/x?target_session_attrs=primary", ""},
	} {
		got, err := ParseDSN(tt.dsn)
		if err != nil || got.Text(access.FormURI) != tt.want || string(got.Login.Password) != tt.password {
			t.Errorf("%s: %v, %v", tt.dsn, got, err)
		}
	}
	many := make([]string, 40)
	for i := range many {
		many[i] = "h" + strconv.Itoa(i)
	}
	for _, dsn := range []string{"postgres://app:S3cret@h:x/y", "password='S3cret", "host=/run/postgresql password=S3cret", "host=" + strings.Join(many, ",")} {
		if _, err := ParseDSN(dsn); err == nil || strings.Contains(err.Error(), "S3cret") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

// TestConnect goes through hosts as libpq does.
func TestConnect(t *testing.T) {
	wrong := server(t, refusing("28P01", "password authentication failed"))
	starting := server(t, refusing("57P03", "the database system is starting up"))
	shut := server(t, func(net.Conn) {})
	for _, tt := range []struct {
		name  string
		addrs []string
		want  []string // of each attempt: the fault, and whether it was skipped
	}{
		{"nobody listens, then one that is starting, then one that refuses", []string{"127.0.0.1:1", starting, wrong, shut}, []string{"refused true", "starting true", "auth false"}},
		{"one that hangs up ends it", []string{shut, wrong}, []string{"closed false"}},
		{"a name that nobody knows", []string{"pgtui-other.invalid:5432", wrong}, []string{"not-tried true", "auth false"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := trace.Target{Login: model.Login{User: "app", Password: "S3cret.Password", Databases: []string{"shop"}}}
			for _, a := range tt.addrs {
				host, p, _ := net.SplitHostPort(a)
				n, _ := strconv.ParseUint(p, 10, 16)
				target.Hosts, target.Ports = append(target.Hosts, host), append(target.Ports, uint16(n))
			}
			got := New(Options{Timeout: time.Second}).Connect(t.Context(), &model.Inventory{}, target, 0, true)
			var said []string
			for _, a := range got {
				said = append(said, fmt.Sprintf("%s %t", a.Try.Fault, a.Skipped != ""))
				if strings.Contains(fmt.Sprintf("%+v", a), "S3cret") || strings.Contains(a.Try.Text, "monitoring user") {
					t.Errorf("%+v", a)
				}
				if reached := a.Try.Fault != model.FaultRefused && a.Try.Fault != model.FaultNotTried; reached != (a.Try.Dial > 0) {
					t.Errorf("%s: dial %v", a.Try.Fault, a.Try.Dial)
				}
			}
			if strings.Join(said, ", ") != strings.Join(tt.want, ", ") {
				t.Errorf("%q", said)
			}
		})
	}
}

// TestConnectBehind looks at the servers behind HAProxy when it hangs up.
func TestConnectBehind(t *testing.T) {
	addr := server(t, func(net.Conn) {})
	inv := port(addr)
	inv.Clusters[0].LoadBalancers[0].Services[0].Members[0].Port = "1"
	host, p, _ := net.SplitHostPort(addr)
	n, _ := strconv.ParseUint(p, 10, 16)
	target := trace.Target{DSN: access.DSN{Hosts: []string{host}, Ports: []uint16{uint16(n)}}, Login: inv.Clusters[0].Monitor}
	got := New(Options{}).Connect(t.Context(), inv, target, 0, true)
	if len(got) != 1 || len(got[0].Direct) != 1 || got[0].Direct[0].Fault != model.FaultRefused {
		t.Errorf("%+v", got)
	}
	if quiet := New(Options{}).Connect(t.Context(), inv, target, 0, false); quiet[0].Direct != nil {
		t.Errorf("%+v", quiet)
	}
}

// TestConnectLimit: a server that is silent costs what it may, and says so.
func TestConnectLimit(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	host, p, _ := net.SplitHostPort(server(t, func(net.Conn) { <-hang }))
	n, _ := strconv.ParseUint(p, 10, 16)
	target := trace.Target{DSN: access.DSN{Hosts: []string{host}, Ports: []uint16{uint16(n)}}, Login: model.Login{User: "a", Databases: []string{"a"}}}
	got := New(Options{}).Connect(t.Context(), &model.Inventory{}, target, 200*time.Millisecond, false)
	if len(got) != 1 || got[0].Try.Fault != model.FaultTimeout || !strings.Contains(got[0].Try.Text, "within 200ms") || got[0].Skipped == "" {
		t.Errorf("%+v", got)
	}
}

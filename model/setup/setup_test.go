package setup

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func saw[T any](v T) source.Observed[T] {
	return source.Observed[T]{}.Next(v, nil, now, time.Millisecond)
}

func failed[T any](err error) source.Observed[T] {
	var none T
	return source.Observed[T]{}.Next(none, err, now, time.Millisecond)
}

// healthy is one cluster of one node on which everything is there.
func healthy() *Input {
	c := &model.Cluster{Name: "c", Instances: []model.Instance{{Name: "c-1", Host: "10.0.0.1"}}, LoadBalancers: []model.LoadBalancer{{Host: "10.0.0.1"}}}
	return &Input{
		Clusters: []*model.Cluster{c},
		Logins:   map[model.Host]source.Observed[string]{"10.0.0.1": saw("dba")},
		Snap: &model.Snapshot{
			Patroni: map[model.InstanceName]model.PatroniView{"c-1": {Status: saw(model.PatroniStatus{State: "running"})}},
			HAProxy: map[model.Host]source.Observed[haproxy.Stats]{"10.0.0.1": saw(haproxy.Stats{})},
			Readings: model.Readings{
				Conf:    map[model.Host]source.Observed[model.NodeConf]{"10.0.0.1": saw(model.NodeConf{})},
				Workers: map[model.Host]source.Observed[haproxy.Processes]{"10.0.0.1": saw(haproxy.Processes{Socket: true})},
				SQL:     map[model.InstanceName]source.Observed[model.ServerFacts]{"c-1": saw(model.ServerFacts{})},
			},
		},
	}
}

func TestCheck(t *testing.T) {
	hint := &source.Hint{Err: errors.New("sudo wants a password"), Try: "start with -K"}
	sql := func(f model.ServerFacts) func(*Input) {
		return func(in *Input) { in.Snap.SQL["c-1"] = saw(f) }
	}
	for _, tt := range []struct {
		name string
		bend func(*Input)
		want string // CHECK STATE: SAYS | TRY of what is not ok
	}{
		{"all there", func(*Input) {}, ""},
		{"no client", func(in *Input) { in.Client = errors.New("ssh: not found") }, "ssh-client missing: ssh: not found | install openssh-client on this machine"},
		{"no sudo", func(in *Input) { in.Logins["10.0.0.1"] = failed[string](hint) },
			"ssh missing: sudo wants a password | start with -K; haproxy-files unknown: SSH is needed for it | ; master-socket unknown: SSH is needed for it | "},
		{"not reached", func(in *Input) { delete(in.Logins, "10.0.0.1") },
			"ssh unknown: not checked | ; haproxy-files unknown: SSH is needed for it | ; master-socket unknown: SSH is needed for it | "},
		{"no files", func(in *Input) { in.Snap.Conf["10.0.0.1"] = saw(model.NodeConf{Dir: "/etc/haproxy", Missing: true}) },
			"haproxy-files missing: there is no /etc/haproxy | check that HAProxy is installed there and that the Pigsty version is right"},
		{"no master socket", func(in *Input) { in.Snap.Workers["10.0.0.1"] = saw(haproxy.Processes{Missing: "no master socket"}) },
			"master-socket missing: no master socket | start HAProxy with -Ws -S /run/haproxy-master.sock, as Pigsty 4 does; without it the sessions of old HAProxy processes are unknown"},
		{"stats", func(in *Input) { in.Snap.HAProxy["10.0.0.1"] = failed[haproxy.Stats](errors.New("401")) }, "haproxy-stats missing: 401 | "},
		{"wrong password of the stats page", func(in *Input) {
			in.Snap.HAProxy["10.0.0.1"] = saw(haproxy.Stats{Source: haproxy.FromMetrics, Why: errors.New("HTTP 401")})
		}, "haproxy-stats missing: HTTP 401 | check haproxy_admin_username and haproxy_admin_password in the inventory"},
		{"no Patroni", func(in *Input) {
			in.Snap.Patroni["c-1"] = model.PatroniView{Status: failed[model.PatroniStatus](errors.New("connection refused"))}
		}, "patroni missing: connection refused | check that Patroni runs, and that its port is open to this machine; clock unknown: Patroni's answer is needed for it | "},
		{"clock", func(in *Input) {
			in.Snap.Patroni["c-1"] = model.PatroniView{Status: saw(model.PatroniStatus{Skew: -90 * time.Second})}
		}, "clock missing: its clock is 1m30s behind this machine | ssh 10.0.0.1 chronyc tracking, and the same on this machine"},
		{"password", sql(model.ServerFacts{Direct: model.Try{Fault: model.FaultAuth, Text: "not let in"}}),
			"postgres missing: not let in | check pg_monitor_username and pg_monitor_password of the inventory, and pg_hba.conf and pgb_hba.conf there"},
		{"port", sql(model.ServerFacts{Pooled: model.Try{Fault: model.FaultRefused, Text: "nothing listens"}}),
			"pgbouncer missing: nothing listens | check that it runs, and that its port is open to this machine"},
		{"no pgbouncer in use", sql(model.ServerFacts{Pooled: model.Try{Fault: model.FaultNotTried}}), ""},
	} {
		in := healthy()
		tt.bend(in)
		var got []string
		for _, it := range Check(in) {
			if it.State != OK {
				got = append(got, fmt.Sprintf("%s %s: %s | %s", it.Check, it.State, it.Says, it.Try))
			}
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, s, tt.want)
		}
	}
}

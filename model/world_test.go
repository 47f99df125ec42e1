package model_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// t0 is the moment the tests judge at.
var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is pg-test with three members, its own HAProxies and two services,
// everything healthy: tests break it and judge what is left.
type world struct {
	snap *model.Snapshot
	cls  *model.Cluster
}

func newWorld() *world {
	c := model.Cluster{Name: "pg-test"}
	var servers []model.Server
	roles := []model.Role{model.RolePrimary, model.RoleReplica, model.RoleReplica}
	inv := &model.Inventory{Source: "pigsty.yml"}
	for i, role := range roles {
		n := strconv.Itoa(i + 1)
		name, host := model.InstanceName("pg-test-"+n), model.Host("10.10.10.1"+n)
		c.Instances = append(c.Instances, model.Instance{Name: name, Host: host, Seq: i + 1, Role: role})
		servers = append(servers, model.Server{Name: name, Host: host, Port: "6432", CheckPort: "8008", Weight: "100"})
		inv.Nodes = append(inv.Nodes, model.Node{Host: host, Name: string(name)})
	}
	for i := range c.Instances {
		c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: c.Instances[i].Host, Services: []model.Service{
			{Cluster: "pg-test", Name: "primary", Port: "5433", Check: "/primary", Members: servers},
			{Cluster: "pg-test", Name: "replica", Port: "5434", Check: "/read-only", Members: servers, Backups: servers[:1]},
		}})
	}
	inv.Clusters = []model.Cluster{c}
	w := &world{cls: &inv.Clusters[0], snap: &model.Snapshot{Seq: 1, TakenAt: t0, Inventory: inv,
		Patroni: map[model.InstanceName]model.PatroniView{}, HAProxy: map[model.Host]source.Observed[haproxy.Stats]{}}}
	for i := range c.Instances {
		w.patroni(i+1, i == 0)
		w.snap.HAProxy[c.Instances[i].Host] = seen(haproxy.Stats{Proxies: []haproxy.Proxy{
			{Name: "pg-test-primary", Front: haproxy.ProxyRow{Status: "OPEN"}, Servers: []haproxy.ServerRow{up("pg-test-1"), refused("pg-test-2"), refused("pg-test-3")}},
			{Name: "pg-test-replica", Front: haproxy.ProxyRow{Status: "OPEN"}, Servers: []haproxy.ServerRow{backup(up("pg-test-1")), up("pg-test-2"), up("pg-test-3")}},
		}})
	}
	return w
}

// seen is a value observed at t0.
func seen[T any](v T) source.Observed[T] {
	return source.Observed[T]{Value: v, At: t0, Tried: t0, Took: time.Millisecond}
}

// patroni lets member n answer as leader or replica.
func (w *world) patroni(n int, leader bool) {
	name := model.InstanceName("pg-test-" + strconv.Itoa(n))
	st := model.PatroniStatus{Role: "replica", State: "running", ReplicationState: "streaming", Timeline: 1, Location: -1, Received: 1000, Replayed: 1000}
	checks := map[string]source.Observed[int]{"/primary": seen(503), "/read-only": seen(200)}
	if leader {
		st = model.PatroniStatus{Role: "primary", State: "running", Timeline: 1, Location: 1000, Received: -1, Replayed: -1}
		checks["/primary"] = seen(200)
	}
	w.snap.Patroni[name] = model.PatroniView{Status: seen(st), Checks: checks}
}

// server changes one server row of one section on one HAProxy.
func (w *world) server(host model.Host, proxy, name string, f func(*haproxy.ServerRow)) {
	o := w.snap.HAProxy[host]
	px := o.Value.Proxy(proxy)
	f(px.Server(name))
	w.snap.HAProxy[host] = o
}

// silence makes a HAProxy and its Patroni stop answering now, last seen ago.
func (w *world) silence(n int, ago time.Duration) {
	err := errors.New("dial tcp: i/o timeout")
	host := w.cls.Instances[n-1].Host
	name := w.cls.Instances[n-1].Name
	o := w.snap.HAProxy[host]
	o.At, o.Err = t0.Add(-ago), err
	w.snap.HAProxy[host] = o
	p := w.snap.Patroni[name]
	p.Status.At, p.Status.Err = t0.Add(-ago), err
	for k, c := range p.Checks {
		c.At, c.Err = t0.Add(-ago), err
		p.Checks[k] = c
	}
	w.snap.Patroni[name] = p
}

func up(name string) haproxy.ServerRow {
	return haproxy.ServerRow{Name: name, Status: "UP", Weight: 100, UserWeight: 100, CheckStatus: "L7OK", CheckCode: 200}
}

func refused(name string) haproxy.ServerRow {
	return haproxy.ServerRow{Name: name, Status: "DOWN", Weight: 100, UserWeight: 100, CheckStatus: "L7STS", CheckCode: 503}
}

func backup(s haproxy.ServerRow) haproxy.ServerRow { s.Backup = true; return s }

// equal fails the test when two texts differ.
func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// shut lets the nth instance's ports refuse connections.
func (w *world) shut(n int) {
	in := &w.cls.Instances[n-1]
	p := w.snap.Patroni[in.Name]
	p.Ports = nil
	for _, svc := range w.cls.Services() {
		servers, _ := svc.Servers()
		for _, s := range servers {
			if s.Name == in.Name {
				p.Ports = append(p.Ports, model.PortView{Port: s.Port, Observed: seen(model.PortState{Why: "port " + s.Port + " refuses connections", Refused: true})})
			}
		}
	}
	w.snap.Patroni[in.Name] = p
}

// silenceHAProxy makes one HAProxy stop answering, and nothing else.
func (w *world) silenceHAProxy(n int) {
	h := w.cls.Instances[n-1].Host
	o := w.snap.HAProxy[h]
	o.At, o.Err = t0.Add(-time.Minute), errors.New("dial tcp: i/o timeout")
	w.snap.HAProxy[h] = o
}

// everywhere changes one section on every HAProxy.
func (w *world) everywhere(proxy string, f func(*haproxy.Proxy)) {
	for _, in := range w.cls.Instances {
		o := w.snap.HAProxy[in.Host]
		f(o.Value.Proxy(proxy))
		w.snap.HAProxy[in.Host] = o
	}
}

// fill lets a server have as many sessions and waiting clients as it may.
func fill(s *haproxy.ServerRow) { s.Sessions, s.Limit, s.Queue, s.QueueLimit = 100, 100, 128, 128 }

// crowd lets the nth HAProxy have that many of its 9500 connections at a time.
func (w *world) crowd(n int, current int64, at time.Time) {
	h := w.cls.Instances[n-1].Host
	o := w.snap.HAProxy[h]
	o.Value.Process = source.Observed[haproxy.ProcessLimits]{Value: haproxy.ProcessLimits{Current: current, Max: 9500}, At: at, Tried: at}
	w.snap.HAProxy[h] = o
}

// damage makes the row of the ith server of a section on the nth HAProxy unreadable.
func (w *world) damage(n int, proxy string, i int) {
	o := w.snap.HAProxy[w.cls.Instances[n-1].Host]
	px := o.Value.Proxy(proxy)
	px.Servers = append(px.Servers[:i:i], px.Servers[i+1:]...)
	px.Damaged++
}

package modeltest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/model/trace"
	"pgtui/source"
)

// AccessWorld is newWorld with ports of the servers' own, a VIP on the leader
// and a name that is bound to it.
func AccessWorld() *World {
	w := NewWorld()
	w.Cls.VIP, w.Cls.TTL = "10.10.10.3", 30*time.Second
	w.Cls.DNS = model.DNSName{Name: "pg-test", Target: "10.10.10.3", From: "pg_dns_target: auto"}
	w.Cls.Admin = model.User{Name: "dbuser_dba", Pooled: true}
	w.Cls.Users = []model.User{{Name: "batch"}, {Name: "app", Pooled: true}}
	w.Cls.Databases = []model.Database{{Name: "raw"}, {Name: "shop", Pooled: true}}
	for i := range w.Cls.Instances {
		w.Cls.Instances[i].PgPort, w.Cls.Instances[i].BouncerPort = 5432, 6432
	}
	w.Snap.VIP = map[model.ClusterName]source.Observed[model.Host]{"pg-test": Seen(model.Host("10.10.10.11"))}
	return w
}

// Access is every endpoint of the cluster, judged with what was read of it live.
func (w *World) Access(live access.Live) access.Access {
	b := check.Board(w.Snap, w.Cls, T0)
	return access.Of(w.Snap, &b, live)
}

// Identify lets every member tell its own name, scope and system identifier.
func (w *World) Identify(ids ...string) {
	w.Cls.Scope = "pg-test"
	for i := range w.Cls.Instances {
		w.Cls.Instances[i].PatroniPort = 8008
		w.Status(i+1, func(st *model.PatroniStatus) {
			st.Name, st.Scope, st.SystemID, st.Version = string(w.Cls.Instances[i].Name), "pg-test", "771", "4.0.7"
			if i < len(ids) {
				st.SystemID = ids[i]
			}
		})
	}
}

// Listed lets every member read a DCS that has these members besides its own.
func (w *World) Listed(more ...model.PatroniMember) {
	c := model.PatroniCluster{Scope: "pg-test"}
	for _, in := range w.Cls.Instances {
		c.Members = append(c.Members, model.PatroniMember{Name: in.Name, Role: "replica", State: "running", Host: string(in.Host), Timeline: 1, Lag: -1})
	}
	if len(more) == 0 || more[0].Role != "leader" {
		c.Members[0].Role = "leader"
	}
	c.Members = append(c.Members, more...)
	for n := range w.Cls.Instances {
		w.view(n+1, func(v *model.PatroniView) { v.Cluster = Seen(c) })
	}
}

// DCS changes what every member reads of the DCS.
func (w *World) DCS(f func(*model.PatroniCluster)) {
	for n := range w.Cls.Instances {
		w.view(n+1, func(v *model.PatroniView) {
			v.Cluster.Value.Members = slices.Clone(v.Cluster.Value.Members)
			f(&v.Cluster.Value)
		})
	}
}

// Refuse lets one server fail its check on every HAProxy; a backup stays one.
func (w *World) Refuse(proxy, name string) {
	for i := range w.Cls.LoadBalancers {
		w.Server(w.Cls.LoadBalancers[i].Host, proxy, name, func(s *haproxy.ServerRow) { b := s.Backup; *s = Refused(name); s.Backup = b })
	}
}

// Only gives a section these servers on every HAProxy.
func (w *World) Only(proxy string, rows ...haproxy.ServerRow) {
	w.Everywhere(proxy, func(p *haproxy.Proxy) { p.Servers = rows })
}

// Checks sets what the members answer to one check.
func (w *World) Checks(path string, codes ...int) {
	for i, code := range codes {
		w.Snap.Patroni[w.Cls.Instances[i].Name].Checks[path] = Seen(code)
	}
}

// Pooled gives member n a pgbouncer that reported p.
func (w *World) Pooled(n int, p model.PoolState) {
	in := &w.Cls.Instances[n-1]
	in.BouncerPort, in.PgPort = 6432, 5432
	w.view(n, func(v *model.PatroniView) { v.Pool = Seen(p) })
}

// Proven is the service on the first HAProxy after these connections through it.
func (w *World) Proven(service string, p model.Proof) board.View {
	p.PortKey = model.PortKey{HAProxy: "10.10.10.11", Cluster: "pg-test", Service: model.ServiceName(service)}
	w.Snap.Proofs[p.PortKey] = Seen(p)
	b := board.Of(w.Snap, w.Cls, T0)
	return b.Route(model.ServiceName(service)).Views[0]
}

// Tag gives member n a tag; Untrue is what Python takes for false.
func (w *World) Tag(n int, name, value string, untrue bool) {
	w.Status(n, func(s *model.PatroniStatus) {
		if s.Tags == nil {
			s.Tags, s.Untrue = map[string]string{}, map[string]bool{}
		}
		s.Tags[name], s.Untrue[name] = value, untrue
	})
}

// Wal says how much WAL the members have received and replayed, bytes; the first
// has written it.
func (w *World) Wal(head int64, at ...[2]int64) {
	w.Status(1, func(s *model.PatroniStatus) { s.Location = head })
	for i, x := range at {
		w.Status(i+2, func(s *model.PatroniStatus) { s.Received, s.Replayed = x[0], x[1] })
	}
}

// Conf is GET /config.
func (w *World) Conf(kv ...string) {
	w.Snap.Rules = map[model.ClusterName]model.RuleFacts{"pg-test": {By: "pg-test-1", Conf: Seen(model.PatroniConfOf(func(k string) string {
		for i := 0; i < len(kv); i += 2 {
			if kv[i] == k {
				return kv[i+1]
			}
		}
		return ""
	}, slices.Contains(kv, "standby_cluster")))}}
}

// Version is the version of every Patroni.
func (w *World) Version(v string) {
	for n := range w.Cls.Instances {
		w.Status(n+1, func(s *model.PatroniStatus) { s.Version = v })
	}
}

// Synced makes the members ns synchronous standbys.
func (w *World) Synced(ns ...int) {
	for _, n := range ns {
		w.Status(n, func(s *model.PatroniStatus) { s.SyncStandby = true })
	}
}

// Voters makes the members ns quorum standbys.
func (w *World) Voters(ns ...int) {
	for _, n := range ns {
		w.Status(n, func(s *model.PatroniStatus) { s.QuorumStandby = true })
	}
}

// Service adds a service "x" with that check, which the members named pass now.
func (w *World) Service(check string, up_ ...int) {
	for i := range w.Cls.LoadBalancers {
		f := &w.Cls.LoadBalancers[i]
		f.Services = append(f.Services, model.Service{Cluster: "pg-test", Name: "x", Port: "5439", Check: check, Members: f.Services[0].Members})
		px := haproxy.Proxy{Name: "pg-test-x"}
		for n := range w.Cls.Instances {
			row := Refused
			if slices.Contains(up_, n+1) {
				row = Up
			}
			px.Servers = append(px.Servers, row(string(w.Cls.Instances[n].Name)))
		}
		w.stats(f.Host, func(o *source.Observed[haproxy.Stats]) { o.Value.Proxies = append(slices.Clone(o.Value.Proxies), px) })
	}
}

// More adds members pg-test-4 and on, which stream.
func (w *World) More(n int) {
	for range n {
		k := len(w.Cls.Instances) + 1
		name := model.InstanceName(fmt.Sprintf("pg-test-%d", k))
		w.Cls.Instances = append(w.Cls.Instances, model.Instance{Name: name, Host: model.Host(fmt.Sprintf("10.10.10.1%d", k)), Seq: k, Role: model.RoleReplica})
		w.Patroni(k, false)
	}
}

// Etcd puts the DCS on these hosts.
func (w *World) Etcd(hosts ...string) {
	for _, h := range hosts {
		w.Cls.Etcd = append(w.Cls.Etcd, model.Endpoint{Host: h, Port: 2379})
	}
}

// Drained makes "show servers state" of each HAProxy report bits for the server.
func (w *World) Drained(proxy, server string, bits haproxy.AdminBits, hosts ...model.Host) {
	if w.Snap.Servers == nil {
		w.Snap.Servers = map[model.Host]source.Observed[haproxy.ServerStates]{}
		for i := range w.Cls.LoadBalancers {
			w.Snap.Servers[w.Cls.LoadBalancers[i].Host] = Seen(haproxy.ServerStates{Count: 6})
		}
	}
	for _, h := range hosts {
		o := w.Snap.Servers[h]
		o.Value.Touched = append(o.Value.Touched, haproxy.ServerState{Proxy: proxy, Server: server, Bits: bits, Weight: 100, Configured: 100})
		w.Snap.Servers[h] = o
	}
}

// Fronts are the hosts of all fronts.
func (w *World) Fronts() (out []model.Host) {
	for i := range w.Cls.LoadBalancers {
		out = append(out, w.Cls.LoadBalancers[i].Host)
	}
	return out
}

// Status changes what Patroni reports of member n.
func (w *World) Status(n int, f func(*model.PatroniStatus)) {
	w.view(n, func(v *model.PatroniView) { f(&v.Status.Value) })
}

// view changes what is known of member n.
func (w *World) view(n int, f func(*model.PatroniView)) {
	name := w.Cls.Instances[n-1].Name
	v := w.Snap.Patroni[name]
	f(&v)
	w.Snap.Patroni[name] = v
}

// stats changes what is known of the HAProxy of a host.
func (w *World) stats(host model.Host, f func(*source.Observed[haproxy.Stats])) {
	o := w.Snap.HAProxy[host]
	f(&o)
	w.Snap.HAProxy[host] = o
}

// LoggedIn is a login as the instance on that address says it.
func LoggedIn(addr string, recovery bool) model.Try {
	return model.Try{Dial: time.Millisecond, Connect: 3 * time.Millisecond, Query: time.Millisecond,
		Answer: model.Answer{Addr: addr, Recovery: recovery, ReadOnly: recovery, Timeline: 1}}
}

// Broken is a connection that failed.
func Broken(f model.Fault, text string) model.Try {
	return model.Try{Fault: f, Text: text, Dial: time.Millisecond}
}

// Trace judges the attempts that were made for a target.
func (w *World) Trace(target trace.Target, attempts ...trace.Attempt) trace.Trace {
	return trace.Of(w.Snap, w.Snap.Inventory, []board.Board{check.Board(w.Snap, w.Cls, T0)}, target, attempts)
}

// HopsOf are the hops of the attempt that counts, each with its verdict.
func HopsOf(t *trace.Trace) string {
	var out []string
	for _, h := range t.Kept().Hops {
		out = append(out, string(h.Kind)+" "+string(h.Verdict))
	}
	return strings.Join(out, ", ")
}

// Routes is who would serve each service, in one line.
func Routes(b *board.Board) string {
	var parts []string
	for _, r := range b.Routes {
		s := string(r.Verdict)
		if r.Agreed {
			s = model.Join(r.Serving) + ":" + s
		}
		parts = append(parts, string(r.Service)+"="+strings.ReplaceAll(s, "pg-test-", ""))
	}
	return strings.Join(parts, " ")
}

// T0 is the moment the tests judge at.
var T0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// World is pg-test with three members, its own HAProxies and two services,
// everything healthy: tests break it and judge what is left.
type World struct {
	Snap *model.Snapshot
	Cls  *model.Cluster
}

// NewWorld is pg-test in good health: three members, pg-test-1 leads.
func NewWorld() *World {
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
	w := &World{Cls: &inv.Clusters[0], Snap: &model.Snapshot{Seq: 1, TakenAt: T0, Inventory: inv,
		Patroni: map[model.InstanceName]model.PatroniView{}, HAProxy: map[model.Host]source.Observed[haproxy.Stats]{}}}
	for i := range c.Instances {
		w.Patroni(i+1, i == 0)
		w.Snap.HAProxy[c.Instances[i].Host] = Seen(haproxy.Stats{Proxies: []haproxy.Proxy{
			{Name: "pg-test-primary", Front: haproxy.ProxyRow{Status: "OPEN"}, Servers: []haproxy.ServerRow{Up("pg-test-1"), Refused("pg-test-2"), Refused("pg-test-3")}},
			{Name: "pg-test-replica", Front: haproxy.ProxyRow{Status: "OPEN"}, Servers: []haproxy.ServerRow{backup(Up("pg-test-1")), Up("pg-test-2"), Up("pg-test-3")}},
		}})
	}
	return w
}

// Seen is a value observed at t0.
func Seen[T any](v T) source.Observed[T] {
	return source.Observed[T]{Value: v, At: T0, Tried: T0, Took: time.Millisecond}
}

// Patroni lets member n answer as leader or replica.
func (w *World) Patroni(n int, leader bool) {
	name := model.InstanceName("pg-test-" + strconv.Itoa(n))
	st := model.PatroniStatus{Role: "replica", State: "running", ReplicationState: "streaming", Timeline: 1, Location: -1, Received: 1000, Replayed: 1000}
	checks := map[string]source.Observed[int]{"/primary": Seen(503), "/read-only": Seen(200)}
	if leader {
		st = model.PatroniStatus{Role: "primary", State: "running", Timeline: 1, Location: 1000, Received: -1, Replayed: -1}
		checks["/primary"] = Seen(200)
	}
	w.Snap.Patroni[name] = model.PatroniView{Status: Seen(st), Checks: checks}
}

// Server changes one server row of one section on one HAProxy.
func (w *World) Server(host model.Host, proxy, name string, f func(*haproxy.ServerRow)) {
	w.stats(host, func(o *source.Observed[haproxy.Stats]) { f(o.Value.Proxy(proxy).Server(name)) })
}

// Silence makes a HAProxy and its Patroni stop answering now, last seen ago.
func (w *World) Silence(n int, ago time.Duration) {
	err := errors.New("dial tcp: i/o timeout")
	w.stats(w.Cls.Instances[n-1].Host, func(o *source.Observed[haproxy.Stats]) { o.At, o.Err = T0.Add(-ago), err })
	w.view(n, func(v *model.PatroniView) {
		v.Status.At, v.Status.Err = T0.Add(-ago), err
		for k, c := range v.Checks {
			c.At, c.Err = T0.Add(-ago), err
			v.Checks[k] = c
		}
	})
}

// Up is a server row whose check passes.
func Up(name string) haproxy.ServerRow {
	return haproxy.ServerRow{Name: name, Status: "UP", Weight: 100, UserWeight: 100, CheckStatus: "L7OK", CheckCode: 200}
}

// Refused is a server row whose check Patroni answers with 503.
func Refused(name string) haproxy.ServerRow {
	return haproxy.ServerRow{Name: name, Status: "DOWN", Weight: 100, UserWeight: 100, CheckStatus: "L7STS", CheckCode: 503}
}

func backup(s haproxy.ServerRow) haproxy.ServerRow { s.Backup = true; return s }

// Equal fails the test when two texts differ.
func Equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// Shut lets the nth instance's ports refuse connections.
func (w *World) Shut(n int) {
	in := &w.Cls.Instances[n-1]
	w.view(n, func(v *model.PatroniView) {
		v.Ports = nil
		for _, svc := range w.Cls.Services() {
			for _, s := range svc.Members {
				if s.Name == in.Name {
					v.Ports = append(v.Ports, model.PortView{Port: s.Port, Observed: Seen(model.PortState{Why: "port " + s.Port + " refuses connections", Refused: true})})
				}
			}
		}
	})
}

// SilenceHAProxy makes one HAProxy stop answering, and nothing else.
func (w *World) SilenceHAProxy(n int) {
	w.stats(w.Cls.Instances[n-1].Host, func(o *source.Observed[haproxy.Stats]) {
		o.At, o.Err = T0.Add(-time.Minute), errors.New("dial tcp: i/o timeout")
	})
}

// Everywhere changes one section on every HAProxy.
func (w *World) Everywhere(proxy string, f func(*haproxy.Proxy)) {
	for _, lb := range w.Cls.LoadBalancers {
		w.stats(lb.Host, func(o *source.Observed[haproxy.Stats]) { f(o.Value.Proxy(proxy)) })
	}
}

// Fill lets a server have as many sessions and waiting clients as it may.
func Fill(s *haproxy.ServerRow) { s.Sessions, s.Limit, s.Queue, s.QueueLimit = 100, 100, 128, 128 }

// Crowd lets the nth HAProxy have that many of its 9500 connections at a time.
func (w *World) Crowd(n int, current int64, at time.Time) {
	w.stats(w.Cls.Instances[n-1].Host, func(o *source.Observed[haproxy.Stats]) {
		o.Value.Process = source.Observed[haproxy.ProcessLimits]{Value: haproxy.ProcessLimits{Current: current, Max: 9500}, At: at, Tried: at}
	})
}

// Damage makes the row of the ith server of a section on the nth HAProxy unreadable.
func (w *World) Damage(n int, proxy string, i int) {
	o := w.Snap.HAProxy[w.Cls.Instances[n-1].Host]
	px := o.Value.Proxy(proxy)
	px.Servers = append(px.Servers[:i:i], px.Servers[i+1:]...)
	px.Damaged++
}

// Calm is pg-test with everything read, and nothing wrong.
func Calm() *World {
	w := AccessWorld()
	w.Cls.VIP = ""
	w.Identify()
	w.Listed()
	w.Conf("loop_wait", "10")
	w.Drained("none", "none", 0)
	w.Status(1, func(st *model.PatroniStatus) {
		st.Streams = []model.Stream{{Application: "pg-test-2", State: "streaming"}, {Application: "pg-test-3", State: "streaming"}}
	})
	w.Snap.SQL = map[model.InstanceName]source.Observed[model.ServerFacts]{}
	for i := range w.Cls.Instances {
		in := &w.Cls.Instances[i]
		try := LoggedIn(string(in.Host), i > 0)
		w.Snap.SQL[in.Name] = Seen(model.ServerFacts{Direct: try, Pooled: try, Read: true, ArchiveMode: "on", Archived: T0, ReplayRate: -1})
	}
	for i := range w.Cls.LoadBalancers {
		for k := range w.Cls.LoadBalancers[i].Services {
			w.Cls.LoadBalancers[i].Services[k].Options = "inter 2s fastinter 1s downinter 2s rise 3 fall 3"
		}
	}
	return w
}

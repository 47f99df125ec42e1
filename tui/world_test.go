package tui

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/source"
)

// t0 is the moment the tests look at.
var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a fleet that tests break before they look at it.
type world struct {
	inv     *model.Inventory
	snap    *model.Snapshot
	trouble bool // some components are not well, and the VIP is not on the leader's node
}

// newWorld is a healthy fleet: pg-meta with one member, pg-test with three,
// of which the last takes offline queries.
func newWorld() *world {
	w := &world{inv: &model.Inventory{Source: "pigsty.yml", Hash: "h0"}}
	w.add("pg-meta", "10.10.10.1", 0, model.RolePrimary)
	w.add("pg-test", "10.10.10.1", 1, model.RolePrimary, model.RoleReplica, model.RoleReplica)
	w.observe()
	return w
}

// bigWorld is n healthy clusters of three.
func bigWorld(n int) *world {
	w := &world{inv: &model.Inventory{Source: "pigsty.yml", Hash: "h0"}}
	for i := range n {
		w.add(fmt.Sprintf("pg-app-%02d", i), fmt.Sprintf("10.20.%d.1", i), 1, model.RolePrimary, model.RoleReplica, model.RoleReplica)
	}
	w.observe()
	return w
}

// add declares a cluster on hosts prefix+first, prefix+first+1 and so on.
func (w *world) add(name, prefix string, first int, roles ...model.Role) {
	c := model.Cluster{Name: model.ClusterName(name), VIP: "10.10.10." + strconv.Itoa(2+first)}
	c.DNS = model.DNSName{Name: name, Target: c.VIP, From: "pg_dns_target: auto"}
	c.Users, c.Databases = []model.User{{Name: "app", Pooled: true}}, []model.Database{{Name: "shop", Pooled: true}}
	c.Admin, c.Monitor = model.User{Name: "dbuser_dba"}, model.Login{User: "dbuser_monitor"}
	for i, role := range roles {
		c.Instances = append(c.Instances, model.Instance{
			Name: model.InstanceName(fmt.Sprintf("%s-%d", name, i+1)), Host: model.Host(prefix + strconv.Itoa(first+i)),
			Seq: i + 1, Role: role, PgPort: 5432, BouncerPort: 6432, PatroniPort: 8008,
			OfflineQuery: len(roles) > 2 && i == len(roles)-1,
		})
	}
	for _, in := range c.Instances {
		c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: in.Host, Services: services(&c, in.Host)})
		w.inv.Nodes = append(w.inv.Nodes, model.Node{Host: in.Host, Name: string(in.Name), HAProxy: model.HAProxyAccess{Port: 9101}})
	}
	w.inv.Clusters = append(w.inv.Clusters, c)
}

// services are Pigsty's four, as one node renders them.
func services(c *model.Cluster, at model.Host) []model.Service {
	var all, primary, offline, replica []model.Server
	pick := func(port string) {
		all, primary, offline, replica = nil, nil, nil, nil
		for _, in := range c.Instances {
			s := model.Server{Name: in.Name, Host: in.Host, Port: port, CheckPort: "8008", Weight: "100"}
			all = append(all, s)
			switch {
			case in.OfflineQuery:
				offline = append(offline, s)
			case in.Role == model.RolePrimary:
				primary = append(primary, s)
			default:
				replica = append(replica, s)
			}
		}
	}
	base := model.Service{Cluster: c.Name, Rendered: at, IP: "*", MaxConn: "3000", Balance: "roundrobin",
		Options: "inter 3s fastinter 1s downinter 5s rise 3 fall 3 on-marked-down shutdown-sessions slowstart 30s maxconn 3000 maxqueue 128 weight 100",
		Dest:    "default", Selector: "[]"}
	svc := func(name, port, check, dest string) model.Service {
		s := base
		s.Name, s.Port, s.Check, s.Dest = model.ServiceName(name), port, check, dest
		return s
	}
	pick("6432")
	p := svc("primary", "5433", "/primary", "default")
	p.Members, p.Backups = all, append(append([]model.Server{}, primary...), offline...)
	p.Backups = nil
	r := svc("replica", "5434", "/read-only", "default")
	r.Members, r.Backup = all, "[? pg_role == `primary` || pg_role == `offline` ]"
	r.Backups = primary
	pick("5432")
	d := svc("default", "5436", "/primary", "postgres")
	d.Members = all
	o := svc("offline", "5438", "/replica", "postgres")
	o.Selector, o.Backup = "[? pg_role == `offline` || pg_offline_query ]", "[? pg_role == `replica` && !pg_offline_query]"
	o.Members, o.Backups = offline, replica
	return []model.Service{p, r, d, o}
}

// drain lets HAProxy's socket say of a server that it is drained by hand.
func (w *world) drain(proxy, server string, hosts ...model.Host) {
	for _, h := range hosts {
		o := w.snap.Servers[h]
		o.Value.Touched = append(o.Value.Touched, haproxy.ServerState{Proxy: proxy, Server: server, Bits: haproxy.ForcedDrain, Weight: 100, Configured: 100})
		w.snap.Servers[h] = o
	}
}

// observe lets every node answer at t0, the first instance of each cluster leading.
func (w *world) observe() {
	w.snap = &model.Snapshot{Seq: 1, TakenAt: t0, Inventory: w.inv,
		Patroni: map[model.InstanceName]model.PatroniView{}, HAProxy: map[model.Host]source.Observed[haproxy.Stats]{},
		Readings: model.Readings{Servers: map[model.Host]source.Observed[haproxy.ServerStates]{}}}
	for i := range w.inv.Nodes {
		w.snap.Servers[w.inv.Nodes[i].Host] = seen(haproxy.ServerStates{})
	}
	for i := range w.inv.Clusters {
		w.lead(&w.inv.Clusters[i], 0, 1)
	}
}

// lead makes member n of the cluster the leader on timeline tl, and every
// HAProxy agree.
func (w *world) lead(c *model.Cluster, n, tl int) {
	for i, in := range c.Instances {
		st := model.PatroniStatus{Role: "replica", State: "running", ReplicationState: "streaming", Timeline: tl,
			Location: -1, Received: 1 << 30, Replayed: 1 << 30, Version: "4.0.7", Scope: string(c.Name), Name: string(in.Name)}
		codes := map[string]int{"/primary": 503, "/replica": 200, "/read-only": 200}
		if i == n {
			st.Role, st.ReplicationState, st.Location, st.Received, st.Replayed = "primary", "", 1<<30, -1, -1
			codes = map[string]int{"/primary": 200, "/replica": 503, "/read-only": 200}
			for k, other := range c.Instances {
				if k != n {
					st.Streams = append(st.Streams, model.Stream{Application: string(other.Name), State: "streaming", SyncState: "async"})
				}
			}
		}
		view := model.PatroniView{Status: seen(st), Cluster: seen(w.dcs(c, n, tl)), Checks: map[string]source.Observed[int]{},
			Ports: []model.PortView{{Port: "5432", Observed: seen(model.PortState{})}, {Port: "6432", Observed: seen(model.PortState{})}}}
		for path, code := range codes {
			view.Checks[path] = seen(code)
		}
		w.snap.Patroni[in.Name] = view
	}
	for _, f := range c.LoadBalancers {
		var st haproxy.Stats
		for i := range f.Services {
			st.Proxies = append(st.Proxies, w.proxy(&f.Services[i]))
		}
		w.snap.HAProxy[f.Host] = seen(st)
	}
}

func (w *world) dcs(c *model.Cluster, n, tl int) model.PatroniCluster {
	out := model.PatroniCluster{Scope: string(c.Name)}
	for i, in := range c.Instances {
		m := model.PatroniMember{Name: in.Name, Role: "replica", State: "streaming", Host: string(in.Host), Timeline: tl}
		if i == n {
			m.Role, m.State, m.Lag = "leader", "running", -1
		}
		out.Members = append(out.Members, m)
	}
	return out
}

// proxy is a section whose servers are what their Patroni answers.
func (w *world) proxy(s *model.Service) haproxy.Proxy {
	px := haproxy.Proxy{Name: s.Proxy(), Front: haproxy.ProxyRow{Status: "OPEN", Sessions: 7}, Back: haproxy.ProxyRow{Status: "UP"}}
	servers, backup := s.Servers()
	for i, sv := range servers {
		row := haproxy.ServerRow{Name: string(sv.Name), Backup: backup[i], Weight: 100, UserWeight: 100, CheckMs: 2}
		if code := w.snap.Patroni[sv.Name].Checks[s.Check].Value; code == 200 {
			row.Status, row.CheckStatus, row.CheckCode, row.Sessions = "UP", "L7OK", 200, 7
		} else {
			row.Status, row.CheckStatus, row.CheckCode = "DOWN", "L7STS", code
		}
		px.Servers = append(px.Servers, row)
	}
	return px
}

func seen[T any](v T) source.Observed[T] {
	return source.Observed[T]{Value: v, At: t0, Tried: t0, Took: 2 * time.Millisecond}
}

// server changes one server row of one section on every HAProxy of the
// cluster, or on one.
func (w *world) server(cluster model.ClusterName, host model.Host, service, name string, f func(*haproxy.ServerRow)) {
	for _, fr := range w.inv.Cluster(cluster).LoadBalancers {
		if host != "" && fr.Host != host {
			continue
		}
		o := w.snap.HAProxy[fr.Host]
		if px := o.Value.Proxy(string(cluster) + "-" + service); px != nil {
			if row := px.Server(name); row != nil {
				f(row)
			}
		}
	}
}

// mute lets an instance's Patroni stop answering ago before t0.
func (w *world) mute(name model.InstanceName, ago time.Duration) {
	err := errors.New("no answer from 8008 within 2 s")
	v := w.snap.Patroni[name]
	v.Status.At, v.Status.Err = t0.Add(-ago), err
	v.Cluster.At, v.Cluster.Err = t0.Add(-ago), err
	for k, c := range v.Checks {
		c.At, c.Err = t0.Add(-ago), err
		v.Checks[k] = c
	}
	w.snap.Patroni[name] = v
}

// cutOff lets a node stop answering altogether ago before t0.
func (w *world) cutOff(name model.InstanceName, h model.Host, ago time.Duration) {
	w.mute(name, ago)
	v := w.snap.Patroni[name]
	for i := range v.Ports {
		v.Ports[i].Err, v.Ports[i].Tried = v.Status.Err, time.Time{}
	}
	w.muteProxy(h, ago)
}

// shut lets a port of an instance refuse connections.
func (w *world) shut(name model.InstanceName, port string) {
	v := w.snap.Patroni[name]
	for i := range v.Ports {
		if v.Ports[i].Port == port {
			v.Ports[i].Value.Why = fmt.Sprintf("port %s refuses connections: no pgbouncer listens there", port)
		}
	}
	w.snap.Patroni[name] = v
}

// pool lets an instance's pgbouncer say p.
func (w *world) pool(name model.InstanceName, p model.PoolState) {
	v := w.snap.Patroni[name]
	v.Pool = seen(p)
	w.snap.Patroni[name] = v
}

// muteProxy lets a HAProxy stop answering ago before t0.
func (w *world) muteProxy(h model.Host, ago time.Duration) {
	o := w.snap.HAProxy[h]
	o.At, o.Err = t0.Add(-ago), errors.New("no answer from 9101 within 2 s")
	w.snap.HAProxy[h] = o
}

// boards judges the world at t0.
// found gives a board findings that all stand by themselves.
func found(b *board.Board, fs ...model.Finding) {
	b.Findings, b.Causes = fs, nil
	for i := range fs {
		b.Causes = append(b.Causes, model.Cause{Finding: fs[i], Same: []int{i}})
	}
}

func (w *world) boards() []board.Board { return check.Boards(w.snap, t0) }

// situations are the worlds every page is drawn in.
func situations() []struct {
	name string
	w    *world
} {
	down := func(r *haproxy.ServerRow) {
		r.Status, r.CheckStatus, r.CheckCode, r.CheckDesc, r.Sessions = "DOWN", "L4CON", 0, "Layer4 connection problem", 0
	}
	failing := newWorld() // the leader died, nobody leads yet
	failing.mute("pg-test-1", 8*time.Second)
	for _, s := range []string{"primary", "replica", "default"} {
		failing.server("pg-test", "", s, "pg-test-1", down)
	}
	oneSilent := newWorld()
	oneSilent.muteProxy("10.10.10.13", 20*time.Second)
	settling := newWorld()
	for _, s := range []string{"primary", "default"} {
		for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
			settling.server("pg-test", "10.10.10.12", s, n, func(r *haproxy.ServerRow) {
				r.Status, r.CheckStatus, r.CheckCode = "UP 1/3", "INI", 0
			})
		}
	}
	drift := newWorld() // after a failover the files are still the old ones
	drift.lead(drift.inv.Cluster("pg-test"), 1, 2)
	drift.server("pg-test", "10.10.10.13", "replica", "pg-test-3", func(r *haproxy.ServerRow) {
		r.Status, r.CheckStatus, r.CheckCode = "MAINT", "", 0
	})
	unknown := newWorld()
	for _, c := range unknown.inv.Clusters {
		for _, in := range c.Instances {
			unknown.cutOff(in.Name, in.Host, time.Minute)
		}
	}
	asking := newWorld()
	asking.snap = nil
	partly := newWorld() // only the first node has answered yet
	for _, n := range []string{"2", "3"} {
		partly.snap.Patroni["pg-test-"+model.InstanceName(n)] = model.PatroniView{}
		delete(partly.snap.HAProxy, "10.10.10.1"+model.Host(n))
	}
	shut := newWorld() // the leader's pgbouncer is dead, and no check asks it
	shut.shut("pg-test-1", "6432")
	drained := newWorld() // replicas drained behind their status DOWN
	drained.drain("pg-test-primary", "pg-test-2", "10.10.10.11", "10.10.10.12", "10.10.10.13")
	drained.drain("pg-test-default", "pg-test-3", "10.10.10.12")
	held := newWorld() // the leader's pgbouncer is paused; a replica's clients wait; another's console refuses the question
	held.pool("pg-test-1", model.PoolState{Version: "1.24.1", PauseKnown: true, Paused: true, Clients: 41, MaxClients: 20000,
		Databases: []model.PoolDatabase{{Name: "test", Paused: true, Waiting: 17, MaxWait: 34 * time.Second, Size: 50}}})
	held.pool("pg-test-2", model.PoolState{Version: "1.24.1", PauseKnown: true, Clients: 64, MaxClients: 20000,
		Databases: []model.PoolDatabase{{Name: "test", Active: 50, Waiting: 14, MaxWait: 6200 * time.Millisecond, Servers: 50, Busy: 50, Size: 50}}})
	v := held.snap.Patroni["pg-test-3"]
	v.Pool = source.Observed[model.PoolState]{Err: &model.ConsoleRefused{Text: "pgbouncer's console refuses dbuser_monitor: not allowed"}, Tried: t0}
	held.snap.Patroni["pg-test-3"] = v
	return []struct {
		name string
		w    *world
	}{
		{"partly", partly}, {"healthy", newWorld()}, {"failing", failing}, {"one-silent", oneSilent}, {"settling", settling},
		{"drift", drift}, {"unknown", unknown}, {"asking", asking},
		{"shut", shut}, {"drained", drained}, {"held", held},
	}
}

// rules are what Patroni decides by: Pigsty's, as GET /config has them.
func (w *world) rules(c model.ClusterName) model.RuleFacts {
	conf := model.DefaultPatroniConf()
	conf.Failsafe = true
	return model.RuleFacts{Conf: source.Observed[model.PatroniConf]{Value: conf, At: t0, Tried: t0}, By: model.InstanceName(c + "-1")}
}

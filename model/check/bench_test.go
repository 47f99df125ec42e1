package check_test

import (
	"fmt"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/check"
	"pgtui/source"
)

// fleet is n healthy clusters of three, as their nodes answered at t0.
func fleet(n int) *model.Snapshot {
	s := &model.Snapshot{Seq: 1, TakenAt: t0, Inventory: &model.Inventory{Source: "pigsty.yml"},
		Patroni: map[model.InstanceName]model.PatroniView{}, HAProxy: map[model.Host]source.Observed[haproxy.Stats]{}}
	for i := range n {
		c := model.Cluster{Name: model.ClusterName(fmt.Sprintf("pg-app-%03d", i)), VIP: "10.255.0.1"}
		for j := range 3 {
			role := model.RoleReplica
			if j == 0 {
				role = model.RolePrimary
			}
			in := model.Instance{Name: model.InstanceName(fmt.Sprintf("%s-%d", c.Name, j+1)), Host: model.Host(fmt.Sprintf("10.%d.%d.%d", i/256, i%256, j+1)),
				Seq: j + 1, Role: role, PgPort: 5432, BouncerPort: 6432, PatroniPort: 8008}
			c.Instances = append(c.Instances, in)
			s.Inventory.Nodes = append(s.Inventory.Nodes, model.Node{Host: in.Host, Name: string(in.Name)})
		}
		for _, in := range c.Instances {
			c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: in.Host, Services: fleetServices(&c)})
		}
		s.Inventory.Clusters = append(s.Inventory.Clusters, c)
	}
	for i := range s.Inventory.Clusters {
		answerAt(s, &s.Inventory.Clusters[i], t0)
	}
	return s
}

// fleetServices are Pigsty's four services of a cluster of three.
func fleetServices(c *model.Cluster) []model.Service {
	var all []model.Server
	for _, in := range c.Instances {
		all = append(all, model.Server{Name: in.Name, Host: in.Host, Port: "6432", CheckPort: "8008", Weight: "100"})
	}
	svc := func(name model.ServiceName, port, check string, backups []model.Server) model.Service {
		return model.Service{Cluster: c.Name, Name: name, Port: port, Check: check, Members: all, Backups: backups}
	}
	return []model.Service{
		svc("primary", "5433", "/primary", nil), svc("replica", "5434", "/read-only", all[:1]),
		svc("default", "5436", "/primary", nil), svc("offline", "5438", "/replica", all[1:2]),
	}
}

// answerAt lets every node of a cluster answer at a moment, the first leading.
func answerAt(s *model.Snapshot, c *model.Cluster, at time.Time) {
	dcs := model.PatroniCluster{Scope: string(c.Name)}
	for i, in := range c.Instances {
		m := model.PatroniMember{Name: in.Name, Role: "replica", State: "streaming", Host: string(in.Host), Timeline: 1}
		if i == 0 {
			m.Role, m.State, m.Lag = "leader", "running", -1
		}
		dcs.Members = append(dcs.Members, m)
	}
	for i, in := range c.Instances {
		st := model.PatroniStatus{Role: "replica", State: "running", ReplicationState: "streaming", Timeline: 1, Location: -1, Received: 1 << 30, Replayed: 1 << 30}
		codes := map[string]int{"/primary": 503, "/replica": 200, "/read-only": 200}
		if i == 0 {
			st.Role, st.ReplicationState, st.Location, st.Received, st.Replayed = "primary", "", 1<<30, -1, -1
			codes = map[string]int{"/primary": 200, "/replica": 503, "/read-only": 200}
			for _, other := range c.Instances[1:] {
				st.Streams = append(st.Streams, model.Stream{Application: string(other.Name), State: "streaming"})
			}
		}
		v := model.PatroniView{Status: obs(st, at), Cluster: obs(dcs, at), Checks: map[string]source.Observed[int]{}}
		for path, code := range codes {
			v.Checks[path] = obs(code, at)
		}
		s.Patroni[in.Name] = v
	}
	for _, f := range c.LoadBalancers {
		var st haproxy.Stats
		for i := range f.Services {
			svc := &f.Services[i]
			px := haproxy.Proxy{Name: svc.Proxy(), Front: haproxy.ProxyRow{Status: "OPEN", Sessions: 7}}
			servers, backup := svc.Servers()
			for k, sv := range servers {
				row := haproxy.ServerRow{Name: string(sv.Name), Backup: backup[k], Weight: 100, UserWeight: 100, Status: "UP", CheckStatus: "L7OK", CheckCode: 200}
				if code := s.Patroni[sv.Name].Checks[svc.Check].Value; code != 200 {
					row.Status, row.CheckStatus, row.CheckCode = "DOWN", "L7STS", code
				}
				px.Servers = append(px.Servers, row)
			}
			st.Proxies = append(st.Proxies, px)
		}
		s.HAProxy[f.Host] = obs(st, at)
	}
}

func obs[T any](v T, at time.Time) source.Observed[T] {
	return source.Observed[T]{Value: v, At: at, Tried: at}
}

// BenchmarkBoards: 333 clusters, 1,000 nodes, judged from nothing; budget 60 ms.
func BenchmarkBoards(b *testing.B) {
	s := fleet(333)
	b.ReportAllocs()
	for b.Loop() {
		_ = check.Boards(s, t0)
	}
}

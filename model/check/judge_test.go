package check_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/check"
	"pgtui/source"
)

// later is a snapshot of the same fleet a round of asking later: the same
// answers, nothing shared with the first.
func later(n int, by time.Duration, inv *model.Inventory) *model.Snapshot {
	s := fleet(n)
	s.Seq, s.TakenAt, s.Inventory = 2, t0.Add(by), inv
	for i := range inv.Clusters {
		answerAt(s, &inv.Clusters[i], t0.Add(by))
	}
	return s
}

// agrees fails the test unless the judge says of s what Boards says of it.
func agrees(t *testing.T, j *check.Judge, s *model.Snapshot, now time.Time) {
	t.Helper()
	got, want := j.Boards(s, now), check.Boards(s, now)
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s: the judge says\n%+v\njudged anew\n%+v", want[i].Cluster.Name, got[i], want[i])
		}
	}
}

func TestJudgeFollowsWhatChanges(t *testing.T) {
	gone := errors.New("no answer")
	change := func(f func(*model.PatroniView)) func(*model.Snapshot) {
		return func(s *model.Snapshot) {
			v := s.Patroni["pg-app-001-2"]
			f(&v)
			s.Patroni["pg-app-001-2"] = v
		}
	}
	tests := map[string]func(*model.Snapshot){
		"nothing":                func(*model.Snapshot) {},
		"a Patroni falls silent": change(func(v *model.PatroniView) { v.Status = v.Status.Next(v.Status.Value, gone, t0, 0) }),
		"a check turns":          change(func(v *model.PatroniView) { v.Checks["/primary"] = obs(200, t0) }),
		"a check is gone":        change(func(v *model.PatroniView) { delete(v.Checks, "/primary") }),
		"an answer is too old":   change(func(v *model.PatroniView) { v.Status.At = t0.Add(-time.Minute) }),
		"the DCS is younger elsewhere, and says otherwise": change(func(v *model.PatroniView) {
			v.Cluster.At = v.Cluster.At.Add(time.Millisecond)
			v.Cluster.Value.Members = slices.Clone(v.Cluster.Value.Members)
			v.Cluster.Value.Members[1].Lag = 5 << 20
		}),
		"a port is shut": change(func(v *model.PatroniView) {
			for _, n := range []string{"5432", "6432"} {
				v.Ports = append(v.Ports, model.PortView{Port: n, Observed: obs(model.PortState{Why: "refused"}, t0)})
			}
		}),
		"a pool is paused": change(func(v *model.PatroniView) { v.Pool = obs(model.PoolState{Paused: true}, t0) }),
		"a console refuses": change(func(v *model.PatroniView) {
			v.Pool = v.Pool.Next(v.Pool.Value, &model.ConsoleRefused{Text: "not allowed"}, t0, 0)
		}),
		"a pool has clients": change(func(v *model.PatroniView) { v.Pool = obs(model.PoolState{Clients: 7}, t0) }),
		"a HAProxy falls silent": func(s *model.Snapshot) {
			o := s.HAProxy["10.0.1.2"]
			s.HAProxy["10.0.1.2"] = o.Next(o.Value, gone, t0, 0)
		},
		"a silent HAProxy is silent for another reason": func(s *model.Snapshot) {
			o := s.HAProxy["10.0.1.2"]
			s.HAProxy["10.0.1.2"] = o.Next(o.Value, &source.Hint{Err: gone, Try: "x"}, t0, 0)
		},
		"a HAProxy has reached its global maxconn": func(s *model.Snapshot) {
			o := s.HAProxy["10.0.1.2"]
			o.Value.Process = obs(haproxy.ProcessLimits{Current: 9, Max: 9}, t0)
			s.HAProxy["10.0.1.2"] = o
		},
		"a HAProxy is nearly full": func(s *model.Snapshot) {
			o := s.HAProxy["10.0.1.2"]
			o.Value.Process = obs(haproxy.ProcessLimits{Current: 95, Max: 100}, t0)
			s.HAProxy["10.0.1.2"] = o
		},
		"a section is gone": func(s *model.Snapshot) {
			o := s.HAProxy["10.0.1.2"]
			o.Value.Proxies = o.Value.Proxies[1:]
			s.HAProxy["10.0.1.2"] = o
		},
		"a server of another cluster, whose check turns": func(s *model.Snapshot) {
			px := &s.HAProxy["10.0.1.2"].Value.Proxies[0]
			px.Servers = append(slices.Clone(px.Servers), haproxy.ServerRow{Name: "pg-app-000-1", Status: "UP", Weight: 1})
			v := s.Patroni["pg-app-000-1"]
			v.Checks = map[string]source.Observed[int]{"/primary": obs(503, t0)}
			s.Patroni["pg-app-000-1"] = v
		},
		"the VIP is asked for": func(s *model.Snapshot) {
			s.VIP = map[model.ClusterName]source.Observed[model.Host]{"pg-app-001": obs(model.Host("10.0.1.2"), t0)}
		},
		"the files are read": func(s *model.Snapshot) {
			s.Conf = map[model.Host]source.Observed[model.NodeConf]{"10.0.1.2": obs(model.NodeConf{}, t0)}
		},
		"the addresses are read": func(s *model.Snapshot) {
			both := obs(model.NodeFacts{Addrs: []model.NodeAddr{{Addr: ""}}}, t0)
			s.Nodes = map[model.Host]source.Observed[model.NodeFacts]{"10.0.1.1": both, "10.0.1.2": both}
			s.VIP = map[model.ClusterName]source.Observed[model.Host]{"pg-app-001": obs(model.Host("10.0.1.2"), t0)}
		},
		"the ports are tried": func(s *model.Snapshot) {
			s.Proofs = map[model.PortKey]source.Observed[model.Proof]{
				{HAProxy: "10.0.1.2", Cluster: "pg-app-001", Service: "primary"}: obs(model.Proof{}, t0)}
		},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			var j check.Judge
			first := fleet(2)
			agrees(t, &j, first, t0)
			second := later(2, 2*time.Second, first.Inventory)
			f(second)
			agrees(t, &j, second, t0.Add(2*time.Second))
			agrees(t, &j, second, t0.Add(15*time.Second)) // and grown old
			agrees(t, &j, later(2, 16*time.Second, first.Inventory), t0.Add(16*time.Second))
		})
	}
}

// TestJudgeMissesNoField changes every field of an answer, one at a time: the
// judge may forget a board too often, never too seldom.
func TestJudgeMissesNoField(t *testing.T) {
	first := fleet(1)
	c := &first.Inventory.Clusters[0]
	for n := range 400 {
		second := later(1, 2*time.Second, first.Inventory)
		v := second.Patroni[c.Instances[1].Name]
		v.Checks = maps.Clone(v.Checks)
		h := second.HAProxy[c.LoadBalancers[1].Host]
		left := n
		what := touch(reflect.ValueOf(&v.Status.Value).Elem(), &left)
		if what == "" {
			what = touch(reflect.ValueOf(&v.Cluster.Value).Elem(), &left)
		}
		if what == "" {
			what = touch(reflect.ValueOf(&h.Value).Elem(), &left)
		}
		if what == "" {
			if n < 100 {
				t.Fatalf("only %d fields were changed", n)
			}
			return
		}
		second.Patroni[c.Instances[1].Name], second.HAProxy[c.LoadBalancers[1].Host] = v, h
		var j check.Judge
		j.Boards(first, t0)
		t.Run(fmt.Sprint(n, " ", what), func(t *testing.T) { agrees(t, &j, second, t0.Add(2*time.Second)) })
	}
}

// touch changes the left-th plain field below v and returns its path, "" when
// there are not so many.
func touch(v reflect.Value, left *int) string {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if p := touch(v.Field(i), left); p != "" {
				return v.Type().Field(i).Name + "." + p
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if p := touch(v.Index(i), left); p != "" {
				return fmt.Sprint(i, ".", p)
			}
		}
	case reflect.String, reflect.Int, reflect.Int64, reflect.Bool:
		if !v.CanSet() { // inside a time
			return ""
		}
		if *left > 0 {
			*left--
			return ""
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		default:
			v.SetInt(v.Int() + 1)
		}
		return v.Kind().String()
	}
	return ""
}

// BenchmarkJudge: 333 clusters whose nodes all answered again and said the
// same; budget 15 ms.
func BenchmarkJudge(b *testing.B) {
	first := fleet(333)
	turns := []*model.Snapshot{first, later(333, time.Second, first.Inventory)}
	var j check.Judge
	j.Boards(first, t0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_ = j.Boards(turns[i%2], t0.Add(time.Second))
	}
}

package check_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/check"
	"pgtui/source"
)

// full is a snapshot of one cluster in which every field that a snapshot can have
// is there: no list and no map of it is empty.
func full(inv *model.Inventory) *model.Snapshot {
	s := &model.Snapshot{Inventory: inv, Patroni: map[model.InstanceName]model.PatroniView{}, HAProxy: map[model.Host]source.Observed[haproxy.Stats]{}}
	answerAt(s, &inv.Clusters[0], t0)
	c := &inv.Clusters[0]
	a, b := &c.Instances[0], &c.Instances[1]
	v := s.Patroni[a.Name]
	v.Ports = []model.PortView{{Port: "6432", Observed: obs(model.PortState{}, t0)}}
	v.Pool = obs(model.PoolState{Version: "1.24", Databases: []model.PoolDatabase{{Name: "app", Servers: 1}}}, t0)
	v.Status.Value.PendingReasons = []string{"max_connections"}
	v.Status.Value.Tags = map[string]string{"zone": "a"}
	v.Status.Value.Untrue = map[string]bool{"nosync": true}
	s.Patroni[a.Name] = v
	s.VIP = map[model.ClusterName]source.Observed[model.Host]{c.Name: obs(a.Host, t0)}
	key := model.PortKey{HAProxy: a.Host, Cluster: c.Name, Service: "primary"}
	s.Proofs = map[model.PortKey]source.Observed[model.Proof]{key: obs(model.Proof{PortKey: key, Port: "5433",
		Tries: []model.Try{{Answer: model.Answer{Addr: string(a.Host), Timeline: 1}}}, Direct: []model.DirectPort{{Instance: a.Name}}}, t0)}
	section := haproxy.Section{File: "x.cfg", Name: string(c.Name) + "-primary", Binds: []string{"*:5433"}, Servers: []haproxy.ServerLine{{Name: string(b.Name)}}}
	s.Conf = map[model.Host]source.Observed[model.NodeConf]{a.Host: obs(model.NodeConf{Dir: "/etc/haproxy", Files: []model.ConfFile{{Name: "x.cfg", Read: true}},
		Sections: []haproxy.Section{section}, Drift: map[model.ClusterName]model.Drift{c.Name: {Changes: []model.DriftFile{{Name: "x.cfg", Kind: "change", Summary: []string{"a"}}}}}}, t0)}
	s.Workers = map[model.Host]source.Observed[haproxy.Processes]{a.Host: obs(haproxy.Processes{At: t0, Workers: []haproxy.Worker{
		{PID: 7, Old: true, Known: true, Started: t0.Add(-2 * time.Hour), Pins: []haproxy.Pin{{Proxy: section.Name, Server: string(b.Name), Sessions: 3}}}}}, t0)}
	s.Nodes = map[model.Host]source.Observed[model.NodeFacts]{a.Host: obs(model.NodeFacts{Addrs: []model.NodeAddr{{Addr: c.VIP}}, Units: map[string]string{"haproxy": "active"}}, t0)}
	s.Servers = map[model.Host]source.Observed[haproxy.ServerStates]{a.Host: obs(haproxy.ServerStates{Count: 3, Touched: []haproxy.ServerState{
		{Proxy: section.Name, Server: string(b.Name), Bits: haproxy.ForcedDrain, Weight: 100, Configured: 100}}}, t0)}
	s.Rules = map[model.ClusterName]model.RuleFacts{c.Name: {Conf: obs(model.PatroniConf{}, t0), Etcd: map[model.Host]source.Observed[string]{a.Host: obs("", t0)}}}
	s.SQL = map[model.InstanceName]source.Observed[model.ServerFacts]{a.Name: obs(model.ServerFacts{Read: true, Sessions: 3}, t0)}
	s.Reach = map[model.Host]source.Observed[map[model.InstanceName]string]{a.Host: obs(map[model.InstanceName]string{b.Name: ""}, t0)}
	s.Marks = map[model.ClusterName][]model.Mark{c.Name: {{Action: "drain", Cluster: c.Name, Instance: b.Name, Who: "alice", At: t0, Until: t0.Add(time.Minute),
		Services: []model.ServiceName{"primary"}, HAProxy: []model.Host{a.Host}}}}
	return s
}

// change is one thing in a snapshot that can be another: set makes it so, and sets
// it back when it is called with false.
type change struct {
	path string
	set  func(on bool)
}

// changes walks a value and lists all that can be changed in it. Maps are changed by
// way of a copy of the entry. It fails the test where a field cannot be reached.
func changes(t *testing.T, v reflect.Value, path string) (out []change) {
	t.Helper()
	to := func(x any) {
		was, is := reflect.New(v.Type()).Elem(), reflect.New(v.Type()).Elem()
		was.Set(v)
		is.Set(reflect.ValueOf(x).Convert(v.Type()))
		out = append(out, change{path, func(on bool) { v.Set(map[bool]reflect.Value{true: is, false: was}[on]) }})
	}
	if _, ok := v.Interface().(*model.Inventory); ok {
		return nil // another inventory is another fleet
	}
	if at, ok := v.Interface().(time.Time); ok {
		to(at.Add(-time.Hour))
		return out
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				t.Fatalf("%s.%s cannot be reached: teach this test about it", path, v.Type().Field(i).Name)
			}
			out = append(out, changes(t, v.Field(i), path+"."+v.Type().Field(i).Name)...)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			to(reflect.Append(v, reflect.Zero(v.Type().Elem())).Interface())
			break
		}
		to(v.Slice(0, v.Len()-1).Interface())
		for i := range v.Len() {
			out = append(out, changes(t, v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			entry, at := reflect.New(v.Type().Elem()).Elem(), fmt.Sprintf("%s[%v]", path, k)
			entry.Set(v.MapIndex(k))
			out = append(out, change{at + " gone", func(on bool) { v.SetMapIndex(k, map[bool]reflect.Value{false: entry}[on]) }})
			for _, c := range changes(t, entry, at) {
				out = append(out, change{c.path, func(on bool) { c.set(on); v.SetMapIndex(k, entry) }})
			}
		}
	case reflect.Interface: // error
		to(errors.New("changed"))
	case reflect.String:
		to(v.String() + "x")
	case reflect.Bool:
		to(!v.Bool())
	case reflect.Int, reflect.Int64:
		to(v.Int() + 300)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		to(v.Uint() + 1)
	default:
		t.Fatalf("%s is a %s: teach this test about it", path, v.Kind())
	}
	return out
}

// fieldsOf collects the fields of every struct that a type can hold, "Try.Fault".
func fieldsOf(x reflect.Type, into map[string]bool, seen map[reflect.Type]bool) {
	if seen[x] || x == reflect.TypeFor[time.Time]() || x == reflect.TypeFor[*model.Inventory]() {
		return
	}
	seen[x] = true
	switch x.Kind() {
	case reflect.Struct:
		for i := range x.NumField() {
			f := x.Field(i)
			into[f.Name] = true
			fieldsOf(f.Type, into, seen)
		}
	case reflect.Slice, reflect.Map, reflect.Pointer:
		fieldsOf(x.Elem(), into, seen)
	}
}

// TestJudgeFollowsEveryField changes every field of a snapshot, one at a time, down
// to the values in its maps: the judge that has judged the snapshot before must
// return the board that a fresh judgement makes.
func TestJudgeFollowsEveryField(t *testing.T) {
	inv, now := fleet(1).Inventory, t0.Add(time.Second)
	lb := &inv.Clusters[0].LoadBalancers
	*lb = (*lb)[:1] // one node and two services have all the fields there are
	(*lb)[0].Services = (*lb)[0].Services[:2]
	base, s := full(inv), full(inv)
	all := changes(t, reflect.ValueOf(s).Elem(), "Snapshot")
	fields := map[string]bool{}
	fieldsOf(reflect.TypeFor[model.Snapshot](), fields, map[reflect.Type]bool{})
	for _, c := range all {
		for _, name := range strings.FieldsFunc(c.path, func(r rune) bool { return strings.ContainsRune(".[] ", r) }) {
			delete(fields, name)
		}
	}
	if delete(fields, "Inventory"); len(fields) > 0 {
		t.Errorf("full leaves out %v", slices.Sorted(maps.Keys(fields)))
	}
	before, differ := check.Boards(base, now), 0
	for _, c := range all {
		var j check.Judge
		j.Boards(base, now)
		c.set(true)
		got, want := j.Boards(s, now), check.Boards(s, now)
		c.set(false)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the board does not follow", c.path)
		}
		if !reflect.DeepEqual(want, before) {
			differ++
		}
	}
	if len(all) < 300 || differ < 100 {
		t.Errorf("%d changes, %d of which change the board: the test is broken", len(all), differ)
	}
	if got := check.Boards(s, now); !reflect.DeepEqual(got, before) {
		t.Error("a change was not taken back: the test is broken")
	}
}

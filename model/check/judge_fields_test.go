package check_test

import (
	"errors"
	"fmt"
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
	s := later(1, 0, inv)
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
	section := haproxy.ConfSection{File: "x.cfg", Name: string(c.Name) + "-primary", Binds: []string{"*:5433"}, Servers: []haproxy.ExpectedServer{{Name: string(b.Name)}}}
	s.Conf = map[model.Host]source.Observed[model.NodeConf]{a.Host: obs(model.NodeConf{Dir: "/etc/haproxy", Files: []model.ConfFile{{Name: "x.cfg", Read: true}},
		Sections: []haproxy.ConfSection{section}, Drift: map[model.ClusterName]model.Drift{c.Name: {Changes: []model.DriftFile{{Name: "x.cfg", Kind: "change", Summary: []string{"a"}}}}}}, t0)}
	s.Workers = map[model.Host]source.Observed[haproxy.Processes]{a.Host: obs(haproxy.Processes{At: t0, Workers: []haproxy.Worker{
		{PID: 7, Old: true, Known: true, Started: t0.Add(-2 * time.Hour), Pins: []haproxy.Pin{{Proxy: section.Name, Server: string(b.Name), Sessions: 3}}}}}, t0)}
	s.Nodes = map[model.Host]source.Observed[model.NodeFacts]{a.Host: obs(model.NodeFacts{Addrs: []model.NodeAddr{{Addr: c.VIP}}, Units: map[string]string{"haproxy": "active"}}, t0)}
	s.Servers = map[model.Host]source.Observed[haproxy.ServerStates]{a.Host: obs(haproxy.ServerStates{Count: 3, Touched: []haproxy.ServerState{
		{Proxy: section.Name, Server: string(b.Name), Bits: haproxy.ForcedDrain, Weight: 100, Configured: 100}}}, t0)}
	s.Rules = map[model.ClusterName]model.RuleFacts{c.Name: {Conf: obs(model.PatroniConf{}, t0), Etcd: map[model.Host]source.Observed[string]{a.Host: obs("", t0)}}}
	return s
}

// leaves walks a value in a fixed order and calls change for each thing in it that
// can be changed: its path, and what changes it. Maps are changed by way of a copy
// of the entry. It fails the test where a field cannot be reached.
func leaves(t *testing.T, v reflect.Value, path string, change func(path string, do func())) {
	t.Helper()
	switch x := v.Interface().(type) {
	case *model.Inventory:
		return // another inventory is another fleet
	case time.Time:
		change(path, func() { v.Set(reflect.ValueOf(x.Add(-time.Hour))) })
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				t.Fatalf("%s.%s cannot be reached: teach this test about it", path, v.Type().Field(i).Name)
			}
			leaves(t, v.Field(i), path+"."+v.Type().Field(i).Name, change)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			change(path, func() { v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem()))) })
			return
		}
		change(path, func() { v.Set(v.Slice(0, v.Len()-1)) })
		for i := range v.Len() {
			leaves(t, v.Index(i), fmt.Sprintf("%s[%d]", path, i), change)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, k := range keys {
			change(fmt.Sprintf("%s[%v] gone", path, k), func() { v.SetMapIndex(k, reflect.Value{}) })
			entry := reflect.New(v.Type().Elem()).Elem()
			entry.Set(v.MapIndex(k))
			leaves(t, entry, fmt.Sprintf("%s[%v]", path, k), func(p string, do func()) {
				change(p, func() { do(); v.SetMapIndex(k, entry) })
			})
		}
	case reflect.Interface: // error
		change(path, func() { v.Set(reflect.ValueOf(errors.New("changed"))) })
	case reflect.String:
		change(path, func() { v.SetString(v.String() + "x") })
	case reflect.Bool:
		change(path, func() { v.SetBool(!v.Bool()) })
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		change(path, func() { v.SetInt(v.Int() + 300) })
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		change(path, func() { v.SetUint(v.Uint() + 1) })
	default:
		t.Fatalf("%s is a %s: teach this test about it", path, v.Kind())
	}
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
	inv := fleet(1).Inventory
	var paths []string
	leaves(t, reflect.ValueOf(full(inv)).Elem(), "Snapshot", func(path string, _ func()) { paths = append(paths, path) })
	fields := map[string]bool{}
	fieldsOf(reflect.TypeFor[model.Snapshot](), fields, map[reflect.Type]bool{})
	delete(fields, "Inventory")
	for f := range fields {
		if !slices.ContainsFunc(paths, func(p string) bool { return strings.Contains(p+".", "."+f+".") || strings.Contains(p, "."+f+"[") || strings.Contains(p, "."+f+" ") }) {
			t.Errorf("no value of field %s is changed: full leaves it out", f)
		}
	}
	now := t0.Add(time.Second)
	before := check.Boards(full(inv), now)
	differ := 0
	for n, path := range paths {
		var j check.Judge
		j.Boards(full(inv), now)
		s := full(inv)
		var changes []func()
		leaves(t, reflect.ValueOf(s).Elem(), "Snapshot", func(_ string, do func()) { changes = append(changes, do) })
		changes[n]()
		got, want := j.Boards(s, now), check.Boards(s, now)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the board does not follow", path)
		}
		if !reflect.DeepEqual(want, before) {
			differ++
		}
	}
	if len(paths) < 300 || differ < 100 {
		t.Errorf("%d changes, %d of which change the board: the test is broken", len(paths), differ)
	}
}

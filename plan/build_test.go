package plan

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgtui/model"
	"pgtui/render"
	"pgtui/source"
)

func cfg(proxy, host, weight string) string {
	return string(headed(proxy, host, "5433")) + "    bind *:5433\n    server pg-test-1 10.10.10.11:6432 check port 8008 weight " + weight + " \n"
}

// World is pg-test with one service on two fronts.
func world() (*model.Inventory, *model.Cluster) {
	inv := fleet()
	inv.Hash = "h"
	c := inv.Cluster("pg-test")
	svc := model.Service{
		Cluster: "pg-test", Name: "primary", Port: "5433",
		Members: []model.Server{{Name: "pg-test-1", Host: "10.10.10.11", Weight: "50"}},
		Backups: []model.Server{{Name: "pg-test-2", Host: "10.10.10.12", Weight: ""}},
	}
	for _, h := range []model.Host{"10.10.10.11", "10.10.10.12"} {
		c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: h, Services: []model.Service{svc}})
		inv.Nodes = append(inv.Nodes, model.Node{Host: h, Name: "pg-test-" + string(h[len(h)-1]), SSH: model.SSHTarget{Address: string(h), User: "dba"}})
	}
	return inv, c
}

func wanted(host model.Host, weight string) render.File {
	return render.File{Host: host, Name: "pg-test-primary.cfg", Data: []byte(strings.Replace(cfg("pg-test-primary", string(host), weight), "2026-01-01", "2026-11-11", 1))}
}

func kinds(n Node) string {
	var out []string
	for _, ch := range n.Changes {
		out = append(out, ch.Kind()+" "+ch.Name)
	}
	return strings.Join(out, ", ")
}

func TestBuild(t *testing.T) {
	const h1, h2 = model.Host("10.10.10.11"), model.Host("10.10.10.12")
	inv, c := world()
	want := []render.File{wanted(h1, "50"), wanted(h2, "50")}
	have := map[model.Host]NodeFiles{
		h1: {Files: map[string][]byte{
			"pg-test-primary.cfg":   []byte(cfg("pg-test-primary", "10.10.10.11", "100")),
			"pg-test-retired.cfg":   headed("pg-test-retired", "10.10.10.11", "5499"),
			"pg-test-2-primary.cfg": headed("pg-test-2-primary", "10.10.10.21", "5433"),
			"grafana.cfg":           []byte("listen grafana\n"),
		}},
		h2: {Files: map[string][]byte{"pg-test-primary.cfg": []byte(cfg("pg-test-primary", "10.10.10.12", "50"))}},
	}
	p := Build(inv, c, want, have)
	if err := p.Refusal(); err != nil {
		t.Fatal(err)
	}
	n := p.Nodes[0]
	if got, want := kinds(n), "change pg-test-primary.cfg, delete pg-test-retired.cfg"; got != want {
		t.Errorf("changes %q, want %q", got, want)
	}
	if got, want := string(n.Changes[0].After), cfg("pg-test-primary", "10.10.10.11", "50"); got != want {
		t.Errorf("the date line on disk must stay: %q, want %q", got, want)
	}
	if !slices.Equal(n.Foreign, []string{"grafana.cfg", "pg-test-2-primary.cfg"}) || !slices.Equal(n.Gone(), []string{"pg-test-retired"}) || n.Same != 0 {
		t.Errorf("foreign %q, gone %q, same %d", n.Foreign, n.Gone(), n.Same)
	}
	if got := slices.Sorted(maps.Keys(n.Have)); !slices.Equal(got, []string{"pg-test-primary.cfg", "pg-test-retired.cfg"}) {
		t.Errorf("have %q", got)
	}
	if n.Want["pg-test-primary.cfg"] != Sum(n.Changes[0].After) || n.Want["pg-test-retired.cfg"] != "" {
		t.Errorf("want hashes %q", n.Want)
	}
	x := n.Become[0]
	if len(n.Become) != 1 || x.Name != "pg-test-primary" || len(x.Servers) != 1 || x.Servers[0].Name != "pg-test-1" || x.Servers[0].Weight != "50" {
		t.Errorf("become %+v", n.Become)
	}
	if n.Target.User != "dba" || n.Node != "pg-test-1" || n.ConfDir != "/etc/haproxy/conf.d" {
		t.Errorf("node %+v", n)
	}
	if n := p.Nodes[1]; n.Changed() || n.Same != 1 {
		t.Errorf("only the date differs on the second node, but %q", kinds(n))
	}
	if again := Build(inv, c, want, have); again.ID != p.ID || len(p.ID) != 12 {
		t.Errorf("one world, two ids: %q %q", p.ID, again.ID)
	}
	delete(have, h2)
	if one := Build(inv, c, want, have); len(one.Nodes) != 1 || one.ID == p.ID {
		t.Errorf("a plan for one node has %d nodes and id %s", len(one.Nodes), one.ID)
	}
}

// TestBuildRefuses: what must keep a plan from running, and that such a plan
// deletes nothing.
func TestBuildRefuses(t *testing.T) {
	const h = model.Host("10.10.10.11")
	own := map[string][]byte{
		"pg-test-primary.cfg": []byte(cfg("pg-test-primary", "10.10.10.11", "100")),
		"pg-test-broken.cfg":  headed("pg-test-broken", "10.10.10.11", "5440"),
	}
	tests := []struct {
		name    string
		change  func(c *model.Cluster)
		want    []render.File
		have    NodeFiles
		err     string
		changes string
	}{
		{
			name: "a service cannot be rendered: its old file stays", have: NodeFiles{Files: own}, want: []render.File{wanted(h, "50")},
			change: func(c *model.Cluster) {
				c.Problems = []source.Problem{{Subject: "pg-test-broken", What: "selector is missing", Fatal: true}, {Subject: "x", What: "a warning"}}
			},
			err: "pg-test-broken: selector is missing", changes: "change pg-test-primary.cfg",
		},
		{name: "a node that cannot be read", have: NodeFiles{Err: errors.New("no route to host")}, want: []render.File{wanted(h, "50")}, err: "10.10.10.11: no route to host"},
		{
			name: "the file belongs to the cluster with the longer name",
			have: NodeFiles{Files: map[string][]byte{"pg-test-2-primary.cfg": headed("pg-test-2-primary", "10.10.10.21", "5433")}},
			want: []render.File{{Host: h, Name: "pg-test-2-primary.cfg", Data: []byte("listen x\n")}}, err: "belongs to pg-test-2",
		},
		{name: "a service name with a slash", have: NodeFiles{}, want: []render.File{{Host: h, Name: "pg-test-a/../../x.cfg"}}, err: "cannot be the name", changes: "add pg-test-a/../../x.cfg"},
		{name: "a service name with a line feed", have: NodeFiles{}, want: []render.File{{Host: h, Name: "pg-test-a\nend.cfg"}}, err: "cannot be the name", changes: "add pg-test-a\nend.cfg"},
		{name: "a name HAProxy would not read", have: NodeFiles{}, want: []render.File{{Host: h, Name: "pg-test-a.cfg.cfg"}}, err: "does not read a file named", changes: "add pg-test-a.cfg.cfg"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv, c := world()
			if tt.change != nil {
				tt.change(c)
			}
			p := Build(inv, c, tt.want, map[model.Host]NodeFiles{h: tt.have})
			err := p.Refusal()
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("refusal %v, want %q", err, tt.err)
			}
			if tt.changes != "" && kinds(p.Nodes[0]) != tt.changes {
				t.Errorf("changes %q, want %q", kinds(p.Nodes[0]), tt.changes)
			}
			for _, ch := range p.Nodes[0].Changes {
				if ch.Kind() == "delete" {
					t.Errorf("%s would be deleted", ch.Name)
				}
			}
		})
	}
}

// BenchmarkBuild: 10 nodes that serve 100 clusters; budget 40 ms.
func BenchmarkBuild(b *testing.B) {
	inv, _ := world()
	have := map[model.Host]NodeFiles{}
	var want []render.File
	for i := range 100 {
		inv.Clusters = append(inv.Clusters, model.Cluster{Name: model.ClusterName("pg-test-x" + string(rune('a'+i%26)) + string(rune('a'+i/26)))})
	}
	c := inv.Cluster("pg-test")
	for i := range 10 {
		h := model.Host("10.0.0." + string(rune('0'+i)))
		c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: h})
		files := map[string][]byte{}
		for j := range 400 {
			files["pg-test-x"+string(rune('a'+j%26))+string(rune('a'+j/26))+"-primary.cfg"] = []byte(cfg("pg-test-primary", "10.9.9.9", "100"))
		}
		have[h], want = NodeFiles{Files: files}, append(want, wanted(h, "50"))
	}
	for b.Loop() {
		Build(inv, c, want, have)
	}
}

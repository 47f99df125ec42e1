package plan

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgtui/model"
	"pgtui/render"
	"pgtui/source"
)

// states words a node's files: "name state owner".
func states(n NodeDrift) string {
	var out []string
	for _, f := range n.Files {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Name, f.State, f.Owner)))
	}
	return strings.Join(out, ", ")
}

func TestDrift(t *testing.T) {
	const h1, h2 = model.Host("10.10.10.11"), model.Host("10.10.10.12")
	inv, c := world()
	want := []render.File{wanted(h1, "50"), wanted(h2, "50"),
		{Host: h2, Name: "pg-test-new.cfg", Data: headed("pg-test-new", "10.10.10.12", "5440")}}
	commented := cfg("pg-test-primary", "10.10.10.11", "50") + "\n# by hand\n"
	have := map[model.Host]NodeFiles{
		h1: {Files: map[string][]byte{
			"pg-test-primary.cfg":   []byte(commented),
			"pg-test-retired.cfg":   headed("pg-test-retired", "10.10.10.11", "5499"),
			"pg-test-2-primary.cfg": headed("pg-test-2-primary", "10.10.10.21", "5433"),
			"grafana.cfg":           []byte("listen grafana\n"),
		}},
		h2: {Files: map[string][]byte{"pg-test-primary.cfg": []byte(cfg("pg-test-primary", "10.10.10.12", "100"))}},
	}
	got := Drift(inv, c, want, have)
	for i, w := range []string{
		"grafana.cfg foreign, pg-test-2-primary.cfg foreign pg-test-2, pg-test-primary.cfg cosmetic, pg-test-retired.cfg extra",
		"pg-test-new.cfg missing, pg-test-primary.cfg semantic",
	} {
		if s := states(got[i]); s != w || !got[i].Front || !got[i].Differs() {
			t.Errorf("node %d: %s, want %s", i, s, w)
		}
	}
	if f := got[1].Files[1]; strings.Join(f.Summary, "; ") != "weight of pg-test-1: 100 → 50" {
		t.Errorf("summary %q", f.Summary)
	}

	have = map[model.Host]NodeFiles{h1: {Files: map[string][]byte{"pg-test-primary.cfg": []byte(cfg("pg-test-primary", "10.10.10.11", "50"))}}}
	if got = Drift(inv, c, want, have); states(got[0]) != "pg-test-primary.cfg same" || got[0].Differs() {
		t.Errorf("as declared: %+v", got)
	}

	c.Problems = []source.Problem{{What: "no selector", Fatal: true}}
	have[h1].Files["pg-test-retired.cfg"] = headed("pg-test-retired", "10.10.10.11", "5499")
	if got = Drift(inv, c, want, have); states(got[0]) != "pg-test-primary.cfg same, pg-test-retired.cfg unrendered" || got[0].Differs() {
		t.Errorf("while a service cannot be rendered: %s", states(got[0]))
	}
}

// TestDriftStale: the cluster moved from its own nodes to a provider; its files
// on the nodes are stale, and no plan touches them.
func TestDriftStale(t *testing.T) {
	const lb, h1, h2 = model.Host("10.10.10.99"), model.Host("10.10.10.11"), model.Host("10.10.10.12")
	inv, c := world()
	c.LoadBalancers, c.Provider = []model.LoadBalancer{{Host: lb, Services: c.LoadBalancers[0].Services}}, "proxy"
	inv.Nodes = append(inv.Nodes, model.Node{Host: lb, Name: "proxy-1"})
	want := []render.File{wanted(lb, "50")}
	have := map[model.Host]NodeFiles{
		lb: {Files: map[string][]byte{}},
		h1: {Files: map[string][]byte{
			"pg-test-primary.cfg":   []byte(cfg("pg-test-primary", "10.10.10.11", "50")),
			"pg-test-2-primary.cfg": headed("pg-test-2-primary", "10.10.10.21", "5433"),
			"pg-test-mine.cfg":      []byte("listen pg-test-mine\n"), // by hand: not known to be the cluster's
		}},
		h2: {Err: errors.New("there is none"), Missing: true},
	}
	got := Drift(inv, c, want, have)
	if len(got) != 3 || states(got[0]) != "pg-test-primary.cfg missing" {
		t.Fatalf("the provider: %+v", got)
	}
	if states(got[1]) != "pg-test-primary.cfg stale" || got[1].Front || !got[1].Differs() || got[1].Node != "pg-test-1" {
		t.Errorf("the former node: %+v", got[1])
	}
	if got[2].Err != nil || got[2].Differs() {
		t.Errorf("where there is no directory nothing is left behind: %+v", got[2])
	}
	for _, n := range Build(inv, c, want, have).Nodes {
		if n.Host != lb {
			t.Errorf("the plan touches %s", n.Host)
		}
	}
	if f := Former(inv, c); len(f) != len(c.Instances) || f[0] != h1 {
		t.Errorf("former nodes %v", f)
	}
}

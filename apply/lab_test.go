//go:build lab

package apply

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/labtest"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe"
	"pgtui/probe/transport"
	"pgtui/render"
)

// These tests change the lab's real HAProxy nodes through real ssh and sudo.
// They fail when the lab is not up, and leave it as `lab reset` makes it.

var labHosts = []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"}

func lab(t *testing.T, args ...string) string {
	t.Helper()
	return labtest.Run(t, args...)
}

// labWorld is pg-test as its nodes have it: the inventory is made from the
// files on the nodes, so that these tests need no other part of pgtui.
type labWorld struct {
	app  *Applier
	inv  *model.Inventory
	c    *model.Cluster
	want []render.File
}

func newLabWorld(t *testing.T) *labWorld {
	t.Helper()
	lab(t, "reset")
	w := &labWorld{
		inv: &model.Inventory{Hash: "lab", Clusters: []model.Cluster{{Name: "pg-test"}}},
		app: &Applier{Runner: &transport.SSH{ConfigFile: labtest.SSHConfig(t)}, Stats: probe.New(probe.Options{}).Stats, Now: time.Now, Managed: "2026-11-11 11:11:11"},
	}
	w.c = &w.inv.Clusters[0]
	for i, h := range labHosts {
		name := "pg-test-" + strconv.Itoa(i+1)
		w.c.Instances = append(w.c.Instances, model.Instance{Name: model.InstanceName(name), Host: h})
		w.inv.Nodes = append(w.inv.Nodes, model.Node{
			Host: h, Name: name, SSH: model.SSHTarget{Address: string(h)},
			HAProxy: model.HAProxyAccess{Port: 9101, User: "admin", Password: "pigsty", URIs: []string{"/haproxy/" + name + "/", "/" + name + "/"}},
		})
	}
	for host, files := range w.read(t) {
		f := model.LoadBalancer{Host: host}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			w.want = append(w.want, render.File{Host: host, Name: name, Data: files[name]})
			f.Services = append(f.Services, labService(files[name]))
		}
		w.c.LoadBalancers = append(w.c.LoadBalancers, f)
	}
	slices.SortFunc(w.c.LoadBalancers, func(a, b model.LoadBalancer) int { return strings.Compare(string(a.Host), string(b.Host)) })
	if len(w.want) != 12 {
		t.Fatalf("the nodes have %d service files, want 12", len(w.want))
	}
	return w
}

func labService(data []byte) model.Service {
	s := haproxy.Sections("", data)[0]
	svc := model.Service{Cluster: "pg-test", Name: model.ServiceName(strings.TrimPrefix(s.Name, "pg-test-"))}
	for _, v := range s.Servers {
		host, _, _ := strings.Cut(v.Addr, ":")
		m := model.Server{Name: model.InstanceName(v.Name), Host: model.Host(host), Weight: v.Weight}
		svc.Members = append(svc.Members, m)
		if v.Backup {
			svc.Backups = append(svc.Backups, m)
		}
	}
	return svc
}

// read is what the nodes have now, from pg-test's point of view.
func (w *labWorld) read(t *testing.T) map[model.Host]map[string][]byte {
	t.Helper()
	out := map[model.Host]map[string][]byte{}
	for h, f := range w.app.readAll(t.Context(), w.inv, labHosts) {
		if f.Err != nil {
			t.Fatal(f.Err)
		}
		out[h] = f.Files
	}
	return out
}

// edit changes the wanted files of all nodes, and the services with them.
func (w *labWorld) edit(t *testing.T, file, old, new string) {
	t.Helper()
	n := 0
	for i := range w.want {
		f := &w.want[i]
		if f.Name != file || !bytes.Contains(f.Data, []byte(old)) {
			continue
		}
		n++
		f.Data = bytes.ReplaceAll(f.Data, []byte(old), []byte(new))
		front := w.c.LoadBalancer(f.Host)
		svc := labService(f.Data)
		*front.Service(svc.Name) = svc
	}
	if n != len(labHosts) {
		t.Fatalf("%q stands in %s on %d nodes", old, file, n)
	}
}

func (w *labWorld) plan(t *testing.T) plan.Plan {
	t.Helper()
	return plan.Build(w.inv, w.c, w.want, w.app.readAll(t.Context(), w.inv, labHosts))
}

func (w *labWorld) execute(t *testing.T, p plan.Plan) (plan.Report, []string, error) {
	t.Helper()
	var steps []string
	labtest.Step(t, "execute the plan")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	rep, err := w.app.Execute(ctx, w.inv, p, func(s plan.StepResult) {
		if s.Done {
			t.Logf("%s %-8s %6s %v %s", s.Host, s.Step, s.Took.Round(time.Millisecond), s.Err, s.Detail)
			steps = append(steps, string(s.Host)+" "+s.Step)
		}
	})
	return rep, steps, err
}

func (w *labWorld) weight(t *testing.T, h model.Host, proxy, server string) int {
	t.Helper()
	st, err := w.app.Stats(t.Context(), *w.inv.Node(h))
	must(t, err)
	return st.Proxy(proxy).Server(server).UserWeight
}

// TestLabReload changes one weight on three nodes beside files that are not
// pg-test's, retires a service, and goes back.
func TestLabReload(t *testing.T) {
	w := newLabWorld(t)
	w.inv.Clusters = append(w.inv.Clusters, model.Cluster{Name: "pg-test-2", Instances: []model.Instance{{Name: "pg-test-2-1", Host: "10.10.10.21"}}})
	w.c = &w.inv.Clusters[0]
	strangers := map[string]string{
		"pg-test-2-primary.cfg": "# service: pg-test-2-primary @ 10.10.10.21:5533\nlisten pg-test-2-primary\n    bind 127.0.0.1:5533\n    mode tcp\n",
		"pg-test-dr-web.cfg":    "listen pg-test-dr-web\n    bind 127.0.0.1:5534\n    mode tcp\n",
		"pg-test-old.cfg":       "# service: pg-test-old @ 10.10.10.12:5535\nlisten pg-test-old\n    bind 127.0.0.1:5535\n    mode tcp\n",
	}
	for _, h := range labHosts {
		for name, text := range strangers {
			lab(t, "exec", w.inv.Node(h).Name, "sh", "-c", fmt.Sprintf("printf '%%s' '%s' >/etc/haproxy/conf.d/%s", text, name))
		}
	}
	before := w.read(t)
	const row = "server pg-test-2 10.10.10.12:6432 check port 8008 weight "
	w.edit(t, "pg-test-replica.cfg", row+"100", row+"50")

	p := w.plan(t)
	must(t, p.Refusal())
	for _, n := range p.Nodes {
		if got := kinds(n); got != "delete pg-test-old.cfg, change pg-test-replica.cfg" {
			t.Errorf("%s: changes %q", n.Host, got)
		}
		if want := []string{"pg-test-2-primary.cfg", "pg-test-dr-web.cfg"}; !slices.Equal(n.Foreign, want) {
			t.Errorf("%s: foreign %q, want %q", n.Host, n.Foreign, want)
		}
		for _, ch := range n.Changes {
			if ch.Kind() == "change" && !slices.Equal(render.Summary(ch.Before, ch.After), []string{"weight of pg-test-2: 100 → 50"}) {
				t.Errorf("%s: summary %q", n.Host, render.Summary(ch.Before, ch.After))
			}
		}
	}
	began := time.Now()
	rep, steps, err := w.execute(t, p)
	t.Logf("three nodes in %s", time.Since(began).Round(time.Millisecond))
	if err != nil || !rep.OK() || len(steps) != 3*7 {
		t.Fatalf("%v, %+v, %d steps", err, rep, len(steps))
	}
	for h, files := range w.read(t) {
		if got := w.weight(t, h, "pg-test-replica", "pg-test-2"); got != 50 {
			t.Errorf("%s: HAProxy has weight %d", h, got)
		}
		want := maps.Clone(before[h])
		delete(want, "pg-test-old.cfg")
		want["pg-test-replica.cfg"] = bytes.Replace(want["pg-test-replica.cfg"], []byte(row+"100"), []byte(row+"50"), 1)
		if !maps.EqualFunc(files, want, bytes.Equal) {
			t.Errorf("%s: files are %q, want %q", h, slices.Sorted(maps.Keys(files)), slices.Sorted(maps.Keys(want)))
		}
	}
	if again := w.plan(t); again.Changed() {
		t.Errorf("a second plan still changes %q", kinds(again.Nodes[0]))
	}
	w.edit(t, "pg-test-replica.cfg", row+"50", row+"100")
	if rep, _, err := w.execute(t, w.plan(t)); err != nil || !rep.OK() {
		t.Errorf("going back: %v, %+v", err, rep)
	}
}

// TestLabSettingOnly changes nothing that the stats page shows: the new worker
// itself must be proven.
func TestLabSettingOnly(t *testing.T) {
	w := newLabWorld(t)
	for _, to := range []string{"maxconn 4999", "maxconn 4998"} { // the second right after the first
		from := map[string]string{"maxconn 4999": "maxconn 5000", "maxconn 4998": "maxconn 4999"}[to]
		w.edit(t, "pg-test-primary.cfg", "    "+from+"\n", "    "+to+"\n")
		if rep, _, err := w.execute(t, w.plan(t)); err != nil || !rep.OK() {
			t.Fatalf("%s: %v, %+v", to, err, rep)
		}
	}
}

// TestLabSyntaxError: the real haproxy refuses, and nothing on any node is
// other than it was.
func TestLabSyntaxError(t *testing.T) {
	w := newLabWorld(t)
	before := w.read(t)
	pids := func() string {
		return lab(t, "exec", "pg-test-1", "pidof", "haproxy")
	}
	workers := pids()
	w.edit(t, "pg-test-primary.cfg", "    mode tcp\n", "    mode tcpx\n")
	rep, steps, err := w.execute(t, w.plan(t))
	const want = "pg-test: pg-test-1 (10.10.10.11): check: haproxy refuses the configuration: /etc/haproxy/conf.d/pg-test-primary.cfg:9: unknown proxy mode 'tcpx'."
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	for _, n := range rep.Nodes {
		if n.Outcome != plan.Untouched {
			t.Errorf("%s: %s", n.Host, n.Outcome)
		}
	}
	if len(steps) != 2 {
		t.Errorf("steps %q", steps)
	}
	for h, files := range w.read(t) {
		if !maps.EqualFunc(files, before[h], bytes.Equal) {
			t.Errorf("%s has changed", h)
		}
	}
	if now := pids(); now != workers {
		t.Errorf("haproxy was reloaded: %s, then %s", workers, now)
	}
	if left := lab(t, "exec", "pg-test-1", "sh", "-c", "ls -A /etc/haproxy /etc/haproxy/conf.d | grep pgtui || :"); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

// TestLabPortTaken: haproxy -c accepts a port that another program holds, and
// systemctl says that the reload went well. The old worker stays; verification
// must see it, and the node must get its files back.
func TestLabPortTaken(t *testing.T) {
	w := newLabWorld(t)
	before := w.read(t)
	w.edit(t, "pg-test-primary.cfg", "    bind *:5433\n", "    bind *:22\n") // sshd holds it
	w.app.VerifyFor = 8 * time.Second
	rep, _, err := w.execute(t, w.plan(t))
	t.Log(err)
	if err == nil || rep.Nodes[0].Outcome != plan.Restored || rep.Nodes[1].Outcome != plan.Untouched {
		t.Fatalf("%v, %+v", err, rep)
	}
	for h, files := range w.read(t) {
		if !maps.EqualFunc(files, before[h], bytes.Equal) {
			t.Errorf("%s has changed", h)
		}
	}
	w.edit(t, "pg-test-primary.cfg", "    bind *:22\n", "    bind *:5433\n")
	if p := w.plan(t); p.Changed() {
		t.Error("the plan still has changes")
	}
}

// TestLabConnectionLost: the node's link goes down in the middle of the run.
// The node must end in the old state or in the new one, and say which once it
// can be reached.
func TestLabConnectionLost(t *testing.T) {
	w := newLabWorld(t)
	w.app.RunFor = 8 * time.Second
	const row = "server pg-test-3 10.10.10.13:6432 check port 8008 weight "
	w.edit(t, "pg-test-replica.cfg", row+"100", row+"70")
	p := w.plan(t)
	p.Nodes = p.Nodes[2:] // pg-test-3
	old, wanted := p.Nodes[0].Have["pg-test-replica.cfg"], p.Nodes[0].Want["pg-test-replica.cfg"]
	cut := false
	rep, err := w.app.Execute(t.Context(), w.inv, p, func(s plan.StepResult) {
		if s.Step == plan.StepCheck && !s.Done && !cut {
			cut = true
			lab(t, "partition", "pg-test-3")
			t.Cleanup(func() { lab(t, "heal", "pg-test-3") })
		}
	})
	t.Log(rep.Nodes[0].Outcome, err)
	if !cut || err == nil || rep.Nodes[0].Outcome != plan.Uncertain {
		t.Errorf("a node that cannot be asked must be uncertain: %v, %+v", err, rep)
	}
	lab(t, "heal", "pg-test-3")
	labtest.Until(t, "pg-test-3 is back", func() bool {
		f := w.app.read(t.Context(), w.inv, "10.10.10.13")
		if got := plan.Sum(f.Files["pg-test-replica.cfg"]); f.Err == nil && got != old && got != wanted {
			t.Errorf("neither the old file nor the new one:\n%s", f.Files["pg-test-replica.cfg"])
		}
		return f.Err == nil
	}, nil)
}

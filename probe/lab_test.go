//go:build lab

package probe

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgtui/internal/labtest"
	"pgtui/model"
	"pgtui/probe/node"
	"pgtui/probe/transport"
)

// These tests ask the lab's real Patroni and HAProxy. They fail when the lab
// is not up, and leave it as `lab reset` makes it. Run them by
// `testdata/lab/lab hold`.

func lab(t *testing.T, args ...string) string {
	t.Helper()
	return labtest.Run(t, args...)
}

// labInventory is the lab as its pigsty.yml declares it, as far as a probe
// needs it.
func labInventory(t *testing.T) *model.Inventory {
	t.Helper()
	inv := &model.Inventory{CAFile: labtest.State(t) + "/files/pki/ca/ca.crt"}
	for _, cls := range []struct {
		name  string
		first int
		n     int
	}{{"pg-meta", 10, 1}, {"pg-test", 11, 3}} {
		c := model.Cluster{Name: model.ClusterName(cls.name)}
		var servers []model.Server
		for i := range cls.n {
			name := fmt.Sprintf("%s-%d", cls.name, i+1)
			host := model.Host(fmt.Sprintf("10.10.10.%d", cls.first+i))
			c.Instances = append(c.Instances, model.Instance{Name: model.InstanceName(name), Host: host, PatroniPort: 8008})
			servers = append(servers, model.Server{Name: model.InstanceName(name), Host: host})
			inv.Nodes = append(inv.Nodes, model.Node{
				Host: host, Name: name, SSH: model.SSHTarget{Address: string(host)},
				HAProxy: model.HAProxyAccess{Port: 9101, User: "admin", Password: "pigsty", URIs: []string{"/" + name + "/", "/haproxy/" + name + "/"}},
			})
		}
		for _, in := range c.Instances {
			c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: in.Host, Services: []model.Service{
				{Cluster: c.Name, Name: "primary", Check: "/primary", Members: servers},
				{Cluster: c.Name, Name: "replica", Check: "/read-only", Members: servers},
				{Cluster: c.Name, Name: "offline", Check: "/replica", Members: servers},
			}})
		}
		inv.Clusters = append(inv.Clusters, c)
	}
	return inv
}

// probed is one sweep of the lab, and what it took.
func probed(t *testing.T, p *Prober) *model.Snapshot {
	t.Helper()
	labtest.Step(t, "a sweep")
	start := time.Now()
	s, err := p.Probe(t.Context(), labInventory(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a sweep of four nodes took %v", time.Since(start))
	return s
}

// allKnown fails unless everything but the named instances answered.
func allKnown(t *testing.T, s *model.Snapshot, but ...model.InstanceName) {
	t.Helper()
	skip := map[model.InstanceName]bool{}
	for _, n := range but {
		skip[n] = true
	}
	for name := range s.Patroni {
		if !skip[name] {
			known(t, s, name)
		}
	}
}

func TestLabHealthy(t *testing.T) {
	lab(t, "reset")
	s := probed(t, New(Options{}))
	allKnown(t, s)
	for name, want := range map[model.InstanceName]string{"pg-meta-1": "primary", "pg-test-1": "primary", "pg-test-2": "replica", "pg-test-3": "replica"} {
		v := s.Patroni[name]
		st := v.Status.Value
		if st.Role != want || st.State != "running" || st.Scope != strings.TrimRight(string(name), "-123") {
			t.Errorf("%s: %+v", name, st)
		}
		for path, code := range map[string]int{"/primary": 200, "/read-only": 200, "/replica": 503} {
			if want == "replica" && path != "/read-only" {
				code = 703 - code
			}
			if got := v.Checks[path].Value; got != code {
				t.Errorf("%s: OPTIONS %s is %d, want %d", name, path, got, code)
			}
		}
	}
	if c := s.Patroni["pg-test-2"].Cluster.Value; len(c.Members) != 3 || c.Members[0].Role != "leader" || c.Members[1].Lag < 0 {
		t.Errorf("%+v", c)
	}
	for host, h := range s.HAProxy {
		cls := "pg-test"
		if host == "10.10.10.10" {
			cls = "pg-meta"
		}
		px := h.Value.Proxy(cls + "-primary")
		if !h.Known() || !strings.HasPrefix(h.Value.URI, "/haproxy/") || px == nil || !strings.HasPrefix(px.Server(cls+"-1").Status, "UP") {
			t.Errorf("%s: %v, %q", host, h.Err, h.Value.URI)
		}
	}
}

func TestLabBroken(t *testing.T) {
	lab(t, "reset")
	p := New(Options{})
	allKnown(t, probed(t, p))

	lab(t, "kill", "pg-test-2", "haproxy")
	s := probed(t, p)
	if h := s.HAProxy["10.10.10.12"]; !errors.Is(h.Err, syscall.ECONNREFUSED) || !h.Ever() {
		t.Errorf("a killed HAProxy: %v", h.Err)
	}
	lab(t, "start", "pg-test-2", "haproxy")

	lab(t, "freeze", "pg-test-2", "patroni")
	s = probed(t, p)
	if v := s.Patroni["pg-test-2"]; v.Status.Err == nil || !strings.Contains(v.Status.Err.Error(), "connected, but no answer") || v.Checks["/read-only"].Known() {
		t.Errorf("a frozen Patroni: %v", v.Status.Err)
	}
	allKnown(t, s, "pg-test-2")
	lab(t, "thaw", "pg-test-2", "patroni")

	lab(t, "partition", "pg-test-2")
	s = probed(t, p)
	if v := s.Patroni["pg-test-2"]; v.Status.Known() || v.Checks["/read-only"].Known() || s.HAProxy["10.10.10.12"].Known() || !v.Status.Ever() {
		t.Errorf("a partitioned node: %v", v.Status.Err)
	}
	allKnown(t, s, "pg-test-2")
	lab(t, "heal", "pg-test-2")
}

// A watcher must see a switchover as it goes.
func TestLabSwitchover(t *testing.T) {
	lab(t, "reset")
	ctx, cancel := context.WithCancel(t.Context())
	snaps := New(Options{}).Watch(ctx, labInventory(t), time.Second)
	first := <-snaps
	if first == nil {
		t.Fatal("no snapshot")
	}
	labtest.Step(t, "the switchover is seen")
	go func() {
		exec.Command(filepath.Join(labtest.Dir(t), "lab"), "switchover", "pg-test", "pg-test-3").Run() // seen below, or not
	}()
	deadline := time.After(labtest.Patience(t))
	n, empty := 0, false
	for done := false; !done; {
		select {
		case s := <-snaps:
			n++
			h := s.HAProxy["10.10.10.11"]
			px := h.Value.Proxy("pg-test-primary")
			up := ""
			if px != nil {
				for _, sv := range px.Servers {
					if strings.HasPrefix(sv.Status, "UP") {
						up += sv.Name + " "
					}
				}
			}
			empty = empty || up == "" && px != nil
			done = s.Patroni["pg-test-3"].Checks["/primary"].Value == 200 && s.Patroni["pg-test-1"].Status.Value.Role == "replica" && up == "pg-test-3 "
		case <-deadline:
			t.Fatal("the switchover was not seen")
		}
	}
	t.Logf("%d snapshots; the primary service was seen without a server: %v", n, empty)
	cancel()
	for range snaps {
	}
}

func TestLabConfDir(t *testing.T) {
	r := &transport.Auto{SSH: transport.SSH{ConfigFile: labtest.SSHConfig(t)}}
	for _, n := range labInventory(t).Nodes {
		labtest.Step(t, "read the files of "+n.Name)
		start := time.Now()
		d, err := node.ReadConfDir(t.Context(), r, n.SSH, "/etc/haproxy/conf.d")
		t.Logf("%s: %d files in %v", n.Host, len(d.Files), time.Since(start))
		if err != nil || d.Missing || !d.Main {
			t.Errorf("%s: %+v, %v", n.Host, d, err)
			continue
		}
		cls := strings.TrimRight(n.Name, "-123")
		f := d.Files[cls+"-primary.cfg"]
		if !strings.Contains(string(f.Data), "listen "+cls+"-primary") || f.Owner == "" || len(f.SHA256) != 64 {
			t.Errorf("%s: %+v", n.Host, f)
		}
	}
	d, err := node.ReadConfDir(t.Context(), r, model.SSHTarget{Address: "10.10.10.11"}, "/etc/haproxy")
	if err != nil || d.Files["haproxy.cfg"].Size == 0 || d.Files["haproxy.cfg"].Data != nil {
		t.Errorf("the old directory: %v", err)
	}
	if d, err := node.ReadConfDir(t.Context(), r, model.SSHTarget{Address: "10.10.10.11"}, "/etc/nowhere"); err != nil || !d.Missing {
		t.Errorf("no directory: %+v, %v", d, err)
	}
}

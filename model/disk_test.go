package model_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// onDisk is what every node of the healthy world has on disk.
func onDisk() *model.NodeConf {
	primary := []haproxy.ServerLine{{Name: "pg-test-1", Weight: "100"}, {Name: "pg-test-2", Weight: "100"}, {Name: "pg-test-3", Weight: "100"}}
	replica := []haproxy.ServerLine{{Name: "pg-test-1", Weight: "100", Backup: true}, primary[1], primary[2]}
	return &model.NodeConf{Dir: "/etc/haproxy/conf.d",
		Files: []model.ConfFile{{Name: "pg-test-primary.cfg", Read: true, Changed: modeltest.T0.Add(-time.Hour)}, {Name: "pg-test-replica.cfg", Read: true, Changed: modeltest.T0.Add(-time.Hour)}},
		Sections: []haproxy.Section{{File: "pg-test-primary.cfg", Name: "pg-test-primary", Binds: []string{"*:5433"}, Servers: primary},
			{File: "pg-test-replica.cfg", Name: "pg-test-replica", Binds: []string{"*:5434"}, Servers: replica}}}
}

func TestUnloaded(t *testing.T) {
	worker := haproxy.Processes{At: modeltest.T0, Socket: true, Workers: []haproxy.Worker{{PID: 9, Started: modeltest.T0.Add(-time.Minute)}, {PID: 5, Old: true, Started: modeltest.T0.Add(-48 * time.Hour)}}}
	for _, tt := range []struct {
		name string
		do   func(*model.NodeConf)
		want string
	}{
		{"loaded", func(*model.NodeConf) {}, ""},
		{"a weight by hand", func(c *model.NodeConf) { c.Sections[0].Servers[1].Weight = "50" }, "pg-test-primary.cfg: server pg-test-2 runs with weight 100, the file has 50"},
		{"a backup by hand", func(c *model.NodeConf) { c.Sections[0].Servers[2].Backup = true }, "pg-test-primary.cfg: server pg-test-3 runs as a regular server, the file has a backup"},
		{"a server taken out", func(c *model.NodeConf) { c.Sections[1].Servers = c.Sections[1].Servers[:2] }, "pg-test-replica.cfg: server pg-test-3 runs, the file does not have it"},
		{"a server put in", func(c *model.NodeConf) {
			c.Sections[1].Servers = append(c.Sections[1].Servers, haproxy.ServerLine{Name: "pg-test-4", Weight: "100"})
		}, "pg-test-replica.cfg: server pg-test-4 does not run"},
		{"a check path by hand: only the time tells", func(c *model.NodeConf) { c.Files[0].Changed = modeltest.T0.Add(-30 * time.Second) },
			"pg-test-primary.cfg was changed 30s after HAProxy loaded it"},
		{"the files that were loaded a moment later", func(c *model.NodeConf) { c.Files[0].Changed = modeltest.T0.Add(-time.Minute + time.Second) }, ""},
		{"somebody else's section", func(c *model.NodeConf) {
			c.Sections = append(c.Sections, haproxy.Section{File: "x.cfg", Name: "x"})
			c.Files = append(c.Files, model.ConfFile{Name: "x.cfg", Read: true, Changed: modeltest.T0})
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, c := modeltest.NewWorld(), onDisk()
			tt.do(c)
			stats := w.Snap.HAProxy["10.10.10.11"].Value
			modeltest.Equal(t, "unloaded", strings.Join(model.Unloaded(w.Cls, c, &stats, modeltest.Seen(worker)), "; "), tt.want)
		})
	}
}

func TestWiped(t *testing.T) {
	w, c := modeltest.NewWorld(), onDisk()
	stats := w.Snap.HAProxy["10.10.10.11"].Value
	modeltest.Equal(t, "nothing", fmt.Sprint(model.Wiped(&w.Cls.LoadBalancers[0], c, &stats)), "[]")
	c.Sections = c.Sections[1:]
	modeltest.Equal(t, "one", fmt.Sprint(model.Wiped(&w.Cls.LoadBalancers[0], c, &stats)), "[pg-test-primary]")
	stats.Proxies = stats.Proxies[1:]
	modeltest.Equal(t, "neither on disk nor running is another matter", fmt.Sprint(model.Wiped(&w.Cls.LoadBalancers[0], c, &stats)), "[]")
}

func TestPinnedSessions(t *testing.T) {
	w := modeltest.NewWorld()
	ghost := haproxy.Worker{PID: 5, Old: true, Known: true, Pins: []haproxy.Pin{{Proxy: "pg-test-primary", Server: "pg-test-1", Sessions: 3}, {Proxy: "pg-test-replica", Server: "pg-test-2", Sessions: 1}, {Proxy: "other", Server: "x", Sessions: 9}}}
	w.Snap.Workers = map[model.Host]source.Observed[haproxy.Processes]{"10.10.10.11": modeltest.Seen(haproxy.Processes{At: modeltest.T0, Workers: []haproxy.Worker{ghost, {PID: 9, Pins: ghost.Pins}}})}
	pinned := func() string {
		b := board.Of(w.Snap, w.Cls, modeltest.T0)
		var out []string
		for _, p := range board.PinnedSessions(w.Snap, &b, "10.10.10.11", modeltest.T0) {
			out = append(out, fmt.Sprintf("%s→%s %d %d %v", p.Service, p.Instance, p.Sessions, p.Allowed, p.Refused))
		}
		return strings.Join(out, ", ")
	}
	modeltest.Equal(t, "where they should be", pinned(), "")
	w.Patroni(1, false)
	w.Patroni(2, true)
	modeltest.Equal(t, "the leader moved", pinned(), "primary→pg-test-1 3 503 true")
	w.Silence(1, 0)
	modeltest.Equal(t, "the old leader is not known: nothing is said", pinned(), "")
	o := w.Snap.Workers["10.10.10.11"]
	o.Err = fmt.Errorf("ssh: no route")
	w.Snap.Workers["10.10.10.11"] = o
	modeltest.Equal(t, "the node cannot be read any more", pinned(), "")
}

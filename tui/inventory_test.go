package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/source"
	"pgtui/tui/page"
	"pgtui/tui/page/values"
)

// origins are the values of a cluster of the world, or of all: what Pigsty's
// inventories declare, from files as one has them.
func (w *world) origins(name model.ClusterName) source.Origins {
	out := source.Origins{Source: w.inv.Source, Hash: w.inv.Hash}
	def := func(file string, line int, by, value string, text ...string) source.Definition {
		if len(text) == 0 {
			text = []string{value}
		}
		return source.Definition{At: source.Pos{File: file, Line: line, Column: 7}, By: by, Value: value, Text: text}
	}
	for i := range w.inv.Clusters {
		c := &w.inv.Clusters[i]
		if name != "" && c.Name != name {
			continue
		}
		var hosts []string
		for _, in := range c.Instances {
			hosts = append(hosts, string(in.Host))
		}
		add := func(variable string, on []string, d source.Definition, hid ...source.Definition) *source.Origin {
			out.Rows = append(out.Rows, source.Origin{Cluster: string(c.Name), Hosts: on, Of: len(hosts), Variable: variable, Definition: d, Hid: hid})
			return &out.Rows[len(out.Rows)-1]
		}
		line, group := 40+20*i, "group "+string(c.Name)
		add("version", hosts, def("pigsty.yml", 93, "group all", "v4.5.0"))
		add("pg_cluster", hosts, def("pigsty.yml", line+8, group, string(c.Name)))
		for k, in := range c.Instances {
			add("pg_seq", hosts[k:k+1], def("pigsty.yml", line+2+k, "host "+string(in.Host), fmt.Sprint(in.Seq)))
		}
		for k, in := range c.Instances {
			add("pg_role", hosts[k:k+1], def("pigsty.yml", line+2+k, "host "+string(in.Host), string(in.Role)))
		}
		add("pg_services", hosts, def("pigsty.yml", line+10, group, "standby, report",
			"- name: standby", "  ip: \"*\"", "  port: 5435", "  selector: []", "  check: /sync", "- name: report", "  port: 5440", "  monitor_password: ********"),
			def("group_vars/all.yml", 3, "group_vars of all", "standby", "- name: standby", "  port: 5434"), def("pigsty.yml", 120, "group all", "0 entries", "[]"))
		add("pg_default_service_dest", hosts, def("pigsty.yml", 118, "group all", "pgbouncer"))
		w.ports(c, hosts, def, add)
		if len(hosts) > 2 {
			add("pg_offline_query", hosts[2:], def("pigsty.yml", line+4, "host "+hosts[2], "True")).Differs = true
		}
		add("pg_vip_enabled", hosts, def("pigsty.yml", line+11, group, "True"), def("pigsty.yml", 121, "group all", "False"))
		add("pg_vip_address", hosts, def("pigsty.yml", line+12, group, c.VIP+"/24"))
	}
	return out
}

// ports are the values of pg_port: one, or with trouble two.
func (w *world) ports(c *model.Cluster, hosts []string, def func(string, int, string, string, ...string) source.Definition,
	add func(string, []string, source.Definition, ...source.Definition) *source.Origin) {
	all := def("group_vars/all.yml", 2, "group_vars of all", "5432")
	if !w.trouble || len(hosts) < 3 {
		add("pg_port", hosts, all)
		return
	}
	add("pg_port", []string{hosts[0], hosts[2]}, all).Differs = true
	host := hosts[1]
	add("pg_port", hosts[1:2], def("host_vars/"+host+".yml", 1, "host_vars of "+host, "5433"), all).Differs = true
}

// TestInventoryFrames holds the page of the inventory and the one of a value.
func TestInventoryFrames(t *testing.T) {
	onBoard := func(d *fake) { d.Start = "pg-test" }
	trouble := newWorld()
	trouble.trouble = true
	toPort := func(r *rig) { r.press("v", "/"); r.typing("5433"); r.press("enter") }
	wrong := func(d *fake) {
		first := d.Origins
		d.Origins = func(ctx context.Context, inv *model.Inventory, c model.ClusterName) (source.Origins, error) {
			o, err := first(ctx, inv, c)
			o.Hash = "h1"
			o.Problems = []source.Problem{
				{At: source.Pos{File: "pigsty.yml", Line: 57, Column: 9}, Subject: "inventory", What: "the key pg_vip_address is written twice in one mapping: the last one counts"},
				{At: source.Pos{File: "pigsty.yml", Line: 50, Column: 9}, Subject: "pg-test-report", What: "the service has no port: Pigsty fails here", Fatal: true},
				{At: source.Pos{File: "group_vars/pg-test.yml", Line: 1, Column: 1}, Subject: "inventory", What: "three"},
				{At: source.Pos{File: "group_vars/pg-test.yml", Line: 2, Column: 1}, Subject: "inventory", What: "four"},
				{At: source.Pos{File: "group_vars/pg-test.yml", Line: 3, Column: 1}, Subject: "inventory", What: "five"},
				{At: source.Pos{File: "group_vars/pg-test.yml", Line: 4, Column: 1}, Subject: "inventory", What: "six"},
			}
			return o, err
		}
	}
	refuse := func(d *fake) {
		d.Origins = func(context.Context, *model.Inventory, model.ClusterName) (source.Origins, error) {
			return source.Origins{}, &source.Hint{Err: errors.New("pigsty.yml:12:5: expected a mapping of variables, found a list"), Try: "pgtui lint"}
		}
	}
	later := func(d *fake) {
		asked, first := 0, d.Origins
		d.Origins = func(ctx context.Context, inv *model.Inventory, c model.ClusterName) (source.Origins, error) {
			if asked++; asked > 1 {
				return source.Origins{}, errors.New("pigsty.yml: no such file or directory")
			}
			return first(ctx, inv, c)
		}
	}
	tests := []struct {
		name  string
		w     *world
		steps func(*rig)
		deps  func(*fake)
	}{
		{"healthy", newWorld(), func(r *rig) { r.press("v") }, onBoard},
		{"below", newWorld(), func(r *rig) { r.press("v", "G") }, onBoard},
		{"fleet", newWorld(), func(r *rig) { r.press("v", "j") }, func(*fake) {}},
		{"filtered", newWorld(), func(r *rig) { r.press("v", "/"); r.typing("!~seq|role"); r.press("enter", "j", "j") }, onBoard},
		{"nothing", newWorld(), func(r *rig) { r.press("v", "/"); r.typing("zzz"); r.press("enter") }, onBoard},
		{"differing", trouble, toPort, onBoard},
		{"problems", newWorld(), func(r *rig) { r.press("v") }, func(d *fake) { onBoard(d); wrong(d) }},
		{"waiting", newWorld(), func(r *rig) { r.lazy = true; r.press("v") }, onBoard},
		{"refused", newWorld(), func(r *rig) { r.press("v") }, func(d *fake) { onBoard(d); refuse(d) }},
		{"again-failed", newWorld(), func(r *rig) { r.press("v"); r.now = t0.Add(70 * time.Second); r.press("R") }, func(d *fake) { onBoard(d); later(d) }},
		{"value", newWorld(), func(r *rig) { r.press("v", "/"); r.typing("services"); r.press("enter", "enter") }, onBoard},
		{"value-differing", trouble, func(r *rig) { toPort(r); r.press("enter") }, onBoard},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { golden(t, "inventory/"+tt.name, frames(t, tt.w, tt.steps, tt.deps)) })
	}
}

// From the fleet the page is of all clusters, from a board of that one, and the
// palette opens either.
func TestTheInventoryOpensForItsPlace(t *testing.T) {
	for _, tt := range []struct {
		start  model.ClusterName
		keys   []string
		path   string
		asked  model.ClusterName
		copied string
	}{
		{"", []string{"v"}, "fleet › inventory", "", "pgtui inventory"},
		{"pg-test", []string{"v"}, "fleet › pg-test › inventory", "pg-test", "pgtui inventory pg-test"},
		{"pg-test", []string{"v", "enter"}, "fleet › pg-test › inventory › version", "pg-test", "pgtui inventory pg-test"},
		{"pg-test", []string{"v", "enter", "esc"}, "fleet › pg-test › inventory", "pg-test", "pgtui inventory pg-test"},
		{"", strings.Split(":inventory", ""), "fleet › inventory", "", "pgtui inventory"},
		{"pg-test", strings.Split(":inventory", ""), "fleet › pg-test › inventory", "pg-test", "pgtui inventory pg-test"},
		{"", strings.Split(":inventory pg-test", ""), "fleet › inventory", "pg-test", "pgtui inventory pg-test"},
	} {
		asked := []model.ClusterName{}
		w := newWorld()
		r := newRig(t, w, 120, 30, func(d *fake) {
			d.Start = tt.start
			d.Origins = func(_ context.Context, _ *model.Inventory, c model.ClusterName) (source.Origins, error) {
				asked = append(asked, c)
				return w.origins(c), nil
			}
		})
		for _, k := range tt.keys {
			if k == " " {
				k = "space"
			}
			r.press(k)
		}
		if tt.keys[0] == ":" {
			r.press("enter")
		}
		if got := r.path(); got != tt.path {
			t.Errorf("%v leads to %s, want %s", tt.keys, got, tt.path)
		}
		if !slices.Equal(asked, []model.ClusterName{tt.asked}) {
			t.Errorf("%v asked for %q", tt.keys, asked)
		}
		r.press("y")
		r.want("sent to the terminal's clipboard: " + tt.copied)
	}
	r := newRig(t, newWorld(), 120, 30, func(d *fake) { d.Start, d.Origins = "pg-test", nil })
	r.press("v", "?")
	r.wantNot("where each value")
}

// The cursor stays on its value over a filter and over another answer, and a
// value that is gone leaves it on the first.
func TestTheCursorStaysOnItsValue(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 120, 40, func(d *fake) { d.Start = "pg-test" })
	r.press("v", "G", "k")
	r.want("pg_vip_enabled  True  from group pg-test", "overrides False of group all, pigsty.yml:121")
	r.press("/")
	r.typing("vip")
	r.press("enter")
	r.want("VALUES 2 · 12 hidden by the filter vip", "pg_vip_enabled  True  from")
	r.press("esc")
	r.want("VALUES 14 ", "pg_vip_enabled  True  from")
	w.trouble = true // another value before it
	r.press("R")
	r.want("VALUES 15 ", "pg_vip_enabled  True  from", "≠ 2 differ between hosts")
	r.press("/")
	r.typing("differs")
	r.press("enter")
	r.want("VALUES 3 · 12 hidden by the filter differs · ≠ 2 differ between hosts")
	r.press("esc", "/")
	r.typing("seq")
	r.press("enter")
	r.want("pg_seq  1  from host 10.10.10.11")
}

// A file that is not the one the console shows is told, and one that is is not.
func TestTheInventoryTellsThatItHasChanged(t *testing.T) {
	w := newWorld()
	hash := "h0"
	r := newRig(t, w, 120, 40, func(d *fake) {
		d.Start = "pg-test"
		d.Origins = func(_ context.Context, _ *model.Inventory, c model.ClusterName) (source.Origins, error) {
			o := w.origins(c)
			o.Hash = hash
			return o, nil
		}
	})
	r.press("v")
	r.wantNot("has changed")
	hash = "h1"
	r.press("R")
	r.want("! pigsty.yml has changed since the console read it")
}

// A large inventory is walked through to its end without a frame that lacks
// the cursor.
func TestEveryValueIsReached(t *testing.T) {
	for _, z := range [][2]int{{80, 24}, {40, 10}, {120, 15}} {
		r := newRig(t, bigWorld(12), z[0], z[1])
		r.press("v")
		for i := range 12 * 16 {
			if !strings.Contains(r.screen(), "▸") {
				t.Fatalf("at %v, row %d: no cursor:\n%s", z, i, r.screen())
			}
			r.press("j")
		}
		r.want("▸")
		r.press("g")
		r.want("pg-app-00  3 hosts", "▸")
	}
}

var _ page.Inquirer = (*values.Inventory)(nil)

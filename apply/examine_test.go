package apply

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/render"
)

// TestExamine looks at a node of each kind: as declared, edited, unreachable.
func TestExamine(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := filepath.Join(root, "etc/haproxy/conf.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	inv, c := world()
	host := c.LoadBalancers[0].Host
	node := inv.Node(host)
	node.SSH, node.HAProxy.Port = model.SSHTarget{Root: root}, 9101
	a := &Applier{Runner: transport.Local{}, Now: time.Now, Managed: "2026-01-02 03:04:05"}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range render.Files(inv, c, a.Managed) {
		if f.Host == host {
			write(f.Name, string(f.Data))
		}
	}
	look := func() model.NodeConf {
		t.Helper()
		o := a.Examine(t.Context(), inv, []*model.Cluster{c}).Conf[host]
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		return o.Value
	}
	if got := look(); len(got.Drift[c.Name].Changes) > 0 || len(got.Files) == 0 || got.Files[0].Foreign || got.Files[0].Changed.IsZero() ||
		got.Sections[0].Name != "stats" || got.Sections[0].Binds[0] != "*:9101" || len(haproxy.Clashes(got.Sections)) > 0 {
		t.Errorf("as declared: %+v", got)
	}
	name := c.LoadBalancers[0].Services[0].FileName()
	write(name, "listen x\n    bind *:9101\n")
	write("zz.cfg", "listen zz\n")
	write(".hidden.cfg", "listen hidden\n")
	got := look()
	if d := got.Drift[c.Name]; len(d.Changes) != 1 || d.Changes[0].Kind != "change" || len(d.Changes[0].Summary) == 0 {
		t.Errorf("edited: %+v", d)
	}
	if clash := haproxy.Clashes(got.Sections); len(clash) != 1 || clash[0].Port != 9101 {
		t.Errorf("the stats port is bound twice: %+v", clash)
	}
	for _, f := range got.Files {
		if foreign := f.Name == "zz.cfg" || f.Name == ".hidden.cfg"; f.Foreign != foreign || f.Read != (f.Name != ".hidden.cfg") {
			t.Errorf("%+v", f)
		}
	}
	node.SSH.Root = "not/absolute"
	e := a.Examine(t.Context(), inv, []*model.Cluster{c})
	if e.Conf[host].Err == nil || e.Workers[host].Err == nil || !strings.Contains(e.Conf[host].Err.Error(), "not/absolute") {
		t.Errorf("unreachable: %+v", e)
	}
}

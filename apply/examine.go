package apply

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"time"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/node"
	"pgtui/render"
	"pgtui/source"
)

// Examine reads the files and the processes of every HAProxy node of the clusters
// over SSH, several nodes at once, each within ReadFor. It changes nothing. A
// node that cannot be read is there with its error.
func (a *Applier) Examine(ctx context.Context, inv *model.Inventory, clusters []*model.Cluster) model.Readings {
	var hosts []model.Host
	for _, c := range clusters {
		for _, h := range c.HAProxies() {
			if !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
	}
	return a.ExamineHosts(ctx, inv, clusters, hosts)
}

// ExamineHosts is Examine of these hosts only.
func (a *Applier) ExamineHosts(ctx context.Context, inv *model.Inventory, clusters []*model.Cluster, hosts []model.Host) model.Readings {
	out := model.Readings{Conf: map[model.Host]source.Observed[model.NodeConf]{}, Workers: map[model.Host]source.Observed[haproxy.Processes]{},
		Servers: map[model.Host]source.Observed[haproxy.ServerStates]{}}
	for h, r := range ofHosts(hosts, func(h model.Host) model.Reading { return a.examine(ctx, inv, clusters, h) },
		func(err error) model.Reading { return model.NotRead(err, a.Now()) }) {
		out.Conf[h], out.Workers[h], out.Servers[h] = r.Conf, r.Workers, r.Servers
	}
	return out
}

func (a *Applier) examine(ctx context.Context, inv *model.Inventory, clusters []*model.Cluster, h model.Host) model.Reading {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.ReadFor, 20*time.Second))
	defer cancel()
	target := nodeOf(inv, h).Target
	var out model.Reading
	out.Conf = source.Observe(a.Now, func() (model.NodeConf, error) {
		dir, err := node.ReadConfDir(ctx, a.Runner, target, inv.Dialect.ConfDir())
		if err != nil {
			return model.NodeConf{}, err
		}
		nc := a.confOf(inv, clusters, h, dir)
		if n := inv.Node(h); n != nil {
			// haproxy.cfg is not read, because it has passwords; it binds the
			// stats port.
			stats := haproxy.Section{File: "haproxy.cfg", Name: "stats", Binds: []string{fmt.Sprintf("*:%d", n.HAProxy.Port)}}
			nc.Sections = append([]haproxy.Section{stats}, nc.Sections...)
		}
		return nc, nil
	})
	if out.Conf.Err != nil {
		return model.NotRead(out.Conf.Err, out.Conf.Tried)
	}
	start := a.Now()
	run, err := node.ReadRuntime(ctx, a.Runner, target)
	at := a.Now()
	out.Workers = out.Workers.Next(run.Processes, err, at, at.Sub(start))
	out.Servers = out.Servers.Next(run.Servers, cmp.Or(err, run.NoServers), at, at.Sub(start))
	return out
}

// confOf judges what one node has on disk.
func (a *Applier) confOf(inv *model.Inventory, clusters []*model.Cluster, h model.Host, dir node.ConfDir) model.NodeConf {
	nc := model.NodeConf{Dir: dir.Dir, Missing: dir.Missing, Drift: map[model.ClusterName]model.Drift{}}
	if dir.Missing {
		return nc
	}
	for _, name := range slices.Sorted(maps.Keys(dir.Files)) {
		f := dir.Files[name]
		x := model.ConfFile{Name: text.Printable(name), Changed: f.Changed,
			Read: !strings.HasPrefix(name, ".") && strings.Index(name, ".cfg") == len(name)-len(".cfg")}
		x.Foreign = name != "haproxy.cfg" && !slices.ContainsFunc(clusters, func(c *model.Cluster) bool {
			return plan.OwnerOf(inv, c, name, f.Data, wantsFile(c, h, name)) != ""
		})
		nc.Files = append(nc.Files, x)
		if x.Read {
			nc.Sections = append(nc.Sections, haproxy.Sections(name, f.Data)...)
		}
	}
	for _, c := range clusters {
		if c.LoadBalancer(h) != nil {
			nc.Drift[c.Name] = a.drift(inv, c, h, dir)
		}
	}
	return nc
}

// wantsFile reports whether the cluster declares a service of that file there.
func wantsFile(c *model.Cluster, h model.Host, name string) bool {
	f := c.LoadBalancer(h)
	return f != nil && slices.ContainsFunc(f.Services, func(s model.Service) bool { return s.FileName() == name })
}

// drift is what a reload would change on the node, without planning one.
func (a *Applier) drift(inv *model.Inventory, c *model.Cluster, h model.Host, dir node.ConfDir) model.Drift {
	p := plan.Build(inv, c, render.Files(inv, c, a.Managed), map[model.Host]plan.NodeFiles{h: {Files: dir.Contents()}})
	d := model.Drift{}
	for _, n := range p.Nodes {
		if n.Err != nil {
			return model.Drift{Err: n.Err.Error()}
		}
		for _, ch := range n.Changes {
			d.Changes = append(d.Changes, model.DriftFile{Name: text.Printable(ch.Name), Kind: ch.Kind(), Summary: render.Summary(ch.Before, ch.After)})
		}
	}
	return d
}

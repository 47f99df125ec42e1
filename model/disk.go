package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/source"
)

// NodeConf is the directory of service files of one HAProxy node as it is on
// disk, read once.
type NodeConf struct {
	Dir      string
	Missing  bool // there is no such directory
	Files    []ConfFile
	Sections []haproxy.ConfSection // of all files, in the order HAProxy reads them
	// Drift is where the files of a cluster are not what the inventory
	// declares, cluster by cluster.
	Drift map[ClusterName]Drift
}

// ConfFile is one regular file in the directory.
type ConfFile struct {
	Name    string
	Read    bool      // HAProxy reads it: its name ends in .cfg and does not begin with a dot
	Changed time.Time // its content or its place was changed last, by the node's clock
	Foreign bool      // it belongs to no cluster of the inventory
}

// Drift is the difference between what the inventory declares of a cluster
// and what a node has on disk.
type Drift struct {
	Changes []DriftFile
	Err     string // why it could not be worked out; "" when it could
}

// DriftFile is one file that is not as declared.
type DriftFile struct {
	Name    string
	Kind    string   // "add" is missing on disk, "change" differs, "delete" is not declared
	Summary []string // what a reload would change, in words
}

// Reading is what one HAProxy node has on disk, which processes run there, and
// what was done to its servers: all that is read of it over SSH.
type Reading struct {
	Conf    source.Observed[NodeConf]
	Workers source.Observed[haproxy.Processes]
	Servers source.Observed[haproxy.ServerStates]
}

// Of is the part of one node.
func (r Readings) Of(h Host) Reading {
	return Reading{Conf: r.Conf[h], Workers: r.Workers[h], Servers: r.Servers[h]}
}

// NotRead is a node that err has kept from being read at a time.
func NotRead(err error, at time.Time) Reading {
	return Reading{Conf: source.Observed[NodeConf]{Err: err, Tried: at}, Workers: source.Observed[haproxy.Processes]{Err: err, Tried: at}, Servers: source.Observed[haproxy.ServerStates]{Err: err, Tried: at}}
}

// slack is how much later than the start of a worker a file must have been
// changed to be called newer: the start is known to the second.
const slack = 2 * time.Second

// Unloaded lists how the files of a cluster on one node differ from what its
// HAProxy runs: in sentences, nil when nothing does. stats is the page of the
// same node; procs may know nothing.
func Unloaded(c *Cluster, conf *NodeConf, stats *haproxy.Stats, procs source.Observed[haproxy.Processes]) []string {
	var out []string
	for _, sec := range conf.Sections {
		if !c.owns(sec.Name) {
			continue
		}
		px := stats.Proxy(sec.Name)
		if px == nil {
			out = append(out, fmt.Sprintf("%s: section %s is on disk but does not run", sec.File, sec.Name))
			continue
		}
		out = append(out, ServerDiffs(&sec, px)...)
	}
	return append(out, NewerFiles(conf, procs, func(file string) bool { return c.owns(strings.TrimSuffix(file, ".cfg")) })...)
}

// NewerFiles lists which of the files that count were changed after HAProxy
// loaded them, in sentences.
func NewerFiles(conf *NodeConf, procs source.Observed[haproxy.Processes], counts func(file string) bool) []string {
	w := procs.Value.Current()
	if !procs.Known() || w == nil || w.Started.IsZero() {
		return nil
	}
	var out []string
	for _, f := range conf.Files {
		if f.Read && counts(f.Name) && f.Changed.After(w.Started.Add(slack)) {
			out = append(out, fmt.Sprintf("%s was changed %s after HAProxy loaded it", f.Name, f.Changed.Sub(w.Started).Round(time.Second)))
		}
	}
	return out
}

// owns reports whether a section is one of the cluster's declared services.
func (c *Cluster) owns(section string) bool {
	for i := range c.LoadBalancers {
		for j := range c.LoadBalancers[i].Services {
			if c.LoadBalancers[i].Services[j].Proxy() == section {
				return true
			}
		}
	}
	return false
}

// ServerDiffs compares the server lines on disk with those that run.
func ServerDiffs(sec *haproxy.ConfSection, px *haproxy.Proxy) []string {
	var out []string
	onDisk := map[string]bool{}
	for _, s := range sec.Servers {
		onDisk[s.Name] = true
		row := px.Server(s.Name)
		switch {
		case row == nil:
			out = append(out, fmt.Sprintf("%s: server %s is on disk but does not run", sec.File, s.Name))
		case row.Backup != s.Backup:
			out = append(out, fmt.Sprintf("%s: server %s: backup is %v on disk and %v in the running configuration", sec.File, s.Name, s.Backup, row.Backup))
		case haproxy.WeightDiffers(s.Weight, row.UserWeight):
			out = append(out, fmt.Sprintf("%s: server %s has weight %s on disk but runs with %d", sec.File, s.Name, s.Weight, row.UserWeight))
		}
	}
	for i := range px.Servers {
		if !onDisk[px.Servers[i].Name] {
			out = append(out, fmt.Sprintf("%s: server %s runs but is not on disk", sec.File, px.Servers[i].Name))
		}
	}
	return out
}

// Wiped lists the services of a load balancer that run though their sections are in no
// file any more: they end with the next reload, restart or crash.
func Wiped(f *LoadBalancer, conf *NodeConf, stats *haproxy.Stats) []string {
	var out []string
	for i := range f.Services {
		name := f.Services[i].Proxy()
		onDisk := slices.ContainsFunc(conf.Sections, func(s haproxy.ConfSection) bool { return s.Name == name })
		if !onDisk && stats.Proxy(name) != nil {
			out = append(out, name)
		}
	}
	return out
}

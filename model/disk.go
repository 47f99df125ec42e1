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
	Sections []haproxy.Section // of all files, in the order HAProxy reads them
	// Drift is how the files differ from the inventory, by cluster.
	Drift map[ClusterName]Drift
}

// ConfFile is one regular file in the directory.
type ConfFile struct {
	Name    string
	Read    bool      // HAProxy reads it: its name ends in .cfg and does not begin with a dot
	Changed time.Time // last change of its content or its place, by the node's clock
	Foreign bool      // no cluster of the inventory owns it
}

// Drift is the difference between what the inventory declares of a cluster
// and what a node has on disk.
type Drift struct {
	Changes []DriftFile
	Err     string // why the difference is unknown; "" when it is known
}

// DriftFile is one file that differs from the inventory.
type DriftFile struct {
	Name    string
	Kind    string   // "add" is missing on disk, "change" differs, "delete" is not declared
	Summary []string // what a reload would change, in words
}

// Reading is all that is read of one HAProxy node over SSH: its files, its
// processes, and the states of its servers.
type Reading struct {
	Conf    source.Observed[NodeConf]
	Workers source.Observed[haproxy.Processes]
	Servers source.Observed[haproxy.ServerStates]
}

// NotRead is the reading of a node that failed with err at a time.
func NotRead(err error, at time.Time) Reading {
	return Reading{Conf: source.Observed[NodeConf]{Err: err, Tried: at}, Workers: source.Observed[haproxy.Processes]{Err: err, Tried: at}, Servers: source.Observed[haproxy.ServerStates]{Err: err, Tried: at}}
}

// slack is how much later than the worker's start a file must have changed to
// count as newer: the start is known to the second.
const slack = 2 * time.Second

// Unloaded lists how the files of a cluster on one node differ from what its
// HAProxy runs: in sentences, nil when they agree. stats is the page of the same
// node; procs may be unknown.
func Unloaded(c *Cluster, conf *NodeConf, stats *haproxy.Stats, procs source.Observed[haproxy.Processes]) []string {
	var out []string
	for i := range conf.Sections {
		if sec := &conf.Sections[i]; c.owns(sec.Name) {
			out = append(out, sec.Differences(stats.Proxy(sec.Name))...)
		}
	}
	return append(out, NewerFiles(conf, procs, func(file string) bool { return c.owns(strings.TrimSuffix(file, ".cfg")) })...)
}

// NewerFiles lists the files that changed after HAProxy loaded them, in
// sentences; counts selects the files.
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

// Wiped lists the services of a HAProxy node that run although no file has their
// section any more: they end with the next reload, restart or crash.
func Wiped(f *LoadBalancer, conf *NodeConf, stats *haproxy.Stats) []string {
	var out []string
	for i := range f.Services {
		name := f.Services[i].Proxy()
		onDisk := slices.ContainsFunc(conf.Sections, func(s haproxy.Section) bool { return s.Name == name })
		if !onDisk && stats.Proxy(name) != nil {
			out = append(out, name)
		}
	}
	return out
}

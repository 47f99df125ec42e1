package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// NodeConf is the directory of service files of one HAProxy node as it is on
// disk, read once.
type NodeConf struct {
	Dir      string
	Missing  bool // there is no such directory
	Files    []ConfFile
	Sections []ConfSection // of all files, in the order HAProxy reads them
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

// ConfSection is one listen section of a service file.
type ConfSection struct {
	File    string
	Name    string
	Binds   []string // "*:5433"
	Servers []ExpectedServer
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
	Conf    Observed[NodeConf]
	Workers Observed[Processes]
	Servers Observed[ServerStates]
}

// NotRead is a node that err has kept from being read at a time.
func NotRead(err error, at time.Time) Reading {
	return Reading{Conf: Observed[NodeConf]{Err: err, Tried: at}, Workers: Observed[Processes]{Err: err, Tried: at}, Servers: Observed[ServerStates]{Err: err, Tried: at}}
}

// Processes are the HAProxy processes of one node.
type Processes struct {
	At     time.Time // when they were listed, by the node's clock
	Socket bool      // the master socket answered
	// Missing says what was not there to ask with: "no master socket", "none of
	// socat, python3, perl and nc"; "" when nothing was missing.
	Missing string
	Failed  int // reloads that failed, as the master counts them
	Workers []Worker
}

// Worker is one HAProxy process that serves connections.
type Worker struct {
	PID     int
	Old     bool      // replaced by a reload; it serves what it still holds and checks nothing
	Started time.Time // by the node's clock
	Version string
	Known   bool // Pins is what it answered
	Err     string
	Pins    []Pin // servers with sessions
	// Oldest is the age of its oldest session; 0 when not told.
	Oldest time.Duration
}

// Pin is how many sessions a worker holds to one server.
type Pin struct {
	Proxy    string
	Server   string
	Sessions int64
}

// Sessions is how many the worker holds to all servers.
func (w *Worker) Sessions() int64 {
	var n int64
	for _, p := range w.Pins {
		n += p.Sessions
	}
	return n
}

// Current is the worker that takes new connections, nil when it is not known.
func (p *Processes) Current() *Worker {
	for i := range p.Workers {
		if !p.Workers[i].Old {
			return &p.Workers[i]
		}
	}
	return nil
}

// slack is how much later than the start of a worker a file must have been
// changed to be called newer: the start is known to the second.
const slack = 2 * time.Second

// Unloaded lists how the files of a cluster on one node differ from what its
// HAProxy runs: in sentences, nil when nothing does. stats is the page of the
// same node; procs may know nothing.
func Unloaded(c *Cluster, conf *NodeConf, stats *HAProxyStats, procs Observed[Processes]) []string {
	var out []string
	for _, sec := range conf.Sections {
		if !c.owns(sec.Name) {
			continue
		}
		px := stats.Proxy(sec.Name)
		if px == nil {
			out = append(out, fmt.Sprintf("%s: section %s is on disk and does not run", sec.File, sec.Name))
			continue
		}
		out = append(out, serverDiffs(&sec, px)...)
	}
	return append(out, newerFiles(conf, procs, func(file string) bool { return c.owns(strings.TrimSuffix(file, ".cfg")) })...)
}

// newerFiles lists which of the files that count were changed after HAProxy
// loaded them, in sentences.
func newerFiles(conf *NodeConf, procs Observed[Processes], counts func(file string) bool) []string {
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
	for i := range c.Fronts {
		for j := range c.Fronts[i].Services {
			if c.Fronts[i].Services[j].Proxy() == section {
				return true
			}
		}
	}
	return false
}

// serverDiffs compares the server lines on disk with those that run.
func serverDiffs(sec *ConfSection, px *Proxy) []string {
	var out []string
	onDisk := map[string]bool{}
	for _, s := range sec.Servers {
		onDisk[s.Name] = true
		row := px.Server(s.Name)
		switch {
		case row == nil:
			out = append(out, fmt.Sprintf("%s: server %s is on disk and does not run", sec.File, s.Name))
		case row.Backup != s.Backup:
			out = append(out, fmt.Sprintf("%s: server %s is backup on disk %v, running %v", sec.File, s.Name, s.Backup, row.Backup))
		case weightDiffers(s.Weight, row.UserWeight):
			out = append(out, fmt.Sprintf("%s: server %s has weight %s on disk and runs with %d", sec.File, s.Name, s.Weight, row.UserWeight))
		}
	}
	for i := range px.Servers {
		if !onDisk[px.Servers[i].Name] {
			out = append(out, fmt.Sprintf("%s: server %s runs and is not on disk", sec.File, px.Servers[i].Name))
		}
	}
	return out
}

// Wiped lists the services of a front that run though their sections are in no
// file any more: they end with the next reload, restart or crash.
func Wiped(f *Front, conf *NodeConf, stats *HAProxyStats) []string {
	var out []string
	for i := range f.Services {
		name := f.Services[i].Proxy()
		onDisk := slices.ContainsFunc(conf.Sections, func(s ConfSection) bool { return s.Name == name })
		if !onDisk && stats.Proxy(name) != nil {
			out = append(out, name)
		}
	}
	return out
}

// Clash is a port that more than one section binds: the kernel splits the
// connections between them.
type Clash struct {
	Port     int
	Sections []ConfSection // in the order HAProxy reads them
}

// Clashes are the ports that several sections bind, by port. Two sections that
// bind one port on different addresses do not clash; "*" is every address.
func Clashes(sections []ConfSection) []Clash {
	type bound struct {
		addr string
		sec  int
	}
	byPort := map[int][]bound{}
	for i, s := range sections {
		for _, b := range s.Binds {
			for _, one := range strings.Split(b, ",") {
				addr, lo, hi, ok := bindPorts(one)
				for p := lo; ok && p <= hi; p++ {
					byPort[p] = append(byPort[p], bound{addr, i})
				}
			}
		}
	}
	var out []Clash
	for port, all := range byPort {
		in := map[int]bool{}
		for i, a := range all {
			for _, b := range all[i+1:] {
				if a.sec != b.sec && (a.addr == b.addr || a.addr == "" || b.addr == "") {
					in[a.sec], in[b.sec] = true, true
				}
			}
		}
		if len(in) == 0 {
			continue
		}
		c := Clash{Port: port}
		for i := range sections {
			if in[i] {
				c.Sections = append(c.Sections, sections[i])
			}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Clash) int { return a.Port - b.Port })
	return out
}

// maxPortRange is the longest port range of one bind that is looked at.
const maxPortRange = 1000

// bindPorts reads an address of a bind line: "*:5433", ":5433",
// "10.0.0.1:5433-5440", "ipv4@*:5433". addr is "" for every address; a path of
// a unix socket or an inherited descriptor is not ok.
func bindPorts(s string) (addr string, lo, hi int, ok bool) {
	if i := strings.IndexByte(s, '@'); i >= 0 {
		if kind := s[:i]; kind != "ipv4" && kind != "ipv6" && kind != "tcp" && kind != "tcp4" && kind != "tcp6" {
			return "", 0, 0, false
		}
		s = s[i+1:]
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasPrefix(s, "/") {
		return "", 0, 0, false
	}
	addr = strings.Trim(s[:i], "[]")
	if addr == "*" || addr == "0.0.0.0" || addr == "::" {
		addr = ""
	}
	first, last, ranged := strings.Cut(s[i+1:], "-")
	lo, err := strconv.Atoi(first)
	if err != nil || lo < 1 || lo > 65535 {
		return "", 0, 0, false
	}
	hi = lo
	if ranged {
		if hi, err = strconv.Atoi(last); err != nil || hi < lo || hi > 65535 {
			return "", 0, 0, false
		}
		hi = min(hi, lo+maxPortRange)
	}
	return addr, lo, hi, true
}

// Pinned are the sessions of old workers to servers of a service that it would
// not give to them now.
type Pinned struct {
	Host     Host
	Worker   Worker
	Service  ServiceName
	Instance InstanceName
	Sessions int64
	Allowed  int  // Patroni's answer to the service's check on that instance
	Refused  bool // Patroni refuses the instance for that service
}

// PinnedSessions lists, for the ghosts of one HAProxy node, the sessions to
// instances that the service does not send new connections to now. An instance
// that is not known is left out: nothing is said of it.
func PinnedSessions(s *Snapshot, b *Board, host Host, now time.Time) []Pinned {
	o := s.Workers[host]
	if !o.Known() {
		return nil
	}
	f := b.Cluster.Front(host)
	if f == nil {
		return nil
	}
	s = s.Screened(b.Cluster)
	var out []Pinned
	for _, w := range o.Value.Workers {
		if !w.Old {
			continue
		}
		for _, p := range w.Pins {
			for i := range f.Services {
				svc := &f.Services[i]
				if svc.Proxy() != p.Proxy || p.Sessions == 0 {
					continue
				}
				name := InstanceName(p.Server)
				x := Pinned{Host: host, Worker: w, Service: svc.Name, Instance: name, Sessions: p.Sessions}
				if c := s.Patroni[name].Checks[svc.Check]; current(c, now) {
					x.Allowed, x.Refused = c.Value, c.Value != 200 && patronis(c.Value)
				}
				if x.Refused || !servedNow(b, host, svc.Name, name) {
					out = append(out, x)
				}
			}
		}
	}
	return out
}

// servedNow reports whether the current worker of the host sends new
// connections of the service to the instance, or is not known.
func servedNow(b *Board, host Host, svc ServiceName, name InstanceName) bool {
	r := b.Route(svc)
	if r == nil {
		return true
	}
	for i := range r.Views {
		v := &r.Views[i]
		if v.HAProxy != host {
			continue
		}
		switch v.Verdict {
		case Unknown, Settling, Missing:
			return true
		}
		return slices.Contains(v.Serving, name)
	}
	return true
}

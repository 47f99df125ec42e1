package access

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
)

// shouldReach names the instances an entry should lead to now; nil when that
// depends on something that is unknown.
func shouldReach(b *board.Board, h EntryHost, p model.EntryPort) []model.InstanceName {
	c := b.Cluster
	switch p.Target {
	case model.TargetInstance:
		switch {
		case h.Instance != "":
			return []model.InstanceName{h.Instance}
		case h.Kind == HostCluster && c.DNS.Target != c.VIP:
			return nil // an address that no failover moves: see reachOf
		case h.Kind == HostExternal:
			return nil // it may lead to any of them
		}
		return leaderOnly(b)
	case model.TargetPrimary:
		return leaderOnly(b)
	}
	svc := c.Service(p.Service)
	if svc == nil {
		return nil
	}
	servers, backup := svc.Servers()
	var regular, backups []model.InstanceName
	for i := range servers {
		if backup[i] {
			backups = append(backups, servers[i].Name)
		} else if servers[i].Name != b.Leader {
			regular = append(regular, servers[i].Name)
		}
	}
	if len(regular) > 0 {
		return regular
	}
	return backups
}

func leaderOnly(b *board.Board) []model.InstanceName {
	if b.Leader == "" {
		return nil
	}
	return []model.InstanceName{b.Leader}
}

// reachOf is where an entry leads at the moment the board was judged: what
// Patroni, HAProxy and the VIP say, and then what trying it found.
func reachOf(s *model.Snapshot, b *board.Board, e *Entry) Reach {
	r := reachBoard(b, e)
	if e.Check.Current(b.Judged) {
		r = checked(r, b, e)
	}
	if o := e.Proven; o.Known() && o.Age(b.Judged) <= model.ProofAge {
		r = provenReach(s, r, b, e)
	}
	for _, err := range []error{e.Check.Err, e.Proven.Err} {
		if err != nil { // the word of the nodes stands, and was not tried
			r.Why = strings.TrimPrefix(r.Why+"; "+err.Error(), "; ")
		}
	}
	return r
}

// reachBoard is where an entry leads by what the nodes report.
func reachBoard(b *board.Board, e *Entry) Reach {
	nodes, why := entryNodes(b, e)
	if len(nodes) == 0 {
		return Reach{Verdict: model.Unknown, Why: why}
	}
	out := Reach{Verdict: model.Serving}
	for i, n := range nodes {
		r := reachNode(b, e, n)
		if i == 0 {
			out = r
			continue
		}
		out = mergeReach(out, r)
	}
	return fits(out, b, e)
}

// entryNodes are the nodes that may take a connection to the entry; none, and
// why, when that is unknown.
func entryNodes(b *board.Board, e *Entry) ([]model.Host, string) {
	c := b.Cluster
	holder := func() ([]model.Host, string) {
		if b.VIP.Holder == "" {
			why := b.VIP.Why
			if why == "" {
				why = "not probed"
			}
			return nil, fmt.Sprintf("the holder of VIP %s is unknown: %s", c.VIP, why)
		}
		return []model.Host{b.VIP.Holder}, ""
	}
	switch {
	case e.On.Node != "":
		return []model.Host{e.On.Node}, ""
	case e.On.Kind == HostVIP:
		return holder()
	}
	leads := e.On.Leads
	if e.On.Kind == HostExternal {
		if e.Port != e.At.Port {
			return nil, "the port is not in the inventory: --prove shows who answers"
		}
		leads = []string{e.Host}
	}
	if e.Check.Current(b.Judged) {
		if got := e.Check.Value.Addrs(); len(got) > 0 && (e.On.Kind == HostCluster || e.On.Kind == HostExternal) {
			leads = got
		}
	}
	var out []model.Host
	for _, addr := range leads {
		if addr == c.VIP {
			hosts, why := holder()
			if why != "" {
				return nil, why
			}
			out = append(out, hosts...)
			continue
		}
		if c.OnHost(model.Host(addr)) == nil && c.LoadBalancer(model.Host(addr)) == nil {
			why := fmt.Sprintf("it leads to %s, which is not a node of %s", addr, c.Name)
			if e.On.Kind == HostExternal {
				why = fmt.Sprintf("%s is not a node of %s: --prove shows who answers", addr, c.Name)
			}
			return nil, why
		}
		out = append(out, model.Host(addr))
	}
	if len(out) == 0 {
		return nil, "the nodes it leads to are unknown"
	}
	slices.Sort(out)
	return slices.Compact(out), ""
}

// reachNode is where a port of one node leads.
func reachNode(b *board.Board, e *Entry, n model.Host) Reach {
	if e.At.Service != "" {
		return reachService(b, e, n)
	}
	r := Reach{Through: n}
	in := b.Cluster.OnHost(n)
	if in == nil {
		r.Verdict, r.Why = model.Missing, fmt.Sprintf("%s has no instance on %s", b.Cluster.Name, n)
		return r
	}
	for i := range b.Members {
		m := &b.Members[i]
		if m.Instance != in.Name {
			continue
		}
		switch {
		case !m.Known:
			r.Verdict, r.Why = model.Unknown, m.Why
		case m.State == board.StateUnknown && m.Port != board.PortShut:
			r.Verdict, r.Why = model.Unknown, fmt.Sprintf("Patroni cannot query %s", m.Instance)
			if m.Port == board.PortOpen {
				r.Verdict, r.Instances, r.Why = model.Serving, []model.InstanceName{in.Name}, fmt.Sprintf("%s; its port accepts connections, but Patroni cannot query it", m.Role)
			}
		case !board.HealthyState(m.State):
			r.Verdict, r.Why = model.Down, fmt.Sprintf("%s is %s", m.Instance, m.State)
		default:
			r.Verdict, r.Instances, r.Why = model.Serving, []model.InstanceName{in.Name}, fmt.Sprintf("%s, %s", m.Role, m.State)
		}
	}
	return r
}

func reachService(b *board.Board, e *Entry, n model.Host) Reach {
	r := Reach{Through: n, Verdict: model.Missing, Why: fmt.Sprintf("HAProxy on %s has no service %s", n, e.At.Service)}
	route := b.Route(e.At.Service)
	if route == nil {
		return r
	}
	for i := range route.Views {
		if v := &route.Views[i]; v.HAProxy == n {
			r.Verdict, r.Why, r.Instances = v.Verdict, v.Why, v.Serving
			if v.Verdict == model.Empty && b.ByDesign(route) {
				r.ByDesign = true
			}
		}
	}
	return r
}

// mergeReach is where one leads or the other: the worse word counts.
func mergeReach(a, b Reach) Reach {
	out := a
	out.Through = ""
	if reachRank(b.Verdict) > reachRank(a.Verdict) {
		out.Verdict, out.Why = b.Verdict, string(b.Through)+": "+b.Why
	}
	for _, n := range b.Instances {
		if !slices.Contains(out.Instances, n) {
			out.Instances = append(slices.Clone(out.Instances), n)
		}
	}
	return out
}

// reachRank orders verdicts of entries from best to worst.
func reachRank(v model.Verdict) int {
	return slices.Index([]model.Verdict{model.Serving, model.BackupServing, model.Settling, model.Unknown, model.Empty, model.Missing, model.Down, model.Mismatch}, v)
}

// fits sets the word to a mismatch where the entry leads to another instance
// than it should.
func fits(r Reach, b *board.Board, e *Entry) Reach {
	if r.Verdict != model.Serving && r.Verdict != model.BackupServing || b.Leader == "" {
		return r
	}
	moved := e.On.Kind == HostVIP || e.On.Kind == HostCluster
	for _, n := range r.Instances {
		if n == b.Leader {
			continue
		}
		if e.At.Target == model.TargetPrimary {
			return wrong(r, fmt.Sprintf("it leads to %s, but the leader is %s: writes fail there", n, b.Leader))
		}
		if e.At.Target == model.TargetInstance && moved {
			return wrong(r, fmt.Sprintf("it leads to %s, but the leader is %s: %s", n, b.Leader, movedWhy(b, e)))
		}
	}
	return r
}

func movedWhy(b *board.Board, e *Entry) string {
	if e.On.Kind == HostCluster && !slices.Contains(e.On.Leads, b.Cluster.VIP) {
		return "the name points to an address that does not follow a failover"
	}
	return "the VIP has not followed the leader"
}

func wrong(r Reach, why string) Reach {
	r.Verdict, r.Why = model.Mismatch, why
	return r
}

// checked is r after what trying the endpoint found.
func checked(r Reach, b *board.Board, e *Entry) Reach {
	c := e.Check.Value
	if c.Disagree != "" {
		return wrong(r, c.Disagree)
	}
	if len(c.Lookups) > 0 && c.Addrs() == nil {
		r.Verdict, r.Instances, r.Why = model.Down, nil, "the name does not resolve: "+c.Lookups[0].Error
		return r
	}
	failed, why := 0, ""
	for _, t := range c.Touches {
		if t.Fault != "" && t.Fault != model.FaultNotTried {
			failed++
			if why == "" {
				why = t.Text
				if !strings.Contains(why, t.Addr) {
					why = t.Addr + ": " + why
				}
			}
		}
	}
	switch {
	case failed == 0 && e.On.Kind == HostExternal && r.Verdict == model.Unknown && len(c.Touches) > 0:
		r.Why = "it answers; " + r.Why
	case failed == 0:
	case failed < len(c.Touches):
		return wrong(r, fmt.Sprintf("%d of its %d addresses do not answer: %s", failed, len(c.Touches), why))
	case e.At.Service != "" && (r.Verdict == model.Empty || r.Verdict == model.Missing):
		// HAProxy has reported it already, and better.
	default:
		r.Verdict, r.Why = model.Down, why
		if len(r.Instances) > 0 && e.At.Service != "" {
			r.Why = fmt.Sprintf("HAProxy reports %s as serving, but the port does not answer: %s", model.Join(r.Instances), why)
		}
		r.Instances = nil
	}
	return r
}

// provenReach is r after real connections.
func provenReach(s *model.Snapshot, r Reach, b *board.Board, e *Entry) Reach {
	p := EntryProven(s, b.Cluster, e)
	answered := p.Total() - p.Failed
	switch {
	case p.Total() == 0:
		return r
	case answered == 0 && (r.Verdict == model.Empty || r.Verdict == model.Missing):
		return r
	case answered == 0:
		r.Verdict, r.Why, r.Instances = model.Down, p.Error, nil
		return r
	}
	if len(p.Instances) > 0 {
		r.Instances = p.Names()
	}
	switch {
	case p.Against != "":
		return wrong(r, p.Against)
	case p.Failed > 0:
		return wrong(r, fmt.Sprintf("%d of %d connections failed: %s", p.Failed, p.Total(), p.Error))
	case len(p.Instances) == 0:
		r.Verdict, r.Why = model.Unknown, p.Note
		return r
	}
	if r.Verdict == model.Unknown || r.Verdict == model.Down || r.Verdict == model.Missing || r.Verdict == model.Empty {
		r.Verdict = model.Serving
	}
	r.Why = "proven: " + provenWords(p)
	return r
}

func provenWords(p *board.Proven) string {
	parts := make([]string, 0, len(p.Instances))
	for _, n := range p.Names() {
		parts = append(parts, fmt.Sprintf("%s ×%d", n, p.Instances[n]))
	}
	return strings.Join(parts, ", ")
}

// EntryProven is what real connections to an entry found, beside what it
// promises; nil when none were made.
func EntryProven(s *model.Snapshot, c *model.Cluster, e *Entry) *board.Proven {
	if !e.Proven.Ever() {
		return nil
	}
	p, strangers := board.Tally(s, c, e.Proven.Value.Tries, e.Proven.At)
	switch {
	case len(strangers) > 0:
		p.Against = "the server that answers belongs to another cluster: " + strangers[0]
	case e.At.Target == model.TargetPrimary && p.Recovery > 0:
		p.Against = fmt.Sprintf("%d of %d connections were answered by a server in recovery: it takes no writes", p.Recovery, p.Total())
	case e.At.Target == model.TargetInstance || e.At.Target == model.TargetPrimary:
		for _, n := range p.Names() {
			if len(e.Should) > 0 && !slices.Contains(e.Should, n) {
				p.Against = fmt.Sprintf("%s answered, but it should be %s", n, model.Join(e.Should))
			}
		}
	default:
		if svc := c.Service(e.At.Service); svc != nil {
			for _, n := range p.Names() {
				if svc.Server(n) == nil {
					p.Against = fmt.Sprintf("%s answered, but the service has no such server", n)
				}
			}
		}
	}
	return p
}

// ClusterNamed is the cluster that a client means by a host name, or nil.
func ClusterNamed(inv *model.Inventory, name string) *model.Cluster {
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		if name != "" && (name == c.DNS.Name || name == string(c.Name) || c.Instance(model.InstanceName(name)) != nil) {
			return c
		}
	}
	return nil
}

// LeadsOf are the addresses that a name of the inventory should resolve to;
// nil when it is not one.
func LeadsOf(inv *model.Inventory, name string) []string {
	c := ClusterNamed(inv, name)
	switch {
	case c == nil:
		return nil
	case c.Instance(model.InstanceName(name)) != nil:
		return []string{string(c.Instance(model.InstanceName(name)).Host)}
	case c.DNS.Target == "":
		return nil
	}
	return []string{c.DNS.Target}
}

// Disagreement says in one sentence where resolvers differ from each other, or
// from where the name should lead; "" when they do not. leads is nil when
// no one says where that is. A system resolver that does not know a name which
// Pigsty's own knows is no disagreement: it may not be set up to query them.
func Disagreement(name string, lookups []Lookup, leads []string) string {
	var first *Lookup
	for i := range lookups {
		l := &lookups[i]
		if l.Error != "" {
			continue
		}
		if len(leads) > 0 && !slices.ContainsFunc(l.Addrs, func(a string) bool { return slices.Contains(leads, a) }) {
			return fmt.Sprintf("%s resolves to %s by %s, but should be %s: a stale or foreign record", name, strings.Join(l.Addrs, ", "), ServerWords(l.Server), strings.Join(leads, ", "))
		}
		if first != nil && !slices.Equal(first.Addrs, l.Addrs) {
			return fmt.Sprintf("%s resolves to %s by %s, but to %s by %s", name, strings.Join(first.Addrs, ", "), ServerWords(first.Server), strings.Join(l.Addrs, ", "), ServerWords(l.Server))
		}
		if first == nil {
			first = l
		}
	}
	return ""
}

// ServerWords is a resolver in a sentence: "the DNS server 10.10.10.10".
func ServerWords(server string) string {
	switch {
	case server == "system":
		return "the system's resolver"
	case strings.HasPrefix(server, LookupConsul):
		return "Consul's health API at " + strings.TrimPrefix(server, LookupConsul)
	}
	return "the DNS server " + server
}

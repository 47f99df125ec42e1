package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// Risk is something a plan could do that its operator may not want. A risk that
// stops a run must be accepted by name.
type Risk struct {
	Name string     // one of RiskNames
	Host model.Host // where; "" is the cluster
	What string     // one sentence
	Try  string     // what to do about it; "" when the operator can only wait
}

// The names of the risks, as --accept-risk takes them; RiskKinds explains them.
const (
	RiskRejected   = "config-rejected"      // HAProxy refuses the new configuration; cannot be accepted
	RiskLastServer = "drops-last-server"    // a service loses its last server
	RiskDisjoint   = "disjoint-servers"     // no server of a service stays
	RiskGone       = "removes-service"      // a service port goes away
	RiskIdle       = "removes-idle-service" // shown only: an unused port goes away
	RiskCollision  = "port-collision"       // two sections would listen on one port
	RiskNoLeader   = "no-leader"            // the cluster has no leader, or no known one
	RiskFailover   = "failover"             // roles are changing now
	RiskPaused     = "paused"               // Patroni is paused: no failover while this runs
	RiskForeign    = "foreign-patroni"      // the Patroni of a member belongs to another cluster, or to an unknown one
	RiskSoon       = "scheduled-soon"       // Patroni will switch over or restart within board.ScheduledSoon, or at a time that cannot be read
	RiskScheduled  = "scheduled"            // shown only: it will later
	RiskDisagree   = "haproxy-disagree"     // HAProxies send one port to different servers
	RiskReopens    = "reopens-frontend"     // a port that was closed by hand on this HAProxy opens again
	RiskSettling   = "settling"             // checks of an earlier reload have not ended
	RiskHandEdited = "hand-edited"          // files changed since the last run of pgtui
	RiskUnloaded   = "unreloaded-edits"     // edits by others that this reload loads too
	RiskEndsDrain  = "ends-drain"           // a server that was taken out by hand comes back
	RiskUnseen     = "unseen"               // a source that the judgement needs could not be read
	RiskStaleRoles = "stale-roles"          // shown only: the inventory's roles are not the live ones
	RiskMisroute   = "misroute-window"      // shown only: new connections may reach the wrong server until the first checks end
	RiskOldWorkers = "old-workers"          // shown only: sessions that stay on the old HAProxy process
	RiskKeepsDrain = "keeps-drain"          // shown only: a server that was taken out by hand stays out
	// RiskDrainUnread is shown only: it is unknown whether a drain ends.
	RiskDrainUnread = "drain-unread"
	RiskGhosts      = "ghosts"           // shown only: old HAProxy processes of earlier reloads
	RiskUnarmed     = "no-boot-recovery" // shown only: after a power cut the node's next run puts the old files back, not its boot

	// The risks of actions, which plan/action makes.
	RiskPatroniRefuses = "patroni-refuses"    // Patroni will refuse it, with the gate and the number
	RiskAsync          = "async-candidate"    // in synchronous mode the candidate is not a synchronous standby
	RiskDataLoss       = "data-loss"          // a failover loses what the candidate has not received
	RiskUnrouted       = "candidate-unrouted" // a HAProxy would not route to the candidate
	RiskPort           = "candidate-port"     // a port of the candidate takes no login
	RiskUnfitRole      = "unfit-role"         // the candidate is declared offline or delayed
	RiskBacklog        = "replay-backlog"     // the candidate must replay before it opens
	RiskArchiver       = "archiver-stuck"     // the leader's shutdown waits for its archive_command
	RiskUnproven       = "candidate-unread"   // a gate of the candidate is unknown
	RiskSessionsCut    = "sessions-cut"       // shown only: sessions that will end
	RiskBlocksFailover = "blocks-failover"    // shown only: a drain in a primary backend
	RiskHiddenUntilUp  = "hidden-until-up"    // shown only: the state of a server that is DOWN does not show
	RiskStartTimeout   = "start-timeout"      // shown only: what primary_start_timeout does to a leader's restart
	RiskTransactions   = "open-transactions"  // shown only: prepared and long transactions on the leader
	RiskNoStandby      = "no-standby"         // shown only: no other member can take over meanwhile
	RiskRestartOrder   = "restart-order"      // shown only: which members must restart first
	RiskSystemSession  = "system-session"     // a session of replication, Patroni, pgbackrest or PostgreSQL itself ends
)

// Stops reports whether the run does not begin unless the name was accepted.
func (r Risk) Stops() bool { return RiskStops(r.Name) }

// Unaccepted are the names of the risks that stop the plan and were not
// accepted, each once, in order. RiskRejected cannot be accepted: the node refuses
// in any case.
func (p Plan) Unaccepted() []string { return Unaccepted(p.Risks, p.Accepted) }

// Unaccepted is Plan.Unaccepted of any risks.
func Unaccepted(risks []Risk, accepted []string) []string {
	var out []string
	for _, r := range risks {
		if r.Stops() && (r.Name == RiskRejected || !slices.Contains(accepted, r.Name)) && !slices.Contains(out, r.Name) {
			out = append(out, r.Name)
		}
	}
	return out
}

// RisksOf are the names of risks, each once.
func RisksOf(risks []Risk) []string {
	var out []string
	for _, r := range risks {
		if !slices.Contains(out, r.Name) {
			out = append(out, r.Name)
		}
	}
	return out
}

// RiskGroup is one risk with all its hosts.
type RiskGroup struct {
	Risk
	Hosts []model.Host // none when it is the cluster's
	Open  bool         // it stops the plan and was not accepted
}

// Where is "10.10.10.11, 10.10.10.12: ", "" for the cluster.
func (g RiskGroup) Where() string {
	if len(g.Hosts) == 0 {
		return ""
	}
	return model.Join(g.Hosts) + ": "
}

// Grouped are the plan's risks, each once with all its hosts.
func (p Plan) Grouped() []RiskGroup { return Grouped(p.Risks, p.Accepted) }

// Grouped is Plan.Grouped of any risks.
func Grouped(risks []Risk, accepted []string) []RiskGroup {
	var out []RiskGroup
	open := Unaccepted(risks, accepted)
	for _, r := range risks {
		i := slices.IndexFunc(out, func(g RiskGroup) bool { return g.Name == r.Name && g.What == r.What })
		if i < 0 {
			i = len(out)
			out = append(out, RiskGroup{Risk: r, Open: slices.Contains(open, r.Name)})
		}
		if r.Host != "" {
			out[i].Hosts = append(out[i].Hosts, r.Host)
		}
	}
	return out
}

// Situation is what the risks of a plan are judged by. What is missing from it is
// unknown, and that is a risk of its own.
type Situation struct {
	Snap  *model.Snapshot
	Board *board.Board // judged, with findings
	// Conf and Workers are what the plan's nodes have on disk and which HAProxy
	// processes run there.
	Conf    map[model.Host]source.Observed[model.NodeConf]
	Workers map[model.Host]source.Observed[haproxy.Processes]
	// Servers is what was done by hand to the servers of those HAProxies.
	Servers map[model.Host]source.Observed[haproxy.ServerStates]
	// Checked is the error of each node's HAProxy about the whole new configuration,
	// nil when it accepts it. A node that is missing was not checked.
	Checked map[model.Host]error
	// Routing is which servers get new connections now, Foreseen which will: by node
	// and section, where known.
	Routing, Foreseen map[model.Host]map[string][]string
	// Edited are the nodes whose files changed since the last recorded run, with that
	// run's plan.
	Edited map[model.Host]string
	// Handed are the nodes whose next worker loads the servers' states, with the
	// file.
	Handed map[model.Host]string
	// Unarmed are the nodes that would not recover at boot, with the reason.
	Unarmed map[model.Host]string
}

// Risks are the risks of a plan, those that stop it first.
func Risks(p *Plan, s *Situation) []Risk {
	var out []Risk
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Err != nil || !n.Changed() && !p.Force {
			continue
		}
		for _, find := range []func(*Node, *Situation) []Risk{rejected, serverSets, collisions, reopened, settlingChecks, handEdited, unloadedOthers, unseen} {
			out = append(out, find(n, s)...)
		}
		out = append(out, misroute(p, n, s)...)
		out = append(out, drains(p, n, s)...)
		out = append(out, oldWorkers(n, s)...)
		if why := s.Unarmed[n.Host]; why != "" {
			out = append(out, Risk{
				Name: RiskUnarmed, Host: n.Host,
				What: "after a power cut during the reload, the next run of pgtui restores the old files, not the boot: " + why,
			})
		}
	}
	for _, r := range ofCluster(p, s) {
		if p.Changed() || p.Force || r.Name == RiskStaleRoles {
			out = append(out, r)
		}
	}
	names := RiskNames()
	slices.SortStableFunc(out, func(a, b Risk) int { return slices.Index(names, a.Name) - slices.Index(names, b.Name) })
	return out
}

func rejected(n *Node, s *Situation) []Risk {
	if err := s.Checked[n.Host]; err != nil {
		return []Risk{{Name: RiskRejected, Host: n.Host, What: err.Error(), Try: cmp.Or(source.TryOf(err), "correct that line, in the inventory where the file is this cluster's, then plan again")}}
	}
	return nil
}

// serverSets compares the servers of each section on disk with those it would
// have, and who gets connections now with who would.
func serverSets(n *Node, s *Situation) []Risk {
	var out []Risk
	add := func(name, format string, args ...any) {
		out = append(out, Risk{Name: name, Host: n.Host, What: fmt.Sprintf(format, args...), Try: "pgtui diff shows the lines, pgtui whatif which servers would serve"})
	}
	for i := range n.Was {
		was := &n.Was[i]
		is := n.become(was.Name)
		var stay int
		if is != nil {
			for _, v := range was.Servers {
				if slices.ContainsFunc(is.Servers, func(w haproxy.ServerLine) bool { return w.Name == v.Name }) {
					stay++
				}
			}
		}
		now, foretold := s.Routing[n.Host][was.Name], s.Foreseen[n.Host][was.Name]
		switch {
		case is == nil:
			name, sessions := s.inUse(n.Host, was.Name)
			add(name, "%s (%s) goes away, with %s: its port closes", was.Name, strings.Join(was.Binds, " "), sessions)
		case len(was.Servers) > 0 && len(is.Servers) == 0:
			add(RiskLastServer, "%s loses its last server: %s now, no server afterwards", was.Name, serverNames(was))
		case len(was.Servers) > 0 && stay == 0:
			add(RiskDisjoint, "%s keeps none of its servers: %s now, %s afterwards", was.Name, serverNames(was), serverNames(is))
		case len(now) > 0 && foretold != nil && len(foretold) == 0:
			add(RiskLastServer, "%s loses the last server that serves: %s now, no server afterwards", was.Name, strings.Join(now, ", "))
		}
	}
	return out
}

// inUse is the risk of removing a section, and how many sessions it has. A section
// whose sessions are unknown counts as used.
func (s *Situation) inUse(h model.Host, section string) (name, sessions string) {
	if s.Snap == nil || !s.Snap.HAProxy[h].Known() {
		return RiskGone, "sessions unknown"
	}
	px := s.Snap.StatsOf(h).Proxy(section)
	switch {
	case px == nil:
		return RiskIdle, "no running section"
	case px.Front.Sessions == 0 && px.Back.Sessions == 0:
		return RiskIdle, "no sessions"
	}
	return RiskGone, fmt.Sprintf("%d sessions", max(px.Front.Sessions, px.Back.Sessions))
}

func serverNames(s *haproxy.Section) string {
	var out []string
	for _, v := range s.Servers {
		out = append(out, v.Name)
	}
	return strings.Join(out, ", ")
}

// collisions are the ports of this cluster's sections that another section binds
// too: HAProxy accepts that, and the kernel splits the connections between them.
func collisions(n *Node, s *Situation) []Risk {
	all := slices.Clone(n.Become)
	for _, sec := range s.Conf[n.Host].Value.Sections {
		if !n.owns(sec.File) {
			all = append(all, sec)
		}
	}
	var out []Risk
	for _, c := range haproxy.Clashes(all) {
		var names []string
		mine := false
		for _, sec := range c.Sections {
			names = append(names, fmt.Sprintf("%s (%s)", sec.Name, sec.File))
			mine = mine || n.owns(sec.File)
		}
		if mine {
			out = append(out, Risk{
				Name: RiskCollision, Host: n.Host,
				What: fmt.Sprintf("%s would all bind port %d, and each would get some of its connections", strings.Join(names, " and "), c.Port),
				Try:  "give one of the services another src_port",
			})
		}
	}
	return out
}

// owns reports whether the file is one of the cluster's, now or after the plan.
func (n *Node) owns(file string) bool {
	_, had := n.Have[file]
	_, wants := n.Want[file]
	return had || wants
}

// reopened are the frontends of the HAProxy, also those of other clusters, that
// were closed by hand: a new worker opens them all.
func reopened(n *Node, s *Situation) []Risk {
	if s.Snap == nil {
		return nil
	}
	var out []Risk
	stats := s.Snap.StatsOf(n.Host)
	for i := range stats.Proxies {
		px := &stats.Proxies[i]
		if px.Front.Status != "PAUSED" && px.Front.Status != "STOP" {
			continue
		}
		out = append(out, Risk{Name: RiskReopens, Host: n.Host,
			What: fmt.Sprintf("the frontend of %s is %s by hand: the reload opens its port again", px.Name, px.Front.Status),
			Try:  "find out who closed it and why first"})
	}
	return out
}

func settlingChecks(n *Node, s *Situation) []Risk {
	if s.Snap == nil {
		return nil
	}
	server := unsettled(n.Was, s.Snap.StatsOf(n.Host))
	if server == "" {
		return nil
	}
	return []Risk{{Name: RiskSettling, Host: n.Host, What: fmt.Sprintf("no check of %s has ended since HAProxy was last loaded", server), Try: "wait some seconds, then plan again"}}
}

func handEdited(n *Node, s *Situation) []Risk {
	plan, ok := s.Edited[n.Host]
	if !ok {
		return nil
	}
	return []Risk{{
		Name: RiskHandEdited, Host: n.Host, What: "the cluster's files were changed outside pgtui since plan " + plan,
		Try: "pgtui diff shows what this overwrites; pgtui history shows who ran what",
	}}
}

// unloadedOthers are edits of other sections in the directory that are not
// loaded: any reload of this HAProxy loads them.
func unloadedOthers(n *Node, s *Situation) []Risk {
	conf, procs := s.Conf[n.Host], s.Workers[n.Host]
	if !conf.Known() || s.Snap == nil || !s.Snap.HAProxy[n.Host].Known() {
		return nil
	}
	stats := s.Snap.StatsOf(n.Host)
	var what []string
	for i := range conf.Value.Sections {
		sec := &conf.Value.Sections[i]
		if n.owns(sec.File) || sec.File == "haproxy.cfg" {
			continue
		}
		what = append(what, sec.Differences(stats.Proxy(sec.Name))...)
	}
	what = append(what, model.NewerFiles(&conf.Value, procs, func(file string) bool { return !n.owns(file) })...)
	if len(what) == 0 {
		return nil
	}
	return []Risk{{
		Name: RiskUnloaded, Host: n.Host, What: "this reload also loads edits by others that are not loaded yet: " + first(what, 3),
		Try: "find out who edited it; pgtui doctor names the cluster",
	}}
}

// first lists at most n of what.
func first(what []string, n int) string {
	if len(what) > n {
		return fmt.Sprintf("%s, and %d more", strings.Join(what[:n], "; "), len(what)-n)
	}
	return strings.Join(what, "; ")
}

// unseen is what could not be read.
func unseen(n *Node, s *Situation) []Risk {
	var what []string
	if s.Snap == nil || !s.Snap.HAProxy[n.Host].Known() {
		what = append(what, "its stats page"+whyNot(s, n.Host))
	}
	if o := s.Conf[n.Host]; !o.Known() {
		what = append(what, "the other files in its directory"+source.Because(o.Err))
	}
	if len(what) == 0 {
		return nil
	}
	return []Risk{{Name: RiskUnseen, Host: n.Host, What: "could not be read: " + strings.Join(what, "; ")}}
}

func whyNot(s *Situation, h model.Host) string {
	if s.Snap == nil {
		return ""
	}
	return source.Because(s.Snap.HAProxy[h].Err)
}

// misroute is the window in which a plain reload may send new connections to the
// wrong server: the new worker takes every server as up until its first check.
func misroute(p *Plan, n *Node, s *Situation) []Risk {
	var sections []string
	for _, sec := range n.Become {
		if now, ok := s.Routing[n.Host][sec.Name]; ok && len(now) < len(sec.Servers) {
			sections = append(sections, sec.Name)
		}
	}
	if len(sections) == 0 || s.Handed[n.Host] != "" {
		return nil
	}
	return []Risk{{
		Name: RiskMisroute, Host: n.Host,
		What: "until the first checks end (0.2 to 1 s), new connections to " + first(sections, 4) + " may reach a server with the wrong role",
		Try:  "pgtui states " + string(p.Cluster) + " --enable prevents it: two lines in haproxy.cfg",
	}}
}

func oldWorkers(n *Node, s *Situation) []Risk {
	var out []Risk
	if s.Snap != nil {
		var all, own int64
		stats := s.Snap.StatsOf(n.Host)
		for i := range stats.Proxies {
			px := &stats.Proxies[i]
			for j := range px.Servers {
				all += px.Servers[j].Sessions
				if slices.ContainsFunc(n.Was, func(w haproxy.Section) bool { return w.Name == px.Name }) {
					own += px.Servers[j].Sessions
				}
			}
		}
		if all > 0 {
			out = append(out, Risk{Name: RiskOldWorkers, Host: n.Host,
				What: fmt.Sprintf("%d sessions, %d of them of this cluster, stay on the old HAProxy process and will not follow a failover", all, own)})
		}
	}
	var pids []string
	for i := range s.Workers[n.Host].Value.Workers {
		if w := &s.Workers[n.Host].Value.Workers[i]; w.Old {
			pids = append(pids, fmt.Sprintf("%d with %d sessions", w.PID, w.Sessions()))
		}
	}
	if len(pids) > 0 {
		out = append(out, Risk{Name: RiskGhosts, Host: n.Host, What: "old HAProxy processes of earlier reloads still run: " + first(pids, 4)})
	}
	return out
}

// ofCluster are the risks of the state of the cluster.
func ofCluster(p *Plan, s *Situation) []Risk {
	b := s.Board
	if b == nil {
		return []Risk{{Name: RiskUnseen, What: "the state of the cluster is unknown"}}
	}
	var out []Risk
	switch {
	case b.LeaderUnsure:
		out = append(out, LeaderUnsure(p.Cluster))
	case b.Leader == "":
		out = append(out, Risk{Name: RiskNoLeader, What: string(p.Cluster) + " has no known leader", Try: "pgtui doctor " + string(p.Cluster)})
	default:
		for _, m := range b.Members {
			if board.Changing(m.State) {
				out = append(out, Risk{Name: RiskFailover, What: string(m.Instance) + " is " + m.State, Try: "wait until it is running, then plan again"})
			}
		}
	}
	out = append(out, scheduled(b, p)...)
	if b.Paused {
		out = append(out, Risk{Name: RiskPaused, What: "Patroni is paused: if the leader fails meanwhile, no replica takes over", Try: "find out who paused it; when it is over: pgtui resume " + string(p.Cluster)})
	}
	for _, f := range b.Findings {
		switch f.Code {
		case "haproxy-disagree":
			out = append(out, Risk{Name: RiskDisagree, Host: f.Host, What: f.Summary, Try: f.Hint})
		case "two-primaries":
			out = append(out, Risk{Name: RiskFailover, Host: f.Host, What: f.Summary, Try: f.Hint})
		case "foreign-patroni":
			out = append(out, Risk{Name: RiskForeign, Host: f.Host, What: f.Summary, Try: f.Hint})
		case "stale-roles":
			out = append(out, Risk{Name: RiskStaleRoles, What: f.Summary, Try: "pgtui roles " + string(p.Cluster) + " --edit first, or reload --live-roles"})
		}
	}
	return out
}

// LeaderUnsure is the risk of a cluster whose leader key is changing hands.
func LeaderUnsure(c model.ClusterName) Risk {
	return Risk{Name: RiskFailover, What: "the leader key is changing hands now", Try: "pgtui wait " + string(c) + " until the leader serves"}
}

// scheduled are the switchover and the restarts that Patroni has scheduled.
func scheduled(b *board.Board, p *Plan) []Risk {
	var out []Risk
	add := func(what, at, back string) {
		r := Risk{Name: RiskScheduled, What: what + " is scheduled at " + at, Try: "pgtui patroni flush " + back + " cancels it"}
		if board.Soon(at, b.Judged) {
			r.Name = RiskSoon
		}
		out = append(out, r)
	}
	if b.Switch.At != "" {
		add("a switchover"+b.Switch.Who(), b.Switch.At, string(p.Cluster)+" switchover")
	}
	for i := range b.Members {
		if m := &b.Members[i]; m.Restart != "" {
			add("a restart of "+string(m.Instance), m.Restart, fmt.Sprintf("%s restart %s", p.Cluster, m.Instance))
		}
	}
	return out
}

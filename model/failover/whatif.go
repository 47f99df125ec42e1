package failover

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// Supposition is a change on paper: members or whole nodes that are gone, and
// who leads then.
type Supposition struct {
	Down   []model.InstanceName // PostgreSQL and Patroni are gone, the node is not
	Nodes  []model.Host         // with all that runs there: instances, HAProxy, etcd, the VIP
	Leader model.InstanceName   // "" leaves it to Patroni's rules
}

// Check is what is wrong with a supposition about a cluster: an instance that it
// lacks, or one that leads and is gone; nil when nothing is.
func (sup Supposition) Check(c *model.Cluster) error {
	for _, n := range append(slices.Clone(sup.Down), sup.Leader) {
		if n == "" {
			continue
		}
		if _, err := c.InstanceNamed(n); err != nil {
			return err
		}
	}
	if sup.Leader != "" && slices.Contains(sup.down(c), sup.Leader) {
		return &source.Hint{Err: fmt.Errorf("%s cannot lead and be down", sup.Leader), Try: "--leader of another instance", Usage: true}
	}
	return nil
}

// down are all instances that are gone, those on lost nodes among them.
func (sup Supposition) down(c *model.Cluster) []model.InstanceName {
	out := slices.Clone(sup.Down)
	for i := range c.Instances {
		if in := &c.Instances[i]; slices.Contains(sup.Nodes, in.Host) && !slices.Contains(out, in.Name) {
			out = append(out, in.Name)
		}
	}
	return out
}

// Outcome is what a supposition would do to a cluster.
type Outcome struct {
	Leader model.InstanceName // who leads then; "" when no member can, or when it is unknown
	Why    string             // why that one
	// Unsure is set when Leader is "" because it is unknown who leads now.
	Unsure bool
	Down   []model.InstanceName // all that are gone, those on lost nodes among them
	// Reasons are one sentence each: why another member does not take over, what
	// makes the outage longer, what else is lost.
	Reasons    []string
	Candidates []Candidate // every member that is left and does not lead now
	Rules      Rules       // what Patroni decides by, with their source
	// NodeLoss is what differs when the nodes of Down are lost as a whole; nil
	// when nothing does.
	NodeLoss *NodeLoss
	Before   board.Board
	After    board.Board
	// Cut is how many sessions HAProxy would end, by service: it closes the
	// sessions of a server that its checks take down.
	Cut map[model.ServiceName]int64
	// Held are the instances whose check passes then and that get no new
	// connections, because HAProxy has them in drain or maint.
	Held []board.Held
	// Unread are the HAProxies where that is unknown.
	Unread []board.StatesUnread
}

// NodeLoss is the loss of whole nodes beside that of the instances on them.
type NodeLoss struct {
	Nodes  []model.Host
	Leader model.InstanceName // who leads then; "" when no member can
	Why    string
}

// WhatIf judges the cluster as it would be: from HAProxy's live configuration
// and state, by the same rules as the real answer, and with the leader that
// Patroni's rules choose. What is taken out by hand stays out; what is unknown
// stays unknown. An error names a member that does not exist or cannot lead.
func WhatIf(s *model.Snapshot, c *model.Cluster, sup Supposition, now time.Time) (Outcome, error) {
	if err := sup.Check(c); err != nil {
		return Outcome{}, err
	}
	s = s.Screened(c)
	down := sup.down(c)
	out := Outcome{Before: board.Of(s, c, now), Down: down, Cut: map[model.ServiceName]int64{}}
	if m := out.Before.Member(sup.Leader); m != nil && m.Foreign != nil {
		return Outcome{}, fmt.Errorf("%s cannot lead: %s", sup.Leader, m.Foreign.Why)
	}
	out.Rules = RulesOf(s, &out.Before)
	f := fall{s: s, b: &out.Before, rules: out.Rules, down: down, nodes: sup.Nodes, now: now}
	f.decide(&out, sup.Leader)
	if len(sup.Nodes) == 0 {
		out.nodeLoss(f, sup)
	}
	then := f.suppose(&out)
	out.After = f.board(then)
	out.Held, out.Unread = board.HeldThen(&out.After), board.UnreadStates(s, c)
	out.reckon()
	return out, nil
}

// reckon counts the sessions that are cut.
func (out *Outcome) reckon() {
	for i := range out.Before.Routes {
		was := &out.Before.Routes[i]
		will := out.After.Route(was.Service)
		for j := range was.Views {
			v := &was.Views[j]
			k := slices.IndexFunc(will.Views, func(w board.View) bool { return w.HAProxy == v.HAProxy })
			for n, cell := range v.Cells {
				lost := k < 0 || n < len(will.Views[k].Cells) && cell.Share > 0 && taken(will.Views[k].Cells[n].Verdict)
				if lost {
					out.Cut[was.Service] += cell.Sessions
				}
			}
		}
	}
}

// taken reports whether a server with that verdict has lost its sessions.
func taken(v model.Verdict) bool { return v == model.Down || v == model.Refused }

// fall is one supposition with what decides it.
type fall struct {
	s     *model.Snapshot
	b     *board.Board // now
	rules Rules
	down  []model.InstanceName
	nodes []model.Host // lost as a whole
	now   time.Time
	// noDCS is set when the DCS is lost with the nodes.
	noDCS bool
	unled bool // it is unknown who leads now
}

// decide fills in who leads then and why.
func (f *fall) decide(out *Outcome, leader model.InstanceName) {
	b := f.b
	var etcd string
	f.noDCS, etcd = etcdLoss(f.s, b.Cluster, f.nodes)
	if etcd != "" {
		out.Reasons = append(out.Reasons, etcd)
	}
	r := newRace(f.s, b, f.rules, f.down, f.now)
	stays := b.Leader != "" && !slices.Contains(f.down, b.Leader)
	switch {
	case leader != "":
		out.Leader, out.Why = leader, "as requested"
		out.Reasons = append(out.Reasons, f.refusal(r, leader)...)
	case f.noDCS:
		out.Leader, out.Why = f.withoutDCS(stays)
	case stays:
		out.Leader, out.Why = b.Leader, "it leads now and stays"
	case f.unknownLeader():
		f.unled, out.Unsure = true, true
		out.Why = "the current leader is unknown: " + cmp.Or(board.Silent(b), "no Patroni reports who holds the leader key")
	case b.Paused:
		out.Why = "the cluster is paused: Patroni will not fail over"
		out.Reasons = append(out.Reasons, "While paused, only a failover to a named member works: pgtui failover "+string(b.Cluster.Name)+" --candidate <instance>.")
	default:
		out.Leader, out.Why = r.winner()
		if out.Leader != "" && f.rules.Standby {
			out.Why += "; as the leader of a standby cluster it follows the other cluster and takes no writes"
		}
	}
	for _, x := range r.all {
		if out.Leader != "" && !stays && leader == "" && x.Why != "" {
			out.Reasons = append(out.Reasons, x.sentence())
		}
	}
	if x := r.runner(out.Leader); x != nil {
		out.Reasons = append(out.Reasons, f.delays(x)...)
	}
	out.Reasons = append(out.Reasons, f.syncReasons(out.Leader)...)
	out.Reasons = append(out.Reasons, f.lost(out.Leader)...)
	out.Candidates = r.candidates()
}

// sentence is why a member does not take over.
func (x *runner) sentence() string {
	if !x.m.Known {
		return fmt.Sprintf("Could not determine whether %s can lead: %s.", x.Instance, x.m.Why)
	}
	return fmt.Sprintf("%s does not lead: it %s.", x.Instance, x.Why)
}

// unknownLeader reports whether a member that is left may lead without reporting
// it.
func (f *fall) unknownLeader() bool {
	if f.b.LeaderUnsure {
		return true
	}
	if _, known := board.FreshestDCS(f.s, f.b.Cluster, f.now); known || f.b.Leader != "" {
		return false
	}
	return slices.ContainsFunc(f.b.Members, func(m board.Member) bool { return !m.Known && !slices.Contains(f.down, m.Instance) })
}

// withoutDCS is who leads when etcd is lost, and why: patroni/ha.py,
// Ha._handle_dcs_error. stays is whether the leader itself is left.
func (f *fall) withoutDCS(stays bool) (model.InstanceName, string) {
	b := f.b
	if !stays {
		return "", "no member takes over without the DCS"
	}
	if b.Paused {
		return b.Leader, "the cluster is paused: its primary stays primary without the DCS"
	}
	demotes := string(b.Leader) + " demotes itself without the DCS, and no member takes over"
	if f.rules.Standby {
		return "", "the leader of a standby cluster cannot keep its key without the DCS, and no member takes over"
	}
	if !f.rules.Failsafe {
		return "", demotes + ": failsafe_mode is off"
	}
	var gone []model.InstanceName
	for i := range b.Members {
		if m := &b.Members[i]; m.Instance != b.Leader && (slices.Contains(f.down, m.Instance) || !m.Known) {
			gone = append(gone, m.Instance)
		}
	}
	if len(gone) > 0 {
		return "", demotes + ": failsafe_mode keeps a primary only while every member answers it, and " + model.Join(gone) + " does not"
	}
	return b.Leader, "it leads now, and failsafe_mode keeps it primary without the DCS while every member answers it"
}

// etcdLoss reports whether etcd loses its majority with the nodes, by the
// inventory's members, and says how it stands then; "" when none is on them. A
// member that takes no connections now is named, and not counted as lost: that
// it does not answer from here proves little.
func etcdLoss(s *model.Snapshot, c *model.Cluster, nodes []model.Host) (lost bool, why string) {
	left := 0
	var silent []string
	for _, e := range c.Etcd {
		if slices.Contains(nodes, model.Host(e.Host)) {
			continue
		}
		left++
		if o := s.Rules[c.Name].Etcd[model.Host(e.Host)]; o.Known() && o.Value != "" {
			silent = append(silent, e.Host)
		}
	}
	n := len(c.Etcd)
	majority := n/2 + 1
	switch {
	case left == n:
		return false, ""
	case n == 1:
		return true, "The only etcd is on the lost node: the DCS is gone."
	case left < majority:
		return true, fmt.Sprintf("etcd loses its majority: %d of %d members are left. The DCS is gone.", left, n)
	case len(silent) > 0 && left-len(silent) < majority:
		return false, fmt.Sprintf("etcd keeps its majority with %d of %d members, and %s accepts no connections now: if it is down too, the DCS is gone.", left, n, strings.Join(silent, ", "))
	}
	return false, fmt.Sprintf("etcd keeps its majority: %d of %d members are left.", left, n)
}

// nodeLoss fills in what the loss of the whole nodes would change: who leads.
func (out *Outcome) nodeLoss(f fall, sup Supposition) {
	for i := range f.b.Cluster.Instances {
		if in := &f.b.Cluster.Instances[i]; slices.Contains(f.down, in.Name) && !slices.Contains(f.nodes, in.Host) {
			f.nodes = append(f.nodes, in.Host)
		}
	}
	lost, why := etcdLoss(f.s, f.b.Cluster, f.nodes)
	if !lost || len(f.nodes) == 0 {
		return
	}
	then := Outcome{}
	f.decide(&then, "")
	if then.Leader == out.Leader {
		return
	}
	out.NodeLoss = &NodeLoss{Nodes: f.nodes, Leader: then.Leader, Why: why + " " + upper(then.Why)}
}

// upper begins a sentence, except for the name of an instance.
func upper(s string) string {
	if s == "" || strings.Contains(strings.SplitN(s, " ", 2)[0], "-") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// refusal is why Patroni would refuse a switchover to name now, one sentence
// each: patroni/api.py, is_failover_possible, and ha.py, Ha.is_failover_possible.
func (f *fall) refusal(r *race, name model.InstanceName) []string {
	x := r.runner(name)
	if x == nil || x.Why == "" || x.primary {
		return nil
	}
	return []string{fmt.Sprintf("Patroni refuses a switchover to %s now: it %s.", name, x.Why)}
}

// worth is the backlog, bytes, from which it is worth a sentence.
const worth = 1 << 20

// delays is what makes the outage longer when x takes over.
func (f *fall) delays(x *runner) []string {
	var out []string
	if x.Backlog >= worth {
		text := fmt.Sprintf("%s has received %s that it has not replayed: it replays them before it opens, which prolongs the outage", x.Instance, text.Bytes(x.Backlog))
		if at := time.Unix(x.st.ReplayedAt, 0); x.st.ReplayedAt > 0 && f.now.After(at) {
			text += fmt.Sprintf("; it has replayed up to %s ago", f.now.Sub(at).Round(time.Second))
		}
		out = append(out, text+".")
	}
	if x.st.ReplayPaused {
		out = append(out, fmt.Sprintf("The replay of %s is paused (pg_wal_replay_pause): a promotion ends the pause.", x.Instance))
	}
	switch x.m.Declared {
	case model.RoleDelayed:
		out = append(out, fmt.Sprintf("%s is a delayed instance but can be promoted: it first replays everything it holds back, which prolongs the outage.", x.Instance))
	case model.RoleOffline:
		out = append(out, fmt.Sprintf("%s is an offline instance but can be promoted: it then takes the writes, and the offline service loses it.", x.Instance))
	}
	return out
}

// syncReasons say what becomes of synchronous replication.
func (f *fall) syncReasons(leader model.InstanceName) []string {
	if !f.rules.Sync || leader == "" {
		return nil
	}
	will := syncThen(f.s, f.b, f.rules, f.down, leader, f.now)
	var was, then []model.InstanceName
	for i := range f.b.Members {
		m := &f.b.Members[i]
		if sync, quorum := listedIn(f.s, f.b, m); sync || quorum {
			was = append(was, m.Instance)
		}
		if will[m.Instance] {
			then = append(then, m.Instance)
		}
	}
	switch {
	case len(then) == 0 && f.rules.Strict:
		return []string{"No synchronous standby is left: with synchronous_mode_strict every commit waits until there is one."}
	case len(then) == 0:
		return []string{"No synchronous standby is left: commits are asynchronous until there is one."}
	case !slices.Equal(was, then):
		return []string{fmt.Sprintf("The synchronous standby is then %s.", model.Join(then))}
	}
	return nil
}

// lost is what else goes with the nodes.
func (f *fall) lost(leader model.InstanceName) []string {
	var out []string
	var fronts []string
	for i := range f.b.Cluster.LoadBalancers {
		if h := f.b.Cluster.LoadBalancers[i].Host; slices.Contains(f.nodes, h) {
			fronts = append(fronts, string(h))
		}
	}
	if len(fronts) > 0 {
		out = append(out, "HAProxy on "+strings.Join(fronts, ", ")+" is lost too: clients that connect there get no answer.")
	}
	if v := &f.b.VIP; v.Address != "" && v.Holder != "" && slices.Contains(f.nodes, v.Holder) {
		in := f.b.Cluster.Instance(leader)
		if in != nil && !f.noDCS {
			out = append(out, fmt.Sprintf("The VIP %s is on a lost node: vip-manager brings it up on %s, where %s leads.", v.Address, in.Host, leader))
		} else {
			out = append(out, fmt.Sprintf("The VIP %s is on a lost node, and no node takes it over.", v.Address))
		}
	}
	return out
}

// board judges the supposed snapshot. HAProxies on lost nodes do not count; a
// service that has none left is without a server.
func (f *fall) board(then *model.Snapshot) board.Board {
	if len(f.nodes) == 0 {
		return board.Of(then, f.b.Cluster, f.now)
	}
	c := *f.b.Cluster
	c.LoadBalancers = slices.DeleteFunc(slices.Clone(c.LoadBalancers), func(x model.LoadBalancer) bool { return slices.Contains(f.nodes, x.Host) })
	after := board.Of(then, &c, f.now)
	routes := make([]board.Route, 0, len(f.b.Routes))
	for i := range f.b.Routes {
		was := &f.b.Routes[i]
		r := after.Route(was.Service)
		if r == nil {
			r = &board.Route{Service: was.Service, Port: was.Port, Serving: []model.InstanceName{}, Agreed: true, Verdict: model.Empty,
				Why: "every HAProxy of the service is on a lost node"}
		}
		routes = append(routes, *r)
	}
	after.Cluster, after.Routes = f.b.Cluster, routes
	return after
}

// suppose is the snapshot as it would be when the checks have settled.
func (f *fall) suppose(out *Outcome) *model.Snapshot {
	s, c, leader := f.s, f.b.Cluster, out.Leader
	then := *s
	then.Patroni, then.HAProxy = maps.Clone(s.Patroni), maps.Clone(s.HAProxy)
	sync := syncThen(s, f.b, f.rules, f.down, leader, f.now)
	facts := map[model.InstanceName]turn{}
	for i := range c.Instances {
		name := c.Instances[i].Name
		v := s.Patroni[name]
		known := v.Status.Current(f.now)
		var t turn
		switch {
		case slices.Contains(f.down, name):
			if known {
				t.was = f.factsNow(name)
			}
		case !known && (name != leader || name == f.b.Leader), f.unled:
			continue // unknown: as HAProxy sees it
		default:
			if known {
				t.was = f.factsNow(name)
			}
			t.will = f.factsThen(name, leader, sync)
		}
		facts[name] = t
		then.Patroni[name] = supposeView(v, t, f.now)
	}
	for i := range c.LoadBalancers {
		host := c.LoadBalancers[i].Host
		o := s.HAProxy[host]
		if !o.Ever() {
			continue
		}
		o.Value = board.Kept(o.Value, f.stats(o.Value, &c.LoadBalancers[i], facts), f.s.Servers[host])
		then.HAProxy[host] = o
	}
	return &then
}

// turn is what a member's health checks are decided on, now and then. was is
// nil when it is unknown, will is nil when the member is gone.
type turn struct{ was, will *model.HealthFacts }

// same reports whether a check answers then as it does now.
func (t turn) same(check string) bool {
	return t.was != nil && t.will != nil && t.was.Code(check) == t.will.Code(check)
}

// factsNow is what a member's checks are decided on now.
func (f *fall) factsNow(name model.InstanceName) *model.HealthFacts {
	st := f.s.Patroni[name].Status.Value
	out := &model.HealthFacts{Lock: name == f.b.Leader, DCS: true, Paused: f.b.Paused, Standby: f.rules.Standby, Role: st.Role,
		Running: st.State == "running", NoLB: st.NoLB(), Sync: st.SyncStandby, Quorum: st.QuorumStandby,
		Tags: st.Tags, Replayed: st.Replayed, Replication: st.ReplicationState,
		QuorumPaths: st.Generation(4, 0, 0), StatePaths: st.Version != "" && st.Generation(4, 2, 0)}
	out.LeaderLSN = f.position(f.b.Leader, st.Replayed)
	return out
}

// position is how much WAL the leader has, for a check with lag=; 0, which
// Patroni does not compare with, when either is unknown.
func (f *fall) position(leader model.InstanceName, replayed int64) int64 {
	if leader == "" || replayed < 0 {
		return 0
	}
	st := f.s.Patroni[leader].Status.Value
	return max(0, st.Position())
}

// factsThen is what a member's checks are decided on then.
func (f *fall) factsThen(name, leader model.InstanceName, sync map[model.InstanceName]bool) *model.HealthFacts {
	st := f.s.Patroni[name].Status.Value
	out := f.factsNow(name)
	leads := name == leader
	out.Lock, out.DCS = leads, !f.noDCS
	out.Sync, out.Quorum = sync[name] && !f.rules.Quorum, sync[name] && f.rules.Quorum
	switch {
	case leads && f.rules.Standby:
		out.Role = "standby_leader"
	case leads:
		out.Role = "primary"
	default:
		if out.Role == "primary" || out.Role == "standby_leader" { // it follows then, and has all that it wrote
			out.Replayed = st.Position()
		}
		out.Role = "replica"
	}
	if leads && name != f.b.Leader {
		out.Running = true
	}
	if leader != "" {
		out.LeaderLSN = f.position(leader, out.Replayed)
	}
	if f.noDCS {
		out.LeaderLSN = 0
	}
	return out
}

// supposeView is one member's answers then. A check that answers then as now is
// left as it was answered.
func supposeView(v model.PatroniView, t turn, now time.Time) model.PatroniView {
	out := model.PatroniView{Status: v.Status, Checks: map[string]source.Observed[int]{}}
	if t.will == nil {
		out.Status = source.Observed[model.PatroniStatus]{Err: errors.New("down in this simulation"), Tried: now}
		return out
	}
	out.Ports = v.Ports
	st := &out.Status.Value
	if t.was == nil || t.was.Role != t.will.Role {
		at := st.Position()
		st.Location, st.Received, st.Replayed = at, -1, -1
		if t.will.Role == "replica" {
			st.Location, st.Received, st.Replayed = -1, at, at
		}
		st.Role = t.will.Role
	}
	st.SyncStandby, st.QuorumStandby = t.will.Sync, t.will.Quorum
	for path, o := range v.Checks {
		if !t.same(path) || !o.Current(now) {
			o = source.Observed[int]{Value: t.will.Code(path), At: now, Tried: now}
		}
		out.Checks[path] = o
	}
	return out
}

// stats lets one HAProxy's checks answer as the states say. Servers of other
// clusters stay as they are.
func (f *fall) stats(h haproxy.Stats, front *model.LoadBalancer, facts map[model.InstanceName]turn) haproxy.Stats {
	out := h
	out.Proxies = slices.Clone(h.Proxies)
	for i := range out.Proxies {
		px := &out.Proxies[i]
		var svc *model.Service
		for j := range front.Services {
			if front.Services[j].Proxy() == px.Name {
				svc = &front.Services[j]
			}
		}
		if svc == nil {
			continue
		}
		px.Servers = slices.Clone(px.Servers)
		for k := range px.Servers {
			row := &px.Servers[k]
			if t, ok := facts[model.InstanceName(row.Name)]; ok {
				*row = f.serverThen(*row, front.Host, svc, t)
			}
		}
	}
	return out
}

// serverThen is one server of one service on the HAProxy of host when its check
// has settled: the one place where that is decided. What is taken out by hand, or
// not checked, stays; so does a server whose check answers then as now, whatever
// HAProxy makes of it, and one that this HAProxy cannot reach though pgtui can.
func (f *fall) serverThen(row haproxy.ServerRow, _ model.Host, svc *model.Service, t turn) haproxy.ServerRow {
	if row.Status == "no check" || strings.HasPrefix(row.Status, "MAINT") {
		return row
	}
	code := 0
	if t.will != nil {
		code = t.will.Code(svc.Check)
		settled := row.CheckStatus != "" && row.CheckStatus != "INI" && !strings.Contains(row.Status, "/")
		if t.was != nil && (haproxy.Unanswered(row.Status, row.CheckStatus) || settled && t.same(svc.Check)) {
			return row
		}
	}
	row.CheckCode, row.CheckDesc = code, ""
	switch code {
	case 200:
		row.CheckStatus = "L7OK"
		if !strings.HasPrefix(row.Status, "DRAIN") && !strings.HasPrefix(row.Status, "NOLB") {
			row.Status = "UP"
			row.Weight = weightUp(&row)
		}
	case 0:
		row.Status, row.CheckStatus = "DOWN", "L4CON"
	default:
		row.Status, row.CheckStatus = "DOWN", "L7STS"
	}
	return row
}

// weightUp is the weight a server has once it is up and past its slowstart.
func weightUp(row *haproxy.ServerRow) int {
	if row.UserWeight >= 0 {
		return row.UserWeight
	}
	return max(row.Weight, 1)
}

package board

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/source"
	"pgtui/source/refs"
)

// Of judges one cluster at now: members, leader, one route for each
// service, and the health of the whole. Findings are left empty: they are
// model/check's.
func Of(s *model.Snapshot, c *model.Cluster, now time.Time) Board {
	b := Board{Cluster: c, Judged: now}
	s = s.Screened(c)
	dcs, dcsKnown := FreshestDCS(s, c, now)
	b.Members = make([]Member, 0, len(c.Instances))
	for i := range c.Instances {
		b.Members = append(b.Members, memberOf(s, c, &c.Instances[i], dcs, now))
	}
	b.Paused, b.Switch = dcs.Paused, dcs.Switch
	b.Unlisted = unlisted(s.Inventory, c, dcs)
	leaderOf(s, &b, dcs, dcsKnown, now)
	lags(s, &b, dcs, now)
	lagTimes(s, &b, now)
	ahead(s, &b, dcs, now)
	services, nodes := c.Services(), nodeNames(s.Inventory, c)
	b.Routes = make([]Route, 0, len(services))
	for _, svc := range services {
		b.Routes = append(b.Routes, routeOf(s, c, svc.Name, nodes, now))
	}
	b.At = oldest(&b, s, now)
	b.VIP = vipOf(s, &b, now)
	b.Health, b.Summary = healthOf(&b)
	return b
}

// oldest is when the oldest datum that the board rests on arrived.
func oldest(b *Board, s *model.Snapshot, now time.Time) time.Time {
	var at time.Time
	for i := range b.Members {
		if m := &b.Members[i]; m.Known && (at.IsZero() || m.At.Before(at)) {
			at = m.At
		}
	}
	for i := range b.Cluster.LoadBalancers {
		if o := s.HAProxy[b.Cluster.LoadBalancers[i].Host]; o.Current(now) && (at.IsZero() || o.At.Before(at)) {
			at = o.At
		}
	}
	return at
}

// Redated is the board with the times of s's answers, for the case that these
// say the same as the answers it was judged from. It shares with b what
// carries no time; b stays as it is.
func (b *Board) Redated(s *model.Snapshot, now time.Time) Board {
	s = s.Screened(b.Cluster)
	out := *b
	out.Judged = now
	out.Members = slices.Clone(b.Members)
	for i := range out.Members {
		v := s.Patroni[out.Members[i].Instance]
		out.Members[i].At, out.Members[i].Pool = v.Status.At, v.Pool
	}
	lagTimes(s, &out, now)
	out.Routes = slices.Clone(b.Routes)
	for i := range out.Routes {
		r := &out.Routes[i]
		r.Views = slices.Clone(r.Views)
		for j := range r.Views {
			r.Views[j].At = s.HAProxy[r.Views[j].HAProxy].At
		}
	}
	out.At = oldest(&out, s, now)
	if out.VIP.Address != "" {
		out.VIP.At = s.VIP[b.Cluster.Name].At
	}
	return out
}

// vipOf is where the cluster's VIP is now.
func vipOf(s *model.Snapshot, b *Board, now time.Time) VIPState {
	v := VIPState{Address: b.Cluster.VIP}
	if v.Address == "" {
		return v
	}
	o := s.VIP[b.Cluster.Name]
	v.At = o.At
	switch {
	case o.Err != nil:
		v.Why = o.Err.Error()
	case !o.Current(now):
		v.Why = "not probed yet"
	default:
		v.Holder = o.Value
		in := b.Cluster.Instance(b.Leader)
		v.OnLeader = in != nil && in.Host == o.Value
		if x := b.UnlistedLeader(); x != nil {
			v.OnLeader = x.Host == o.Value
		}
	}
	return v
}

// nodeNames are the nodenames of the cluster's load balancers. A cluster's nodes mostly
// stand together in the inventory: each is looked for behind the one before.
func nodeNames(inv *model.Inventory, c *model.Cluster) []string {
	out := make([]string, len(c.LoadBalancers))
	at, n := 0, len(inv.Nodes)
	for i := range c.LoadBalancers {
		for k := range n {
			if j := (at + k) % n; inv.Nodes[j].Host == c.LoadBalancers[i].Host {
				out[i], at = inv.Nodes[j].Name, j
				break
			}
		}
	}
	return out
}

// FreshestDCS is the latest current GET /cluster among the members; ok is false
// when no member answered one.
func FreshestDCS(s *model.Snapshot, c *model.Cluster, now time.Time) (view model.PatroniCluster, ok bool) {
	var at time.Time
	for i := range c.Instances {
		o := s.Patroni[c.Instances[i].Name].Cluster
		if o.Current(now) && o.At.After(at) {
			view, at, ok = o.Value, o.At, true
		}
	}
	return view, ok
}

// memberOf is what one instance is now, by its own Patroni; the DCS only adds
// what Patroni does not say of itself.
func memberOf(s *model.Snapshot, c *model.Cluster, in *model.Instance, dcs model.PatroniCluster, now time.Time) Member {
	view := s.Patroni[in.Name]
	m := Member{Instance: in.Name, Host: in.Host, Declared: in.Role, Lag: -1, LagTime: -1, Pool: view.Pool}
	o := view.Status
	m.At = o.At
	if m.Foreign = view.Foreign(); m.Foreign != nil {
		m.Why = m.Foreign.Why
		return m
	}
	if !o.Current(now) {
		m.Why = "Patroni has not been probed yet"
		if o.Err != nil {
			m.Why = "Patroni does not answer" + source.Because(o.Err)
		} else if o.Ever() {
			m.Why = "Patroni's last answer is stale"
		}
		if o.Ever() {
			m.Why += "; last seen as " + o.Value.Role + ", " + o.Value.State
		} else if d := dcs.Member(in.Name); d != nil {
			m.Why += "; the DCS lists it as " + d.Role + ", " + d.State
		}
		return m
	}
	st := o.Value
	m.Known, m.Role, m.State, m.Timeline = true, st.Role, st.State, st.Timeline
	m.Port = portOf(view, in, now)
	m.NoLB, m.NoStream, m.Restart = st.NoLB(), st.NoStream(), st.ScheduledRestart
	if st.Role == "replica" && st.State == "running" && st.ReplicationState != "" {
		m.State = st.ReplicationState
	}
	if st.SyncStandby {
		m.Role = "sync_standby"
	} else if st.QuorumStandby {
		m.Role = "quorum_standby"
	}
	if d := dcs.Member(in.Name); d != nil {
		if m.Timeline == 0 {
			m.Timeline = d.Timeline
		}
		if m.State == "running" && st.Role != "primary" && (d.State == "streaming" || d.State == "in archive recovery") {
			m.State = d.State
		}
		m.Restart = cmp.Or(m.Restart, d.Restart)
	}
	switch {
	case !holdsLock(view, now):
	case st.Role == "standby_leader", c.Standby && st.Role == "replica":
		m.Role = "standby_leader"
	default:
		m.Role = "leader"
		if st.Role == "replica" && st.State == "running" {
			// Before its promotion, or restarted after a crash: Patroni answers
			// 200 to the primary's check, PostgreSQL refuses every write.
			m.State = "in recovery"
		}
	}
	return m
}

// portOf is whether PostgreSQL's own port takes connections.
func portOf(v model.PatroniView, in *model.Instance, now time.Time) PortWord {
	p := v.Port(strconv.Itoa(int(in.PgPort)))
	switch {
	case p.Open(now):
		return PortOpen
	case p.Shut(now) != "":
		return PortShut
	}
	return PortUnknown
}

// holdsLock reports whether the instance's own Patroni passes a check that
// only the holder of the leader key passes.
func holdsLock(v model.PatroniView, now time.Time) bool {
	for path, o := range v.Checks {
		if (model.WantsPrimary(path) || model.LockOnly(path, true)) && o.Current(now) && o.Value == 200 {
			return true
		}
	}
	return false
}

// leaderOf sets the board's leader: the member that proves it itself, else
// the one the DCS names although it does not answer.
func leaderOf(s *model.Snapshot, b *Board, dcs model.PatroniCluster, dcsKnown bool, now time.Time) {
	if slices.ContainsFunc(b.Members, func(m Member) bool { return m.Foreign != nil && !m.Foreign.Sure }) {
		return // which of them belongs to the cluster is unknown, and so is the leader
	}
	var lead *Member
	for i := range b.Members {
		if m := &b.Members[i]; (m.Role == "leader" || m.Role == "standby_leader") && (lead == nil || outranks(m, lead)) {
			lead = m
		}
	}
	if lead != nil {
		b.Leader, b.LeaderBy, b.Timeline = lead.Instance, "self", lead.Timeline
		return
	}
	if !dcsKnown {
		b.LeaderUnsure = lockUnknown(s, b, now)
		return
	}
	for _, d := range dcs.Members {
		if d.Role != "leader" && d.Role != "standby_leader" {
			continue
		}
		for i := range b.Members {
			m := &b.Members[i]
			if m.Instance != d.Name {
				continue
			}
			// A member that answers and does not claim the lock is not the
			// leader, whatever the DCS still says; one whose check
			// has not been answered cannot claim it.
			if m.Foreign == nil && (!m.Known || m.Role == "primary") {
				b.Leader, b.LeaderBy, b.Timeline = d.Name, "dcs", max(m.Timeline, d.Timeline)
			}
		}
		if b.Unlist(d.Name) != nil {
			b.Leader, b.LeaderBy, b.Timeline = d.Name, "dcs", d.Timeline
		}
	}
}

// outranks reports whether of two members that answered as leader a is the one:
// during a switchover both did, a moment apart. A promotion begins a timeline.
func outranks(a, b *Member) bool {
	switch {
	case a.Role != b.Role:
		return a.Role == "leader"
	case a.Timeline != b.Timeline:
		return a.Timeline > b.Timeline
	}
	return a.At.After(b.At)
}

// lockUnknown reports whether a member is primary and no current check of its
// Patroni reports whether it holds the leader key.
func lockUnknown(s *model.Snapshot, b *Board, now time.Time) bool {
	for i := range b.Members {
		if m := &b.Members[i]; m.Role == "primary" {
			checked := false
			for path, o := range s.Patroni[m.Instance].Checks {
				checked = checked || model.LockOnly(path, b.Cluster.Standby) && o.Current(now)
			}
			if !checked {
				return true
			}
		}
	}
	return false
}

// lags fills in the replay lag of the known replicas: what the DCS view says,
// else the distance between the leader's and the replica's own positions,
// which were read moments apart.
func lags(s *model.Snapshot, b *Board, dcs model.PatroniCluster, now time.Time) {
	head := int64(-1)
	if o := s.Patroni[b.Leader].Status; b.Leader != "" && o.Current(now) {
		head = o.Value.Location
	}
	for i := range b.Members {
		m := &b.Members[i]
		if !m.Known || m.Instance == b.Leader {
			continue
		}
		if d := dcs.Member(m.Instance); d != nil && d.Lag >= 0 {
			m.Lag = d.Lag
			continue
		}
		if pos := s.Patroni[m.Instance].Status.Value.Replayed; head >= 0 && pos >= 0 {
			m.Lag = max(0, head-pos)
		}
	}
}

// OnItsWay is a number of bytes of WAL. A streaming replica with a smaller lag gets no
// lag in time: the bytes may hold no commit, and on an idle cluster the newest commit
// may be hours old.
const OnItsWay = 1 << 20

// lagTimes fills in how long the replicas are behind, whose lag in bytes is known.
func lagTimes(s *model.Snapshot, b *Board, now time.Time) {
	skew := time.Duration(0)
	if b.Leader != "" {
		skew = s.Patroni[b.Leader].Status.Value.Skew
	}
	for i := range b.Members {
		m := &b.Members[i]
		o := s.Patroni[m.Instance].Status
		st := &o.Value
		m.LagTime = -1
		switch {
		case m.Lag == 0:
			m.LagTime = 0
		case m.Lag < 0 || !m.Known || st.ReplayedAt == 0:
		case m.Lag < OnItsWay && b.streams(s, m, now) && !st.ReplayPaused && st.Backlog() == 0:
		default: // the leader's clock dated the commit
			m.LagTime = max(0, o.At.Add(skew).Sub(time.Unix(st.ReplayedAt, 0)).Truncate(time.Second))
		}
	}
}

// streams reports whether a walsender streams to the member.
func (b *Board) streams(s *model.Snapshot, m *Member, now time.Time) bool {
	_, stream := b.sender(s, m.Instance, now)
	return stream.State == "streaming"
}

// WorstLag is the replay lag of the replica that has the largest one in bytes, and how
// long it is behind; -1 when no replica's lag is known.
func (b *Board) WorstLag() (bytes int64, behind time.Duration) {
	bytes, behind = -1, -1
	for i := range b.Members {
		if m := &b.Members[i]; m.Lag > bytes {
			bytes, behind = m.Lag, m.LagTime
		}
	}
	return bytes, behind
}

// KnownMembers counts the members whose Patroni answers.
func (b *Board) KnownMembers() int {
	n := 0
	for _, m := range b.Members {
		if m.Known {
			n++
		}
	}
	return n
}

// Route returns the route of that service, or nil.
func (b *Board) Route(name model.ServiceName) *Route {
	return refs.Find(b.Routes, func(r *Route) bool { return r.Service == name })
}

// ByDesign reports whether an empty or backup-served route is what the
// inventory and the members' tags ask for.
func (b *Board) ByDesign(r *Route) bool {
	svc := b.Cluster.Service(r.Service)
	if svc == nil {
		return false
	}
	servers, backup := svc.Servers()
	leaderOnly := model.LockOnly(svc.Check, b.Cluster.Standby)
	switch r.Verdict {
	case model.Empty:
		switch {
		case len(servers) == 0, model.NobodyPasses(svc.Check, b.Cluster.Standby):
			return true
		case leaderOnly:
			// Without a check and without the primary it was not meant for the leader.
			return svc.NoCheck && !slices.ContainsFunc(servers, func(sv model.Server) bool { return sv.Name == b.Leader || b.declaredPrimary(sv.Name) })
		}
		return !slices.ContainsFunc(servers, func(sv model.Server) bool { return !b.refusedByTag(svc, sv.Name) })
	case model.BackupServing:
		if leaderOnly && len(r.Serving) == 1 && r.Serving[0] == b.Leader {
			return true // only the leader passes, as a backup or not
		}
		for i := range servers {
			if !backup[i] && !b.refusedByTag(svc, servers[i].Name) {
				return false
			}
		}
		return true
	}
	return false
}

// declaredPrimary reports whether the inventory calls the instance primary.
func (b *Board) declaredPrimary(name model.InstanceName) bool {
	in := b.Cluster.Instance(name)
	return in != nil && in.Role == model.RolePrimary
}

// refusedByTag reports whether a replica fails the service's check because its
// tag noloadbalance is set.
func (b *Board) refusedByTag(svc *model.Service, name model.InstanceName) bool {
	switch model.RuleOf(svc.Check) {
	case model.RuleReplica, model.RuleReadOnly, model.RuleMode:
	default:
		return false
	}
	m := b.Member(name)
	return m != nil && m.Known && m.NoLB && m.Role != "leader" && m.Role != "standby_leader" && m.Role != "primary"
}

// Member returns the member of that name that the inventory has, or nil.
func (b *Board) Member(name model.InstanceName) *Member {
	return refs.Find(b.Members, func(m *Member) bool { return m.Instance == name })
}

// healthOf is the one word and the one sentence for a cluster.
func healthOf(b *Board) (model.Health, string) {
	health, why := model.HealthOK, AsDeclared
	worsen := func(h model.Health, format string, args ...any) {
		if model.Rank(h) > model.Rank(health) {
			health, why = h, fmt.Sprintf(format, args...)
		}
	}
	if len(b.Routes) == 0 {
		worsen(model.HealthUnknown, "no service could be derived from the inventory")
	}
	h, text := leaderHealth(b)
	worsen(h, "%s", text)
	for i := range b.Routes {
		h, text := routeHealth(b, &b.Routes[i])
		worsen(h, "%s", text)
	}
	if s := Silent(b); s != "" {
		worsen(model.HealthDegraded, "%s", s)
	}
	if s := silentHAProxies(b); s != "" {
		worsen(model.HealthDegraded, "%s", s)
	}
	for i := range b.Members {
		h, text := stateHealth(b, &b.Members[i])
		worsen(h, "%s", text)
	}
	if health == model.HealthOK {
		for i := range b.Routes {
			if c := b.Routes[i].contradicted(); c != nil {
				return health, fmt.Sprintf("every service is served; %s in %s: %s", c.Instance, b.Routes[i].Name(), c.Note)
			}
		}
	}
	return health, why
}

// AsDeclared is the summary of a cluster in which nothing is to be remarked.
const AsDeclared = "every service is served as declared"

// contradicted is the first server about which Patroni and HAProxy differ; nil
// where there is none. A difference from the inventory is drift, and is not one.
func (r *Route) contradicted() *Cell {
	for i := range r.Views {
		for j := range r.Views[i].Cells {
			if c := &r.Views[i].Cells[j]; c.Note != "" && !c.Differs {
				return c
			}
		}
	}
	return nil
}

// leaderHealth is what not knowing the leader, or one that the inventory does
// not have, makes of the cluster's health, and why.
func leaderHealth(b *Board) (model.Health, string) {
	switch x := b.UnlistedLeader(); {
	case x != nil:
		for i := range b.Routes {
			if h, _ := routeHealth(b, &b.Routes[i]); h == model.HealthDown {
				return model.HealthDown, fmt.Sprintf("%s; %s does not reach it", unlistedText(x), b.Routes[i].Name())
			}
		}
		return model.HealthDegraded, unlistedText(x)
	case b.Leader != "":
		return model.HealthOK, ""
	case b.KnownMembers() == 0 && foreignText(b) == "":
		return model.HealthUnknown, "no Patroni in the cluster answers"
	case b.KnownMembers() < len(b.Members) && !b.LeaderUnsure:
		return model.HealthUnknown, "the leader is unknown: " + Silent(b)
	case b.LeaderUnsure:
		return model.HealthUnknown, "the holder of the leader key is unknown: neither Patroni's health checks nor the DCS reported it"
	}
	return model.HealthDown, "no member holds the leader key"
}

// stateHealth is what the state of one member makes of its cluster's health.
func stateHealth(b *Board, m *Member) (model.Health, string) {
	switch {
	case !m.Known || HealthyState(m.State):
		return model.HealthOK, ""
	case m.Instance != b.Leader:
		return model.HealthDegraded, fmt.Sprintf("%s is %s", m.Instance, m.State)
	case m.State != StateUnknown || m.Port == PortShut:
		return model.HealthDown, fmt.Sprintf("%s holds the leader key, but its PostgreSQL is %s", m.Instance, m.State)
	case m.Port == PortOpen:
		return model.HealthDegraded, fmt.Sprintf("Patroni on the leader %s cannot query PostgreSQL, but its port accepts connections", m.Instance)
	}
	return model.HealthUnknown, fmt.Sprintf("Patroni on the leader %s cannot query PostgreSQL, and its port was not checked", m.Instance)
}

// routeHealth is what one route makes of its cluster's health, and why.
func routeHealth(b *Board, r *Route) (model.Health, string) {
	svc := b.Cluster.Service(r.Service)
	leaderOnly := svc != nil && model.LockOnly(svc.Check, b.Cluster.Standby)
	health, how := model.HealthDown, ""
	switch {
	case r.Verdict == model.Serving || (r.Verdict == model.Empty || r.Verdict == model.BackupServing) && b.ByDesign(r):
		return model.HealthOK, ""
	case r.Verdict == model.Unknown:
		health = model.HealthUnknown
	case !leaderOnly || !r.deadEnd():
		health = model.HealthDegraded
	case r.Verdict == model.Empty && r.ClosedWord() != "":
		how = " accepts no clients"
	case r.Verdict == model.Empty:
		how = " has no server"
	case b.Cluster.Standby:
		how = " does not reach the leader"
	default:
		how = " takes no writes"
	}
	return health, fmt.Sprintf("%s%s: %s", r.Name(), how, r.Why)
}

// StateUnknown is Patroni's word for a PostgreSQL that runs and that it could
// not ask.
const StateUnknown = "unknown"

// ScheduledSoon is the time before a scheduled switchover or restart in which it
// stops a run.
const ScheduledSoon = 30 * time.Minute

// Soon reports whether a time that Patroni has scheduled is within ScheduledSoon. A
// time that cannot be read counts as soon.
func Soon(at string, now time.Time) bool {
	when, err := time.Parse(time.RFC3339, at)
	return err != nil || when.Sub(now) < ScheduledSoon
}

// Changing reports whether a member's state, in Patroni's words, is a transitional
// one.
func Changing(state string) bool {
	return slices.Contains([]string{"starting", "stopping", "restarting", "running custom bootstrap script", "creating replica", "initializing new cluster"}, state)
}

// HealthyState reports whether Patroni's word for a member's state is a good one.
func HealthyState(state string) bool {
	return state == "running" || state == "streaming" || state == "in archive recovery"
}

// Silent names the members that are unknown: whose Patroni does not answer,
// and at whose address another one does; "" when all are known.
func Silent(b *Board) string {
	var names []string
	for i := range b.Members {
		if m := &b.Members[i]; !m.Known && m.Foreign == nil {
			names = append(names, string(m.Instance))
		}
	}
	out := foreignText(b)
	if len(names) > 0 {
		if out != "" {
			out += "; "
		}
		out += "Patroni does not answer on " + strings.Join(names, ", ")
	}
	return out
}

// foreignText names the members at whose address another Patroni answers; ""
// when there is none.
func foreignText(b *Board) string {
	var parts []string
	for i := range b.Members {
		if m := &b.Members[i]; m.Foreign != nil {
			parts = append(parts, fmt.Sprintf("%s: %s", m.Instance, m.Foreign.Why))
		}
	}
	return strings.Join(parts, "; ")
}

// silentHAProxies names the HAProxies of which a route is unknown, and says
// what the VIP's clients get; "" when all are known, or none is.
func silentHAProxies(b *Board) string {
	var names []string
	for i := range b.Routes {
		for k := range b.Routes[i].Views {
			if v := &b.Routes[i].Views[k]; v.Verdict == model.Unknown && !slices.Contains(names, v.Label()) {
				names = append(names, v.Label())
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	text := "no current state from HAProxy on " + strings.Join(names, ", ")
	if vip := b.VIPClients(); vip != "" && b.VIP.Holder != "" {
		text += "; " + vip
	}
	return text
}

// VIPClients says what clients of the VIP get: what HAProxy on the node that has
// it reports, or that this is unknown; "" when the cluster has no VIP.
func (b *Board) VIPClients() string {
	if b.VIP.Address == "" {
		return ""
	}
	head := "clients of VIP " + b.VIP.Address
	if b.VIP.Holder == "" {
		return head + " reach an unknown HAProxy node"
	}
	label, known := string(b.VIP.Holder), false
	var parts []string
	for i := range b.Routes {
		for k := range b.Routes[i].Views {
			if v := &b.Routes[i].Views[k]; v.HAProxy == b.VIP.Holder {
				label, known = v.Label(), known || v.Verdict != model.Unknown
				parts = append(parts, b.Routes[i].Port+" → "+servingText(v))
			}
		}
	}
	switch {
	case parts == nil:
		return head + " reach " + label + ", which exposes none of the services"
	case !known:
		return head + " reach HAProxy on " + label + ", which does not answer"
	}
	return head + " reach HAProxy on " + label + ": " + strings.Join(parts, ", ")
}

// Drift are the findings that report a difference from the inventory,
// worst first.
func (b *Board) Drift() []model.Finding {
	var out []model.Finding
	for i := range b.Findings {
		if b.Findings[i].Drift {
			out = append(out, b.Findings[i])
		}
	}
	return out
}

// Counts are the causes by what they count for: faults are wrong, drift differs from the
// inventory. Together they are the rows of the findings' page.
func (b *Board) Counts() (faults, drift int) {
	for i := range b.Causes {
		if b.Causes[i].Drift {
			drift++
		} else {
			faults++
		}
	}
	return faults, drift
}

// Worst is the health of them all; unknown when there is none.
func Worst(boards []Board) model.Health {
	if len(boards) == 0 {
		return model.HealthUnknown
	}
	h := model.HealthOK
	for i := range boards {
		h = model.Worse(h, boards[i].Health)
	}
	return h
}

// Code is the exit code for boards: that of the worst health. With strict, drift counts as
// degraded.
func Code(boards []Board, strict bool) int {
	h := Worst(boards)
	if strict && h == model.HealthOK && slices.ContainsFunc(boards, func(b Board) bool { return len(b.Drift()) > 0 }) {
		h = model.HealthDegraded
	}
	return int(h)
}

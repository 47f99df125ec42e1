package failover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
)

// Rules are the rules that a cluster's Patroni decides by, and where they come
// from.
type Rules struct {
	model.PatroniConf
	// From names the source: "GET /config of pg-test-1", or the inventory's words.
	From  string
	Known bool // from Patroni itself
}

// RulesOf are the cluster's rules: Patroni's own answer, else what Pigsty
// writes when it makes the cluster. What the members report of themselves, that
// they are synchronous standbys, counts in any case.
func RulesOf(s *model.Snapshot, b *board.Board) Rules {
	r := Rules{PatroniConf: model.DefaultPatroniConf(), From: "Patroni's own defaults: no answer to GET /config"}
	facts := s.Rules[b.Cluster.Name]
	switch {
	case facts.Conf.Ever():
		r = Rules{facts.Conf.Value, "GET /config of " + string(facts.By), true}
	case b.Cluster.PatroniFrom != "":
		r.PatroniConf, r.From = b.Cluster.Patroni, "the inventory ("+b.Cluster.PatroniFrom+"): no answer to GET /config"
	}
	r.Standby = r.Standby || b.Cluster.Standby
	listed := 0
	for i := range b.Members {
		m := &b.Members[i]
		r.Standby = r.Standby || m.Role == "standby_leader"
		sync, quorum := listedIn(s, b, m)
		if sync || quorum {
			listed++
			r.Sync, r.Quorum = true, r.Quorum || quorum
		}
	}
	if !r.Known && !r.Quorum {
		r.SyncNodes = max(r.SyncNodes, listed)
	}
	if r.Standby { // Patroni has no synchronous mode there
		r.Sync, r.Quorum = false, false
	}
	return r
}

// SyncMode is synchronous_mode as it is written: off, on, quorum.
func (r *Rules) SyncMode() string {
	switch {
	case r.Quorum:
		return "quorum"
	case r.Sync:
		return "on"
	}
	return "off"
}

// Words are the rules in one line, with their source.
func (r *Rules) Words() string {
	yes := func(on bool) string {
		if on {
			return "on"
		}
		return "off"
	}
	return fmt.Sprintf("Patroni decides by maximum_lag_on_failover %s, synchronous_mode %s, failsafe_mode %s: %s", text.Bytes(r.MaxLag), r.SyncMode(), yes(r.Failsafe), r.From)
}

// listedIn reports how a member stands in the /sync key: as itself says, and as
// the freshest GET /cluster does when it gives no answer.
func listedIn(s *model.Snapshot, b *board.Board, m *board.Member) (sync, quorum bool) {
	st := s.Patroni[m.Instance].Status.Value
	if m.Known && (st.SyncStandby || st.QuorumStandby) {
		return st.SyncStandby, st.QuorumStandby
	}
	view, _ := board.FreshestDCS(s, b.Cluster, b.Judged)
	if d := view.Member(m.Instance); d != nil {
		return d.Role == "sync_standby", d.Role == "quorum_standby"
	}
	return false, false
}

// Candidate is one member in the race for the leader key.
type Candidate struct {
	Instance model.InstanceName
	May      bool   // it could take the key
	Why      string // why it could not, in a clause: "is 64 MB behind, …"; "" when it could
	Position int64  // WAL it has, bytes: the larger of received and replayed; -1 when unknown
	Behind   int64  // Position behind the leader, bytes; -1 when unknown
	Backlog  int64  // WAL to replay before it opens, bytes
	Priority int64  // failover_priority
	Sync     bool   // it is in the /sync key
}

// runner is a candidate with what is judged of it.
type runner struct {
	Candidate
	m  *board.Member
	st *model.PatroniStatus
	// limited is Patroni's failover_limitation: the others do not wait for it.
	limited bool
	primary bool // it runs as a primary, without the leader key
	lost    loss // to another runner; "" when it was out from the start, or is not
}

// loss is by what a runner lost to another.
type loss string

const (
	byWAL      loss = "wal"
	byPriority loss = "failover_priority"
	byVotes    loss = "votes"
)

// race is one leader race: patroni/ha.py, Ha.is_healthiest_node and
// Ha._is_healthiest_node, on every member that is left.
type race struct {
	s     *model.Snapshot
	b     *board.Board
	rules Rules
	now   time.Time
	down  []model.InstanceName
	all   []*runner
	ran   bool                        // decide has run
	sync  map[model.InstanceName]bool // the /sync key without its leader
}

// newRace lines up the members that are left.
func newRace(s *model.Snapshot, b *board.Board, rules Rules, down []model.InstanceName, now time.Time) *race {
	r := &race{s: s, b: b, rules: rules, now: now, down: down, sync: map[model.InstanceName]bool{}}
	for i := range b.Members {
		m := &b.Members[i]
		if sync, quorum := listedIn(s, b, m); (sync || quorum) && rules.Sync {
			r.sync[m.Instance] = true
		}
	}
	head, timeline := r.head(), b.Timeline
	for i := range b.Members {
		m := &b.Members[i]
		if slices.Contains(down, m.Instance) || m.Instance == b.Leader {
			continue
		}
		st := s.Patroni[m.Instance].Status.Value
		x := &runner{m: m, st: &st}
		x.Candidate = Candidate{Instance: m.Instance, Position: -1, Behind: -1, Priority: st.FailoverPriority(), Sync: r.sync[m.Instance]}
		if m.Known {
			x.Position, x.Backlog = st.Position(), st.Backlog()
			x.Behind = r.behind(x, head)
		}
		x.primary = m.Known && st.Role == "primary"
		r.limit(x, timeline)
		r.all = append(r.all, x)
	}
	return r
}

// head is how much WAL the leader has written, bytes; -1 when it is unknown.
// Patroni takes the last word of the leader in the DCS, up to loop_wait older.
func (r *race) head() int64 {
	if r.b.Leader == "" {
		return -1
	}
	o := r.s.Patroni[r.b.Leader].Status
	if !o.Current(r.now) {
		return -1
	}
	return o.Value.Position()
}

// Moments is how much WAL, bytes, may pass between the answers of two nodes:
// that much is no proof that a member is too far behind when the DCS reports
// otherwise.
const Moments = 16 << 20

// behind is how far x is behind the leader in WAL received.
func (r *race) behind(x *runner, head int64) int64 {
	dcs := int64(-1)
	if view, ok := board.FreshestDCS(r.s, r.b.Cluster, r.now); ok {
		if d := view.Member(x.Instance); d != nil {
			dcs = d.Behind
		}
	}
	if head < 0 || x.Position < 0 {
		return dcs
	}
	own := max(0, head-x.Position)
	if dcs >= 0 && dcs <= r.rules.MaxLag && own > r.rules.MaxLag && own-dcs <= Moments {
		return dcs
	}
	return own
}

// limit fills in why x cannot take the key, whatever the others have.
func (r *race) limit(x *runner, timeline int) {
	st, rules := x.st, &r.rules
	switch {
	case !x.m.Known:
		x.limited, x.Why = true, "is unknown: "+x.m.Why
	case x.primary && st.Timeline > 0 && st.Timeline < timeline && st.Generation(3, 1, 0):
		x.Why = fmt.Sprintf("runs as a primary on timeline %d, the cluster is on %d", st.Timeline, timeline)
	case x.primary:
	case st.NoFailover():
		x.limited, x.Why = true, noFailoverWhy(st)
	case !board.HealthyState(x.m.State):
		x.limited, x.Why = true, "has PostgreSQL in state "+x.m.State
	case st.WatchdogFailed:
		x.limited, x.Why = true, "requires a watchdog and has no working one"
	case rules.Sync && !rules.Quorum && !x.Sync:
		x.Why = r.notSync()
	case x.Behind > rules.MaxLag:
		x.Why = fmt.Sprintf("is %s behind, more than maximum_lag_on_failover allows (%s)", text.Bytes(x.Behind), text.Bytes(rules.MaxLag))
	case rules.CheckTimeline && !rules.Standby && st.Timeline > 0 && st.Timeline < timeline:
		x.Why = fmt.Sprintf("is on timeline %d, the cluster is on %d, and check_timeline is on", st.Timeline, timeline)
	}
}

func noFailoverWhy(st *model.PatroniStatus) string {
	if st.Set("nofailover") {
		return "has the tag nofailover"
	}
	return "has failover_priority " + st.Tags["failover_priority"] + ", which is nofailover"
}

// notSync is why a member outside the /sync key does not promote itself.
func (r *race) notSync() string {
	if len(r.sync) > 0 {
		return "is not a synchronous standby, and in synchronous mode no other member promotes itself"
	}
	return "is not in the /sync key, which names no standby, and in synchronous mode no other member promotes itself"
}

// decide lets each runner decide as its own Patroni would, and returns those that
// could take the key.
func (r *race) decide() []*runner {
	r.ran = true
	for _, x := range r.all {
		if !x.primary || x.st.NoFailover() || x.st.WatchdogFailed {
			continue
		}
		for _, y := range r.all {
			if y != x && y.Why == "" {
				y.Why = "waits, because " + string(x.Instance) + " still runs as a primary"
			}
		}
	}
	var field []*runner // the ones that were not out from the start
	for _, x := range r.all {
		if x.Why == "" {
			field = append(field, x)
		}
	}
	var out []*runner
	for _, x := range field {
		if !x.primary {
			x.lost, x.Why = r.against(x)
		}
		if x.Why == "" {
			x.May = true
			out = append(out, x)
		}
	}
	return out
}

// against is by what, and why, x leaves the key to another; "" when it takes it.
func (r *race) against(x *runner) (loss, string) {
	votes := 0 // of the members in /sync, x itself among them
	if r.sync[x.Instance] {
		votes = 1
	}
	for _, y := range r.all {
		if y == x || y.limited || r.rules.Sync && !r.sync[y.Instance] {
			continue
		}
		switch {
		case y.Position > x.Position:
			return byWAL, fmt.Sprintf("has received %s less WAL than %s", text.Bytes(y.Position-x.Position), y.Instance)
		case y.Position <= 0:
			continue
		case y.Position == x.Position && x.Priority < y.Priority && r.heeds(x, y):
			return byPriority, fmt.Sprintf("has received as much WAL as %s and has the lower failover_priority (%d against %d)", y.Instance, x.Priority, y.Priority)
		}
		votes++
	}
	if need := r.quorum() + 1; r.rules.Quorum && votes < need {
		return byVotes, fmt.Sprintf("gets %d of the %d votes that quorum commit requires", votes, need)
	}
	return "", ""
}

// heeds reports whether x heeds y's failover_priority. Patroni 4.0.0 to 4.0.7 and
// 4.1.0 ignore it in synchronous mode.
func (r *race) heeds(x, y *runner) bool {
	vote := r.rules.Quorum && r.sync[y.Instance]
	st := x.st
	if st.Version != "" && st.Generation(4, 0, 0) && (!st.Generation(4, 0, 8) || st.Generation(4, 1, 0) && !st.Generation(4, 1, 1)) {
		return !r.rules.Sync || vote
	}
	return !r.rules.Quorum || vote
}

// quorum is the number in the /sync key of quorum commit: how many members of
// it must say that they are not ahead (patroni/quorum.py).
func (r *race) quorum() int { return len(r.sync) - min(r.rules.SyncNodes, len(r.sync)) }

// nearly is how near, in bytes, two positions are that may be one: they were read
// moments apart.
const nearly = 1 << 20

// winner is who takes the key, and why that one. Of several that may, Patroni
// takes whoever is first.
func (r *race) winner() (model.InstanceName, string) {
	may := r.decide()
	if len(may) == 0 {
		return "", r.noWinner()
	}
	best := may[0]
	why := ""
	switch {
	case best.primary:
		return best.Instance, "it already runs as a primary and takes the free leader key"
	case r.rules.Sync && !r.rules.Quorum && len(may) == 1:
		why = "it is the synchronous standby"
		if len(r.sync) > 1 {
			why = "it is the only synchronous standby left that can lead"
		}
	case r.rules.Sync && !r.rules.Quorum:
		why = "it is a synchronous standby; " + equally(may[1:])
	case len(may) > 1:
		why = "assumed; " + equally(may[1:])
	case r.only():
		why = "it is the only member left that can lead"
	case r.won(byPriority):
		why = fmt.Sprintf("it has received as much WAL as the others and has the highest failover_priority (%d)", best.Priority)
	default:
		why = "it has received the most WAL"
	}
	if near := r.near(best); near != "" {
		why += "; " + near
	}
	return best.Instance, why
}

// only reports whether no other member was in the race at all.
func (r *race) only() bool {
	return !slices.ContainsFunc(r.all, func(x *runner) bool { return x.lost != "" })
}

// won reports whether every loser lost by that.
func (r *race) won(by loss) bool {
	return !slices.ContainsFunc(r.all, func(x *runner) bool { return x.lost != "" && x.lost != by })
}

// near says who lost by so little that it may win; "" when there is none.
func (r *race) near(best *runner) string {
	var out []*runner
	for _, x := range r.all {
		if x.lost == byWAL && best.Position-x.Position <= nearly {
			out = append(out, x)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return names(out) + " may win too: the WAL positions are close and were read moments apart"
}

// equally says that these are as likely as the one that is named.
func equally(rs []*runner) string {
	if len(rs) == 1 {
		return names(rs) + " is equally likely"
	}
	return names(rs) + " are equally likely"
}

func names(rs []*runner) string {
	var out []model.InstanceName
	for _, x := range rs {
		out = append(out, x.Instance)
	}
	return model.Join(out)
}

// noWinner is why no member takes the key.
func (r *race) noWinner() string {
	var why []string
	for _, x := range r.all {
		if x.m.Known {
			why = append(why, string(x.Instance)+" "+x.Why)
		}
	}
	if len(why) == 0 {
		return "no healthy member is left to lead"
	}
	return "no member can take over: " + strings.Join(why, "; ")
}

// candidates are the runners, and which of them could take a free key.
func (r *race) candidates() []Candidate {
	if !r.ran {
		r.decide()
	}
	out := make([]Candidate, 0, len(r.all))
	for _, x := range r.all {
		out = append(out, x.Candidate)
	}
	return out
}

// runner returns the one of that name, or nil.
func (r *race) runner(name model.InstanceName) *runner {
	for _, x := range r.all {
		if x.Instance == name {
			return x
		}
	}
	return nil
}

// syncThen are the synchronous standbys once the leader has chosen them:
// patroni/postgresql/sync.py, SyncHandler.current_state. Those that are left
// stay; without a leader they do not change.
func syncThen(s *model.Snapshot, b *board.Board, rules Rules, down []model.InstanceName, leader model.InstanceName, now time.Time) map[model.InstanceName]bool {
	out := map[model.InstanceName]bool{}
	if !rules.Sync {
		return out
	}
	type choice struct {
		name       model.InstanceName
		was        bool
		nofailover bool
		priority   int64
		position   int64
	}
	var list []choice
	top := int64(-1)
	for i := range b.Members {
		m := &b.Members[i]
		if m.Instance == leader || slices.Contains(down, m.Instance) {
			continue
		}
		sync, quorum := listedIn(s, b, m)
		if leader == "" {
			if sync || quorum {
				out[m.Instance] = true
			}
			continue
		}
		st := s.Patroni[m.Instance].Status.Value
		if !m.Known || !board.HealthyState(m.State) || st.NoSync() || cascades(s, b, m.Instance, leader, down, now) {
			continue
		}
		list = append(list, choice{m.Instance, sync || quorum, st.NoFailover(), st.SyncPriority(), st.Position()})
		top = max(top, st.Position())
	}
	// By priority, then those that are synchronous already, then by WAL; who may
	// not lead comes last.
	slices.SortStableFunc(list, func(a, z choice) int {
		return cmp.Or(boolOrder(a.nofailover, z.nofailover), cmp.Compare(z.priority, a.priority), boolOrder(z.was, a.was), cmp.Compare(z.position, a.position))
	})
	for _, c := range list {
		if rules.MaxSyncLag > 0 && top-c.position > rules.MaxSyncLag {
			continue
		}
		if len(out) < rules.SyncNodes || rules.Quorum && !c.nofailover {
			out[c.name] = true
		}
	}
	return out
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// cascades reports whether a member streams from another replica that is there:
// tag replicatefrom. A primary does not choose it.
func cascades(s *model.Snapshot, b *board.Board, name, leader model.InstanceName, down []model.InstanceName, now time.Time) bool {
	st := s.Patroni[name].Status.Value
	from := model.InstanceName(st.Tags["replicatefrom"])
	if from == "" || from == leader || from == name || slices.Contains(down, from) {
		return false
	}
	return b.Cluster.Instance(from) != nil && s.Patroni[from].Status.Current(now)
}

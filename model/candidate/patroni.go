package candidate

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
)

// reachLimit is how long Patroni waits for the candidate's GET /patroni
// (ha.py, fetch_node_status).
const reachLimit = 2 * time.Second

// facts are what Patroni decides about one member on: Pass, No or Unknown each,
// with the reason of a No or an Unknown.
type facts struct {
	answers bool    // its Patroni answers pgtui
	listed  Verdict // it has a member key in the DCS
	reach   Verdict // it answers GET /patroni with its WAL position
	bars    string  // failover_limitation other than reach: "not allowed to promote", "not watchdog capable"; "" for none
	never   bool    // nofailover, by either tag
	lag     Verdict // gate B
	tl      Verdict // gate B: check_timeline
	sync    Verdict // it is in the /sync key
	// from is why it does not answer another member's node; "" when it does, no key
	// where that is unknown.
	from map[model.InstanceName]string
	// why is the reason by gate: "reach", "lag", "tl", "sync", "bars", "listed".
	why map[string]string
}

// member is one candidate while its gates are made.
type member struct {
	*judge
	m   *board.Member
	out *Candidate
	st  model.PatroniStatus
	f   *facts
}

func (j *judge) patroniOf(m *board.Member, c *Candidate) *member {
	x := &member{judge: j, m: m, out: c, f: &c.patroni}
	if x.f.answers = m.Known; m.Known {
		x.st = j.s.PatroniStatus(m.Instance).Value
	}
	x.f.why = map[string]string{}
	return x
}

// gates adds every gate that Patroni decides or that Patroni reports.
func (x *member) gates() {
	x.reachable()
	x.state()
	x.lag()
	x.timeline()
	x.sync()
	x.tags()
	x.watchdog()
	x.replication()
	x.backlog()
	x.restart()
	x.role()
}

// blind adds a gate that only the member's own Patroni can answer, and reports
// whether it does not answer.
func (x *member) blind(name, by string) bool {
	if x.m.Known {
		return false
	}
	x.out.add(Gate{Name: name, Verdict: Unknown, By: by, What: "its Patroni does not answer"})
	return true
}

// reachable is gate A: the member that gets the call probes GET /patroni of the
// candidate, which must be in the DCS.
func (x *member) reachable() {
	o := x.s.PatroniStatus(x.m.Instance)
	g := Gate{Name: "reachable", Verdict: Pass, By: "A", Unit: "ms", Limit: reachLimit.Milliseconds(), Value: o.Took.Milliseconds()}
	x.f.reach, x.f.listed, x.f.from = Pass, x.listed(), x.reachedFrom()
	hint := "systemctl status patroni on " + string(x.m.Host)
	switch {
	case x.m.Foreign != nil:
		g.Verdict, g.What, x.f.reach = No, x.m.Foreign.Why, Unknown
		if !x.m.Foreign.Sure {
			g.Verdict = Unknown
		}
		g.Unit, g.By = "", ""
	case x.f.listed == No:
		g.Verdict, g.Unit, g.What, g.Try = No, "", "the DCS does not list it: its Patroni does not run, or belongs to another cluster", hint
		if !x.m.Known {
			x.f.reach = Unknown
		}
	case !x.m.Known && reached(o.Err):
		g.Verdict, g.Unit, g.What, g.Try, x.f.reach = No, "", x.m.Why, hint, No
	case !x.m.Known:
		g.Verdict, g.Unit, g.What, g.Try, x.f.reach = Unknown, "", x.m.Why+"; whether the other members reach it is unknown", hint, Unknown
	case x.f.listed == Unknown:
		g.What = "its Patroni answered in " + about(o.Took) + "; whether the DCS lists it is unknown"
		g.Verdict = Unknown
	default:
		g.What = "its Patroni answered in " + about(o.Took)
		x.others(&g)
	}
	x.f.why["reach"], x.f.why["listed"] = g.What, g.What
	x.out.add(g)
}

// others adds which of the other members do not reach it: the leader has to, and
// the one that gets the call.
func (x *member) others(g *Gate) {
	for i := range x.b.Members {
		name := x.b.Members[i].Instance
		why := x.f.from[name]
		switch {
		case why == "":
		case name == x.b.Leader:
			g.Verdict, g.By = No, "B"
			g.What += "; " + string(name) + ", which leads, does not reach it: " + why
			g.Try = "curl http://" + string(x.m.Host) + ":8008/patroni on " + string(x.b.Members[i].Host)
		default:
			g.Verdict = worse(g.Verdict, Note)
			g.What += "; " + string(name) + " does not reach it: " + why
		}
	}
}

// reachedFrom is what each other member's node got from its Patroni.
func (x *member) reachedFrom() map[model.InstanceName]string {
	out := map[model.InstanceName]string{}
	for i := range x.b.Members {
		m := &x.b.Members[i]
		o := x.s.Reach[m.Host]
		if why, ok := o.Value[x.m.Instance]; ok && o.Known() {
			out[m.Instance] = why
		}
	}
	return out
}

// listed is whether the DCS has the member's key.
func (x *member) listed() Verdict {
	switch {
	case !x.dcsKnown:
		return Unknown
	case x.dcs.Member(x.m.Instance) == nil:
		return No
	}
	return Pass
}

// state is what PostgreSQL is. Patroni counts a member that reports no WAL
// position as one that does not answer.
func (x *member) state() {
	if x.blind("state", "A") {
		return
	}
	g := Gate{Name: "state", Verdict: Pass, What: x.m.State}
	switch {
	case x.st.Position() < 0:
		g.Verdict, g.By, x.f.reach = No, "A", No
		g.What = "its Patroni reports no WAL position; PostgreSQL is " + x.m.State
		g.Try = "pgtui status " + x.name() + "; then the log of PostgreSQL on " + string(x.m.Host)
		x.f.why["reach"] = g.What
	case x.st.Role == "primary":
		g.Verdict, g.By, g.What = No, "B", "it runs as a primary without the leader key"
		g.Try = "pgtui doctor " + x.name()
	case !board.HealthyState(x.m.State):
		g.Verdict, g.Risk, g.What = Risk, "candidate-unread", "PostgreSQL is "+x.m.State
	}
	x.out.add(g)
}

// lag is gate B: what the leader's last word in the DCS has and the candidate
// has neither received nor replayed. The DCS has it up to loop_wait later than the
// leader.
func (x *member) lag() {
	x.f.lag = Unknown
	if x.blind("received-lag", "B") {
		x.f.why["lag"] = "how far it is behind is unknown: its Patroni does not answer"
		return
	}
	g := Gate{Name: "received-lag", By: "B", Unit: "bytes", Limit: x.rules.MaxLag}
	x.f.lag, g.Value, g.What = x.behind()
	switch g.Verdict = x.f.lag; g.Verdict {
	case No:
		g.Try = "wait until it has caught up: pgtui status " + x.name()
	case Unknown:
		if g.Value < 0 {
			g.Unit, g.Value = "", 0
		}
	}
	if !x.rules.Known && g.Verdict == Pass {
		g.Verdict, x.f.lag = Unknown, Unknown
		g.What += "; the limit is " + x.rules.From
	}
	x.f.why["lag"] = g.What
	x.out.add(g)
}

// behind judges the candidate's distance to the leader by two words: what the
// DCS had of both when it was read, and what both report of themselves. n is -1 where
// neither has one.
func (x *member) behind() (v Verdict, n int64, what string) {
	limit := x.rules.MaxLag
	words := func(n int64) string {
		return fmt.Sprintf("%s behind in WAL received, limit %s", text.Bytes(n), text.Bytes(limit))
	}
	pos := x.st.Position()
	if x.st.Role == "primary" {
		return No, 0, "it reports no WAL received: it runs as a primary"
	}
	dcs := int64(-1)
	if d := x.dcs.Member(x.m.Instance); x.dcsKnown && d != nil {
		dcs = d.Behind
	}
	switch {
	case pos < 0 && dcs < 0:
		return Unknown, -1, "it reports no WAL position"
	case pos < 0:
		return Unknown, dcs, fmt.Sprintf("it reports no WAL position; the DCS has it %s behind, limit %s", text.Bytes(dcs), text.Bytes(limit))
	}
	own := int64(-1)
	if x.lead != nil && x.lead.Position() >= 0 {
		own = max(0, x.lead.Position()-pos)
	}
	switch {
	case own < 0 && dcs < 0:
		return Unknown, -1, "how far it is behind is unknown: neither the leader nor the DCS reports a position"
	case own < 0 && dcs <= limit:
		return Pass, dcs, words(dcs) + ", as the DCS lists it"
	case own < 0:
		return No, dcs, words(dcs) + ", as the DCS lists it"
	case own <= limit:
		return Pass, own, words(own)
	case dcs < 0 || dcs > limit:
		return No, own, words(own)
	case x.streams() && own-dcs <= failover.Moments:
		return Pass, dcs, words(dcs) + ", as the DCS lists it"
	}
	return Unknown, own, fmt.Sprintf("%s behind as it reports itself and %s as the DCS lists it, limit %s: Patroni decides by the DCS, which is up to loop_wait old",
		text.Bytes(own), text.Bytes(dcs), text.Bytes(limit))
}

// streams reports whether a walsender sends to it.
func (x *member) streams() bool {
	br := x.branches[x.m.Instance]
	return br.Stream.State == "streaming" || x.st.ReplicationState == "streaming"
}

// timeline is gate B: with check_timeline a member that is behind the cluster's
// timeline, or reports none, does not take over.
func (x *member) timeline() {
	x.f.tl = Unknown
	if x.blind("timeline", "B") {
		x.f.why["tl"] = "its timeline is unknown"
		return
	}
	want, has, on := x.b.Timeline, x.st.Timeline, x.rules.CheckTimeline
	if !on {
		has = x.m.Timeline // the DCS may have it where Patroni reports none
	}
	g := Gate{Name: "timeline", By: "B", Unit: "timeline", Value: int64(has), Limit: int64(want), Verdict: Pass}
	old := has < want || has == 0
	g.What = fmt.Sprintf("on timeline %d as the leader", has)
	switch {
	case want == 0 && on:
		g.Verdict, g.What = Unknown, fmt.Sprintf("on timeline %d; that of the cluster is unknown", has)
	case want == 0:
		g.What = fmt.Sprintf("on timeline %d; check_timeline is off", has)
	case old && on && x.rules.Standby:
		g.Verdict, g.What = Unknown, fmt.Sprintf("on timeline %d, the leader on %d; what the DCS of a standby cluster has is unknown", has, want)
	case old && on:
		g.Verdict, g.What = No, fmt.Sprintf("on timeline %d, the cluster is on %d, and check_timeline is on", has, want)
		g.Try = "pgtui reinit " + string(x.m.Instance)
	case has == 0:
		g.Unit, g.What = "", "it reports no timeline; check_timeline is off"
	case old:
		g.Verdict, g.Risk = Risk, "data-loss"
		g.What = fmt.Sprintf("on timeline %d, the cluster is on %d; check_timeline is off", has, want)
		g.Try = "wait until it follows the new timeline, or reinitialise it"
	case has > want:
		g.Verdict, g.Risk = Risk, "data-loss"
		g.What = fmt.Sprintf("on timeline %d, which the leader (%d) does not have", has, want)
		g.Try = "pgtui doctor " + x.name()
	}
	if x.f.tl = Pass; g.Verdict == No || g.Verdict == Unknown {
		x.f.tl = g.Verdict
	}
	x.f.why["tl"] = g.What
	x.out.add(g)
}

// sync is gate A of a switchover in synchronous mode, and gate B in quorum mode.
func (x *member) sync() {
	g := Gate{Name: "sync", Verdict: Pass, By: "A"}
	x.f.sync = x.inSync()
	switch mode := x.rules.SyncMode(); {
	case !x.rules.Sync && !x.rules.Known:
		g.Verdict, g.What = Unknown, "synchronous_mode is unknown: "+x.rules.From
	case !x.rules.Sync:
		g.What = "synchronous_mode is off"
	case x.f.sync == Pass:
		g.What = "in the /sync key, synchronous_mode " + mode
	case x.f.sync == Unknown:
		g.Verdict, g.What = Unknown, "whether it is in the /sync key is unknown, and synchronous_mode is "+mode
	case x.rules.Quorum:
		g.Verdict, g.By, g.What = No, "B", "not in the /sync key, and synchronous_mode is quorum"
	default:
		g.Verdict, g.What = No, "not in the /sync key, and synchronous_mode is on"
		g.Try = "choose a synchronous standby"
		if x.lead == nil || x.lead.Generation(3, 2, 0) {
			g.Try += "; pgtui failover " + x.name() + " --candidate " + string(x.m.Instance) + " takes an asynchronous one"
		}
	}
	x.f.why["sync"] = g.What
	x.out.add(g)
}

// inSync is whether the /sync key has the member: by the DCS as a member has just
// read it, else by its own word.
func (x *member) inSync() Verdict {
	if d := x.dcs.Member(x.m.Instance); x.dcsKnown && d != nil {
		return yes(d.Role == "sync_standby" || d.Role == "quorum_standby")
	}
	if !x.m.Known {
		return Unknown
	}
	return yes(x.st.SyncStandby || x.st.QuorumStandby)
}

// yes is Pass or No.
func yes(ok bool) Verdict {
	if ok {
		return Pass
	}
	return No
}

// tags are nofailover and failover_priority as Patroni reads them.
func (x *member) tags() {
	if x.blind("nofailover", "A") {
		x.blind("failover-priority", "A")
		return
	}
	x.f.never = x.st.NoFailover()
	if x.f.never {
		x.f.bars = "not allowed to promote"
	}
	byTag := x.st.Set("nofailover")
	g := Gate{Name: "nofailover", Verdict: Pass, By: "A", What: "the tag nofailover is not set"}
	if byTag {
		g.Verdict, g.What, g.Try = No, "the tag nofailover is "+x.st.Tags["nofailover"], "remove the tag from /etc/patroni/patroni.yml on "+string(x.m.Host)+", then reload Patroni"
		x.f.why["bars"] = g.What
	}
	x.out.add(g)
	n := x.st.FailoverPriority()
	p := Gate{Name: "failover-priority", Verdict: Pass, By: "A", Unit: "count", Value: n, What: fmt.Sprintf("failover_priority %d", n)}
	switch tag := x.st.Tags["failover_priority"]; {
	case tag == "":
		p.What = "no failover_priority: 1"
	case !x.st.Generation(3, 2, 0):
		p.What = "failover_priority " + tag + ", which Patroni " + x.st.Version + " ignores"
	case x.f.never && !byTag:
		p.Verdict, p.What, p.Try = No, "failover_priority "+tag+", which is nofailover", "set it to 1 or more on "+string(x.m.Host)+", then reload Patroni"
		x.f.why["bars"] = p.What
	}
	x.out.add(p)
}

func (x *member) watchdog() {
	if x.blind("watchdog", "A") {
		return
	}
	g := Gate{Name: "watchdog", Verdict: Pass, By: "A", What: "no watchdog is missing"}
	if x.st.WatchdogFailed {
		g.Verdict, g.What, g.Try = No, "it requires a watchdog and has no working one", "modprobe softdog on "+string(x.m.Host)+", and let postgres write to /dev/watchdog"
		if x.f.bars == "" {
			x.f.bars, x.f.why["bars"] = "not watchdog capable", g.What
		}
	}
	x.out.add(g)
}

// replication is whether it streams. One that does not misses the last WAL of the
// old leader, unless it gets that from the archive.
func (x *member) replication() {
	if x.blind("replication", "C") {
		return
	}
	br := x.branches[x.m.Instance]
	g := Gate{Name: "replication", Verdict: Pass, By: "C"}
	switch from, st := br.Upstream, br.Stream; {
	case st.State == "streaming" && from == x.b.Leader:
		g.What = "streams from the leader"
	case st.State == "streaming":
		g.Verdict, g.What = Note, "streams from "+string(from)+", not from the leader"
	case st.State != "":
		g.Verdict, g.Risk, g.What = Risk, "data-loss", "its walsender on "+string(from)+" is in state "+st.State
	case x.st.ReplicationState == "streaming":
		g.What = "streams, as its own Patroni reports"
	case x.b.Leader == "":
		g.Verdict, g.What = Note, "there is no leader to stream from"
	case x.lead == nil && x.b.Unlist(x.b.Leader) == nil:
		g.Verdict, g.What = Unknown, "the leader does not answer, so whether it streams is unknown"
	case br.Note != "":
		g.Verdict, g.Risk, g.What = Risk, "data-loss", br.Note
	default:
		g.Verdict, g.Risk, g.What = Risk, "data-loss", "it does not stream"
		if x.st.ReplicationState != "" {
			g.What += ": " + x.st.ReplicationState
		}
	}
	if g.Verdict == Risk {
		g.What += "; the leader's last WAL may not reach it before it stops"
		g.Try = "pgtui status " + x.name() + "; then the log of PostgreSQL on " + string(x.m.Host)
	}
	x.out.add(g)
}

// Below worth, bytes, a backlog is not worth a word; from heavy on it is a risk
// when the speed of the replay is unknown; so it is when it lasts slow or longer.
const (
	worth = 1 << 20
	heavy = 16 << 20
	slow  = 2 * time.Second
)

// backlog is what it replays before it opens.
func (x *member) backlog() {
	if x.blind("replay-backlog", "") {
		return
	}
	n := x.st.Backlog()
	g := Gate{Name: "replay-backlog", Verdict: Pass, Unit: "bytes", Value: n, What: text.Bytes(n) + " received and not replayed"}
	if x.st.ReplayPaused {
		g.Verdict, g.What = Note, g.What+"; its replay is paused (pg_wal_replay_pause), and a promotion ends the pause"
	}
	if n >= worth {
		took, how := x.replays(n)
		g.What += "; " + how
		g.Verdict = worse(g.Verdict, Note)
		if took >= slow || took < 0 && n >= heavy {
			g.Verdict, g.Risk = Risk, "replay-backlog"
			g.Try = "wait until it has replayed, or choose another candidate"
		}
	}
	x.out.add(g)
}

// replays is how long the replay of n bytes takes, and from what that is known;
// -1 when it is unknown.
func (x *member) replays(n int64) (time.Duration, string) {
	o := x.s.SQL[x.m.Instance]
	switch f := &o.Value; {
	case !o.Known() || !f.Read || f.ReplayRate < 0 || f.ReplaySpan <= 0:
		why := "its replay was not measured"
		if x.m.Declared == model.RoleDelayed {
			why = "it is a delayed instance"
		}
		if at := time.Unix(x.st.ReplayedAt, 0); x.st.ReplayedAt > 0 && x.now.After(at) {
			why += ", and it has replayed what was committed " + about(x.now.Sub(at)) + " ago"
		}
		return -1, "how long that takes is unknown: " + why
	case f.ReplayRate == 0:
		return -1, fmt.Sprintf("how long that takes is unknown: it replayed nothing in %s", about(f.ReplaySpan))
	default:
		d := time.Duration(float64(n) / float64(f.ReplayRate) * float64(time.Second))
		return d, fmt.Sprintf("about %s more outage, by the %s/s that it replayed during %s", about(d), text.Bytes(f.ReplayRate), about(f.ReplaySpan))
	}
}

func (x *member) restart() {
	if x.blind("pending-restart", "") {
		return
	}
	g := Gate{Name: "pending-restart", Verdict: Pass, What: "no pending restart"}
	if x.st.PendingRestart {
		g.Verdict, g.What, g.Try = Note, "a restart is pending", "pgtui restart "+string(x.m.Instance)
		if len(x.st.PendingReasons) > 0 {
			g.What += ": " + strings.Join(x.st.PendingReasons, ", ")
		}
	}
	x.out.add(g)
}

// role is the declared role: Pigsty leaves offline and delayed instances
// promotable.
func (x *member) role() {
	g := Gate{Name: "role", Verdict: Pass, What: "declared as " + cmp.Or(string(x.m.Declared), "replica")}
	switch x.m.Declared {
	case model.RoleOffline:
		g.Verdict, g.Risk, g.What, g.Try = Risk, "unfit-role", "declared as offline: it then takes the writes, and the offline service loses it", "choose a replica"
	case model.RoleDelayed:
		g.Verdict, g.Risk, g.What, g.Try = Risk, "unfit-role", "declared as delayed: it first replays everything it holds back", "choose a replica"
	}
	x.out.add(g)
}

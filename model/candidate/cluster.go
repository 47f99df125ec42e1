package candidate

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
)

// clusterFacts are what Patroni decides about the cluster on.
type clusterFacts struct {
	// leader is Pass when one leads by its own word, Unknown when it does not
	// answer or is unknown, No when there is none.
	leader Verdict
	why    string // of a leader that is not Pass
	// loops reports that the leader's Patroni runs gate B: its PostgreSQL runs as
	// a primary, or leads a standby cluster.
	loops    bool
	state    string // of the leader's PostgreSQL
	dcs      Verdict
	dcsWhy   string
	paused   bool
	sync     bool
	quorum   bool
	nodes    int // synchronous_node_count
	maxLag   int64
	known    bool // the rules are Patroni's own
	from     string
	version  model.PatroniStatus // of the leader, else of any member: for Generation
	unlisted int                 // members in the DCS that the inventory does not have and that do not lead
}

func (j *judge) clusterFacts() clusterFacts {
	f := clusterFacts{paused: j.b.Paused, sync: j.rules.Sync, quorum: j.rules.Quorum, nodes: j.rules.SyncNodes, maxLag: j.rules.MaxLag, known: j.rules.Known, from: j.rules.From}
	f.leader, f.why = j.leader()
	if j.lead != nil {
		f.version, f.state = model.PatroniStatus{Version: j.lead.Version}, j.lead.State
		f.loops = j.lead.State == "running" && (j.lead.Role == "primary" || j.rules.Standby)
	} else {
		for i := range j.b.Members {
			if o := j.s.PatroniStatus(j.b.Members[i].Instance); o.Current(j.now) {
				f.version.Version = o.Value.Version
			}
		}
	}
	f.dcs, f.dcsWhy = j.readsDCS()
	for i := range j.b.Unlisted {
		if j.b.Unlisted[i].Instance != j.b.Leader {
			f.unlisted++
		}
	}
	return f
}

// leader is whether a leader is known, and why not.
func (j *judge) leader() (Verdict, string) {
	b := j.b
	switch {
	case b.Leader != "" && b.LeaderBy == "self" && j.dcsKnown && j.namedByDCS() != b.Leader:
		return Unknown, string(b.Leader) + " reports that it leads, and the DCS names " + orNone(j.namedByDCS())
	case b.Leader != "" && b.LeaderBy == "self":
		return Pass, ""
	case b.Leader != "" && b.Unlist(b.Leader) != nil:
		return Unknown, string(b.Leader) + " leads, as the DCS lists it, and is not in the inventory"
	case b.Leader != "":
		return Unknown, string(b.Leader) + " leads, as the DCS lists it, and its Patroni does not answer"
	case b.LeaderUnsure, !j.dcsKnown:
		why := "the holder of the leader key is unknown"
		if silent := board.Silent(b); silent != "" {
			why += ": " + silent
		}
		return Unknown, why
	}
	return No, "no member holds the leader key"
}

func orNone(n model.InstanceName) string {
	if n == "" {
		return "none"
	}
	return string(n)
}

// namedByDCS is who leads by the freshest GET /cluster; "" for none.
func (j *judge) namedByDCS() model.InstanceName {
	for i := range j.dcs.Members {
		if m := &j.dcs.Members[i]; m.Role == "leader" || m.Role == "standby_leader" {
			return m.Name
		}
	}
	return ""
}

// readsDCS is whether Patroni reaches its DCS, and by what that is known.
func (j *judge) readsDCS() (Verdict, string) {
	for i := range j.b.Members {
		m := &j.b.Members[i]
		if o := j.s.PatroniStatus(m.Instance); m.Known && o.Value.Failsafe {
			return No, string(m.Instance) + " has lost the DCS: failsafe_mode is active"
		}
	}
	if !j.dcsKnown {
		return Unknown, "no Patroni answered GET /cluster"
	}
	return Pass, "Patroni reads it"
}

// cluster fills in the gates of the cluster and its leader.
func (j *judge) cluster() {
	t, b := j.t, j.b
	add := func(g Gate) { t.Gates = append(t.Gates, g) }
	add(j.leaderGate())
	add(j.dcsGate())
	g := Gate{Name: "pause", Verdict: Pass, What: "Patroni is not paused", By: "A"}
	switch {
	case !j.dcsKnown:
		g.Verdict, g.What = Unknown, "no Patroni answered GET /cluster"
	case b.Paused:
		g.Verdict, g.Risk, g.Try = Risk, "paused", "pgtui resume "+j.name()
		g.What = "Patroni is paused: no member takes over by itself, a switchover needs --candidate and cannot be scheduled"
	}
	add(g)
	add(j.scheduled())
	if g, ok := j.foreign(); ok {
		add(g)
	}
	if j.rules.Standby {
		add(Gate{Name: "standby-cluster", Verdict: Note, What: "a standby cluster: its new leader follows the other cluster and takes no writes"})
	}
	if b.Leader != "" {
		j.leaderSQL(add)
	}
}

func (j *judge) leaderGate() Gate {
	f := &j.t.patroni
	g := Gate{Name: "leader", Verdict: Pass, By: "A"}
	switch f.leader {
	case Pass:
		g.What = fmt.Sprintf("%s reports that it leads, on timeline %d", j.b.Leader, j.b.Timeline)
		if !f.loops {
			g.Verdict, g.Risk, g.What = Risk, "failover", fmt.Sprintf("%s holds the leader key, and its PostgreSQL is %s", j.b.Leader, f.state)
		}
	case No:
		g.Verdict, g.Risk, g.What = Risk, "no-leader", f.why+", so Patroni refuses a switchover"
		g.Try = "pgtui doctor " + j.name()
		j.t.Why = f.why
	default:
		g.Verdict, g.What, g.Try = Unknown, f.why, "pgtui doctor "+j.name()
		if j.b.Leader == "" {
			j.t.Why = f.why
		}
	}
	return g
}

// dcsGate is Patroni's own word; what etcd's ports answer is beside it.
func (j *judge) dcsGate() Gate {
	g := Gate{Name: "dcs", Verdict: j.t.patroni.dcs, What: j.t.patroni.dcsWhy, By: "A"}
	if g.Verdict != Pass {
		g.Try = "pgtui components " + j.name()
	}
	silent := 0
	for _, e := range j.c.Etcd {
		if o := j.s.Rules[j.c.Name].Etcd[model.Host(e.Host)]; o.Known() && o.Value != "" {
			silent++
		}
	}
	if n := len(j.c.Etcd); n > 0 {
		g.What += fmt.Sprintf("; of etcd %d of %d accept connections", n-silent, n)
	}
	if silent > 0 && g.Verdict == Pass {
		g.Verdict, g.Try = Note, "pgtui components "+j.name()
	}
	return g
}

func (j *judge) scheduled() Gate {
	sw := j.b.Switch
	g := Gate{Name: "scheduled", Verdict: Pass, What: "no switchover is scheduled"}
	switch {
	case !j.dcsKnown:
		g.Verdict, g.What = Unknown, "no Patroni answered GET /cluster"
	case sw.At != "":
		g.Verdict, g.Risk, g.What = Risk, "scheduled", "a switchover"+sw.Who()+" is scheduled at "+sw.At
		g.Try = "pgtui patroni flush " + j.name() + " switchover"
		if board.Soon(sw.At, j.now) {
			g.Risk = "scheduled-soon"
		}
	}
	return g
}

// foreign is a member at whose address another Patroni answers.
func (j *judge) foreign() (Gate, bool) {
	g := Gate{Name: "foreign", Verdict: Pass}
	var parts []string
	for i := range j.b.Members {
		m := &j.b.Members[i]
		if m.Foreign == nil {
			continue
		}
		parts = append(parts, m.Foreign.Why)
		g.Host, g.Risk, g.Try = m.Host, "foreign-patroni", "pgtui doctor "+j.name()
		g.Verdict = worse(g.Verdict, Risk)
		if !m.Foreign.Sure {
			g.Verdict = Unknown
		}
	}
	g.What = strings.Join(parts, "; ")
	return g, len(parts) > 0
}

// leaderSQL adds what the leader's shutdown waits for, as a login on it shows.
func (j *judge) leaderSQL(add func(Gate)) {
	o := j.s.SQL[j.b.Leader]
	f := &o.Value
	if !o.Known() || !f.Read {
		why := "the leader was not logged in to"
		switch {
		case o.Err != nil:
			why = o.Err.Error()
		case o.Known() && f.Direct.Fault != "":
			why = "no login on " + string(j.b.Leader) + ": " + f.Direct.Text
		case o.Known():
			why = "the monitoring user may not read it on " + string(j.b.Leader)
		}
		for _, name := range []string{"archiver", "prepared-transactions", "long-transactions"} {
			add(Gate{Name: name, Verdict: Unknown, What: why, Risk: "candidate-unread"})
		}
		return
	}
	add(j.archiver(f))
	g := Gate{Name: "prepared-transactions", Verdict: Pass, Unit: "count", Value: int64(f.Prepared), What: "no prepared transaction"}
	if f.Prepared > 0 {
		g.Verdict, g.Risk = Note, "open-transactions"
		g.What = fmt.Sprintf("%s, the oldest %s: they move to the new leader and keep their locks", text.Plural(f.Prepared, "prepared transaction"), about(f.OldestPrepared))
		g.Try = "select gid, prepared, owner, database from pg_prepared_xacts"
	}
	add(g)
	g = Gate{Name: "long-transactions", Verdict: Pass, Unit: "count", Value: int64(max(f.Long, 0)), What: "no transaction of a client runs for a minute"}
	switch {
	case f.Long < 0:
		g.Verdict, g.Unit, g.Risk, g.What = Unknown, "", "candidate-unread", "the monitoring user may not read the transactions of others: it lacks pg_read_all_stats"
	case f.Long > 0:
		g.Verdict, g.Risk = Note, "open-transactions"
		g.What = fmt.Sprintf("%s of a minute or longer, the oldest %s: a takeover ends them", text.Plural(f.Long, "transaction"), about(f.OldestXact))
		g.Try = "select pid, usename, xact_start, query from pg_stat_activity order by xact_start limit 10"
	}
	add(g)
}

// queue is the number of WAL files that wait for the archive from which on they are
// a risk.
const queue = 16

// archiver is gate C: the leader stops once its WAL is archived.
func (j *judge) archiver(f *model.ServerFacts) Gate {
	g := Gate{Name: "archiver", Verdict: Pass, By: "C", Unit: "count", Value: max(f.ArchiveReady, 0)}
	waiting := "the number of waiting WAL files is unknown"
	if f.ArchiveReady >= 0 {
		waiting = text.Plural(int(f.ArchiveReady), "WAL file") + " to archive"
	} else {
		g.Unit = ""
	}
	on := slices.Contains([]string{"on", "always"}, f.ArchiveMode)
	switch {
	case f.ArchiveMode == "off":
		g.What, g.Unit = "archive_mode is off", ""
	case f.ArchiverFails():
		g.Verdict, g.Risk = Risk, "archiver-stuck"
		g.What = fmt.Sprintf("archive_command fails, the last time %s ago on %s; %s: the leader's shutdown may wait for it", about(j.now.Sub(f.ArchiveFail)), f.FailedFile, waiting)
		g.Try = "fix archive_command on " + string(j.b.Leader) + ": its log has the error"
	case f.ArchiveReady >= queue:
		g.Verdict, g.Risk, g.What = Risk, "archiver-stuck", waiting+": the leader's shutdown may wait for them"
		g.Try = "wait until they are archived"
	case f.ArchiveReady > 1:
		g.Verdict, g.What = Note, waiting
	case !on && f.ArchiveMode == "":
		g.Verdict, g.Risk, g.What = Unknown, "candidate-unread", "archive_mode was not read"
	case f.ArchiveReady < 0:
		g.Verdict, g.What = Note, "archive_command has not failed since its last success; "+waiting
	default:
		g.What = "archive_command has not failed since its last success; " + waiting
	}
	return g
}

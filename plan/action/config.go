package action

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/plan"
)

// sentence is a clause with a full stop.
func sentence(s string) string { return strings.TrimSuffix(s, ".") + "." }

// stamp is a time for a plan.
func stamp(t time.Time) string { return t.Format(time.RFC3339) }

// planPause turns Patroni's maintenance mode on or off.
func planPause(in *Input, p *Plan) {
	on := p.Request.Kind == Pause
	via := in.via(in.Board.Leader)
	if p.Refused = cmp.Or(in.busy(), in.unwritable(via)); p.Refused != nil {
		return
	}
	if in.pausedAll(on) {
		p.addFact(fmt.Sprintf("Every member that answers reports that already: pause is %t.", on))
		return
	}
	s := Step{Do: DoConfig, Via: via, Value: `{"pause":null}`, What: "resume Patroni of " + in.name() + ": PATCH /config to " + string(via),
		Proof: "no member that answers reports pause"}
	if on {
		s.Value, s.What = `{"pause":true}`, "pause Patroni of "+in.name()+": PATCH /config to "+string(via)
		s.Proof = "every member that answers reports pause"
		p.addFact("While paused, Patroni does not replace a failed leader and does not restart PostgreSQL. pgtui shows the pause as a finding, with who paused and since when. pgtui does not end the pause.")
		if p.Request.Why == "" {
			p.addFact("No reason is given: --why records one.")
		}
		p.Next = []string{p.Request.Undo()}
	} else if in.Board.Leader == "" {
		p.addFact("No member leads: Patroni promotes one as soon as it is resumed.")
	}
	for i := range in.Board.Members {
		if m := &in.Board.Members[i]; !m.Known {
			p.addFact(fmt.Sprintf("Not checked whether %s follows: %s.", m.Instance, m.Why))
		}
	}
	p.Steps = []Step{s}
}

// pausedAll reports whether every member that answers, and at least one does, has
// pause as wanted.
func (in *Input) pausedAll(on bool) bool {
	seen := false
	for _, m := range in.answering() {
		st := in.status(m.Instance)
		if st == nil || st.Paused != on {
			return false
		}
		seen = true
	}
	return seen && in.Board.Paused == on
}

// restartKeys are the PostgreSQL parameters that Patroni itself manages and that
// take a restart; what pending_restart reports afterwards counts.
func restartKeys() []string {
	return append(model.StandbyParameters(), "max_replication_slots", "wal_level", "hot_standby", "track_commit_timestamp", "cluster_name", "shared_buffers",
		"shared_preload_libraries", "archive_mode", "huge_pages", "wal_buffers", "listen_addresses", "port", "ssl_library", "autovacuum_max_workers",
		"max_files_per_process", "max_logical_replication_workers", "superuser_reserved_connections", "wal_log_hints", "logging_collector", "event_source",
		"max_pred_locks_per_transaction", "old_snapshot_threshold", "track_activity_query_size", "unix_socket_directories", "autovacuum_freeze_max_age")
}

// parameterOf is the PostgreSQL parameter that a key sets; "" when it sets none.
func parameterOf(key string) string {
	name, ok := strings.CutPrefix(key, parameters)
	if !ok {
		return ""
	}
	return name
}

// planConfig changes keys of Patroni's dynamic configuration.
func planConfig(in *Input, p *Plan) {
	set, err := ParseSettings(p.Request.Set)
	via := in.via(in.Board.Leader)
	if p.Refused = cmp.Or(err, in.busy(), noSecret(set), in.unwritable(via)); p.Refused != nil {
		return
	}
	if in.Config == nil {
		p.Refused = deny("pgtui status "+in.name(), "no member answers GET /config: what would change is unknown")
		return
	}
	var changes []Setting
	var words []string
	for _, s := range set {
		was, _ := ValueAt(in.Config, s.Key)
		if Holds(in.Config, PatchOf([]Setting{s})) {
			p.addFact(fmt.Sprintf("%s is %s already.", s.Key, ShowValue(s.Key, was)))
			continue
		}
		line := fmt.Sprintf("%s: %s → %s", s.Key, ShowValue(s.Key, was), ShowValue(s.Key, s.Value))
		p.Facts, changes, words = append(p.Facts, line), append(changes, s), append(words, line)
		in.tellRestartKey(p, s, was)
	}
	if len(changes) == 0 {
		return
	}
	body, err := json.Marshal(PatchOf(changes))
	if err != nil {
		p.Refused = err
		return
	}
	p.Steps = []Step{{Do: DoConfig, Via: via, Value: string(body), Instance: "",
		What:  fmt.Sprintf("change Patroni's configuration of %s: %s: PATCH /config to %s", in.Cluster.Name, strings.Join(words, "; "), via),
		Proof: "GET /config has the new values"}}
}

// noSecret refuses values that would be in the plan, on the screen and in the audit
// file.
func noSecret(set []Setting) error {
	for _, s := range set {
		if secretKey(s.Key) {
			return deny("patronictl -c /etc/patroni/patroni.yml edit-config, on a node", "%s may be a secret, and a plan is not kept secret", s.Key)
		}
	}
	return nil
}

// tellRestartKey adds that a key takes effect at a restart, and in which order.
func (in *Input) tellRestartKey(p *Plan, s Setting, was any) {
	name := parameterOf(s.Key)
	if name == "" || !slices.Contains(restartKeys(), name) {
		return
	}
	var who []model.InstanceName
	for _, m := range in.answering() {
		who = append(who, m.Instance)
	}
	p.addFact(fmt.Sprintf("%s takes effect at a restart of %s; each reports pending_restart then.", name, model.Join(who)))
	if next := "pgtui restart " + in.name() + " --pending"; !slices.Contains(p.Next, next) {
		p.Next = append(p.Next, next)
	}
	if !slices.Contains(model.StandbyParameters(), name) {
		return
	}
	order := "replicas first when it is raised, the leader first when it is lowered"
	a, err1 := strconv.ParseInt(fmt.Sprint(was), 10, 64)
	b, err2 := strconv.ParseInt(fmt.Sprint(s.Value), 10, 64)
	switch {
	case err1 != nil || err2 != nil:
	case b > a:
		order = "it is raised: restart the replicas first, then the leader"
	case b < a:
		order = "it is lowered: restart the leader first, its replicas after they have replayed that"
	}
	p.addRisk(plan.Risk{Name: plan.RiskRestartOrder, What: name + ": " + order, Try: "pgtui restart " + in.name() + " --pending"})
}

// planReload has every Patroni read its file again.
func planReload(in *Input, p *Plan) {
	if p.Refused = in.busy(); p.Refused != nil {
		return
	}
	for i := range in.Board.Members {
		m := &in.Board.Members[i]
		if !m.Known {
			p.addFact(fmt.Sprintf("%s is left out: %s.", m.Instance, m.Why))
			continue
		}
		if p.Refused = in.Allowed[m.Instance]; p.Refused != nil {
			return
		}
		p.Steps = append(p.Steps, Step{Do: DoReload, Instance: m.Instance, Via: m.Instance,
			What: fmt.Sprintf("reload Patroni of %s: POST /reload", m.Instance), Proof: "Patroni accepts it; it takes effect at its next loop and reports no result"})
	}
	if len(p.Steps) == 0 {
		p.Refused = deny("pgtui status "+in.name(), "no Patroni of %s answers", in.Cluster.Name)
	}
}

// planFlush cancels what is scheduled.
func planFlush(in *Input, p *Plan) {
	r := &p.Request
	switch r.Flush {
	case "switchover":
		if in.Board.Switch.At == "" {
			p.addFact("No switchover is scheduled.")
			return
		}
		via := in.via(in.Board.Leader)
		p.Refused = in.unwritable(via)
		p.Steps = []Step{{Do: DoFlush, Via: via, Value: "switchover", Proof: "GET /cluster lists none",
			What: fmt.Sprintf("cancel the switchover%s that is scheduled at %s: DELETE /switchover to %s", in.Board.Switch.Who(), in.Board.Switch.At, via)}}
	case "restart":
		m := in.Board.Member(r.Instance)
		switch {
		case m == nil:
			p.Refused = deny("pgtui status "+in.name(), "%s has no member %s", in.Cluster.Name, r.Instance)
		case !m.Known:
			p.Refused = deny("pgtui status "+in.name(), "%s: %s", r.Instance, m.Why)
		case m.Restart == "":
			p.addFact("No restart of " + string(r.Instance) + " is scheduled.")
		default:
			p.Refused = in.Allowed[r.Instance]
			p.Steps = []Step{{Do: DoFlush, Instance: r.Instance, Via: r.Instance, Value: "restart", Proof: "GET /patroni of it has none",
				What: fmt.Sprintf("cancel the restart of %s that is scheduled at %s: DELETE /restart", r.Instance, m.Restart)}}
		}
	default:
		p.Refused = deny("pgtui patroni flush "+in.name()+" switchover", "flush cancels a switchover or a restart, not %q", r.Flush)
	}
}

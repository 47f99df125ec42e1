package action

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/candidate"
	"pgtui/plan"
	"pgtui/source"
)

// Plan is everything an action does. It is a value: pgtui runs exactly what was
// reviewed, or nothing.
type Plan struct {
	ID        string // hash of what it does
	Request   Request
	Inventory string // hash of the inventory it was made from
	MadeAt    time.Time
	// Steps are what is done, in order. None means that there is nothing to do.
	Steps []Step
	// Facts are what the operator reads before he confirms, a sentence each: who
	// loses which sessions, the expected gap and what it comes from.
	Facts []string
	Risks []plan.Risk
	// Accepted are the names of the risks that the operator has accepted.
	Accepted []string
	// Refused is why the plan must not run, nil when it may. source.TryOf gives
	// the next step.
	Refused error
	// Candidates are the gates of every member, where the action moves the leader.
	Candidates *candidate.Table
	// Next are the commands to offer once it is done, in order.
	Next []string
}

// Verb is what one step does.
type Verb string

// The verbs. Each has one executor in apply/act.
const (
	DoSwitchover Verb = "switchover" // POST /switchover, then watched to its end
	DoFailover   Verb = "failover"   // POST /failover, then watched to its end
	DoSchedule   Verb = "schedule"   // POST with a time, then read back
	DoRestart    Verb = "restart"    // POST /restart of one member, then streaming or leading again
	DoReinit     Verb = "reinit"     // POST /reinitialize of one member, then streaming again
	DoConfig     Verb = "config"     // PATCH /config, then read back
	DoReload     Verb = "reload"     // POST /reload of one member
	DoFlush      Verb = "flush"      // DELETE /switchover or /restart, then read back
	DoServer     Verb = "server"     // one state or weight of servers of one HAProxy, then read back
	DoFrontend   Verb = "frontend"   // enable frontend on one HAProxy, then read back
	DoChecked    Verb = "checked"    // wait until a health check of the server has ended
	DoSessions   Verb = "sessions"   // wait until the servers have no session
	DoCut        Verb = "cut"        // end the sessions that are left
	DoVIP        Verb = "vip"        // wait until the VIP is on another node
	DoStreaming  Verb = "streaming"  // wait until the member streams
	DoSafe       Verb = "safe"       // report that the node may be stopped
	DoCancel     Verb = "cancel"     // pg_cancel_backend of one session, then read back
	DoTerminate  Verb = "terminate"  // pg_terminate_backend of one session, then read back
)

// Step is one call or one wait.
type Step struct {
	Do       Verb               `json:"do"`
	Instance model.InstanceName `json:"instance,omitempty"` // whom it changes
	From     model.InstanceName `json:"from,omitempty"`     // who leads before
	Via      model.InstanceName `json:"via,omitempty"`      // whose Patroni gets the call
	HAProxy  model.Host         `json:"haproxy,omitempty"`  // whose servers it changes
	Servers  []string           `json:"servers,omitempty"`  // "backend/server"; of DoFrontend "frontend"
	// Value is the state of DoServer: drain, maint, ready or "weight 50"; of
	// DoFlush what is flushed; of DoConfig the JSON of the PATCH.
	Value string `json:"value,omitempty"`
	// Session is the one that DoCancel and DoTerminate mean: another session that has
	// its process ID meanwhile is left alone.
	Session *Session `json:"session,omitempty"`
	What    string   `json:"what"`            // a sentence
	Proof   string   `json:"proof,omitempty"` // what shows that it is done
}

// Session is a session of PostgreSQL, and the query that is meant.
type Session struct {
	model.BackendID
	QueryStarted int64 `json:"query_started_us,omitempty"` // query_start, microseconds since 1970; 0 is any
}

// Input is what a plan is made from. It was read just before.
type Input struct {
	Inventory *model.Inventory
	Cluster   *model.Cluster
	Snap      *model.Snapshot  // with Servers, Rules, SQL and Marks
	Board     *board.Board     // judged, with findings
	Table     *candidate.Table // of Board; never nil
	Now       time.Time
	// Config is the body of GET /config; nil when it was not read. Only
	// PatroniConfig needs it.
	Config json.RawMessage
	// Allowed is whether Patroni takes a write from here, by instance: nil when
	// it does, why not otherwise. A member that is missing was not probed.
	Allowed map[model.InstanceName]error
	// Free is the free space of the data directory, bytes, by instance; read for a
	// reinit.
	Free map[model.InstanceName]source.Observed[int64]
	// Handed is, by HAProxy, the file that hands its servers' states over a reload,
	// "" where none does. Only actions on servers need it.
	Handed map[model.Host]source.Observed[string]
	// Signal is of Cancel and Terminate, which need nothing else beside the cluster.
	Signal *Signal
}

// Build makes the plan of a request. It does not fail: what forbids the plan is in
// Refused. MadeAt and Accepted are left zero.
func Build(in *Input, r Request) Plan {
	p := Plan{Request: r, Inventory: in.Inventory.Hash}
	if build := builders()[r.Kind]; build != nil {
		build(in, &p)
	} else {
		p.Refused = fmt.Errorf("this version of pgtui has no action %q", r.Kind)
	}
	names := plan.RiskNames()
	slices.SortStableFunc(p.Risks, func(a, b plan.Risk) int { return slices.Index(names, a.Name) - slices.Index(names, b.Name) })
	p.ID = IDOf(&p)
	return p
}

// builders are what fills in a plan, by kind.
func builders() map[Kind]func(*Input, *Plan) {
	return map[Kind]func(*Input, *Plan){
		Switchover: planSwitchover, Failover: planFailover, Restart: planRestart, Reinit: planReinit,
		Pause: planPause, Resume: planPause, PatroniConfig: planConfig, PatroniReload: planReload, Flush: planFlush,
		Drain: drain, Undrain: undrain, Maint: maint, Ready: ready, Weight: weight, EnableFrontend: enableFrontend,
		Maintenance: maintenance, EndMaintenance: endMaintenance, Cancel: planSignal, Terminate: planSignal,
	}
}

// IDOf is a short hash of everything that the plan does: two plans with the same
// ID do the same.
func IDOf(p *Plan) string {
	text, err := json.Marshal(struct {
		Request Request
		Steps   []Step
	}{p.Request, p.Steps})
	if err != nil {
		return "" // never: it has strings, numbers and times only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:12]
}

// Changes reports whether there is anything to do.
func (p *Plan) Changes() bool { return len(p.Steps) > 0 }

// Unaccepted are the names of the risks that stop the plan and were not accepted.
func (p *Plan) Unaccepted() []string { return plan.Unaccepted(p.Risks, p.Accepted) }

// Subject is what the operator types to confirm: the process ID of a session, the
// instance or node, else the cluster.
func (p *Plan) Subject() string {
	switch r := &p.Request; {
	case r.OnSession():
		return strconv.Itoa(r.PID)
	case r.Node != "":
		return string(r.Node)
	case r.Instance != "":
		return string(r.Instance)
	default:
		return string(r.Cluster)
	}
}

// Title is "switchover pg-test to pg-test-2".
func (r *Request) Title() string {
	s := strings.Replace(string(r.Kind), "patroni-", "patroni ", 1)
	if r.Kind == EndMaintenance {
		s = "end of maintenance"
	}
	if r.OnSession() {
		s += fmt.Sprintf(" backend %d", r.PID)
	}
	switch {
	case r.Node != "":
		s += " of " + string(r.Node)
	case r.Instance != "":
		s += " of " + string(r.Instance)
	default:
		s += " of " + string(r.Cluster)
	}
	if r.Candidate != "" {
		s += " to " + string(r.Candidate)
	}
	if r.Kind == Weight {
		s += fmt.Sprintf(" to %d", r.Weight)
	}
	return s
}

package act

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"pgtui/apply"
	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/trace"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/probe/transport"
	"pgtui/source"
)

// Actor carries out actions. Its methods may be called at the same time.
type Actor struct {
	Audit    *apply.Audit // nil keeps no records
	Who      plan.Operator
	ReadOnly string // what makes the run read-only; "" is nothing
	Runner   transport.Runner
	// Probe is one sweep over the nodes of the clusters.
	Probe func(ctx context.Context, inv *model.Inventory, only ...model.ClusterName) (*model.Snapshot, error)
	// Connect makes one connection to a target, as probe.Prober does.
	Connect func(ctx context.Context, inv *model.Inventory, t trace.Target, limit time.Duration, look bool) []trace.Attempt
	// Backend reads one session of an instance's PostgreSQL, nil when there is none.
	Backend func(ctx context.Context, c *model.Cluster, in *model.Instance, pid int) (*model.Backend, error)
	// Operate sends one statement to it as the administrator, as probe.Prober does.
	Operate func(ctx context.Context, c *model.Cluster, in *model.Instance, statement string, sending func()) (value string, ok bool, err error)
	// Examine reads what HAProxy nodes hold, their old processes among it; nil
	// reads nothing.
	Examine func(ctx context.Context, inv *model.Inventory, clusters []*model.Cluster) model.Readings
	// Roots are the CAs of Patroni's certificates; nil trusts the system's.
	Roots func(inv *model.Inventory) (*x509.CertPool, error)
	// Stats reads the stats page of one node, over a new connection.
	Stats func(ctx context.Context, n model.Node) (haproxy.Stats, error)
	// Dial opens connections to Patroni and HAProxy; a net.Dialer's when nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	Now  func() time.Time
	// Poll is how often a state is read while it is waited for; 500 ms when 0.
	Poll time.Duration
	// SettleFor is how long the end of an action may take; 3 min when 0.
	SettleFor time.Duration
}

// Errors that decide the outcome of a run.
var (
	// ErrUnknown is in the error of a step whose reply was lost, or whose end was
	// not seen. What it did is unknown.
	ErrUnknown = errors.New("its result is unknown")
	// ErrNotSent is in the error of a step that sent nothing.
	ErrNotSent = errors.New("nothing was sent")
)

// Run carries out a plan, one step after the other, and stops at the first that
// does not end as planned. A step of one HAProxy that does not skips what is left
// to do on that HAProxy only: those of the others are done first. emit gets every
// event as it happens, one at a time; it may be nil. Cancelling ctx stops the run
// between two steps and ends a wait; what was sent stays sent. The error is why
// the outcome is not EndDone; source.TryOf gives the next step.
func (a *Actor) Run(ctx context.Context, inv *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error) {
	r := &run{Actor: a, inv: inv, plan: &p, began: a.Now(), rep: action.Report{Plan: p.ID}}
	r.emit = emit
	if err := r.begin(); err != nil {
		r.rep.Outcome = action.EndRefused
		return r.rep, fmt.Errorf("%s: nothing was sent: %w", p.Request.Title(), err)
	}
	return r.end(r.steps(ctx))
}

// steps carries out the steps. See Run.
func (r *run) steps(ctx context.Context) error {
	bad := split{ended: map[int]bool{}}
	for i := range r.plan.Steps {
		r.at = i
		s := &r.plan.Steps[i]
		switch {
		case s.HAProxy == "" && bad.err != nil:
			return r.splitReport(&bad)
		case bad.at[s.HAProxy] != nil:
			continue
		case ctx.Err() != nil:
			err := errors.Join(r.splitReport(&bad), r.stopped(i))
			r.stop(bad.ended)
			return err
		}
		err := guard.Try(s.What, func() error { return verbs()[s.Do](ctx, r, s) })
		r.moved = r.moved || !errors.Is(err, ErrNotSent)
		switch {
		case err != nil && s.HAProxy == "":
			if errors.Is(err, errStopped) {
				r.stop(bad.ended)
			}
			return err
		case err != nil:
			bad.add(s.HAProxy, err)
		default:
			bad.ended[i] = true
		}
	}
	return r.splitReport(&bad)
}

// verbs are the executors, by verb.
func verbs() map[action.Verb]func(context.Context, *run, *action.Step) error {
	return map[action.Verb]func(context.Context, *run, *action.Step) error{
		action.DoSwitchover: doSwitchover, action.DoFailover: doFailover, action.DoSchedule: doSchedule, action.DoRestart: doRestart,
		action.DoReinit: doReinit, action.DoConfig: doConfig, action.DoReload: doReload, action.DoFlush: doFlush,
		action.DoServer: setServers, action.DoChecked: awaitCheck, action.DoSessions: awaitSessions, action.DoCut: cutSessions,
		action.DoFrontend: openFrontend, action.DoVIP: awaitVIP, action.DoStreaming: awaitStreaming, action.DoSafe: safeToStop,
		action.DoCancel: doSignal, action.DoTerminate: doSignal,
	}
}

// run is one plan under way.
type run struct {
	*Actor
	inv   *model.Inventory
	plan  *action.Plan
	emit  func(action.Event)
	began time.Time
	at    int  // index of the step in work
	moved bool // something was sent
	rec   plan.Record

	mu  sync.Mutex
	rep action.Report
}

// begin is the gate: it refuses what must not run, and otherwise writes the first
// record.
func (r *run) begin() error {
	p := r.plan
	switch {
	case r.ReadOnly != "":
		return &source.Hint{Err: fmt.Errorf("refused: %s makes this run read-only", r.ReadOnly), Try: "run it without " + r.ReadOnly}
	case p.Refused != nil:
		return p.Refused
	case len(p.Unaccepted()) > 0:
		names := p.Unaccepted()
		return &source.Hint{Err: fmt.Errorf("refused for %s", strings.Join(names, ", ")), Try: apply.AcceptHint(names)}
	case p.Inventory != r.inv.Hash:
		return &source.Hint{Err: errors.New("the inventory has changed since the plan was made"), Try: "plan again and review the difference"}
	}
	for i := range p.Steps {
		if verbs()[p.Steps[i].Do] == nil {
			return fmt.Errorf("this version of pgtui has no step %q", text.Line(string(p.Steps[i].Do), 40))
		}
	}
	return r.open()
}

// open writes the first record of the run. What cannot be recorded is not done.
func (r *run) open() error {
	req, err := json.Marshal(r.plan.Request)
	if err != nil {
		return err
	}
	q := &r.plan.Request
	r.rec = apply.NewRecord(r.began, r.inv, r.Who, q.Cluster, r.plan.ID, string(q.Kind))
	r.rec.Plan, r.rec.Request, r.rec.Accepted = r.plan.ID, req, r.plan.Accepted
	r.rec.Instance, r.rec.Until, r.rec.Why = q.Instance, q.Until, text.Line(q.Why, 300)
	if q.Candidate != "" {
		r.rec.Instance = q.Candidate
	}
	r.rec.Services, r.rec.HAProxy = touched(r.plan)
	r.rec.Risks = plan.RisksOf(r.plan.Risks)
	r.rec.Nodes = []plan.NodeRecord{}
	if r.Audit == nil {
		return nil
	}
	return r.Audit.Append(r.rec)
}

// touched are the services and HAProxies whose servers a plan changes.
func touched(p *action.Plan) (services []model.ServiceName, hosts []model.Host) {
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.HAProxy != "" && !slices.Contains(hosts, s.HAProxy) {
			hosts = append(hosts, s.HAProxy)
		}
		for _, x := range s.Servers {
			backend, _, _ := strings.Cut(x, "/")
			name := model.ServiceName(strings.TrimPrefix(backend, string(p.Request.Cluster)+"-"))
			if !slices.Contains(services, name) {
				services = append(services, name)
			}
		}
	}
	return services, hosts
}

// tell reports an event and keeps it for the record.
func (r *run) tell(e action.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.At, e.Step = r.Now(), r.at
	e.What = text.Line(e.What, 300)
	if e.State != action.Waiting {
		r.rep.Events = append(r.rep.Events, e)
	}
	if r.emit != nil {
		r.emit(e)
	}
}

// end judges the run and writes its last record.
func (r *run) end(err error) (action.Report, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rep.Outcome = outcomeOf(err, r.moved)
	if err == nil {
		r.rep.Next = append(r.rep.Next, r.plan.Next...)
	}
	rec := r.rec
	rec.Kind, rec.At, rec.TookMs = plan.RecordEnd, r.Now().UTC(), r.Now().Sub(r.began).Milliseconds()
	rec.Outcome = map[action.Outcome]string{action.EndDone: plan.RunApplied, action.EndFailed: plan.RunStopped, action.EndRefused: plan.RunRefused}[r.rep.Outcome]
	rec.Outcome = cmp.Or(rec.Outcome, plan.RunUnknown)
	if err != nil {
		rec.Error = text.Line(err.Error(), 1000)
	}
	for _, e := range r.rep.Events {
		x := plan.EventRecord{At: e.At.UTC(), State: string(e.State), Host: e.Host, What: e.What}
		if e.Err != nil {
			x.Error = text.Line(e.Err.Error(), 300)
		}
		rec.Events = append(rec.Events, x)
	}
	if r.Audit != nil {
		if aerr := r.Audit.Append(rec); aerr != nil {
			err = errors.Join(err, fmt.Errorf("the end could not be recorded: %w", aerr))
		}
	}
	if err != nil {
		return r.rep, &source.Hint{Err: fmt.Errorf("%s: %w", r.plan.Request.Title(), err), Try: cmp.Or(source.TryOf(err), "pgtui status "+string(r.plan.Request.Cluster)+", then plan again")}
	}
	return r.rep, nil
}

// outcomeOf is the outcome of a run that ended with err; moved is whether
// anything was sent.
func outcomeOf(err error, moved bool) action.Outcome {
	switch {
	case err == nil:
		return action.EndDone
	case errors.Is(err, ErrUnknown):
		return action.EndUnknown
	case !moved:
		return action.EndRefused
	}
	return action.EndFailed
}

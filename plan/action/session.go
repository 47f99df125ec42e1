package action

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/activity"
	"pgtui/plan"
)

// OnSession reports whether it ends one session of PostgreSQL, or its query.
func (r *Request) OnSession() bool { return r.Kind == Cancel || r.Kind == Terminate }

// Signal is what a plan to end a session is made from. It was read just before.
type Signal struct {
	// Report is what PostgreSQL reports of its sessions, without the text of queries.
	Report model.ServerReport
	Err    error // why it was not read; nil where it was
	// Rights is why the administrator of the inventory may not end the session; nil
	// where it may.
	Rights error
}

// backend is the session with that process ID, and how many wait for it; nil when there
// is none.
func (s *Signal) backend(pid int) *activity.Row {
	rows := activity.Rows(&s.Report)
	i := slices.IndexFunc(rows, func(r activity.Row) bool { return r.PID == pid })
	if i < 0 {
		return nil
	}
	return &rows[i]
}

// planSignal cancels the query of one session, or terminates the session.
func planSignal(in *Input, p *Plan) {
	q := &p.Request
	name := string(q.Instance)
	p.Next = []string{"pgtui postgres " + name}
	inst := in.Cluster.Instance(q.Instance)
	switch {
	case inst == nil:
		p.Refused = deny("one of: "+model.Join(in.Cluster.Names()), "%s has no instance %s", in.Cluster.Name, text.Line(name, 60))
		return
	case in.Signal == nil || in.Signal.Err != nil:
		p.Refused = deny("pgtui postgres "+name, "the sessions of %s were not read", name)
		if in.Signal != nil {
			p.Refused = in.Signal.Err
		}
		return
	}
	b := in.Signal.backend(q.PID)
	switch {
	case b == nil:
		p.Refused = deny("pgtui postgres "+name+" lists the sessions", "%s has no backend %d", name, q.PID)
	case q.Kind == Cancel && b.Kind == "walsender":
		p.Refused = deny("pgtui terminate "+name+" "+strconv.Itoa(q.PID), "backend %d is a walsender: it runs no query that could be cancelled", q.PID)
	case q.Kind == Cancel && !b.Active():
		p.Refused = deny("pgtui terminate "+name+" "+strconv.Itoa(q.PID)+" ends the session", "backend %d runs no query: it is %s", q.PID, cmp.Or(b.Backend.State, b.Kind))
	case in.Signal.Rights != nil:
		p.Refused = in.Signal.Rights
	}
	if p.Refused != nil {
		return
	}
	s := Step{Do: DoTerminate, Instance: q.Instance, Session: &Session{BackendID: b.BackendID}, Proof: "pg_stat_activity no longer has the session",
		What: fmt.Sprintf("PostgreSQL of %s: pg_terminate_backend(%d), if it is still this session", name, q.PID)}
	if q.Kind == Cancel {
		s.Do, s.Session.QueryStarted = DoCancel, b.QueryStarted
		s.What = fmt.Sprintf("PostgreSQL of %s: pg_cancel_backend(%d), if it still runs this query", name, q.PID)
		s.Proof = "pg_stat_activity no longer has the query as active"
	}
	p.Steps = append(p.Steps, s)
	p.signalFacts(b, inst)
}

// signalFacts are what the operator should know of the session, and its risks. They
// have no text of a query: it may hold secrets, and a plan can be saved.
func (p *Plan) signalFacts(b *activity.Row, in *model.Instance) {
	who := activity.Mine(b.Backend)
	p.addFact(fmt.Sprintf("The session is %s from %s: %s; query %s, for %s", who, b.Client, b.State(), cmp.Or(b.Verb, "unknown"), activity.Age(b.Query)))
	if b.InXact {
		p.addFact(fmt.Sprintf("Its transaction has been open for %s and is rolled back", activity.Age(b.Xact)))
	}
	if b.Blocks > 0 {
		p.addFact(fmt.Sprintf("Sessions that wait for it: %d", b.Blocks))
	}
	if what := systemSession(b.Backend); what != "" {
		p.addRisk(plan.Risk{Name: plan.RiskSystemSession, Host: in.Host, What: fmt.Sprintf("backend %d is %s", b.PID, what), Try: "leave it, unless this session hangs"})
	}
	if p.Request.Kind == Terminate {
		p.addFact("Its client gets the error 57P01 and has to connect again")
		return
	}
	p.addFact("Its client gets the error 57014 and keeps the session")
}

// systemSession is what a session does for the cluster, and what ends with it; "" for one
// of a client.
func systemSession(b *model.Backend) string {
	app := strings.ToLower(b.Application)
	switch {
	case b.Kind == "walsender":
		return "the walsender of " + cmp.Or(b.Application, b.Client) + ": its replication stops until it connects again"
	case strings.HasPrefix(app, "pgbackrest"):
		return "a session of pgbackrest: the backup fails"
	case strings.HasPrefix(app, "patroni"):
		return "a session of Patroni: it cannot check PostgreSQL until it connects again"
	case b.Kind != "client backend":
		return "not a client session: " + b.Kind
	}
	return ""
}

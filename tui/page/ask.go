package page

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Topic is what can be probed beside the watch: on the nodes, or in the inventory.
type Topic string

// The topics.
const (
	TopicAccess     Topic = "access"     // every endpoint, and where it leads
	TopicComponents Topic = "components" // what Pigsty runs on the nodes
	TopicTrace      Topic = "trace"      // one connection, hop by hop
	TopicOrigins    Topic = "inventory"  // where the values of the inventory come from
	TopicRules      Topic = "rules"      // what Patroni decides a failover by
	TopicCandidates Topic = "candidates" // who can take over
	TopicAction     Topic = "action"     // what an action would do
	TopicPooler     Topic = "pgbouncer"  // the console of an instance's pgbouncer
	TopicPostgres   Topic = "postgres"   // the sessions of an instance's PostgreSQL
	TopicLogs       Topic = "logs"       // the logs of a node, as they come
	TopicStore      Topic = "store"      // an instance's backups and disk, over SSH
	TopicHistory    Topic = "history"    // what was changed, as the audit file has it
	TopicTimelines  Topic = "timelines"  // the ends of a cluster's timelines, as Patroni has them
)

// Offers reports that the topic can be probed.
func (e Env) Offers(t Topic) bool { return e.Topics[t] }

// Inquiry is one request. Each is a value of its own: its address distinguishes it
// from an older one about the same, so that a late answer to that one is not taken
// for the answer to this.
type Inquiry struct {
	Topic   Topic
	Cluster model.ClusterName // "" is all
	Target  []string          // of a trace: what `pgtui trace` is given
	Request *action.Request   // of an action
	// Instance is whose pgbouncer, PostgreSQL or node is read.
	Instance model.InstanceName
	// Host is whose logs are read, and Logs which of them.
	Host model.Host
	Logs model.LogRequest
}

// LogsMsg is what has come of the logs that a page reads. The answer to such an
// inquiry is many of them, and Ended marks the last.
type LogsMsg struct {
	Inquiry *Inquiry
	Batch   model.LogBatch
	Ended   bool
	Err     error
}

// AnswerMsg answers Probe.
type AnswerMsg struct {
	Inquiry *Inquiry
	// Answer is a access.Access, []model.ComponentRow, trace.Trace, source.Origins,
	// model.RuleFacts, candidate.Table, ActionPlan, model.PoolReport, model.ServerReport
	// or model.NodeStore by the topic; it is not looked at when there is an Err.
	Answer any
	Err    error
	At     time.Time // when it was there
	Took   time.Duration
}

// Starter is a page that begins with work: it is started when it opens.
type Starter interface {
	Page
	Start() (Page, Intent)
}

// Resumer is a page that waits for an answer, which reaches it only while it is
// open. When it comes back and still waits, it is started again.
type Resumer interface {
	Starter
	// Waiting reports that an answer is on its way.
	Waiting() bool
}

// Inquirer is a page that probes the nodes itself, when it opens and on request.
// What it no longer waits for is cancelled.
type Inquirer interface {
	Resumer
	// Waits are the inquiries whose answers it waits for.
	Waits() []*Inquiry
}

// Refresher is a page that reads its nodes again by itself, as long as it is the one
// that is seen.
type Refresher interface {
	Inquirer
	// Refresh is called once a second; it begins an inquiry when it is time to.
	Refresh(e Env) (Page, Intent)
}

// Answered says that the page's inquiry has an answer.
const Answered keys.When = "answered"

// Answer is an inquiry, and the last answer to it.
type Answer[T any] struct {
	waits *Inquiry  // nil when nothing is on its way
	Got   *T        // nil before the first answer
	at    time.Time // of got
	took  time.Duration
	err   error     // of the last asking; nil when it was answered
	tried time.Time // when the last asking ended
	quiet bool      // the page began it by itself: nothing on it shows that it waits
}

// Waits is the inquiry whose answer it waits for; none when nothing is on its way.
func (q *Answer[T]) Waits() []*Inquiry {
	if q.waits == nil {
		return nil
	}
	return []*Inquiry{q.waits}
}

// Failed is why the last inquiry has no answer; nil when it has one.
func (q *Answer[T]) Failed() error { return q.err }

// AgoText is how long ago the answer was there.
func (q *Answer[T]) AgoText(now time.Time) string { return AgeText(now.Sub(q.at)) + " ago" }

// Due reports whether the last inquiry ended at least so long ago, and no other is on
// its way. It is not due before the first.
func (q *Answer[T]) Due(now time.Time, gap time.Duration) bool {
	return q.waits == nil && !q.tried.IsZero() && now.Sub(q.tried) >= gap
}

// Again is Request by the page itself: the page shows the last answer, or why there is
// none, until there is another.
func (q *Answer[T]) Again(about Inquiry) Intent {
	out := q.Request(about)
	q.quiet = true
	return out
}

// Waiting reports that an answer is on its way.
func (q *Answer[T]) Waiting() bool { return q.waits != nil }

// Holds reports the condition answered.
func (q *Answer[T]) Holds(keys.When, Env) bool { return q.Got != nil }

// Request starts an inquiry. The last answer stays until there is another.
func (q *Answer[T]) Request(about Inquiry) Intent {
	q.waits, q.quiet = &about, false
	return Probe{q.waits}
}

// Take takes the answer to the inquiry that the page waits for, and no other.
func (q *Answer[T]) Take(msg tea.Msg) bool {
	m, ok := msg.(AnswerMsg)
	if !ok || q.waits == nil || m.Inquiry != q.waits {
		return false
	}
	q.waits, q.err, q.tried = nil, m.Err, m.At
	if a, ok := m.Answer.(T); ok && m.Err == nil {
		q.Got, q.at, q.took = &a, m.At, m.Took
	}
	return true
}

// Age says how old the answer is, and whether another is on its way.
func (q *Answer[T]) Age(e Env) widget.Line {
	l := widget.Line{}
	if q.Got != nil {
		ago, tone, age := "just now", theme.Dim, e.Now.Sub(q.at)
		if age >= 5*time.Second {
			ago = q.AgoText(e.Now)
		}
		if age > source.StaleAfter {
			tone = theme.Warn
		}
		l = l.Add(tone, widget.Words("checked "+ago+" ("+Took(q.took)+")"))
	}
	if q.waits != nil && q.Got != nil && !q.quiet {
		l = l.Add(theme.Info, "  ~ checking again …")
	}
	return l
}

// Trouble is shown in place of an answer, or above an old one: that the page waits
// for it, or why there is none.
func (q *Answer[T]) Trouble(waiting, failed string, e Env) []widget.Line {
	switch {
	case q.Got == nil && (q.err == nil || q.waits != nil && !q.quiet):
		return Wrapped(theme.Info, widget.Words("~ "+waiting+" …"), " ", e.W, 3)
	case q.err != nil && (q.waits == nil || q.quiet):
		if q.Got != nil {
			failed = "the recheck failed; the previous answer is below"
		}
		out := append([]widget.Line{widget.T(theme.Bad, widget.Words(" ✕ "+failed))}, Failure(q.err, e)...)
		out = append(out, widget.T(theme.Dim, "   R rechecks"))
		if q.Got != nil {
			out = append(out, nil)
		}
		return out
	}
	return nil
}

// Answered is a title with the age of the answer behind it, on the same line
// where there is room.
func (q *Answer[T]) Answered(title widget.Line, e Env) []widget.Line {
	age := q.Age(e)
	if gap := e.W - title.Width() - age.Width() - 1; gap > 1 || age.Width() == 0 {
		return []widget.Line{widget.Join(title.Pad(title.Width()+max(gap, 0)), age)}
	}
	return []widget.Line{title, widget.Join(widget.P(" "), age)}
}

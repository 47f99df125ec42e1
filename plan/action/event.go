package action

import (
	"fmt"
	"time"

	"pgtui/model"
	"pgtui/model/trace"
)

// State is where an action stands.
type State string

// The states of a change of the leader, in order. Other actions use Sent, Accepted,
// Refused, Unknown, Waiting, Proven and Settled.
const (
	Planned  State = "planned"
	Sent     State = "sent"     // the call left this machine
	Accepted State = "accepted" // Patroni answered that it does it, or has done it
	Refused  State = "refused"  // Patroni or HAProxy answered that it does not, with its reason
	Unknown  State = "unknown"  // the reply was lost: pgtui keeps watching and does not send again
	Demoting State = "demoting" // the old leader stops
	NoLeader State = "no-leader"
	Promoted State = "promoted" // the new leader reports it of itself
	Routed   State = "routed"   // every HAProxy that answers sends the primary port to it
	Proven   State = "proven"   // a login through the port, or a value that was read back
	Settled  State = "settled"  // the old leader streams and is UP where services select it
	Waiting  State = "waiting"  // what is waited for, and how far it is
	Failed   State = "failed"   // the step has ended, and not as planned
)

// Event is one line of the timeline of a run.
type Event struct {
	At    time.Time
	Step  int // index in Plan.Steps; -1 for the whole run
	State State
	Host  model.Host // where; "" is the cluster
	What  string     // a sentence
	Err   error      // why, of Refused, Unknown and Failed
	// Done and Total are the progress of Waiting; Total 0 is unknown.
	Done, Total int64
	// Clients are what the probe clients see now, of Waiting; nil where none run, or
	// nothing is new. What is "" then, unless a client is no longer served, or is again.
	Clients []ClientNow
}

// Outcome is how a run ended, by what was observed afterwards.
type Outcome string

// The outcomes, which are also the exit codes 0 to 3.
const (
	EndDone    Outcome = "done"    // done and proven
	EndFailed  Outcome = "failed"  // not done as planned, and the state is known
	EndUnknown Outcome = "unknown" // a reply was lost, or the end was not seen
	EndRefused Outcome = "refused" // nothing was sent
)

// Code is the exit code of an outcome.
func (o Outcome) Code() int {
	switch o {
	case EndDone:
		return 0
	case EndFailed:
		return 1
	case EndRefused:
		return 3
	}
	return 2
}

// Client is what one probe client saw while the action ran: it connects through
// the primary port of one HAProxy several times a second.
type Client struct {
	Host model.Host
	Gap  trace.Gap
}

// Summary is what it saw in one line: how often it was served, and its gaps.
func (c *Client) Summary() string {
	out := c.Gap.Summary()
	if c.Gap.Gaps > 1 {
		span, why := c.Gap.Span()
		out += fmt.Sprintf("; all of them within %.1f s, the last one: %s", span.Seconds(), why)
	}
	return out
}

// Report is the end of a run.
type Report struct {
	Plan    string
	Outcome Outcome
	// Stopped reports that the operator stopped it between two steps, or while it
	// waited: what was set until then stays set.
	Stopped bool
	Events  []Event
	// Clients are the probe clients, one for each HAProxy; nil where none ran.
	Clients []Client
	// Longest is the longest gap that a probe client saw.
	Longest time.Duration
	// Leader is who leads afterwards, "" when that is unknown.
	Leader model.InstanceName
	// State is what is known of the cluster now, in a sentence.
	State string
	// Next are the commands to type, in order.
	Next []string
}

package handover

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/candidate"
	"pgtui/plan/action"
)

// mostApart is how much the gap that pgtui reports may differ from the one that
// the independent client sees, beside what its own measure is worth.
const mostApart = 500 * time.Millisecond

// judge fills in what is wrong with an attempt.
func (a *Attempt) judge(unrouted bool) {
	bad := func(format string, args ...any) { a.Bad = append(a.Bad, fmt.Sprintf(format, args...)) }
	if a.Posts > 1 {
		bad("Patroni got %d calls", a.Posts)
	}
	if a.Posts == 0 {
		if a.Outcome != action.EndRefused {
			bad("the outcome is %s, and nothing was sent", a.Outcome)
		}
		if a.Refused != "" && a.Predicted.Verdict != candidate.No {
			bad("pgtui refuses (%s), and predicts %s", a.Refused, a.Predicted.Verdict)
		}
		return
	}
	if why := a.mispredicted(); why != "" {
		bad("%s", why)
	}
	moved := a.Leader != a.From
	switch a.Outcome {
	case action.EndDone:
		if !moved || a.To != "" && a.Leader != a.To {
			bad("it is called done, and %s leads", a.Leader)
		}
		if apart := (a.Gap - a.Seen).Abs(); apart > mostApart+a.Slack && !unrouted {
			bad("the gap is %v by pgtui, and %v by the client", a.Gap, a.Seen)
		}
	case action.EndFailed:
		if moved && a.Leader == a.To && !strings.Contains(a.Err, string(a.To)+" leads") {
			bad("it is called failed, and the error does not name %s, which leads", a.Leader)
		}
	case action.EndRefused:
		bad("it is called refused, and Patroni got the call")
	case action.EndUnknown:
		if a.Cut == 0 && a.Code != 0 && a.Code < 500 {
			bad("it is called unknown, and Patroni answered %d", a.Code)
		}
	}
}

// mispredicted is how Patroni did otherwise than predicted, "" when it did not.
func (a *Attempt) mispredicted() string {
	p := &a.Predicted
	moved := a.Leader != a.From
	switch p.Verdict {
	case candidate.Pass:
		if !moved || !slices.Contains(p.Leaders, a.Leader) {
			return fmt.Sprintf("predicted that %s may lead, and %s leads (Patroni: %d %s)", model.Join(p.Leaders), a.Leader, a.Code, a.Words)
		}
	case candidate.No:
		if moved || a.Code != 0 && a.Code != p.Status {
			return fmt.Sprintf("predicted %d %q, and Patroni answered %d %q; %s leads", p.Status, p.Says, a.Code, a.Words, a.Leader)
		}
		if a.Code != 0 && !strings.Contains(a.Words, p.Says) {
			return fmt.Sprintf("predicted the words %q, and Patroni answered %q", p.Says, a.Words)
		}
	case candidate.Unknown:
		return "predicted nothing: " + p.Why
	}
	return ""
}

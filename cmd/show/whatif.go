package show

import (
	"fmt"

	"pgtui/lang"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
)

// maxSentence is the longest sentence that is printed, in characters.
const maxSentence = 500

// WhatIf is the outcome of a simulation.
func WhatIf(w Out, out failover.Outcome) {
	leader := string(out.Leader)
	switch {
	case out.Unsure:
		leader = "unknown"
	case leader == "":
		leader = "none"
	}
	fmt.Fprintf(w, "%s  leader %s → %s (%s)\n", out.After.Cluster.Name, leaderText(&out.Before), leader, w.line(out.Why, maxSentence))
	for _, r := range out.Reasons {
		fmt.Fprintf(w, "  %s\n", w.line(r, maxSentence))
	}
	if l := out.NodeLoss; l != nil {
		fmt.Fprintf(w, "  ! If the whole node is lost (%s): %s\n", model.Join(l.Nodes), w.line(l.Why, maxSentence))
	}
	fmt.Fprintln(w)
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "  PORT\tSERVICE\tNOW\tTHEN\tSESSIONS CUT\tWHY")
	for i, r := range out.After.Routes {
		why := ""
		if r.Verdict != model.Serving {
			why = r.Why
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%d\t%s\n", r.Port, r.Service, serves(&out.Before, &out.Before.Routes[i]), serves(&out.After, &r), out.Cut[r.Service], w.line(why, 160))
	}
	tw.Flush()
	for i := range out.Held {
		fmt.Fprintf(w, "\n  %s; pgtui doctor %s shows the command that puts it back\n", w.line(out.Held[i].Text(), 240), out.After.Cluster.Name)
	}
	if unread := board.UnreadText(out.Unread); unread != "" {
		fmt.Fprintf(w, "\n  %s\n", w.line(unread, 400))
	}
	fmt.Fprintln(w, "\n  this is the state after all health checks have settled; the failover itself takes Patroni's ttl and HAProxy's checks")
	fmt.Fprintf(w, "  %s\n", w.line(out.Rules.Words(), maxSentence))
}

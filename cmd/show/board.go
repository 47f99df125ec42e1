package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
)

// Mark is the sign before a state, so that colour is never needed.
func Mark(h model.Health) string {
	return cmp.Or(map[model.Health]string{model.HealthOK: "●", model.HealthDegraded: "!", model.HealthDown: "✕"}[h], "?")
}

// Verdict is a health with its summary.
func Verdict(h model.Health, summary string) string {
	return fmt.Sprintf("%s %s  %s", Mark(h), h, text.Line(summary, 400))
}

// Boards is a block a cluster, or with brief a line each. No age is printed for a
// zero now.
func Boards(w io.Writer, boards []board.Board, now time.Time, brief bool) {
	if brief {
		fleet(w, boards)
		return
	}
	for i := range boards {
		if i > 0 {
			fmt.Fprintln(w)
		}
		oneBoard(w, &boards[i], now)
	}
}

// fleet is a line a cluster.
func fleet(w io.Writer, boards []board.Board) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "CLUSTER\tSTATE\tDRIFT\tLEADER\tTL\tMEMBERS\tSERVICES\tSUMMARY")
	for i := range boards {
		b := &boards[i]
		var svcs []string
		for _, r := range b.Routes {
			svcs = append(svcs, r.Port+":"+serves(b, &r))
		}
		fmt.Fprintf(tw, "%s\t%s %s\t%s\t%s\t%s\t%d/%d\t%s\t%s\n", b.Cluster.Name, Mark(b.Health), b.Health, driftMark(b), leaderText(b), timelineText(b.Timeline),
			b.KnownMembers(), len(b.Members), strings.Join(svcs, " "), text.Line(b.Summary, 120))
	}
	tw.Flush()
}

// driftMark is how many findings differ from the inventory, with the mark of a difference.
func driftMark(b *board.Board) string {
	if n := len(b.Drift()); n > 0 {
		return fmt.Sprintf("≠ %d", n)
	}
	return "–"
}

// oneBoard is the whole of one cluster.
func oneBoard(w io.Writer, b *board.Board, now time.Time) {
	health := b.Health.String()
	if len(b.Drift()) > 0 {
		health += "  ≠ drift"
	}
	fmt.Fprintf(w, "%s  %s %s  leader %s  TL %s  %d/%d members  %s\n", b.Cluster.Name, Mark(b.Health), health, leaderText(b), timelineText(b.Timeline),
		b.KnownMembers(), len(b.Members), text.Line(b.Summary, 300))
	for i := range b.Causes {
		c := &b.Causes[i]
		fmt.Fprintf(w, "  %s: %s\n", causeWord(c), text.Line(c.Summary, 300))
		causeText(w, b, c, "      ")
	}
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	column, anyProven := "", false
	for i := range b.Routes {
		if provenText(&b.Routes[i]) != "" {
			column, anyProven = "PROVEN\t", true
		}
	}
	fmt.Fprintln(tw, "  PORT\tSERVICE\tSERVES\tSEEN BY\t"+column+"VERDICT\tWHY")
	for _, r := range b.Routes {
		same, all := r.Agreement()
		if anyProven {
			column = provenText(&r) + "\t"
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%d/%d\t%s%s\t%s\n", r.Port, r.Service, Dash(serving(&r)), same, all, column, b.Word(&r), text.Line(r.Why, 160))
	}
	tw.Flush()
	fmt.Fprintln(w)
	tw = tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "  INSTANCE\tHOST\tROLE\tTL\tSTATE\tLAG")
	for _, m := range b.Members {
		role, state := m.Role, m.State
		if !m.Known {
			role, state = "unknown", text.Line(m.Why, 160)
		}
		if m.Foreign != nil {
			role = "foreign"
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\n", m.Instance, m.Host, role, timelineText(m.Timeline), state, lagText(m, b))
	}
	for _, m := range b.Unlisted {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s, not in the inventory\t%s\n", text.Line(string(m.Instance), 60), text.Line(string(m.Host), 60), text.Line(m.Role, 40),
			timelineText(m.Timeline), text.Line(m.State, 40), unlistedLag(m, b))
	}
	tw.Flush()
	if b.VIP.Address != "" {
		fmt.Fprintf(w, "\n  VIP %s %s\n", b.VIP.Address, vipText(b))
	}
	if !b.At.IsZero() && !now.IsZero() {
		fmt.Fprintf(w, "\n  oldest answer %s old\n", now.Sub(b.At).Round(time.Millisecond))
	}
}

// vipText is where the VIP is, and whether the leader is there.
func vipText(b *board.Board) string {
	switch {
	case b.VIP.Holder == "":
		return "unknown: " + text.Line(b.VIP.Why, 160)
	case b.VIP.OnLeader:
		return "on " + string(b.Leader) + " = leader"
	case b.Leader == "":
		return "on " + string(b.VIP.Holder)
	}
	return fmt.Sprintf("on %s, NOT the leader's node", b.VIP.Holder)
}

// serves are the instances that serve a route, or its state where none does or
// they differ.
func serves(b *board.Board, r *board.Route) string { return cmp.Or(serving(r), b.Word(r)) }

// serving are the instances that every HAProxy that answers reports as serving a
// route; "" when there is none.
func serving(r *board.Route) string {
	if !r.Agreed || len(r.Serving) == 0 {
		return ""
	}
	return servers(r.Serving, r.Views)
}

// servers are the instances that get connections, and which of them refuse new
// ones.
func servers(names []model.InstanceName, views []board.View) string {
	r := board.Route{Views: views}
	shut, _ := r.Shut()
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = string(n)
		if slices.Contains(shut, n) {
			parts[i] += " (" + strings.TrimPrefix(r.HeldWord(n), "port ") + ")"
		}
	}
	return strings.Join(parts, ", ")
}

func leaderText(b *board.Board) string {
	switch {
	case b.Leader == "" && b.KnownMembers() < len(b.Members):
		return "unknown"
	case b.Leader == "":
		return "none"
	case b.LeaderBy == "dcs":
		return string(b.Leader) + "?"
	}
	return string(b.Leader)
}

func timelineText(tl int) string {
	if tl == 0 {
		return "–"
	}
	return fmt.Sprint(tl)
}

func lagText(m board.Member, b *board.Board) string {
	switch {
	case m.Instance == b.Leader:
		return "–"
	case !m.Known || m.Lag < 0:
		return "?"
	}
	if m.Ahead > 0 {
		return bytesText(m.Ahead) + " ahead"
	}
	if m.LagTime < 0 {
		return bytesText(m.Lag)
	}
	return bytesText(m.Lag) + ", " + text.Span(m.LagTime)
}

// unlistedLag is the lag of a member that is not in the inventory, as the DCS
// reports it.
func unlistedLag(m board.Member, b *board.Board) string {
	m.Known = true
	return lagText(m, b)
}

// bytesText is a size as PostgreSQL's pg_size_pretty would round it.
func bytesText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f, i := float64(n), 0
	for f >= 10240 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return fmt.Sprintf("%.0f %s", f, units[i])
}

// provenText is which instances answered a service over all HAProxies, how often
// and how slowly; "" without a connection.
func provenText(r *board.Route) string {
	names := map[model.InstanceName]int{}
	var sum board.Proven
	tried := false
	for _, v := range r.Views {
		if v.Proven == nil {
			continue
		}
		tried = true
		for n, c := range v.Proven.Instances {
			names[n] += c
		}
		sum.Unknown += v.Proven.Unknown
		sum.Failed += v.Proven.Failed
		sum.Connect = max(sum.Connect, v.Proven.Connect+v.Proven.Query)
		if sum.Error == "" {
			sum.Error = v.Proven.Error
		}
	}
	if !tried {
		return ""
	}
	sum.Instances = names
	var parts []string
	for _, n := range sum.Names() {
		parts = append(parts, fmt.Sprintf("%s ×%d", n, names[n]))
	}
	if sum.Unknown > 0 {
		parts = append(parts, fmt.Sprintf("unidentified ×%d", sum.Unknown))
	}
	if sum.Failed > 0 {
		parts = append(parts, fmt.Sprintf("failed ×%d (%s)", sum.Failed, text.Line(sum.Error, 90)))
	}
	text := strings.Join(parts, ", ")
	if sum.Total() > sum.Failed {
		text += fmt.Sprintf(", ≤%s", sum.Connect.Round(100*time.Microsecond))
	}
	return text
}

// Doctor is the findings of each cluster, worst first, and what was checked
// where there are none.
func Doctor(w io.Writer, boards []board.Board) {
	for i := range boards {
		b := &boards[i]
		fmt.Fprintf(w, "%s  %s %s  %s\n", b.Cluster.Name, Mark(b.Health), b.Health, text.Line(b.Summary, 200))
		if len(b.Causes) == 0 {
			fmt.Fprintf(w, "  no findings on %d HAProxy nodes and %d instances\n", len(b.Cluster.LoadBalancers), len(b.Cluster.Instances))
		}
		for n := range b.Causes {
			c := &b.Causes[n]
			fmt.Fprintf(w, "  %d. %s [%s]: %s\n", n+1, causeWord(c), c.Code, text.Line(c.Summary, 300))
			causeText(w, b, c, "     ")
		}
	}
}

// causeWord is the severity of a cause, or drift for what does not count for health.
func causeWord(c *model.Cause) string {
	if c.Drift {
		return "drift"
	}
	return c.Severity.String()
}

// causeText is the evidence of a cause, what follows from it and the next step.
func causeText(w io.Writer, b *board.Board, c *model.Cause, indent string) {
	for _, e := range c.Evidence {
		fmt.Fprintf(w, "%s%s\n", indent, text.Line(e, 400))
	}
	for _, i := range c.Effects {
		fmt.Fprintf(w, "%s└ %s: %s\n", indent, b.Findings[i].Code, text.Line(b.Findings[i].Summary, 300))
	}
	if c.Hint != "" {
		fmt.Fprintf(w, "%s→ %s\n", indent, text.Line(c.Hint, 400))
	}
}

// Routes is a line for each HAProxy and service.
func Routes(w io.Writer, boards []board.Board, at time.Time) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "HAPROXY\tPORT\tCLUSTER\tSERVICE\tSERVES\tVERDICT\tAGE\tWHY")
	for i := range boards {
		for _, r := range boards[i].Routes {
			for _, v := range r.Views {
				serves, age := "–", "–"
				if len(v.Serving) > 0 {
					serves = servers(v.Serving, []board.View{v})
				}
				if !v.At.IsZero() {
					age = at.Sub(v.At).Round(time.Millisecond).String()
				}
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.HAProxy, r.Port, boards[i].Cluster.Name, r.Service, serves, v.Verdict, age, text.Line(v.Why, 120))
			}
		}
	}
	tw.Flush()
}

package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/model/board"
)

// Mark is the sign before a state, so that colour is never needed.
func Mark(h model.Health) string {
	return cmp.Or(map[model.Health]string{model.HealthOK: "●", model.HealthDegraded: "!", model.HealthDown: "✕"}[h], "?")
}

// Verdict is a health with its summary.
func Verdict(w Out, h model.Health, summary string) string {
	return fmt.Sprintf("%s  %s", w.Health(h), w.line(summary, 400))
}

// Boards is a block a cluster, or with brief a line each. No age is printed for a
// zero now.
func Boards(w Out, boards []board.Board, now time.Time, brief bool) {
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
func fleet(w Out, boards []board.Board) {
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "CLUSTER\tSTATE\tDRIFT\tLEADER\tTL\tMEMBERS\tSERVICES\tSUMMARY")
	for i := range boards {
		b := &boards[i]
		var svcs []string
		for _, r := range b.Routes {
			svcs = append(svcs, r.Port+":"+serves(b, &r))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\n", b.Cluster.Name, w.Health(b.Health), driftMark(b), leaderText(b), timelineText(b.Timeline),
			b.KnownMembers(), len(b.Members), strings.Join(svcs, " "), w.line(b.Summary, 120))
	}
	tw.Flush()
}

// driftMark is how many of the findings are drift, with the mark of a difference.
func driftMark(b *board.Board) string {
	if _, n := b.Counts(); n > 0 {
		return fmt.Sprintf("≠ %d", n)
	}
	return "–"
}

// oneBoard is the whole of one cluster.
func oneBoard(w Out, b *board.Board, now time.Time) {
	health := w.Health(b.Health)
	if _, drift := b.Counts(); drift > 0 {
		health += "  " + driftMark(b) + " drift"
	}
	fmt.Fprintf(w, "%s  %s  leader %s  TL %s  %d/%d members  %s\n", b.Cluster.Name, health, leaderText(b), timelineText(b.Timeline),
		b.KnownMembers(), len(b.Members), w.line(b.Summary, 300))
	for i := range b.Causes {
		c := &b.Causes[i]
		fmt.Fprintf(w, "  %s: %s\n", causeWord(w, c), w.line(c.Summary, 300))
		causeText(w, b, c, "      ")
	}
	fmt.Fprintln(w)
	tw := lang.NewTable(w)
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
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%d/%d\t%s%s\t%s\n", r.Port, r.Service, Dash(serving(&r)), same, all, column, w.verdict(r.Verdict, b.Word(&r)), w.line(r.Why, 160))
	}
	tw.Flush()
	fmt.Fprintln(w)
	tw = lang.NewTable(w)
	fmt.Fprintln(tw, w.wider("  INSTANCE\tHOST\tROLE\tTL\tSTATE\tLAG", "DECLARED\tAGE"))
	for _, m := range b.Members {
		role, state := m.Role, m.State
		if !m.Known {
			role, state = "unknown", w.line(m.Why, 160)
		}
		if m.Foreign != nil {
			role = "foreign"
		}
		if !m.Known {
			role = w.tint(yellow, role)
		}
		fmt.Fprintln(tw, w.wider(fmt.Sprintf("  %s\t%s\t%s\t%s\t%s\t%s", m.Instance, m.Host, role, timelineText(m.Timeline), state, lagText(m, b)),
			fmt.Sprintf("%s\t%s", m.Declared, ageText(m.At, now))))
	}
	for _, m := range b.Unlisted {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s, not in the inventory\t%s\n", w.line(string(m.Instance), 60), w.line(string(m.Host), 60), w.line(m.Role, 40),
			timelineText(m.Timeline), w.line(m.State, 40), unlistedLag(m, b))
	}
	tw.Flush()
	if w.Wide {
		serverTable(w, b, now)
	}
	if b.VIP.Address != "" {
		fmt.Fprintf(w, "\n  VIP %s %s\n", b.VIP.Address, vipText(b))
	}
	if !b.At.IsZero() && !now.IsZero() {
		fmt.Fprintf(w, "\n  oldest answer %s old\n", now.Sub(b.At).Round(time.Millisecond))
	}
}

// serverTable is every server of every service on every HAProxy.
func serverTable(w Out, b *board.Board, now time.Time) {
	fmt.Fprintln(w)
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "  HAPROXY\tPORT\tSERVICE\tCHECK\tSERVER\tVERDICT\tSTATUS\tPATRONI\tDECLARED WEIGHT\tSHARE\tSESSIONS\tQUEUE\tAGE\tWHY")
	for _, r := range b.Routes {
		for _, v := range r.Views {
			svc := &model.Service{}
			if lb := b.Cluster.LoadBalancer(v.HAProxy); lb != nil && lb.Service(r.Service) != nil {
				svc = lb.Service(r.Service)
			}
			for _, c := range v.Cells {
				weight, allowed := "", ""
				if s := svc.Server(c.Instance); s != nil {
					weight = s.Weight
				}
				if c.Allowed != 0 {
					allowed = fmt.Sprint(c.Allowed)
				}
				fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d%%\t%d\t%d\t%s\t%s\n", v.HAProxy, r.Port, r.Service, w.line(svc.Check, 60), w.line(string(c.Instance), 60),
					w.verdict(c.Verdict, string(c.Verdict)), Dash(w.line(c.Status, 60)), Dash(allowed), Dash(w.line(weight, 10)), c.Share, c.Sessions, c.Queue, ageText(v.At, now), w.line(c.Why, 160))
			}
		}
	}
	tw.Flush()
}

// ageText is how old an answer is; "–" where there is none, or no present.
func ageText(at, now time.Time) string {
	if at.IsZero() || now.IsZero() {
		return "–"
	}
	return now.Sub(at).Round(time.Millisecond).String()
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
func Doctor(w Out, boards []board.Board) {
	for i := range boards {
		b := &boards[i]
		fmt.Fprintf(w, "%s  %s %s  %s\n", b.Cluster.Name, Mark(b.Health), b.Health, w.line(b.Summary, 200))
		if len(b.Causes) == 0 {
			fmt.Fprintf(w, "  no findings on %d HAProxy nodes and %d instances\n", len(b.Cluster.LoadBalancers), len(b.Cluster.Instances))
		}
		for n := range b.Causes {
			c := &b.Causes[n]
			fmt.Fprintf(w, "  %d. %s [%s]: %s\n", n+1, causeWord(w, c), c.Code, w.line(c.Summary, 300))
			causeText(w, b, c, "     ")
		}
	}
}

// causeWord is the severity of a cause, or drift for what does not count for health.
func causeWord(w Out, c *model.Cause) string {
	if c.Drift {
		return "drift"
	}
	return w.severity(c.Severity)
}

// causeText is the evidence of a cause, what follows from it and the next step.
func causeText(w Out, b *board.Board, c *model.Cause, indent string) {
	for _, e := range c.Evidence {
		fmt.Fprintf(w, "%s%s\n", indent, w.line(e, 400))
	}
	for _, i := range c.Effects {
		fmt.Fprintf(w, "%s└ %s: %s\n", indent, b.Findings[i].Code, w.line(b.Findings[i].Summary, 300))
	}
	if c.Hint != "" {
		fmt.Fprintf(w, "%s→ %s\n", indent, w.line(c.Hint, 400))
	}
}

// Routes is a line for each HAProxy and service.
func Routes(w Out, boards []board.Board, at time.Time) {
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, w.wider("HAPROXY\tPORT\tCLUSTER\tSERVICE\tSERVES\tVERDICT\tAGE\tWHY", "NODE\tFRONTEND\tSESSIONS"))
	for i := range boards {
		for _, r := range boards[i].Routes {
			for _, v := range r.Views {
				serves := "–"
				if len(v.Serving) > 0 {
					serves = servers(v.Serving, []board.View{v})
				}
				fmt.Fprintln(tw, w.wider(fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", v.HAProxy, r.Port, boards[i].Cluster.Name, r.Service, serves, w.verdict(v.Verdict, string(v.Verdict)), ageText(v.At, at), w.line(v.Why, 120)),
					fmt.Sprintf("%s\t%s\t%d", Dash(w.line(v.Node, 60)), Dash(v.Frontend.Status), v.Frontend.Sessions)))
			}
		}
	}
	tw.Flush()
}

package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// MemberRow is one member of the cluster, one that the inventory has not as well.
func MemberRow(b *board.Board, m *board.Member, e Env) []widget.Line {
	role := RoleMark(m.Role)
	roleCell := role.Line()
	state, why := widget.P(widget.Words(m.State)), widget.T(theme.Dim, widget.Words(m.Why))
	switch {
	case b.Unlist(m.Instance) == m:
		roleCell, why = widget.T(theme.Warn, widget.Words(role.Word+" by DCS")), widget.T(theme.Warn, widget.Words(Differs+" "+m.Why))
	case m.Foreign != nil:
		roleCell, why = foreignMark(m).Line(), widget.T(theme.Bad, widget.Words(m.Why))
	case !m.Known && e.notProbed(m.Instance):
		roleCell, state, why = Probing().Line(), nil, nil
	case !m.Known:
		roleCell, why = widget.T(theme.Doubt, "? no answer"), widget.T(theme.Doubt, widget.Words(m.Why))
		if b.Leader == m.Instance {
			roleCell = widget.T(theme.Doubt, "? leader by DCS")
		}
	case m.State != "running" && m.State != "streaming" && m.State != "in archive recovery":
		state = widget.T(theme.Warn, widget.Words(m.State))
	}
	declared := widget.Raw(theme.Dim, string(m.Declared))
	leads := m.Role == "leader" || m.Role == "standby_leader"
	if m.Known && leads != (m.Declared == model.RolePrimary) {
		declared = widget.Raw(theme.Warn, string(m.Declared)+" "+Differs)
	}
	tl := widget.Raw(theme.Plain, NumText(m.Timeline))
	if m.Known && m.Timeline > 0 && b.Timeline > 0 && m.Timeline != b.Timeline {
		tl = widget.Raw(theme.Warn, NumText(m.Timeline))
	}
	lag := widget.P(widget.Words(Lag(m.Lag, m.LagTime)))
	if m.Ahead > 0 {
		lag = widget.T(theme.Warn, widget.Words(LagText(m.Ahead)+" ahead"))
	}
	return []widget.Line{
		widget.Raw(theme.Strong, string(m.Instance)), widget.Raw(theme.Dim, string(m.Host)),
		roleCell, state, tl, lag, declared, why,
	}
}

// LiveRole is what a member is now, for the second line of the matrix.
func LiveRole(m *board.Member, e Env) widget.Line {
	switch {
	case m.Foreign != nil:
		return foreignMark(m).Line()
	case !m.Known && e.notProbed(m.Instance):
		return Probing().Line()
	case !m.Known:
		return widget.T(theme.Doubt, "? no answer")
	}
	role := RoleMark(m.Role)
	if m.State != "running" && m.State != "streaming" && m.State != "" {
		return widget.T(theme.Warn, widget.Words(role.Word+" "+m.State))
	}
	l := widget.T(role.Tone, widget.Words(role.Word))
	if m.Ahead > 0 {
		return l.Add(theme.Warn, widget.Words(" "+LagText(m.Ahead)+" ahead"))
	}
	if m.Lag >= 0 {
		lag := LagText(m.Lag)
		if m.LagTime > 0 {
			lag = Lag(m.Lag, m.LagTime)
		}
		l = l.Add(theme.Dim, widget.Words(" "+lag))
	}
	return l
}

// foreignMark is drawn for a member at whose address another Patroni answers.
func foreignMark(m *board.Member) Mark {
	switch {
	case !m.Foreign.Sure:
		return Mark{"?", "which cluster?", theme.Doubt}
	case m.Foreign.Stray:
		return Mark{"✕", "another member", theme.Bad}
	}
	return Mark{"✕", "other cluster", theme.Bad}
}

// RoleMark is Patroni's word for a role as the board writes it.
func RoleMark(role string) Mark {
	return MarkOf(role, map[string]Mark{
		"leader":         {"●", "LEADER", theme.Good},
		"standby_leader": {"●", "STANDBY LEADER", theme.Good},
		"sync_standby":   {"○", "sync replica", theme.Plain},
		"quorum_standby": {"○", "quorum replica", theme.Plain},
		"primary":        {"!", "primary, no key", theme.Warn},
		"":               Unknown(),
	}, Mark{"○", role, theme.Plain})
}

// Status is what an instance's Patroni reported of itself.
func (e Env) Status(name model.InstanceName) source.Observed[model.PatroniStatus] {
	if e.Snap == nil {
		return source.Observed[model.PatroniStatus]{}
	}
	return e.Snap.Patroni[name].Status
}

// StatusFacts are the positions and versions that Patroni reports, in words.
func StatusFacts(st model.PatroniStatus, e Env) []widget.Line {
	var parts []string
	add := func(label, v string) {
		if v != "" {
			parts = append(parts, label+" "+v)
		}
	}
	add("PostgreSQL", versionText(st.ServerVersion))
	add("Patroni", st.Version)
	if st.Timeline > 0 {
		add("timeline", fmt.Sprint(st.Timeline))
	}
	add("written", lsn(st.Location))
	add("received", lsn(st.Received))
	add("replayed", lsn(st.Replayed))
	add("started", e.started(st.PostmasterStart))
	if st.PendingRestart {
		parts = append(parts, "restart pending")
	}
	var tags []string
	for _, k := range slices.Sorted(maps.Keys(st.Tags)) {
		tags = append(tags, k+"="+st.Tags[k])
	}
	add("tags", strings.Join(tags, " "))
	if len(parts) == 0 {
		return nil
	}
	return Wrapped(theme.Dim, widget.Words(strings.Join(parts, " · ")), " ", e.W, 4)
}

// lsn is a WAL position as PostgreSQL writes it, "" when it is unknown.
func lsn(n int64) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("%X/%X", uint64(n)>>32, uint32(n))
}

// versionText is server_version_num in words: 150018 is 15.18.
func versionText(n int) string {
	switch {
	case n <= 0:
		return ""
	case n < 100000:
		return fmt.Sprintf("%d.%d.%d", n/10000, n/100%100, n%100)
	}
	return fmt.Sprintf("%d.%d", n/10000, n%10000)
}

// NonEmpty are the parts that hold something, in order.
func NonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// started is when a postmaster started, to the second; as Patroni reports
// it where its form is unknown.
func (e Env) started(text string) string {
	if t := model.ParseStarted(text); !t.IsZero() {
		return e.Moment(t)
	}
	return text
}

// PendingRoute reports that nothing is known of a service, and that one of
// its HAProxies has not been tried yet.
func (e Env) PendingRoute(r *board.Route) bool {
	_, tried := e.Probed(r)
	same, _ := r.Agreement()
	return same == 0 && tried < len(r.Views)
}

// Probed counts a route's HAProxies that are known, and those that were probed.
func (e Env) Probed(r *board.Route) (known, tried int) {
	for _, v := range r.Views {
		if v.Verdict != model.Unknown {
			known++
		}
		if !e.ProxyNotProbed(v.HAProxy) {
			tried++
		}
	}
	return known, tried
}

// SeenBy is how many HAProxies say the same, of how many there are.
func SeenBy(r *board.Route, e Env) widget.Line {
	same, all := r.Agreement()
	known, tried := e.Probed(r)
	text := fmt.Sprintf("%d/%d", same, all)
	switch {
	case tried < all:
		return widget.Raw(theme.Info, text+" ·")
	case known < all:
		return widget.Raw(theme.Doubt, text+" ?")
	case same < all:
		return widget.Raw(theme.Warn, text+" "+Differs)
	}
	return widget.T(theme.Dim, widget.Words(text))
}

// CellOf is the view's cell of that instance; where there is none the service
// does not name it.
func CellOf(v *board.View, inst model.InstanceName) board.Cell {
	if i := slices.IndexFunc(v.Cells, func(c board.Cell) bool { return c.Instance == inst }); i >= 0 {
		return v.Cells[i]
	}
	return board.Cell{Instance: inst, Verdict: model.Unselected, Why: "the selector does not select it"}
}

// ServingMost is who the HAProxies that are known say serves: the answer most
// of them give, how many give it and how many HAProxies there are. same is 0
// when none is known.
func ServingMost(r *board.Route) (names []model.InstanceName, same, all int) {
	count := map[string]int{}
	for _, v := range r.Views {
		if v.Verdict == model.Unknown || len(v.Serving) == 0 {
			continue
		}
		k := model.Join(v.Serving)
		if count[k]++; count[k] > same {
			names, same = v.Serving, count[k]
		}
	}
	return names, same, len(r.Views)
}

// DestOf says where a service's connections go: pgbouncer, postgres, a port.
func DestOf(c *model.Cluster, s *model.Service) string {
	if s == nil {
		return ""
	}
	servers, _ := s.Servers()
	if len(servers) == 0 {
		return s.Dest
	}
	port := servers[0].Port
	switch in := c.Instance(servers[0].Name); {
	case in.Pools(port):
		return "pgbouncer"
	case in != nil && port == fmt.Sprint(in.PgPort):
		return "postgres"
	}
	return port
}

// RouteMark draws the state of a service: in doubt where some of its HAProxies
// are unknown, whatever the others report, and calm where it is by design.
func RouteMark(b *board.Board, r *board.Route) Mark {
	m := VerdictMark(r.Verdict)
	m.Word = b.Word(r)
	switch {
	case r.Verdict == model.Empty && b.ByDesign(r):
		m.Shape, m.Tone = "–", theme.Dim
	case len(r.Silent) > 0 && (r.Verdict == model.Serving || r.Verdict == model.BackupServing):
		m.Shape, m.Tone = "?", theme.Doubt
	case r.Verdict == model.BackupServing && b.ByDesign(r):
		m.Tone = theme.Good
	}
	return m
}

// RouteLine is the state of a service with the instances that serve it, which names
// writes, and how many of its HAProxies report that where not all do. brief leaves
// the word out where there are names.
func RouteLine(b *board.Board, r *board.Route, brief bool, names func([]model.InstanceName) string) widget.Line {
	m := RouteMark(b, r)
	who, same, all := ServingMost(r)
	if r.Verdict == model.Settling || r.ClosedWord() != "" {
		same = 0
	}
	var l widget.Line
	switch {
	case same == 0:
		l = m.Line()
	case brief:
		l = widget.Raw(m.Tone, m.Shape+" "+names(who))
	default:
		l = m.Line().AddRaw(m.Tone, " "+names(who))
	}
	if same == 0 && len(r.Silent) > 0 && r.Verdict == model.Empty {
		same = all - len(r.Silent)
	}
	if same > 0 && same < all {
		l = l.AddRaw(m.Tone, Part(same, all))
	}
	return l
}

// Part is how many of several HAProxies report what stands before it.
func Part(same, all int) string { return fmt.Sprintf(" ·%d/%d", same, all) }

package page

import (
	"fmt"
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
	state, why := widget.P(m.State), widget.T(theme.Dim, m.Why)
	switch {
	case b.Unlist(m.Instance) == m:
		roleCell, why = widget.T(theme.Warn, role.Word+" by DCS"), widget.T(theme.Warn, Differs+" "+m.Why)
	case m.Foreign != nil:
		roleCell, why = foreignMark(m).Line(), widget.T(theme.Bad, m.Why)
	case !m.Known && e.notProbed(m.Instance):
		roleCell, state, why = Probing().Line(), nil, nil
	case !m.Known:
		roleCell, why = widget.T(theme.Doubt, "? no answer"), widget.T(theme.Doubt, m.Why)
		if b.Leader == m.Instance {
			roleCell = widget.T(theme.Doubt, "? leader by DCS")
		}
	case m.State != "running" && m.State != "streaming" && m.State != "in archive recovery":
		state = widget.T(theme.Warn, m.State)
	}
	declared := widget.T(theme.Dim, string(m.Declared))
	leads := m.Role == "leader" || m.Role == "standby_leader"
	if m.Known && leads != (m.Declared == model.RolePrimary) {
		declared = widget.T(theme.Warn, string(m.Declared)+" "+Differs)
	}
	tl := widget.P(NumText(m.Timeline))
	if m.Known && m.Timeline > 0 && b.Timeline > 0 && m.Timeline != b.Timeline {
		tl = widget.T(theme.Warn, NumText(m.Timeline))
	}
	lag := widget.P(LagText(m.Lag))
	if m.Ahead > 0 {
		lag = widget.T(theme.Warn, LagText(m.Ahead)+" ahead")
	}
	return []widget.Line{
		widget.T(theme.Strong, string(m.Instance)), widget.T(theme.Dim, string(m.Host)),
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
		return widget.T(theme.Warn, role.Word+" "+m.State)
	}
	l := widget.T(role.Tone, role.Word)
	if m.Ahead > 0 {
		return l.Add(theme.Warn, " "+LagText(m.Ahead)+" ahead")
	}
	if m.Lag >= 0 {
		l = l.Add(theme.Dim, " "+LagText(m.Lag))
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
	switch role {
	case "leader":
		return Mark{"●", "LEADER", theme.Good}
	case "standby_leader":
		return Mark{"●", "STANDBY LEADER", theme.Good}
	case "sync_standby":
		return Mark{"○", "sync replica", theme.Plain}
	case "quorum_standby":
		return Mark{"○", "quorum replica", theme.Plain}
	case "primary":
		return Mark{"!", "primary, no lock", theme.Warn}
	case "":
		return Mark{"?", "unknown", theme.Doubt}
	}
	return Mark{"○", role, theme.Plain}
}

// Status is what an instance's Patroni reported of itself.
func (e Env) Status(name model.InstanceName) source.Observed[model.PatroniStatus] {
	if e.Snap == nil {
		return source.Observed[model.PatroniStatus]{}
	}
	return e.Snap.Patroni[name].Status
}

// StatusFacts are the positions and versions that Patroni reports, in words.
func StatusFacts(st model.PatroniStatus, w int) []widget.Line {
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
	if st.Location > 0 {
		add("written", lsn(st.Location))
	}
	if st.Received > 0 {
		add("received", lsn(st.Received))
	}
	if st.Replayed > 0 {
		add("replayed", lsn(st.Replayed))
	}
	add("started", started(st.PostmasterStart))
	if st.PendingRestart {
		parts = append(parts, "restart pending")
	}
	if len(st.Tags) > 0 {
		var tags []string
		for k, v := range st.Tags {
			tags = append(tags, k+"="+v)
		}
		slices.Sort(tags)
		add("tags", strings.Join(tags, " "))
	}
	if len(parts) == 0 {
		return nil
	}
	return Wrapped(theme.Dim, strings.Join(parts, " · "), " ", w, 4)
}

// lsn is a WAL position as PostgreSQL writes it.
func lsn(n int64) string { return fmt.Sprintf("%X/%X", uint64(n)>>32, uint32(n)) }

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

func NonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// started is when a postmaster started, to the second; as Patroni reports
// it where its form is unknown.
func started(text string) string {
	if t := model.ParseStarted(text); !t.IsZero() {
		return t.UTC().Format("2006-01-02 15:04:05Z")
	}
	return text
}

package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/activity"
	"pgtui/plan/action"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// everyNode is how often the node of a page on the screen is read again: over SSH, and
// pgbackrest may query a remote repository.
const everyNode = time.Minute

// Postgres is the PostgreSQL of an instance: its sessions, who blocks whom, and what
// it waits for or keeps.
type Postgres struct {
	sql     page.Answer[model.ServerReport]
	node    page.Answer[model.NodeStore]
	cluster model.ClusterName
	name    model.InstanceName
	list    page.Listing
}

// PostgresScreen is the page in the registry.
func PostgresScreen() page.Screen {
	return page.Screen{Name: "postgres", Letter: "p", As: keys.Postgres, Help: "sessions, blockers, slots, archive and backup of an instance's PostgreSQL", Needs: true, Topic: page.TopicPostgres,
		Open: func(at page.Place, e page.Env) page.Page {
			return &Postgres{cluster: at.Cluster, name: e.InstanceOf(at)}
		},
		Keys: append([]keys.Row{
			{Keys: "tab right l", Action: keys.Next, Label: "next instance", Help: "the PostgreSQL of the next instance"},
			{Keys: "shift+tab left h", Action: keys.Prev, Help: "the PostgreSQL of the previous instance"},
			{Keys: "s", Action: keys.StopQuery, Label: "cancel query", Help: "plan to cancel the query of the session under the cursor", When: canEnd},
			{Keys: "K", Action: keys.Terminate, Label: "terminate", Help: "plan to terminate the session under the cursor", When: canEnd},
			{Keys: "b", Action: keys.Pgbouncer, Label: "pgbouncer", Help: "the pools of the instance's pgbouncer", Opens: "pgbouncer"},
			{Keys: "i", Action: keys.Instance, Label: "instance", Help: "the instance", Opens: "instance"},
			{Keys: "R", Action: keys.Again, Label: "read again", Help: "read it again now, its node too"},
		}, keys.Moves()...)}
}

// canEnd says that there is a session under the cursor, and that actions are offered.
const canEnd keys.When = "session"

// Holds reports whether the session under the cursor can be ended.
func (p *Postgres) Holds(_ keys.When, e page.Env) bool { return e.Acts && p.here() != nil }

// Title of the page.
func (p *Postgres) Title() widget.Line { return widget.P(widget.F("postgres %s", widget.Data(p.name))) }

// Scope of the page's keys.
func (p *Postgres) Scope() string { return "postgres" }

// Place is the instance.
func (p *Postgres) Place(page.Env) page.Place {
	return page.Place{Cluster: p.cluster, Instance: p.name}
}

// Command prints the same.
func (p *Postgres) Command(page.Env) (string, string) {
	return "pgtui postgres " + string(p.name) + " --query-text", ""
}

func (p *Postgres) inquiry(t page.Topic) page.Inquiry {
	return page.Inquiry{Topic: t, Cluster: p.cluster, Instance: p.name}
}

// Start reads the server and its node when the page opens.
func (p *Postgres) Start() (page.Page, page.Intent) {
	q := *p
	return &q, page.Both{q.sql.Request(p.inquiry(page.TopicPostgres)), q.node.Request(p.inquiry(page.TopicStore))}
}

// Refresh reads what it is time to read again.
func (p *Postgres) Refresh(e page.Env) (page.Page, page.Intent) {
	q := *p
	var out page.Both
	if p.sql.Due(e.Now, every) {
		out = append(out, q.sql.Again(p.inquiry(page.TopicPostgres)))
	}
	if p.node.Due(e.Now, everyNode) {
		out = append(out, q.node.Again(p.inquiry(page.TopicStore)))
	}
	return &q, out
}

// Waits are the inquiries whose answers it waits for.
func (p *Postgres) Waits() []*page.Inquiry { return append(p.sql.Waits(), p.node.Waits()...) }

// Waiting reports that an answer is on its way.
func (p *Postgres) Waiting() bool { return p.sql.Waiting() || p.node.Waiting() }

// rows are the sessions in the order of the list.
func (p *Postgres) rows() []activity.Row {
	if p.sql.Got == nil {
		return nil
	}
	return activity.Rows(p.sql.Got)
}

// here is the session under the cursor, or nil.
func (p *Postgres) here() *activity.Row {
	rows := p.rows()
	if len(rows) == 0 {
		return nil
	}
	return &rows[max(min(p.list.Cursor, len(rows)-1), 0)]
}

// List is the sessions.
func (p *Postgres) List(page.Env) (n, at int) { return len(p.rows()), p.list.Cursor }

// Choose puts the cursor on a session.
func (p *Postgres) Choose(i int, _ page.Env) page.Page {
	return page.With(p, func(q *Postgres) { q.list.Cursor = i })
}

// Do carries out one action.
func (p *Postgres) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	switch a {
	case keys.Again:
		return p.Start()
	case keys.StopQuery, keys.Terminate:
		if r := p.here(); r != nil {
			kind := map[keys.Action]action.Kind{keys.StopQuery: action.Cancel, keys.Terminate: action.Terminate}[a]
			return p, page.PlanAction{Request: action.Request{Kind: kind, Cluster: p.cluster, Instance: p.name, PID: r.PID}}
		}
		return p, nil
	case keys.Next, keys.Prev:
		if name := neighbour(p.cluster, p.name, a, e); name != p.name {
			return (&Postgres{cluster: p.cluster, name: name}).Start()
		}
		return p, nil
	}
	head, lines, at := p.lines(e)
	return page.With(p, func(q *Postgres) { q.list = p.list.Move(a, at, len(lines), p.room(head, e)) }), nil
}

// Update takes an answer in. The cursor stays on its session while there is one.
func (p *Postgres) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	q := *p
	switch {
	case q.node.Take(msg):
	case q.sql.Take(msg):
		if was := p.here(); was != nil {
			if i := slices.IndexFunc(q.rows(), func(r activity.Row) bool { return r.BackendID == was.BackendID }); i >= 0 {
				q.list.Cursor = i
			}
		}
	default:
		return p, nil
	}
	return &q, nil
}

// foot is how many lines the session under the cursor has below the list.
func (p *Postgres) foot(e page.Env) int {
	switch {
	case e.H < 16:
		return 0
	case e.H < 20:
		return 4
	}
	return 5
}

// room is what the list has of the page.
func (p *Postgres) room(head []widget.Line, e page.Env) int { return max(e.H-len(head)-p.foot(e), 1) }

// View draws the part of the page that fits.
func (p *Postgres) View(e page.Env) []widget.Line {
	head, lines, at := p.lines(e)
	if p.sql.Got == nil {
		return head
	}
	list := e
	list.H = p.room(head, e)
	out := append(head, widget.Fit(p.list.Page(lines, at, list), list.H)...)
	r := p.here()
	if p.foot(e) == 0 || r == nil {
		return out
	}
	return append(append(out, nil), session(r, p.foot(e)-3, e)...)
}

// session is all that is known of one session, in most lines, and the beginning of its
// query.
func session(r *activity.Row, most int, e page.Env) []widget.Line {
	b := r.Backend
	facts := page.NonEmpty(widget.Words(r.State()).Local(), b.Client, b.Application, widget.F("connected %s", e.Moment(time.UnixMicro(b.Started))).Local())
	if b.InXact {
		facts = append(facts, widget.F("transaction %s", activity.Age(b.Xact)).Local())
	}
	if b.WaitType != "" {
		facts = append(facts, widget.F("waits on %s", widget.Data(b.WaitType+":"+b.Wait)).Local())
	}
	who := widget.P(" ").AddRaw(theme.Strong, fmt.Sprintf("%d %s@%s", b.PID, cmp.Or(b.User, "–"), cmp.Or(b.Database, "–")))
	out := page.LabelledRaw(who, theme.Dim, strings.Join(facts, " · "), min(who.Width()+2, e.W/2), e.W, most)
	query, tone := text.Line(b.Text, 240), theme.Plain
	if !b.Active() && b.Kind == "client backend" {
		query, tone = widget.F("last: %s", widget.Data(query)).Local(), theme.Dim
	}
	return append(out, page.WrappedRaw(tone, query, " ", e.W, 2)...)
}

// lines are what stays on top, the list of sessions, and the line that each begins on.
func (p *Postgres) lines(e page.Env) (head, lines []widget.Line, at []int) {
	head = p.sql.Trouble("reading the PostgreSQL of "+string(p.name), "PostgreSQL of "+string(p.name)+" could not be read", e)
	if p.sql.Got == nil {
		return head, nil, nil
	}
	r := p.sql.Got
	health, troubles := activity.Verdict(r, p.node.Got)
	m := page.PartMark(health)
	role := "primary"
	if r.Recovery {
		role = "replica"
	}
	title := widget.P(" ").Add(m.Tone, widget.Words(m.Shape+" "+m.Word)).Add(theme.Plain, "  ").AddRaw(theme.Strong, string(p.name)).
		Add(theme.Dim, widget.F("  PostgreSQL %s, %s, up %s", r.Version, role, activity.Age(r.Uptime)))
	head = append(head, p.sql.Answered(title.Trunc(e.W), e)...)
	most := 1
	if e.H > 24 {
		most = 4
	}
	if len(troubles) > most {
		troubles[most-1] += fmt.Sprintf(" (and %d more)", len(troubles)-most)
	}
	for _, t := range troubles[:min(len(troubles), most)] {
		head = append(head, page.Marked(theme.Warn, " ! ", widget.Words(t), e.W, 2)...)
	}
	if e.H >= 14 {
		head = append(head, p.facts(e)...)
	}
	return p.table(r, head, e)
}

// factLines is how many lines a fact of the server may take.
func factLines(e page.Env) int {
	if e.H < 20 {
		return 1
	}
	return 2
}

// facts are the server in some lines: its sessions, its archiver, its slots, its disk.
func (p *Postgres) facts(e page.Env) (out []widget.Line) {
	r := p.sql.Got
	add := func(label, words widget.Words, tone theme.Tone) {
		out = append(out, page.Labelled(widget.T(theme.Head, " "+label), tone, words, 10, e.W, factLines(e))...)
	}
	add("SESSIONS", widget.Words(activity.SessionsText(r)), theme.Plain)
	if r.Hidden {
		add("", "the monitoring user cannot see other users' sessions: grant it pg_monitor", theme.Doubt)
	}
	tone := theme.Plain
	if r.Archiver.Fails() {
		tone = theme.Warn
	}
	add("ARCHIVE", widget.Words(activity.ArchiverText(r)), tone)
	switch st, err := p.node.Got, p.node.Failed(); {
	case st != nil:
		if err != nil {
			add("NODE", widget.F("read %s; the last attempt failed: %s", p.node.AgoText(e.Now), err), theme.Warn)
		}
		add("BACKUP", widget.Words(activity.BackupText(&st.Backup, e.Now)), theme.Plain)
		disk := activity.VolumeText(st.Data)
		if st.WAL.Mount != st.Data.Mount {
			disk += "; WAL " + activity.VolumeText(st.WAL)
		}
		add("DISK", widget.Words(disk), theme.Plain)
	case err != nil:
		add("NODE", widget.Words("unknown: "+err.Error()), theme.Doubt)
	default:
		add("NODE", "reading the backup and the disk over SSH …", theme.Info)
	}
	switch {
	case r.SlotsUnread != "":
		add("SLOTS", widget.Words("unknown: "+r.SlotsUnread), theme.Doubt)
	case len(r.Slots) == 0:
		add("SLOTS", "none", theme.Dim)
	}
	shown := 1
	if e.H > 30 {
		shown = 5
	}
	for i := range r.Slots[:min(len(r.Slots), shown)] {
		words := widget.F("%s: %s", widget.Data(r.Slots[i].Name), activity.SlotText(&r.Slots[i]))
		if more := len(r.Slots) + r.MoreSlots - shown; i == shown-1 && more > 0 {
			words = widget.F("%s; slots that retain less: %d", words, more)
		}
		add(map[bool]widget.Words{true: "SLOTS"}[i == 0], words, theme.Plain)
	}
	return out
}

// table is the list of sessions below the head.
func (p *Postgres) table(r *model.ServerReport, head []widget.Line, e page.Env) (top, lines []widget.Line, at []int) {
	t := widget.Table{Cols: []widget.Column{
		{Title: "PID", Min: 6, Max: 20}, {Title: "USER", Min: 6, Max: 24, Drop: 1}, {Title: "DATABASE", Min: 6, Max: 24, Drop: 5}, {Title: "APPLICATION", Min: 6, Max: 24, Drop: 6},
		{Title: "XACT", Right: true, Drop: 2}, {Title: "QUERY", Right: true, Drop: 3}, {Title: "STATE", Min: 10, Max: 48}, {Title: "TEXT", Min: 8, Max: 120, Flex: true, Drop: 4},
	}}
	for _, row := range p.rows() {
		t.Rows = append(t.Rows, sessionRow(&row))
	}
	lay := t.Layout(e.W - 2)
	if len(t.Rows) == 0 {
		return append(head, nil, widget.T(theme.Dim, " no session")), nil, nil
	}
	for _, row := range page.RowLines(lay, t.Rows, p.room(head, e)-1) {
		at = append(at, len(lines))
		for _, l := range row {
			lines = append(lines, widget.Join(widget.P(" "), l))
		}
	}
	top = append(head, widget.Join(widget.P(" "), lay.Head()))
	if more := r.MoreBackends; more > 0 {
		top[len(top)-1] = top[len(top)-1].Add(theme.Dim, widget.F("  %d more are not listed", more)).Trunc(e.W)
	}
	return top, lines, at
}

// sessionRow is one session as a row of the table.
func sessionRow(r *activity.Row) []widget.Line {
	b := r.Backend
	tone := theme.Dim
	switch {
	case b.Blocked():
		tone = theme.Bad
	case r.Blocks > 0, strings.HasPrefix(b.State, "idle in transaction"):
		tone = theme.Warn
	case b.Active():
		tone = theme.Plain
	}
	xact := widget.T(theme.Dim, "–")
	if b.InXact {
		xact = widget.P(widget.Words(activity.Age(b.Xact)))
	}
	query := theme.Dim
	if b.Active() {
		query = theme.Plain
	}
	return []widget.Line{widget.Raw(theme.Strong, strings.Repeat("  ", min(r.Depth, 6))+fmt.Sprint(b.PID)), widget.Raw(theme.Plain, cmp.Or(b.User, "–")), widget.Raw(theme.Dim, cmp.Or(b.Database, "–")),
		widget.Raw(theme.Dim, b.Application), xact, widget.T(query, widget.Words(activity.Age(b.Query))), widget.T(tone, widget.Words(r.State())), widget.Raw(query, cmp.Or(b.Text, b.Verb))}
}

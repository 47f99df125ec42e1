package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/source"
	"pgtui/tui/page"
	"pgtui/tui/theme"
)

// shell opens a shell on the node under the cursor, else on the one of the
// cluster's leader.
func (m *Model) shell(e page.Env) tea.Cmd {
	inv, at := m.inv, m.place(e)
	if inv == nil || at.Cluster == "" && at.Host == "" {
		m.say(theme.Info, "move the cursor to a cluster, an instance or a node: ! opens a shell there")
		return nil
	}
	h := inv.HostAt(at)
	if h == "" {
		h = inv.HostAt(page.Place{Instance: e.InstanceOf(at)})
	}
	return m.feed.prepare(m.gen, nil, func(ctx context.Context, d Deps) (model.Program, error) { return d.Shell(ctx, inv, h) })
}

// psql connects to the endpoint that is chosen on the page, else to the service
// under the cursor.
func (m *Model) psql(e page.Env) tea.Cmd {
	inv, at, dsn := m.inv, m.place(e), m.dsn(e)
	if dsn == "" {
		m.say(theme.Info, "move the cursor to a service, an endpoint or an instance: P runs psql there")
		return nil
	}
	return m.feed.prepare(m.gen, nil, func(_ context.Context, d Deps) (model.Program, error) { return d.Psql(inv, at.Cluster, dsn) })
}

// copyDSN copies the DSN of what is under the cursor.
func (m *Model) copyDSN(e page.Env) tea.Cmd {
	if dsn := m.dsn(e); dsn != "" {
		return m.yank(dsn, "")
	}
	m.say(theme.Info, "move the cursor to a service, an endpoint or an instance: D copies its DSN")
	return nil
}

// dsn is how a client reaches the endpoint that is chosen on the page, else the service
// under the cursor; "" for nothing.
func (m *Model) dsn(e page.Env) string {
	if c, ok := m.top().(page.Connected); ok {
		return c.DSN(e)
	}
	return page.DSNOf(e, m.place(e))
}

// edit opens the inventory at the line of what is under the cursor. Where the
// files have changed then, the diff of the cluster reads them again.
func (m *Model) edit(e page.Env) tea.Cmd {
	inv, at := m.inv, m.place(e)
	if inv == nil {
		m.say(theme.Info, "the inventory is still being read")
		return nil
	}
	var pos source.Pos
	if l, ok := m.top().(page.Declared); ok {
		pos = l.Line(e)
	}
	was := inv.Inputs
	then := func(m *Model) tea.Cmd { return m.feed.compare(m.gen, at.Cluster, was) }
	return m.feed.prepare(m.gen, then, func(ctx context.Context, d Deps) (model.Program, error) { return d.Editor(ctx, inv, at, pos) })
}

// editedMsg is what an editor has left.
type editedMsg struct {
	gen     int
	cluster model.ClusterName // whose diff shows what it means; "" is none
	changed bool
}

// compare looks whether files are as they were.
func (f *feed) compare(gen int, c model.ClusterName, was []source.Input) tea.Cmd {
	stamp := f.stamp(gen, was)
	return func() tea.Msg {
		now, ok := stamp().(stampedMsg)
		if !ok {
			return nil
		}
		return editedMsg{gen: gen, cluster: c, changed: len(source.ChangedInputs(was, now.in)) > 0}
	}
}

// edited reads an inventory that was edited: the plan of its cluster does, and
// without one the same as R.
func (m *Model) edited(msg editedMsg) tea.Cmd {
	switch {
	case msg.gen < m.first:
		return nil
	case !msg.changed:
		m.say(theme.Info, "the inventory was not changed")
		return nil
	case msg.cluster == "" || m.run != nil:
		return m.feed.load(m.gen)
	}
	return m.perform(page.Open{Screen: "diff", At: page.Place{Cluster: msg.cluster}})
}

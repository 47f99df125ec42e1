package detail

import (
	"fmt"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// pool is what the instance's pgbouncer reports: its clients, and what keeps them
// out or waiting. It is empty where its console is not queried.
func pool(b *board.Board, in *model.Instance, e page.Env) []widget.Line {
	if e.Snap == nil {
		return nil
	}
	v := e.Snap.Patroni[in.Name]
	head := widget.T(theme.Head, " POOL    ")
	p := v.PoolNow(e.Now)
	switch {
	case p == nil && (v.Pool.Err == nil || !v.Status.Current(e.Now)):
		return nil
	case p == nil:
		return []widget.Line{head.Add(theme.Doubt, "? "+v.Pool.Err.Error()).Trunc(e.W), nil}
	}
	t := model.PoolTroubleOf(b.Cluster, p)
	m := page.Mark{Shape: "●", Word: "", Tone: theme.Good}
	n, longest := p.Waiting()
	switch {
	case t.Whole:
		m = page.Mark{Shape: "✕", Word: "", Tone: theme.Bad}
	case t.Kind != "", longest >= model.PoolWait:
		m = page.Mark{Shape: "!", Word: "", Tone: theme.Warn}
	}
	l := head.Add(m.Tone, m.Shape+" ")
	if !p.Full {
		l = l.Add(theme.Plain, fmt.Sprint(p.Clients))
		if p.MaxClients > 0 {
			l = l.Add(theme.Dim, fmt.Sprintf(" of %d", p.MaxClients))
		}
		l = l.Add(theme.Dim, " clients   ").Add(theme.Plain, fmt.Sprint(n)).Add(theme.Dim, " wait")
		if n > 0 {
			l = l.Add(theme.Dim, ", the longest ").Add(theme.Plain, fmt.Sprintf("%.1f s", longest.Seconds()))
		}
	}
	for i := range p.Databases {
		d := &p.Databases[i]
		more := widget.P("   "+d.Name+" ").Add(theme.Plain, fmt.Sprint(d.Busy)).Add(theme.Dim, fmt.Sprintf("/%d in use", d.Servers))
		if l.Width()+more.Width() > e.W {
			break // the trouble is shown below
		}
		l = widget.Join(l, more)
	}
	out := []widget.Line{l}
	if t.Text != "" {
		out = append(out, page.Wrapped(m.Tone, m.Shape+" "+t.Text, "         ", e.W, 3)...)
	}
	return append(out, nil)
}

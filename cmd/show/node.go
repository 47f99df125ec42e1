package show

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/source"
)

// States is a line a node: what a reload of its HAProxy does with server states.
func States(w io.Writer, inv *model.Inventory, c *model.Cluster, states map[model.Host]source.Observed[string]) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, f := range c.LoadBalancers {
		n := plan.Node{Host: f.Host}
		if node := inv.Node(f.Host); node != nil {
			n.Node = node.Name
		}
		o := states[f.Host]
		line := "a reload keeps server states: " + text.Line(o.Value, 120)
		switch {
		case o.Err != nil:
			line = "unknown: " + text.Line(o.Err.Error(), 300)
		case o.Value == "":
			line = "plain reload: new connections may reach a wrong instance for 0.2 to 1 s"
		}
		fmt.Fprintf(tw, "%s\t%s\n", nodeLabel(n), line)
	}
	tw.Flush()
}

// Components is a block a node.
func Components(w io.Writer, nodes []*model.Node, rows []model.ComponentRow) {
	for i, n := range nodes {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s  %s\n", n.Host, n.Name)
		tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(tw, "  COMPONENT\tMODULE\tPORT\tHEALTH\tVERSION\tMS\tWHY")
		for k := range rows {
			r := &rows[k]
			if r.Host != n.Host {
				continue
			}
			st := r.State.Value
			port, ms := "–", "–"
			if r.Port > 0 && r.Ask != model.AskUnit {
				port = fmt.Sprint(r.Port)
			}
			if st.Reachable && r.Ask != model.AskUnit {
				ms = Milliseconds(r.State.Took)
			}
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Module, port, st.Health, Dash(text.Line(st.Version, 30)), ms, text.Line(st.Why, 160))
		}
		tw.Flush()
	}
}

// Dash is the text, "–" for none.
func Dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// Milliseconds is a time in milliseconds, to a tenth below ten.
func Milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

// Workers is a line for each old HAProxy process and what it holds.
func Workers(w io.Writer, c *model.Cluster, workers map[model.Host]source.Observed[haproxy.Processes], stuck []board.Pinned) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "HAPROXY\tOLD PROCESS\tAGE\tSESSIONS\tSERVICE\tTO\t")
	n := 0
	for _, f := range c.LoadBalancers {
		o := workers[f.Host]
		if !o.Known() || o.Value.Missing != "" {
			fmt.Fprintf(tw, "%s\tunknown: %s\t\t\t\t\t\n", f.Host, text.Line(whyUnknown(o), 160))
			continue
		}
		for _, w := range o.Value.Workers {
			if !w.Old {
				continue
			}
			n++
			age := o.Value.At.Sub(w.Started).Round(time.Second)
			if len(w.Pins) == 0 {
				fmt.Fprintf(tw, "%s\t%d\t%s\t0\t\t%s\t\n", f.Host, w.PID, age, text.Line(w.Err, 100))
			}
			for _, p := range w.Pins {
				mark := ""
				for _, s := range stuck {
					if s.Host == f.Host && s.Worker.PID == w.PID && string(s.Instance) == p.Server && f.Service(s.Service) != nil && f.Service(s.Service).Proxy() == p.Proxy {
						mark = fmt.Sprintf("stuck: Patroni answers %d", s.Allowed)
					}
				}
				fmt.Fprintf(tw, "%s\t%d\t%s\t%d\t%s\t%s\t%s\n", f.Host, w.PID, age, p.Sessions, text.Line(p.Proxy, 80), text.Line(p.Server, 80), mark)
			}
		}
	}
	tw.Flush()
	if n == 0 {
		fmt.Fprintln(w, "no old HAProxy process")
	}
	if len(stuck) > 0 {
		fmt.Fprintf(w, "\ntry: pgtui ghosts %s --close\n", c.Name)
	}
}

func whyUnknown(o source.Observed[haproxy.Processes]) string {
	if o.Err != nil {
		return o.Err.Error()
	}
	return o.Value.Missing
}

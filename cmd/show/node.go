package show

import (
	"fmt"
	"time"

	"pgtui/haproxy"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/source"
)

// States is a line a node: what a reload of its HAProxy does with server states.
func States(w Out, inv *model.Inventory, c *model.Cluster, states map[model.Host]source.Observed[string]) {
	tw := lang.NewTable(w)
	for _, f := range c.LoadBalancers {
		n := plan.Node{Host: f.Host}
		if node := inv.Node(f.Host); node != nil {
			n.Node = node.Name
		}
		o := states[f.Host]
		line := "a reload keeps server states: " + w.line(o.Value, 120)
		switch {
		case o.Err != nil:
			line = "unknown: " + w.line(o.Err.Error(), 300)
		case o.Value == "":
			line = "plain reload: new connections may reach a wrong instance for 0.2 to 1 s"
		}
		fmt.Fprintf(tw, "%s\t%s\n", nodeLabel(n), line)
	}
	tw.Flush()
}

// Components is a block a node.
func Components(w Out, nodes []*model.Node, rows []model.ComponentRow) {
	for i, n := range nodes {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s  %s\n", n.Host, n.Name)
		tw := lang.NewTable(w)
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
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Module, port, w.tint(componentHue(st.Health), st.Health.Word()), Dash(w.line(st.Version, 30)), ms, w.line(st.Why, 160))
		}
		tw.Flush()
	}
}

// componentHue is the colour of a component's health.
func componentHue(h model.ComponentHealth) hue {
	switch h {
	case model.ComponentUp:
		return green
	case model.ComponentUnknown:
		return yellow
	}
	return red
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
func Workers(w Out, c *model.Cluster, workers map[model.Host]source.Observed[haproxy.Processes], stuck []board.Pinned) {
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "HAPROXY\tOLD PROCESS\tAGE\tSESSIONS\tSERVICE\tTO\t")
	n := 0
	for _, f := range c.LoadBalancers {
		o := workers[f.Host]
		if !o.Known() || o.Value.Missing != "" {
			n++
			fmt.Fprintf(tw, "%s\tunknown: %s\t\t\t\t\t\n", f.Host, w.line(whyUnknown(o), 160))
			continue
		}
		for _, x := range o.Value.Workers {
			if !x.Old {
				continue
			}
			n++
			age := o.Value.At.Sub(x.Started).Round(time.Second)
			if len(x.Pins) == 0 {
				fmt.Fprintf(tw, "%s\t%d\t%s\t0\t\t%s\t\n", f.Host, x.PID, age, w.line(x.Err, 100))
			}
			for _, p := range x.Pins {
				mark := ""
				for _, s := range stuck {
					if s.Host == f.Host && s.Worker.PID == x.PID && string(s.Instance) == p.Server && f.Service(s.Service) != nil && f.Service(s.Service).Proxy() == p.Proxy {
						mark = fmt.Sprintf("stuck: Patroni answers %d", s.Allowed)
					}
				}
				fmt.Fprintf(tw, "%s\t%d\t%s\t%d\t%s\t%s\t%s\n", f.Host, x.PID, age, p.Sessions, w.line(p.Proxy, 80), w.line(p.Server, 80), mark)
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

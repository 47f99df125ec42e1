package model

import (
	"strconv"
	"time"

	"pgtui/source"
)

// ComponentStates is what a snapshot has of the components of the nodes: PostgreSQL, pgbouncer, Patroni
// and HAProxy. The watch does not probe the others, which are unknown.
func (s *Snapshot) ComponentStates(nodes []*Node, now time.Time) map[ComponentKey]source.Observed[ComponentState] {
	out := map[ComponentKey]source.Observed[ComponentState]{}
	for _, n := range nodes {
		for i := range n.Components {
			c := &n.Components[i]
			out[c.Key()] = s.componentState(c, now)
		}
	}
	return out
}

func (s *Snapshot) componentState(c *Component, now time.Time) source.Observed[ComponentState] {
	view := s.Patroni[c.Instance]
	switch c.Name {
	case "patroni":
		return stateOf(view.Status, now, view.Status.Value.Version)
	case "haproxy":
		return stateOf(s.HAProxy[c.Host], now, "")
	case "postgres", "pgbouncer":
		v := view.Port(strconv.Itoa(int(c.Port)))
		o := stateOf(v.Observed, now, "")
		if why := v.Shut(now); why != "" {
			o.Value = ComponentState{Health: ComponentDown, Why: why, Reachable: !v.Value.Refused}
		}
		return o
	}
	return source.Observed[ComponentState]{}
}

// stateOf is an observation as the state of what gave it.
func stateOf[T any](o source.Observed[T], now time.Time, version string) source.Observed[ComponentState] {
	out := source.Observed[ComponentState]{At: o.Tried, Tried: o.Tried, Took: o.Took}
	switch {
	case o.Current(now):
		out.Value = ComponentState{Health: ComponentUp, Reachable: true, Version: version}
	case o.Err != nil:
		out.Value = ComponentState{Health: ComponentSilent, Why: o.Err.Error()}
	default:
		out.Value = ComponentState{Health: ComponentUnknown, Why: "not probed"}
	}
	return out
}

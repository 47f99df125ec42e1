package trace

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
)

// Spread is who answered several connections to one target.
type Spread struct {
	Total, Failed int
	Unnamed       int // answered by somebody who could not be named
	Instances     map[model.InstanceName]int
	Error         string // the first failure; "" when there was none
	// Min, Median and Max are the times until the answer was read, of those
	// that were answered; 0 when none was.
	Min, Median, Max time.Duration
}

// SpreadOf counts the answers of a trace and the connections after it; s
// may be nil.
func SpreadOf(s *model.Snapshot, t *Trace, tries []model.Try) Spread {
	out := Spread{Total: len(tries), Instances: map[model.InstanceName]int{}}
	var c *model.Cluster
	if k := t.Kept(); k != nil && s != nil && s.Inventory != nil {
		c = s.Inventory.Cluster(k.Cluster)
	}
	var took []time.Duration
	for _, x := range tries {
		if x.Fault != "" {
			out.Failed++
			if out.Error == "" {
				out.Error = x.Text
			}
			continue
		}
		took = append(took, x.Connect+x.Query)
		name := model.InstanceName("")
		if c != nil {
			name, _, _ = board.Identify(s, c, x.Answer)
		}
		if name == "" {
			out.Unnamed++
			continue
		}
		out.Instances[name]++
	}
	if slices.Sort(took); len(took) > 0 {
		out.Min, out.Median, out.Max = took[0], took[len(took)/2], took[len(took)-1]
	}
	return out
}

// Health is down when no connection was answered, degraded when one was not.
func (s *Spread) Health() model.Health {
	switch {
	case s.Failed == s.Total:
		return model.HealthDown
	case s.Failed > 0:
		return model.HealthDegraded
	}
	return model.HealthOK
}

// Text is the spread in one line.
func (s *Spread) Text() string {
	names := make([]model.InstanceName, 0, len(s.Instances))
	for n := range s.Instances {
		names = append(names, n)
	}
	slices.Sort(names)
	var parts []string
	for _, n := range names {
		parts = append(parts, fmt.Sprintf("%s ×%d", n, s.Instances[n]))
	}
	if s.Unnamed > 0 {
		parts = append(parts, fmt.Sprintf("unnamed ×%d", s.Unnamed))
	}
	if s.Failed > 0 {
		parts = append(parts, fmt.Sprintf("failed ×%d (%s)", s.Failed, s.Error))
	}
	out := fmt.Sprintf("%d connections: %s", s.Total, strings.Join(parts, ", "))
	if s.Max > 0 {
		ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
		out += fmt.Sprintf("; %.1f–%.1f ms, median %.1f", ms(s.Min), ms(s.Max), ms(s.Median))
	}
	return out
}

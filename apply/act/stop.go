package act

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/source"
)

// errStopped is in the error of a run that the operator stopped between two steps, or
// while it waited: what was set until then stays set.
var errStopped = errors.New("stopped by the operator")

// stopped is the error of a run that was stopped before step i.
func (r *run) stopped(i int) error {
	return &source.Hint{Err: fmt.Errorf("%w before: %s", errStopped, r.plan.Steps[i].What), Try: "pgtui status " + string(r.plan.Request.Cluster)}
}

// waitStopped is the error of a wait that was stopped.
func (r *run) waitStopped() error {
	return &source.Hint{Err: fmt.Errorf("the wait was %w", errStopped), Try: "pgtui status " + string(r.plan.Request.Cluster)}
}

// thenNext are the commands to type next: again, which continues, and what undoes the
// request.
func (r *run) thenNext(again action.Request) {
	if undo := r.plan.Request.Undo(); undo != "" {
		r.rep.Next = append(r.rep.Next, "pgtui "+again.Line(), undo)
	}
}

// stop notes in the report that the operator stopped the run, and what the steps
// that have ended set.
func (r *run) stop(ended map[int]bool) {
	r.rep.Stopped = true
	if s := r.wasSet(ended); s != "" {
		r.rep.State = s
		r.thenNext(r.plan.Request)
	}
}

// wasSet is what the steps that have ended set, and on how many HAProxies: "pg-test-2 is
// in drain on 3 of 3 HAProxies". It is "" when they set nothing.
func (r *run) wasSet(ended map[int]bool) string {
	last, all := map[model.Host]string{}, map[model.Host]bool{}
	var values []string
	for i := range r.plan.Steps {
		s := &r.plan.Steps[i]
		if s.Do != action.DoServer {
			continue
		}
		if all[s.HAProxy] = true; !ended[i] {
			continue
		}
		is := setWords(s)
		if last[s.HAProxy] = is; !slices.Contains(values, is) {
			values = append(values, is)
		}
	}
	var parts []string
	for _, v := range values {
		n := 0
		for _, is := range last {
			if is == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s on %d of %d HAProxies", v, n, len(all)))
		}
	}
	return strings.Join(parts, "; ")
}

// setWords is what a step makes of its instance's servers: "pg-test-2 is in drain".
func setWords(s *action.Step) string {
	if weight, ok := strings.CutPrefix(s.Value, "weight "); ok {
		return fmt.Sprintf("%s has weight %s", s.Instance, weight)
	}
	if s.Value == "ready" {
		return string(s.Instance) + " is ready"
	}
	return string(s.Instance) + " is in " + s.Value
}

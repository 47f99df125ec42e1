package act

import (
	"errors"
	"fmt"
	"slices"

	"pgtui/model"
	"pgtui/plan/action"
)

// split is on which HAProxies a plan was not done, and why.
type split struct {
	order []model.Host
	at    map[model.Host]error
	err   error        // all of them; nil when there are none
	ended map[int]bool // the steps that ended as planned
}

func (b *split) add(h model.Host, err error) {
	if b.at == nil {
		b.at = map[model.Host]error{}
	}
	b.order, b.at[h] = append(b.order, h), err
	b.err = errors.Join(b.err, err)
}

// splitReport notes in the report on which HAProxies it was done and on which it was
// not, and returns the error of the latter; nil when there are none.
func (r *run) splitReport(b *split) error {
	var all, open []model.Host
	what := r.plan.Request.Title() + " is done"
	for i := range r.plan.Steps {
		s := &r.plan.Steps[i]
		if s.HAProxy != "" && !slices.Contains(all, s.HAProxy) {
			all = append(all, s.HAProxy)
		}
		if s.HAProxy != "" && !b.ended[i] && !slices.Contains(open, s.HAProxy) {
			open = append(open, s.HAProxy)
		}
		if s.Do == action.DoServer {
			what = setWords(s)
		}
	}
	switch {
	case b.err == nil && len(open) == 0 && len(all) > 0 && r.rep.State == "":
		r.rep.State = fmt.Sprintf("%s on %d of %d HAProxies", what, len(all), len(all))
		return nil
	case b.err == nil:
		return nil
	}
	r.rep.State = fmt.Sprintf("%s on %d of %d HAProxies; not, or unknown, on %s", what, len(all)-len(open), len(all), model.Join(open))
	return fmt.Errorf("%s: %w", r.rep.State, b.err)
}

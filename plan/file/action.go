package file

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/source"
)

// Action is the document of an action's plan, as `--out` saves it for `pgtui
// apply` and `--dry-run -o json` prints it.
type Action struct {
	Version       int            `json:"version"` // 1
	Plan          string         `json:"plan"`    // its id
	Action        string         `json:"action"`  // the kind: switchover, drain, …
	Cluster       string         `json:"cluster"`
	Inventory     string         `json:"inventory"`
	InventoryHash string         `json:"inventory_hash"`
	MadeAt        time.Time      `json:"made_at"`
	Changes       bool           `json:"changes"`   // false: there is nothing to do
	ExitCode      int            `json:"exit_code"` // 0 may run, 3 must not
	Refused       string         `json:"refused,omitempty"`
	Try           string         `json:"try,omitempty"` // what to type about Refused
	Request       action.Request `json:"request"`
	Steps         []action.Step  `json:"steps"`
	Facts         []string       `json:"facts"`
	Risks         []Risk         `json:"risks"`
	Next          []string       `json:"next"`
	Digest        string         `json:"digest"` // of everything above
}

// NewAction makes the document of an action's plan.
func NewAction(inv *model.Inventory, p *action.Plan) Action {
	out := Action{
		Version: 1, Plan: p.ID, Action: string(p.Request.Kind), Cluster: string(p.Request.Cluster), Inventory: inv.Source, InventoryHash: p.Inventory,
		MadeAt: p.MadeAt.UTC(), Changes: p.Changes(), Request: p.Request, Steps: append([]action.Step{}, p.Steps...),
		Facts: append([]string{}, p.Facts...), Risks: newRisks(p.Risks, p.Accepted), Next: append([]string{}, p.Next...),
	}
	if p.Refused != nil {
		out.Refused, out.Try = p.Refused.Error(), source.TryOf(p.Refused)
	}
	if p.Refused != nil || len(p.Unaccepted()) > 0 {
		out.ExitCode = action.EndRefused.Code()
	}
	out.Digest = out.Sum()
	return out
}

// newRisks are the documents of risks.
func newRisks(risks []plan.Risk, accepted []string) []Risk {
	out := []Risk{}
	free := plan.Unaccepted(risks, accepted)
	for _, r := range risks {
		x := Risk{Name: r.Name, Stops: r.Stops(), Host: string(r.Host), What: r.What, Try: r.Try}
		x.Accepted = r.Stops() && !slices.Contains(free, r.Name)
		out = append(out, x)
	}
	return out
}

// Sum is the digest of the whole document except the digest itself.
func (a Action) Sum() string {
	a.Digest = ""
	return sumOf(a)
}

func (a Action) digest() string { return a.Digest }

// Stale is how the work of a saved plan differs from the plan that is made now,
// nil when it is current.
func (a *Action) Stale(now *action.Plan) []string {
	if a.Plan == now.ID {
		return nil
	}
	var out []string
	if !reflect.DeepEqual(a.Request, now.Request) {
		out = append(out, "the request is another one")
	}
	for i := range max(len(a.Steps), len(now.Steps)) {
		switch {
		case i >= len(now.Steps):
			out = append(out, "no longer a step: "+a.Steps[i].What)
		case i >= len(a.Steps):
			out = append(out, "a new step: "+now.Steps[i].What)
		case !reflect.DeepEqual(a.Steps[i], now.Steps[i]):
			out = append(out, fmt.Sprintf("step %d was %q and would be %q now", i+1, a.Steps[i].What, now.Steps[i].What))
		}
	}
	return out
}

// ActionOf is the action that a saved plan is of: plan.ActionReload, or the kind of
// an action; "" when the text is no plan.
func ActionOf(text []byte) string {
	var p struct {
		Action string `json:"action"`
	}
	if json.Unmarshal(text, &p) != nil {
		return ""
	}
	return p.Action
}

// ReadAction reads a document as it was saved. A field that was changed, added or
// removed is an error wherever it is.
func ReadAction(r io.Reader) (Action, error) {
	text, err := all(r)
	if err != nil {
		return Action{}, err
	}
	return unsealed(text, func(a *Action) bool {
		return a.Version == 1 && a.Plan != "" && a.Cluster != "" && slices.Contains(action.Kinds(), action.Kind(a.Action))
	})
}

package apply

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/render"
)

// ledger collects the steps of a run and writes its two records.
type ledger struct {
	audit *Audit // nil: no records are kept
	rec   plan.Record
	began time.Time

	mu    sync.Mutex
	steps map[model.Host][]plan.StepRecord
}

// open writes the first record. When that fails, the run must not begin.
func (a *Applier) open(inv *model.Inventory, p *plan.Plan) (*ledger, error) {
	now := a.Now()
	l := &ledger{audit: a.Audit, began: now, steps: map[model.Host][]plan.StepRecord{}}
	l.rec = a.record(now, inv, p.Cluster, p.ID, cmp.Or(a.Rollout.Action, plan.ActionReload))
	l.rec.Plan, l.rec.Diff, l.rec.Undoes, l.rec.Via, l.rec.Accepted = p.ID, diffSum(p), a.Rollout.Undoes, a.Rollout.Via, p.Accepted
	l.rec.Risks = plan.RisksOf(p.Risks)
	for i := range p.Nodes {
		l.rec.Nodes = append(l.rec.Nodes, plan.NodeRecord{Host: p.Nodes[i].Host, Node: p.Nodes[i].Node, Want: WantSum(&p.Nodes[i])})
	}
	if l.audit == nil {
		return l, nil
	}
	return l, l.audit.Append(l.rec)
}

// record is the first line of a run, with the fields that every kind of run has.
func (a *Applier) record(now time.Time, inv *model.Inventory, cluster model.ClusterName, id, action string) plan.Record {
	return NewRecord(now, inv, a.Who, cluster, id, action)
}

// NewRecord is the first line of a run of who, with the fields that every kind of
// run has.
func NewRecord(now time.Time, inv *model.Inventory, who plan.Operator, cluster model.ClusterName, id, action string) plan.Record {
	return plan.Record{
		V: 1, Run: fmt.Sprintf("%s-%s-%d", now.UTC().Format("20060102T150405.000Z"), id, who.PID), Kind: plan.RecordBegin, At: now.UTC(),
		Action: action, Who: who, Cluster: cluster, Inventory: cmp.Or(inv.Path, inv.Source), Hash: inv.Hash,
	}
}

// recorded is text for a record: bounded in bytes, safe to print, and
// without what follows a password keyword.
func recorded(raw string, most int) string {
	lines := strings.Split(raw, "\n")
	for i := range lines {
		lines[i] = render.MaskSecrets(lines[i])
	}
	return text.Line(strings.Join(lines, "; "), most)
}

// step adds one step that has ended.
func (l *ledger) step(s plan.StepResult) {
	if !s.Done {
		return
	}
	r := plan.StepRecord{Step: s.Step, OK: s.Err == nil, TookMs: s.Took.Milliseconds(), Detail: recorded(s.Detail, 400)}
	if s.Err != nil {
		r.Error = recorded(s.Err.Error(), 600)
	}
	l.mu.Lock()
	l.steps[s.Host] = append(l.steps[s.Host], r)
	l.mu.Unlock()
}

// close writes the last record.
func (l *ledger) close(rep *plan.Report, err error, now time.Time) error {
	r := l.rec
	r.Kind, r.At, r.TookMs = plan.RecordEnd, now.UTC(), now.Sub(l.began).Milliseconds()
	r.Nodes = slices.Clone(r.Nodes)
	r.Outcome = plan.RunApplied
	if err != nil {
		r.Outcome, r.Error = plan.RunRefused, recorded(err.Error(), 1000)
	}
	for i, n := range rep.Nodes {
		rec := &r.Nodes[i]
		rec.Steps, rec.Outcome, rec.Step, rec.Backup = l.steps[n.Host], n.Outcome, n.Step, n.Backup
		rec.Before, rec.After, rec.SettledMs = n.Before, n.After, n.Settled.Milliseconds()
		for _, x := range n.Recovered {
			x.Why = recorded(x.Why, 400)
			rec.Recovered = append(rec.Recovered, x)
		}
		if n.Err != nil {
			rec.Error = recorded(n.Err.Error(), 600)
		}
		if err != nil && n.Outcome != plan.Untouched && n.Outcome != plan.Unchanged {
			r.Outcome = plan.RunStopped
		}
	}
	if l.audit == nil {
		return nil
	}
	return l.audit.Append(r)
}

// diffSum is a hash of every change of a plan, byte for byte.
func diffSum(p *plan.Plan) string {
	h := sha256.New()
	for _, n := range p.Nodes {
		for _, c := range n.Changes {
			fmt.Fprintf(h, "%q %q %s %s\n", n.Host, c.Name, sumOrDash(c.Before), sumOrDash(c.After))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// WantSum is a hash of the cluster's files on a node as the plan leaves them.
func WantSum(n *plan.Node) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(n.Want)) {
		fmt.Fprintf(h, "%q %s\n", name, n.Want[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

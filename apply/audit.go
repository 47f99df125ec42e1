package apply

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/syslog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"pgtui/internal/safe"
	"pgtui/model"
	"pgtui/render"
)

// Audit is the append-only file of what was done, a JSON record a line.
type Audit struct {
	Path   string
	Syslog bool // tell the system's log as well
}

// maxAudit bounds how much of the end of the file is read, and of one line, in
// bytes.
const maxAudit = 64 << 20

// Append adds one record and returns once it is on the disk.
func (a *Audit) Append(r model.Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if err := a.write(append(line, '\n')); err != nil {
		return &model.Hint{Err: fmt.Errorf("the audit file cannot be written: %w", err), Try: "name a file in PGTUI_AUDIT that can be, such as /var/log/pgtui/audit.jsonl"}
	}
	if a.Syslog {
		return tellSyslog(r)
	}
	return nil
}

func (a *Audit) write(line []byte) error {
	if a.Path == "" {
		return errors.New("HOME is not set, and no file is named")
	}
	if err := os.MkdirAll(filepath.Dir(a.Path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(a.Path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() > 0 {
		last := []byte{0}
		if _, err := f.ReadAt(last, st.Size()-1); err == nil && last[0] != '\n' {
			line = append([]byte{'\n'}, line...) // a torn line stays alone
		}
	}
	if _, err := f.Write(line); err != nil {
		return err
	}
	return f.Sync()
}

// tellSyslog writes one line of words to the system's log.
func tellSyslog(r model.Record) error {
	w, err := syslog.New(syslog.LOG_NOTICE|syslog.LOG_AUTHPRIV, "pgtui")
	if err != nil {
		return &model.Hint{Err: fmt.Errorf("syslog: %w", err), Try: "unset PGTUI_SYSLOG"}
	}
	err = w.Notice(safe.Text(fmt.Sprintf("%s %s of %s, plan %s, by %s: %s %s", r.Kind, r.Action, r.Cluster, r.Plan, r.Who, r.Outcome, r.Error), 900))
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	return nil
}

// Read returns the records of the file, oldest first, and how many lines are
// none. A file that is not there has no records.
func (a *Audit) Read() (records []model.Record, bad int, err error) {
	f, err := os.Open(a.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("audit: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("audit: %w", err)
	}
	cut := st.Size() > maxAudit
	if cut {
		if _, err := f.Seek(-maxAudit, io.SeekEnd); err != nil {
			return nil, 0, fmt.Errorf("audit: %w", err)
		}
	}
	in := bufio.NewReader(io.LimitReader(f, maxAudit))
	for {
		line, err := in.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 && !cut {
			var r model.Record
			if json.Unmarshal(line, &r) != nil || r.Run == "" {
				bad++
			} else {
				records = append(records, r)
			}
		}
		cut = false
		if errors.Is(err, io.EOF) {
			return records, bad, nil
		}
		if err != nil {
			return records, bad, fmt.Errorf("audit: %w", err)
		}
	}
}

// ledger keeps what a run tells and writes its two records.
type ledger struct {
	audit *Audit // nil: nobody keeps records
	rec   model.Record
	began time.Time

	mu    sync.Mutex
	steps map[model.Host][]model.StepRecord
}

// open writes the first record. Without it nothing may be done.
func (a *Applier) open(inv *model.Inventory, p *model.Plan) (*ledger, error) {
	now := a.Now()
	l := &ledger{audit: a.Audit, began: now, steps: map[model.Host][]model.StepRecord{}}
	l.rec = a.record(now, inv, p.Cluster, p.ID, a.Rollout.Action)
	l.rec.Plan, l.rec.Diff, l.rec.Undoes, l.rec.Via, l.rec.Accepted = p.ID, diffSum(p), a.Rollout.Undoes, a.Rollout.Via, p.Accepted
	for _, r := range p.Risks {
		if !slices.Contains(l.rec.Risks, r.Name) {
			l.rec.Risks = append(l.rec.Risks, r.Name)
		}
	}
	if l.rec.Action == "" {
		l.rec.Action = model.ActionReload
	}
	for i := range p.Nodes {
		l.rec.Nodes = append(l.rec.Nodes, model.NodeRecord{Host: p.Nodes[i].Host, Node: p.Nodes[i].Node, Want: WantSum(&p.Nodes[i])})
	}
	if l.audit == nil {
		return l, nil
	}
	return l, l.audit.Append(l.rec)
}

// record is the first line of a run, as far as every kind of run has it alike.
func (a *Applier) record(now time.Time, inv *model.Inventory, cluster model.ClusterName, id, action string) model.Record {
	return model.Record{
		V: 1, Run: fmt.Sprintf("%s-%s-%d", now.UTC().Format("20060102T150405.000Z"), id, a.Who.PID), Kind: model.RecordBegin, At: now.UTC(),
		Action: action, Who: a.Who, Cluster: cluster, Inventory: inv.Source, Hash: inv.Hash,
	}
}

// said is text that goes into a record: bounded in bytes, safe to print, and
// without what follows a password keyword.
func said(text string, most int) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = render.MaskSecrets(lines[i])
	}
	return safe.Text(strings.Join(lines, "; "), most)
}

// step notes one step that has ended.
func (l *ledger) step(s model.StepResult) {
	if !s.Done {
		return
	}
	r := model.StepRecord{Step: s.Step, OK: s.Err == nil, TookMs: s.Took.Milliseconds(), Detail: said(s.Detail, 400)}
	if s.Err != nil {
		r.Error = said(s.Err.Error(), 600)
	}
	l.mu.Lock()
	l.steps[s.Host] = append(l.steps[s.Host], r)
	l.mu.Unlock()
}

// close writes the last record.
func (l *ledger) close(rep *model.Report, err error, now time.Time) error {
	r := l.rec
	r.Kind, r.At, r.TookMs = model.RecordEnd, now.UTC(), now.Sub(l.began).Milliseconds()
	r.Nodes = slices.Clone(r.Nodes)
	r.Outcome = model.RunApplied
	if err != nil {
		r.Outcome, r.Error = model.RunRefused, said(err.Error(), 1000)
	}
	for i, n := range rep.Nodes {
		rec := &r.Nodes[i]
		rec.Steps, rec.Outcome, rec.Step, rec.Backup = l.steps[n.Host], n.Outcome, n.Step, n.Backup
		rec.Before, rec.After, rec.SettledMs = n.Before, n.After, n.Settled.Milliseconds()
		for _, x := range n.Recovered {
			x.Why = said(x.Why, 400)
			rec.Recovered = append(rec.Recovered, x)
		}
		if n.Err != nil {
			rec.Error = said(n.Err.Error(), 600)
		}
		if err != nil && n.Outcome != model.Untouched && n.Outcome != model.Unchanged {
			r.Outcome = model.RunStopped
		}
	}
	if l.audit == nil {
		return nil
	}
	return l.audit.Append(r)
}

// diffSum is a hash of every change of a plan, byte for byte.
func diffSum(p *model.Plan) string {
	h := sha256.New()
	for _, n := range p.Nodes {
		for _, c := range n.Changes {
			fmt.Fprintf(h, "%q %q %s %s\n", n.Host, c.Name, sumOrDash(c.Before), sumOrDash(c.After))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// WantSum is a hash of the cluster's files on a node as the plan leaves them.
func WantSum(n *model.NodePlan) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(n.Want)) {
		fmt.Fprintf(h, "%q %s\n", name, n.Want[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

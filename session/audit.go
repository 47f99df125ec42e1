package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pgtui/apply"
	"pgtui/internal/proc"
	"pgtui/internal/sandbox"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// Audit is where the records of the inventory at path are kept: $PGTUI_AUDIT,
// else beside the inventory of a sandbox, else in the user's state directory.
func (s *Session) Audit(path string) *apply.Audit {
	file := cmp.Or(s.Getenv("PGTUI_AUDIT"), sandbox.AuditPath(Resolved(path)))
	if file == "" {
		file = join(cmp.Or(s.Getenv("XDG_STATE_HOME"), join(s.Getenv("HOME"), ".local/state")), "pgtui/audit.jsonl")
	}
	return &apply.Audit{Path: file, Syslog: s.Getenv("PGTUI_SYSLOG") == "1"}
}

// operator is who runs this, as far as the machine can report it.
func (s *Session) operator() plan.Operator {
	o := plan.Operator{UID: os.Getuid(), LoginUID: -1, PID: os.Getpid(), SudoUser: s.Getenv("SUDO_USER")}
	o.User = strconv.Itoa(o.UID)
	if u, err := user.LookupId(o.User); err == nil {
		o.User = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		o.Host = h
	}
	if b, err := os.ReadFile("/proc/self/loginuid"); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32); err == nil && n != 1<<32-1 {
			o.LoginUID = int(n)
		}
	}
	from := s.Getenv("SSH_CONNECTION")
	for pid := os.Getppid(); from == "" && pid > 1; {
		from = environ(pid, "SSH_CONNECTION") // sudo drops it
		p, _ := proc.Read(pid)
		pid = p.Parent
	}
	o.SSHFrom, _, _ = strings.Cut(from, " ")
	return o
}

// AuditLog reads the audit file of the inventory at path. It prints how many
// lines are not records, and where the chain of hashes is broken.
func (s *Session) AuditLog(path string) (apply.AuditLog, error) {
	file := s.Audit(path)
	log, err := file.Read()
	if log.Bad > 0 {
		s.notice(fmt.Sprintf("%d lines of %s are not records: skipped", log.Bad, file.Path))
	}
	for _, b := range log.Breaks {
		s.notice(fmt.Sprintf("%s:%d: the chain is broken: %s", file.Path, b.Line, b.What))
	}
	return log, err
}

// History is what the audit file has of the inventory.
func (s *Session) History(_ context.Context, inv *model.Inventory) (plan.History, error) {
	return s.HistoryOf(inv.Source, inv.Path)
}

// HistoryOf is what the audit file of the inventory at path has of the inventory that
// is known by its resolved path; "" is all of them.
func (s *Session) HistoryOf(path, resolved string) (plan.History, error) {
	log, err := s.AuditLog(path)
	h := plan.History{File: s.Audit(path).Path, Runs: plan.Runs(log.Records), Breaks: log.Breaks}
	if resolved != "" {
		all := len(h.Runs)
		h.Runs = plan.RunsOf(h.Runs, SameInventory(resolved))
		h.Others = all - len(h.Runs)
	}
	return h, err
}

// runs are all runs in the audit file of the inventory, and those of this
// inventory alone; the oldest first.
func (s *Session) runs(inv *model.Inventory) (all, here []plan.Run, err error) {
	log, err := s.AuditLog(inv.Source)
	all = plan.Runs(log.Records)
	return all, plan.RunsOf(all, SameInventory(inv.Path)), err
}

// SameInventory reports whether the path in a record is that of the inventory
// known by here. Older versions recorded the path as it was given: an absolute
// one is resolved now, a relative one matches no inventory.
func SameInventory(here string) func(string) bool {
	return func(recorded string) bool {
		return recorded == here || filepath.IsAbs(recorded) && Resolved(recorded) == here
	}
}

// Undoable is the run to undo: the newest of the inventory that left new files,
// of the named cluster or plan when one is named.
func (s *Session) Undoable(inv *model.Inventory, name ...string) (*plan.Run, error) {
	all, here, err := s.runs(inv)
	if err != nil {
		return nil, err
	}
	if len(name) == 0 {
		return s.newest(inv, here, "")
	}
	what := name[0]
	if run, err := planOf(all, here, what, true); run != nil || err != nil {
		return run, err
	}
	if inv.Cluster(model.ClusterName(what)) != nil {
		return s.newest(inv, here, model.ClusterName(what))
	}
	run, err := planOf(all, here, what, false)
	if run == nil && err == nil {
		err = &source.Hint{Err: fmt.Errorf("%q is neither a cluster of %s nor a plan in %s", what, inv.Source, s.Audit(inv.Source).Path), Try: "pgtui history", Usage: true}
	}
	return run, err
}

// newest is the newest of the runs that can be undone; of any cluster for "".
func (s *Session) newest(inv *model.Inventory, runs []plan.Run, c model.ClusterName) (*plan.Run, error) {
	for _, r := range slices.Backward(runs) {
		if (c == "" || r.Cluster == c) && r.MayUndo() {
			return &r, nil
		}
	}
	of := inv.Source
	if c != "" {
		of = string(c) + " in " + of
	}
	return nil, &source.Hint{
		Err: fmt.Errorf("nothing to undo: %s has no run of %s that left new files", s.Audit(inv.Source).Path, of),
		Try: "pgtui history; `pgtui history --all` lists the runs of other inventories",
	}
}

// planOf is the newest run of the plan with that id, or with an id that begins
// with it: one that can be undone, of this inventory, where there is one. nil
// is none. Two plans that begin with it are an error.
func planOf(all, here []plan.Run, id string, whole bool) (*plan.Run, error) {
	var found *plan.Run
	ids := map[string]bool{}
	for _, undoable := range []bool{true, false} {
		for _, runs := range [][]plan.Run{here, all} {
			for _, r := range slices.Backward(runs) {
				if r.Plan == "" || id == "" || r.Plan != id && (whole || !strings.HasPrefix(r.Plan, id)) {
					continue
				}
				ids[r.Plan] = true
				if found == nil && (r.MayUndo() || !undoable) {
					found = &r
				}
			}
		}
	}
	if len(ids) > 1 {
		return nil, &source.Hint{
			Err: fmt.Errorf("%d plans begin with %q: nothing was changed", len(ids), id),
			Try: "one of: " + strings.Join(slices.Sorted(maps.Keys(ids))[:min(len(ids), 10)], ", "),
		}
	}
	return found, nil
}

// Resumes is the run that the plan continues: it is the rest of what the last
// run of the cluster left undone.
func (s *Session) Resumes(inv *model.Inventory, p *plan.Plan) (*plan.Run, error) {
	_, here, err := s.runs(inv)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Backward(here) {
		if r.Cluster != p.Cluster || !r.ChangesFiles() {
			continue
		}
		if r.Outcome == plan.RunApplied {
			break
		}
		for i := range p.Nodes {
			n := &p.Nodes[i]
			at := slices.IndexFunc(r.Nodes, func(rec plan.NodeRecord) bool { return rec.Host == n.Host })
			if at < 0 || r.Nodes[at].Want != apply.WantSum(n) {
				return nil, &source.Hint{
					Err: fmt.Errorf("--resume: the work on %s differs from that of plan %s: the inventory or its files changed since", n.Host, r.Plan),
					Try: "pgtui reload " + string(p.Cluster) + " --dry-run, and start over",
				}
			}
		}
		return &r, nil
	}
	return nil, &source.Hint{Err: errors.New("--resume: the last run of " + string(p.Cluster) + " did not stop half-way"), Try: "pgtui history " + string(p.Cluster)}
}

// environ is a variable in the environment of a process, "" when it cannot be
// read.
func environ(pid int, name string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return ""
	}
	for v := range strings.SplitSeq(string(b), "\x00") {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

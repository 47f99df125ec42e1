package apply

import (
	"bytes"
	"cmp"
	"context"
	_ "embed" // backup.sh
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/transport"
	"pgtui/source"
)

//go:embed backup.sh
var backupScript string

// Kept is what a plan replaced on one node.
type Kept struct {
	Dir   string
	Files map[string]KeptFile
}

// KeptFile is one file that a plan added, changed or deleted.
type KeptFile struct {
	New string // hash of what the plan made of it; "-" when it was deleted
	Old []byte // what it was; nil when there was none
}

// noBackup is the exit code of backup.sh where there is none.
const noBackup = 4

var errNoBackup = errors.New("there is no backup")

// maxKept bounds the files of a backup.
const maxKept = 4000

// kept reads the backup of a plan on one node.
func (a *Applier) kept(ctx context.Context, t model.SSHTarget, plan string) (Kept, error) {
	if strings.Trim(plan, "0123456789abcdef") != "" || plan == "" {
		return Kept{}, fmt.Errorf("%q is not a plan id: the record of the run is damaged", text.Line(plan, 40))
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.ReadFor, 20*time.Second))
	defer cancel()
	out, err := a.Runner.Run(ctx, transport.Cmd{Target: t, Script: backupScript, Args: []string{plan}, Reads: true})
	switch {
	case err != nil:
		return Kept{}, fmt.Errorf("read the backup: %w", err)
	case out.Exit == noBackup:
		return Kept{}, fmt.Errorf("%w of plan %s", errNoBackup, plan)
	case out.Exit != 0:
		return Kept{}, fmt.Errorf("read the backup: %s", transport.Words(out.Stderr, 2))
	case out.Truncated:
		return Kept{}, errors.New("read the backup: its files are too large")
	}
	return parseBackup(out.Stdout)
}

// parseBackup reads what backup.sh prints: "dir PATH", "file OLD NEW NAME" as
// in node.sh, "data NAME" with the old content in base64 up to a line ".", and
// "end".
func parseBackup(b []byte) (Kept, error) {
	k := Kept{Files: map[string]KeptFile{}}
	old := map[string]string{}
	data := map[string][]byte{}
	lines := strings.Split(string(b), "\n")
	for i := 0; i < len(lines); i++ {
		word, rest, _ := strings.Cut(lines[i], " ")
		switch word {
		case "dir":
			k.Dir = text.Line(rest, 200)
		case "file":
			w := strings.SplitN(rest, " ", 3)
			if len(w) != 3 || plan.CheckName(w[2]) != nil || len(old) >= maxKept {
				return Kept{}, errors.New("the backup's list of files is damaged")
			}
			old[w[2]] = w[0]
			k.Files[w[2]] = KeptFile{New: w[1]}
		case "data":
			var data64 strings.Builder
			for i++; i < len(lines) && lines[i] != "."; i++ {
				data64.WriteString(lines[i])
			}
			content, err := base64.StdEncoding.DecodeString(data64.String())
			if err != nil {
				return Kept{}, fmt.Errorf("the backup of %s is damaged: %w", text.Line(rest, 80), err)
			}
			data[rest] = plan.Present(content)
		case "end":
			for name, hash := range old {
				if hash == "-" {
					continue
				}
				if content, ok := data[name]; !ok || plan.Sum(content) != hash {
					return Kept{}, fmt.Errorf("the backup of %s does not match its hash", text.Line(name, 80))
				}
				f := k.Files[name]
				f.Old = data[name]
				k.Files[name] = f
			}
			return k, nil
		}
	}
	return Kept{}, errors.New("the backup is truncated")
}

// Undo makes the plan that restores, on every node where the run left new files,
// exactly the files from before. It is run like any other. A file that was changed
// since is its node's Err: later changes are not undone. A run on a host that the
// inventory does not have is refused before any node is read: only the audit file
// has that host.
func (a *Applier) Undo(ctx context.Context, inv *model.Inventory, run *plan.Run) (plan.Plan, error) {
	c := inv.Cluster(run.Cluster)
	if c == nil {
		return plan.Plan{}, fmt.Errorf("plan %s: cluster %q is no longer in %s", run.Plan, run.Cluster, inv.Source)
	}
	var hosts []model.Host
	for _, n := range run.Nodes {
		if inv.Node(n.Host) == nil {
			return plan.Plan{}, notOurs(inv, run, n.Host)
		}
		if run.Interrupted || n.Backup != "" && (n.Outcome == plan.Applied || n.Outcome == plan.Uncertain) {
			hosts = append(hosts, n.Host)
		}
	}
	if len(hosts) == 0 {
		return plan.Plan{}, &source.Hint{Err: fmt.Errorf("plan %s left no new files on any node", run.Plan), Try: "pgtui history " + string(run.Cluster)}
	}
	have := a.readAll(ctx, inv, hosts)
	p := plan.Plan{Cluster: c.Name, Inventory: inv.Hash, MadeAt: a.Now()}
	for _, h := range hosts {
		p.Nodes = append(p.Nodes, a.undoNode(ctx, inv, c, h, run, have[h]))
	}
	p.ID = plan.IDOf(&p)
	return p, nil
}

// notOurs refuses the undo of a run on a host that the inventory does not have.
func notOurs(inv *model.Inventory, run *plan.Run, h model.Host) error {
	try := "pgtui -i " + text.Word(run.Inventory) + " undo " + text.Word(run.Plan)
	if run.Inventory == "" || run.Inventory == inv.Path {
		try = "pgtui undo needs every host of the plan: put " + text.Line(string(h), 80) + " into the inventory until then"
	}
	return &source.Hint{Err: fmt.Errorf("plan %s has host %s, which is not in %s: nothing was changed", run.Plan, text.Line(string(h), 80), inv.Source), Try: try}
}

func (a *Applier) undoNode(ctx context.Context, inv *model.Inventory, c *model.Cluster, h model.Host, run *plan.Run, have plan.NodeFiles) plan.Node {
	f := c.LoadBalancer(h)
	if f == nil {
		f = &model.LoadBalancer{Host: h}
	}
	n := plan.BuildNode(inv, c, f, nil, have, true)
	if n.Err != nil {
		return n
	}
	k, err := a.kept(ctx, n.Target, run.Plan)
	if err != nil {
		if !run.Interrupted || !errors.Is(err, errNoBackup) { // otherwise the run had not reached this node
			n.Err = err
		}
		return n
	}
	ours := map[string][]byte{}
	for name, kept := range k.Files {
		if kept.New != "-" || kept.Old != nil && have.Files[name] != nil {
			ours[name] = have.Files[name]
		}
	}
	now := plan.BuildNode(inv, c, f, ours, have, true)
	if now.Err != nil {
		return now
	}
	want := map[string][]byte{}
	for name := range now.Have {
		want[name] = have.Files[name]
	}
	for name, kept := range k.Files {
		is, there := have.Files[name]
		if there && plan.Sum(plan.Present(is)) != kept.New || !there && kept.New != "-" {
			if same(is, there, kept.Old) {
				continue // it is already restored
			}
			now.Err = &source.Hint{
				Err: fmt.Errorf("%s was changed after plan %s: undo would lose that change", text.Line(name, 80), run.Plan),
				Try: fmt.Sprintf("pgtui history %s; undo the later run first", c.Name),
			}
			return now
		}
		delete(want, name)
		if kept.Old != nil {
			want[name] = kept.Old
		}
	}
	return exactly(now, have.Files, want)
}

func same(is []byte, there bool, old []byte) bool {
	return there == (old != nil) && bytes.Equal(is, old)
}

// exactly is the node with the changes that make want of its own files, byte
// for byte.
func exactly(n plan.Node, have, want map[string][]byte) plan.Node {
	n.Changes, n.Same, n.Want = nil, 0, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		n.Want[name] = plan.Sum(want[name])
		_, own := n.Have[name]
		if own && bytes.Equal(have[name], want[name]) {
			n.Same++
			continue
		}
		ch := plan.FileChange{Name: name, After: plan.Present(want[name])}
		if own {
			ch.Before = plan.Present(have[name])
		}
		n.Changes = append(n.Changes, ch)
	}
	for _, name := range slices.Sorted(maps.Keys(n.Have)) {
		if _, stays := want[name]; !stays {
			n.Changes = append(n.Changes, plan.FileChange{Name: name, Before: plan.Present(have[name])})
		}
	}
	slices.SortFunc(n.Changes, func(a, b plan.FileChange) int { return strings.Compare(a.Name, b.Name) })
	n.Foreign = slices.DeleteFunc(n.Foreign, func(name string) bool { _, ours := want[name]; return ours })
	n.Become = plan.Sections(want)
	return n
}

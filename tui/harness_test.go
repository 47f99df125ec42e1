package tui

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/candidate"
	"pgtui/model/trace"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/render"
	"pgtui/source"
	"pgtui/tui/page"
	"pgtui/tui/page/overview"
)

// rig drives the root model as Bubble Tea does, but in order and at once:
// commands run where they are returned, timers only when a test fires them.
type rig struct {
	t      *testing.T
	m      Model
	timers []tea.Msg
	quit   bool
	lazy   bool // commands are left alone: what they wait for is the test's to give
	now    time.Time
	fake   *fake
}

// newRig opens the console on a world at that size.
func newRig(t *testing.T, w *world, width, height int, change ...func(*fake)) *rig {
	r := &rig{t: t, now: t0}
	r.fake = deps(w)
	d := r.fake
	d.Now = func() time.Time { return r.now }
	for _, f := range change {
		f(d)
	}
	r.m = New(d.deps())
	r.m.feed.after = func(_ time.Duration, msg tea.Msg) tea.Cmd {
		return func() tea.Msg {
			r.timers = append(r.timers, msg)
			return nil
		}
	}
	r.send(tea.WindowSizeMsg{Width: width, Height: height})
	if w.snap != nil { // else the first answer is still to come
		r.drain(r.m.Init())
	}
	return r
}

// fake is what the console is opened with, and a function for each method of its
// session; nil is off, or no answer.
type fake struct {
	Deps
	Load       func(ctx context.Context) (*model.Inventory, error)
	Stamp      func(in []source.Input) []source.Input
	Watch      func(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan *model.Snapshot
	Plan       func(ctx context.Context, inv *model.Inventory, cluster model.ClusterName, hosts []model.Host) (plan.Plan, error)
	Execute    func(ctx context.Context, inv *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error)
	Examine    func(ctx context.Context, inv *model.Inventory, h model.Host) model.Reading
	Access     func(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, cluster model.ClusterName) (access.Access, error)
	Components func(ctx context.Context, inv *model.Inventory, cluster model.ClusterName) ([]model.ComponentRow, error)
	Trace      func(ctx context.Context, inv *model.Inventory, target []string) (trace.Trace, error)
	Origins    func(ctx context.Context, inv *model.Inventory, cluster model.ClusterName) (source.Origins, error)
	Rules      func(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, cluster model.ClusterName) (model.RuleFacts, error)
	Candidates func(ctx context.Context, inv *model.Inventory, cluster model.ClusterName) (candidate.Table, error)
	Pooler     func(ctx context.Context, inv *model.Inventory, name model.InstanceName) (model.PoolReport, error)
	Activity   func(ctx context.Context, inv *model.Inventory, name model.InstanceName, text bool) (model.ServerReport, error)
	Store      func(ctx context.Context, inv *model.Inventory, name model.InstanceName) (model.NodeStore, error)
	PlanAction func(ctx context.Context, inv *model.Inventory, r action.Request) (action.Plan, error)
	Act        func(ctx context.Context, inv *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error)
	Logs       func(ctx context.Context, h model.Host, emit func(model.LogBatch)) error
	Shell      func(inv *model.Inventory, h model.Host) (model.Program, error)
	Editor     func(at model.Place, pos source.Pos) (model.Program, error)
	Foreground func(p model.Program) (int, error)
	File       func(inv *model.Inventory, s *model.Service) string
	Ran        func() []model.Ran
	History    func() (plan.History, error)
	Recorded   func(at time.Time, snap *model.Snapshot, events []board.Event)
	Mark       func(cluster model.ClusterName, what string) error
	Unrecorded string
	Timelines  func(model.ClusterName) ([]action.TimelineSwitch, error)
}

// deps is what the console gets of it.
func (f *fake) deps() Deps {
	d := f.Deps
	d.Session = answers{f}
	return d
}

// answers is the session of a fake.
type answers struct{ f *fake }

func (a answers) Can(x model.Ability) bool {
	return map[model.Ability]bool{
		model.CanReload: a.f.Execute != nil && a.f.ReadOnly == "", model.CanExamine: a.f.Examine != nil, model.CanAccess: a.f.Access != nil,
		model.CanComponents: a.f.Components != nil, model.CanTrace: a.f.Trace != nil, model.CanOrigins: a.f.Origins != nil,
		model.CanAct: a.f.Act != nil && a.f.ReadOnly == "",
	}[x]
}

func (a answers) Lock(by string) { a.f.ReadOnly = by }

func (a answers) Load(ctx context.Context) (*model.Inventory, error) { return a.f.Load(ctx) }

func (a answers) Stamp(in []source.Input) []source.Input {
	if a.f.Stamp == nil {
		return in
	}
	return a.f.Stamp(in)
}

func (a answers) Watch(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan *model.Snapshot {
	return a.f.Watch(ctx, inv, every)
}

func (a answers) Plan(ctx context.Context, inv *model.Inventory, c model.ClusterName, hosts []model.Host) (plan.Plan, error) {
	return a.f.Plan(ctx, inv, c, hosts)
}

func (a answers) Execute(ctx context.Context, inv *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
	return a.f.Execute(ctx, inv, p, emit)
}

func (a answers) Examine(ctx context.Context, inv *model.Inventory, h model.Host) model.Reading {
	return a.f.Examine(ctx, inv, h)
}

func (a answers) Access(ctx context.Context, inv *model.Inventory, s *model.Snapshot, c model.ClusterName) (access.Access, error) {
	return a.f.Access(ctx, inv, s, c)
}

func (a answers) Components(ctx context.Context, inv *model.Inventory, c model.ClusterName) ([]model.ComponentRow, error) {
	return a.f.Components(ctx, inv, c)
}

func (a answers) Trace(ctx context.Context, inv *model.Inventory, target []string) (trace.Trace, error) {
	return a.f.Trace(ctx, inv, target)
}

func (a answers) Origins(ctx context.Context, inv *model.Inventory, c model.ClusterName) (source.Origins, error) {
	return a.f.Origins(ctx, inv, c)
}

func (a answers) Rules(ctx context.Context, inv *model.Inventory, s *model.Snapshot, c model.ClusterName) (model.RuleFacts, error) {
	return a.f.Rules(ctx, inv, s, c)
}

func (a answers) Candidates(ctx context.Context, inv *model.Inventory, c model.ClusterName) (candidate.Table, error) {
	return a.f.Candidates(ctx, inv, c)
}

func (a answers) Pooler(ctx context.Context, inv *model.Inventory, name model.InstanceName) (model.PoolReport, error) {
	return a.f.Pooler(ctx, inv, name)
}

func (a answers) Activity(ctx context.Context, inv *model.Inventory, name model.InstanceName, text bool) (model.ServerReport, error) {
	return a.f.Activity(ctx, inv, name, text)
}

func (a answers) Store(ctx context.Context, inv *model.Inventory, name model.InstanceName) (model.NodeStore, error) {
	return a.f.Store(ctx, inv, name)
}

func (a answers) PlanAction(ctx context.Context, inv *model.Inventory, r action.Request) (action.Plan, error) {
	return a.f.PlanAction(ctx, inv, r)
}

func (a answers) Act(ctx context.Context, inv *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error) {
	return a.f.Act(ctx, inv, p, emit)
}

func (a answers) Logs(ctx context.Context, _ *model.Inventory, h model.Host, _ model.LogRequest, emit func(model.LogBatch)) error {
	return a.f.Logs(ctx, h, emit)
}

func (a answers) Shell(_ context.Context, inv *model.Inventory, h model.Host) (model.Program, error) {
	return a.f.Shell(inv, h)
}

func (a answers) Psql(_ *model.Inventory, _ model.ClusterName, dsn string) (model.Program, error) {
	return model.Program{Title: "psql", Argv: []string{"psql", dsn}}, nil
}

func (a answers) Editor(_ context.Context, _ *model.Inventory, at model.Place, pos source.Pos) (model.Program, error) {
	return a.f.Editor(at, pos)
}

func (a answers) Foreground(_ context.Context, p model.Program, _, _ *os.File, _ func()) (int, error) {
	return a.f.Foreground(p)
}

func (a answers) File(inv *model.Inventory, s *model.Service) string { return a.f.File(inv, s) }

func (a answers) PatroniHistory(_ context.Context, _ *model.Inventory, c *model.Cluster, _ bool) ([]action.TimelineSwitch, error) {
	if a.f.Timelines == nil {
		return nil, nil
	}
	return a.f.Timelines(c.Name)
}

func (a answers) History(context.Context, *model.Inventory) (plan.History, error) {
	if a.f.History == nil {
		return plan.History{File: "/home/dba/.local/state/pgtui/audit.jsonl"}, nil
	}
	return a.f.History()
}

func (a answers) Recorded(at time.Time, snap *model.Snapshot, events []board.Event) {
	if a.f.Recorded != nil {
		a.f.Recorded(at, snap, events)
	}
}
func (a answers) Mark(_ time.Time, cluster model.ClusterName, what string) error {
	if a.f.Mark == nil {
		return nil
	}
	return a.f.Mark(cluster, what)
}
func (a answers) Unrecorded() string { return a.f.Unrecorded }

func (a answers) Ran() []model.Ran {
	if a.f.Ran == nil {
		return nil
	}
	return a.f.Ran()
}

// deps are a world that answers from memory.
func deps(w *world) *fake {
	return &fake{
		Load: func(context.Context) (*model.Inventory, error) { return w.inv, nil },
		Watch: func(context.Context, *model.Inventory, time.Duration) <-chan *model.Snapshot {
			ch := make(chan *model.Snapshot, 1)
			if w.snap != nil {
				ch <- w.snap
			}
			return ch
		},
		Plan: func(_ context.Context, _ *model.Inventory, c model.ClusterName, _ []model.Host) (plan.Plan, error) {
			return planOf(w, c), nil
		},
		Execute: func(_ context.Context, _ *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
			return executed(p, emit, ""), nil
		},
		Access: func(context.Context, *model.Inventory, *model.Snapshot, model.ClusterName) (access.Access, error) {
			return w.access("pg-test"), nil
		},
		Components: func(context.Context, *model.Inventory, model.ClusterName) ([]model.ComponentRow, error) {
			return w.components("pg-test"), nil
		},
		Trace: func(_ context.Context, _ *model.Inventory, target []string) (trace.Trace, error) {
			return w.trace("pg-test", target), nil
		},
		Origins: func(_ context.Context, _ *model.Inventory, c model.ClusterName) (source.Origins, error) {
			return w.origins(c), nil
		},
		Rules: func(_ context.Context, _ *model.Inventory, _ *model.Snapshot, c model.ClusterName) (model.RuleFacts, error) {
			return w.rules(c), nil
		},
		Candidates: func(context.Context, *model.Inventory, model.ClusterName) (candidate.Table, error) {
			return w.candidates(), nil
		},
		Pooler: func(_ context.Context, _ *model.Inventory, name model.InstanceName) (model.PoolReport, error) {
			return pools(name), nil
		},
		Activity: func(context.Context, *model.Inventory, model.InstanceName, bool) (model.ServerReport, error) {
			return sessions(), nil
		},
		Store: func(context.Context, *model.Inventory, model.InstanceName) (model.NodeStore, error) {
			return store(), nil
		},
		PlanAction: func(_ context.Context, inv *model.Inventory, r action.Request) (action.Plan, error) {
			return w.actionPlan(inv, r), nil
		},
		Act: func(_ context.Context, _ *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error) {
			return acted(p, emit), nil
		},
		File: func(_ *model.Inventory, s *model.Service) string {
			return "# Ansible managed\nlisten " + s.Proxy() + "\n    bind *:" + s.Port + "\n    mode tcp\n    option httpchk OPTIONS " + s.Check + "\n"
		},
		Deps: Deps{
			Inventory: w.inv,
			Diff:      diffOf,
			Summary: func(c plan.FileChange) []string {
				return []string{"weight of pg-test-2: 100 → 50"}
			},
			Environ: []string{"LANG=C.UTF-8"},
		},
	}
}

// diffOf is the diff that the console is given.
func diffOf(c plan.FileChange) []DiffLine {
	var out []DiffLine
	for _, h := range render.Diff(c.Before, c.After) {
		out = append(out, DiffLine{Kind: '@', Text: h.Header()})
		for _, l := range h.Lines {
			out = append(out, DiffLine{Kind: l.Kind.Mark()[0], Text: l.Text, Old: l.Old, New: l.New, NoEOL: l.NoEOL, Pair: l.Pair, Words: l.Words})
		}
	}
	return out
}

// replicaCfg is a service file as Pigsty renders it.
const replicaCfg = `# ansible managed: 2026-01-02 03:04:05
#---------------------------------------------------------------------
# service: pg-test-replica @ *:5434
#---------------------------------------------------------------------
# service instances 10.10.10.12, 10.10.10.13
# service backups   10.10.10.11
listen pg-test-replica
    bind *:5434
    mode tcp
    maxconn 3000
    balance roundrobin
    option httpchk
    option http-keep-alive
    http-check send meth OPTIONS uri /read-only
    http-check expect status 200
    default-server inter 3s fastinter 1s downinter 5s rise 3 fall 3 on-marked-down shutdown-sessions slowstart 30s maxconn 3000 maxqueue 128 weight 100

    # servers
    server pg-test-2 10.10.10.12:6432 check port 8008 weight 100
    server pg-test-3 10.10.10.13:6432 check port 8008 weight 100
    server pg-test-1 10.10.10.11:6432 check port 8008 weight 100 backup
`

// edited is a file with texts replaced, pair by pair.
func edited(text string, pairs ...string) []byte {
	return []byte(strings.NewReplacer(pairs...).Replace(text))
}

// planOf changes one file on every node of the cluster.
func planOf(w *world, c model.ClusterName) plan.Plan {
	p := plan.Plan{ID: "7f3a91c2d4", Cluster: c, Inventory: w.inv.Hash, MadeAt: t0}
	for _, f := range w.inv.Cluster(c).LoadBalancers {
		p.Nodes = append(p.Nodes, plan.Node{
			Host: f.Host, Node: w.inv.Node(f.Host).Name, ConfDir: "/etc/haproxy/conf.d", Same: 3,
			Changes: []plan.FileChange{{
				Name:   string(c) + "-replica.cfg",
				Before: []byte(replicaCfg),
				After:  edited(replicaCfg, "12:6432 check port 8008 weight 100", "12:6432 check port 8008 weight 50"),
			}},
		})
	}
	return p
}

// executed runs a plan on paper; the check of host fails ends it.
func executed(p plan.Plan, emit func(plan.StepResult), fails model.Host) plan.Report {
	rep := plan.Report{Plan: p.ID}
	steps := []string{plan.StepStage, plan.StepCheck, plan.StepCompare, plan.StepBackup, plan.StepSwap, plan.StepReload, plan.StepVerify}
	stopped := false
	for _, n := range p.Nodes {
		if stopped {
			rep.Nodes = append(rep.Nodes, plan.NodeReport{Host: n.Host, Outcome: plan.Untouched})
			continue
		}
		out := plan.NodeReport{Host: n.Host, Outcome: plan.Applied, Backup: "/var/lib/pgtui/backup/7f3a91c2"}
		for _, s := range steps {
			emit(plan.StepResult{Host: n.Host, Step: s})
			if n.Host == fails && s == plan.StepCheck {
				err := &source.Hint{Err: errors.New("haproxy -c: pg-test-replica.cfg:12: unknown keyword 'wieght'"), Try: "mend the service in the inventory, then d"}
				emit(plan.StepResult{Host: n.Host, Step: s, Done: true, Err: err, Detail: "[ALERT] parsing [/etc/haproxy/conf.d/pg-test-replica.cfg:12]: unknown keyword"})
				out, stopped = plan.NodeReport{Host: n.Host, Outcome: plan.Untouched, Step: s, Err: err}, true
				break
			}
			emit(plan.StepResult{Host: n.Host, Step: s, Done: true, Took: 1400 * time.Millisecond})
		}
		rep.Nodes = append(rep.Nodes, out)
	}
	return rep
}

// send gives the model one message and runs what it asks for. What follows a
// snapshot is the wait for the next one, which no test is made to sit through.
func (r *rig) send(msg tea.Msg) {
	next, cmd := r.m.Update(msg)
	r.m = next.(Model)
	if _, waits := msg.(snapshotMsg); !waits && !r.lazy {
		r.drain(cmd)
	}
}

// drain runs a command and everything that follows from it.
func (r *rig) drain(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			r.drain(c)
		}
	case tea.QuitMsg:
		r.quit = true
	default:
		r.send(msg)
	}
}

// fire lets the timers of a kind run out.
func (r *rig) fire(settle bool) {
	due := r.timers
	r.timers = nil
	for _, msg := range due {
		if _, ok := msg.(settleMsg); ok == settle {
			r.send(msg)
		} else {
			r.timers = append(r.timers, msg)
		}
	}
}

// press types keys by name: "j", "enter", "ctrl+c".
func (r *rig) press(names ...string) {
	for _, n := range names {
		r.send(keyOf(n))
	}
}

// readToEnd scrolls a dialog down.
func (r *rig) readToEnd() {
	for range 20 {
		r.press("pgdown")
	}
}

// typing types text, a key for each letter.
func (r *rig) typing(text string) {
	for _, c := range text {
		r.press(string(c))
	}
}

func keyOf(name string) tea.KeyPressMsg {
	special := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"left": tea.KeyLeft, "right": tea.KeyRight, "backspace": tea.KeyBackspace, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "space": tea.KeySpace, "f2": tea.KeyF2}
	if c, ok := special[name]; ok {
		return tea.KeyPressMsg{Code: c}
	}
	if rest, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(rest[0]), Mod: tea.ModCtrl}
	}
	c := []rune(name)[0]
	return tea.KeyPressMsg{Code: c, Text: name}
}

// screen is what is seen, without colours.
func (r *rig) screen() string { return ansi.Strip(r.m.View().Content) }

// want fails the test unless the screen shows each text.
func (r *rig) want(texts ...string) {
	r.t.Helper()
	s := r.screen()
	for _, text := range texts {
		if !strings.Contains(s, text) {
			r.t.Errorf("the screen does not show %q:\n%s", text, s)
		}
	}
}

// wantNot fails the test if the screen shows any of the texts.
func (r *rig) wantNot(texts ...string) {
	r.t.Helper()
	s := r.screen()
	for _, text := range texts {
		if strings.Contains(s, text) {
			r.t.Errorf("the screen shows %q:\n%s", text, s)
		}
	}
}

// path is the titles of the pages, bottom first.
func (r *rig) path() string {
	var parts []string
	for _, p := range r.m.stack {
		parts = append(parts, p.Title().String())
	}
	return strings.Join(parts, " › ")
}

var _ page.Page = (*overview.Fleet)(nil)

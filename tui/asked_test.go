package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/model/trace"
	"pgtui/plan"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/page/ways"
)

// heard is the snapshot of a world, with the VIP on the node of the leader,
// or in trouble on another; an empty one when nobody has answered.
func (w *world) heard() *model.Snapshot {
	if w.snap == nil {
		return &model.Snapshot{Inventory: w.inv, TakenAt: t0}
	}
	s := *w.snap
	s.VIP = map[model.ClusterName]source.Observed[model.Host]{}
	for i := range w.inv.Clusters {
		c := &w.inv.Clusters[i]
		if b := check.Board(w.snap, c, t0); b.Leader != "" {
			s.VIP[c.Name] = seen(c.Instance(b.Leader).Host)
			if w.trouble && len(c.Instances) > 1 {
				s.VIP[c.Name] = seen(c.Instances[1].Host)
			}
		}
	}
	return &s
}

// cluster is the cluster of that name, else the first.
func (w *world) cluster(name model.ClusterName) *model.Cluster {
	if c := w.inv.Cluster(name); c != nil {
		return c
	}
	return &w.inv.Clusters[0]
}

// access is every way into a cluster: all addresses answer, and only Pigsty's
// DNS server knows the names.
func (w *world) access(name model.ClusterName) access.Access {
	s := w.heard()
	b := check.Board(s, w.cluster(name), t0)
	live := access.Live{Checks: map[model.Endpoint]source.Observed[access.EntryCheck]{}}
	for _, e := range access.Of(s, &b, live).Entries {
		addr := e.Host
		var c access.EntryCheck
		if len(e.On.Leads) > 0 {
			addr = e.On.Leads[0]
			c.Lookups = []access.Lookup{{Server: "system", Error: "it does not know the name"}, {Server: "10.10.10.10", Addrs: e.On.Leads}}
		}
		c.Touches = []access.Touch{{Addr: addr, TLS: e.At.Pooled, Took: 1300 * time.Microsecond}}
		live.Checks[e.Endpoint] = seen(c)
	}
	return access.Of(s, &b, live)
}

// components are what runs on a cluster's nodes. Where Patroni is silent it
// does not answer, and on the second node the pooler and an exporter are gone.
func (w *world) components(name model.ClusterName) []model.ComponentRow {
	var nodes []*model.Node
	states := map[model.ComponentKey]source.Observed[model.ComponentState]{}
	for i, in := range w.cluster(name).Instances {
		n := *w.inv.Node(in.Host)
		for _, part := range model.DialectV45.Parts() {
			if part.Module == "infra" || part.Module == "etcd" || part.Name == "keepalived" || part.Name == "docker" {
				continue
			}
			c := model.Component{Name: part.Name, Module: part.Module, Host: in.Host, Port: part.Port, Ask: part.Ask, Path: part.Path, Unit: part.Unit}
			if part.Module == "pgsql" {
				c.Instance = in.Name
			}
			n.Components = append(n.Components, c)
			st := model.ComponentState{Reachable: true, Health: model.ComponentUp, Unit: "active"}
			switch {
			case part.Name == "haproxy":
				st.Version = "2.6.12"
			case part.Name == "patroni" && w.snap != nil && w.snap.Patroni[in.Name].Status.Err != nil:
				st = model.ComponentState{Health: model.ComponentSilent, Why: "no answer from 8008 within 2 s"}
			case w.trouble && i == 1 && part.Name == "pgbouncer":
				st = model.ComponentState{Health: model.ComponentDown, Why: "connection refused: nothing listens on 10.10.10.12:6432", Unit: "failed"}
			case w.trouble && i == 1 && part.Name == "node_exporter":
				st = model.ComponentState{Reachable: true, Health: model.ComponentSick, Why: "GET /metrics: 503 Service Unavailable", Version: "1.8.2"}
			case w.trouble && i == 2 && part.Ask == model.AskUnit:
				st = model.ComponentState{Health: model.ComponentUnknown, Why: "ssh 10.10.10.13: permission denied"}
			}
			states[c.Key()] = seen(st)
		}
		nodes = append(nodes, &n)
	}
	return model.Components(nodes, states)
}

// trace is one connection by what the world says: to the cluster's VIP, and to
// whoever leads. Where a connection string is given, that is told.
func (w *world) trace(name model.ClusterName, target []string) trace.Trace {
	s, c := w.heard(), w.cluster(name)
	d := access.DSN{Hosts: []string{string(name)}, Ports: []uint16{5433}, User: "app", Database: "shop"}
	if len(target) == 2 {
		if got, err := trace.DSN(c, target[1]); err == nil {
			d = got
		}
	}
	b := check.Board(s, c, t0)
	try := model.Try{Fault: model.FaultClosed, Text: "accepted and closed without a word", Dial: 700 * time.Microsecond}
	if r := b.Route("primary"); r != nil && r.Verdict == model.Serving {
		try = model.Try{Dial: 700 * time.Microsecond, Connect: 4200 * time.Microsecond, Query: 12 * time.Millisecond,
			Answer: model.Answer{Addr: string(c.Instance(b.Leader).Host), Timeline: 1}}
	}
	at := trace.Attempt{Endpoint: model.Endpoint{Host: d.Hosts[0], Port: d.Ports[0]}, Addr: c.VIP, Try: try,
		Lookups: []access.Lookup{{Server: "system", Error: "it does not know the name"}, {Server: "10.10.10.10", Addrs: []string{c.VIP}, Took: 400 * time.Microsecond}}}
	return trace.Of(s, w.inv, []board.Board{b}, trace.Target{DSN: d, Login: c.Monitor, As: "the monitoring user"}, []trace.Attempt{at})
}

// TestAskedFrames holds the pages that ask the nodes themselves.
func TestAskedFrames(t *testing.T) {
	broken := func(name string) *world {
		for _, s := range situations() {
			if s.name == name {
				return s.w
			}
		}
		t.Fatal(name)
		return nil
	}
	trouble := newWorld()
	trouble.trouble = true
	refuse := func(d *fake) {
		err := &source.Hint{Err: errors.New("no cluster and no node \"pg-test\" in pigsty.yml"), Try: "pgtui components lists all nodes"}
		d.Components = func(context.Context, *model.Inventory, model.ClusterName) ([]model.ComponentRow, error) {
			return nil, err
		}
	}
	twice := func(d *fake) {
		asked, first := 0, d.Access
		d.Access = func(ctx context.Context, inv *model.Inventory, s *model.Snapshot, c model.ClusterName) (access.Access, error) {
			if asked++; asked > 1 {
				return access.Access{}, &source.Hint{Err: errors.New("no answer within 1 min"), Try: "pgtui access pg-test"}
			}
			return first(ctx, inv, s, c)
		}
	}
	tests := []struct {
		name  string
		w     *world
		steps func(*rig)
		deps  func(*fake)
	}{
		{"access/healthy", newWorld(), func(r *rig) { r.press("a") }, nil},
		{"access/elsewhere", newWorld(), func(r *rig) { r.press("a", "j", "j", "left", "left") }, nil},
		{"access/below", newWorld(), func(r *rig) { r.press("a", "G") }, nil},
		{"access/which-port", newWorld(), func(r *rig) { r.press("a", "tab") }, nil},
		{"access/failing", broken("failing"), func(r *rig) { r.press("a") }, nil},
		{"access/drift", broken("drift"), func(r *rig) { r.press("a", "right") }, nil},
		{"access/vip-elsewhere", trouble, func(r *rig) { r.press("a", "j", "left") }, nil},
		{"trace/vip-elsewhere", trouble, func(r *rig) { r.press("T") }, nil},
		{"access/waiting", newWorld(), func(r *rig) { r.lazy = true; r.press("a") }, nil},
		{"access/again", newWorld(), func(r *rig) { r.press("a"); r.now = t0.Add(70 * time.Second); r.lazy = true; r.press("R") }, nil},
		{"access/again-failed", newWorld(), func(r *rig) { r.press("a"); r.now = t0.Add(70 * time.Second); r.press("R") }, twice},
		{"components/healthy", newWorld(), func(r *rig) { r.press("c") }, nil},
		{"components/trouble", trouble, func(r *rig) { r.press("c", "j") }, nil},
		{"components/waiting", newWorld(), func(r *rig) { r.lazy = true; r.press("c") }, nil},
		{"components/refused", newWorld(), func(r *rig) { r.press("c") }, refuse},
		{"trace/healthy", newWorld(), func(r *rig) { r.press("T") }, nil},
		{"trace/failing", broken("failing"), func(r *rig) { r.press("T") }, nil},
		{"trace/waiting", newWorld(), func(r *rig) { r.lazy = true; r.press("T") }, nil},
		{"trace/several", newWorld(), func(r *rig) { r.press("T") }, func(d *fake) {
			d.Trace = func(context.Context, *model.Inventory, []string) (trace.Trace, error) { return severalHosts(), nil }
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			change := []func(*fake){func(d *fake) { d.Start = "pg-test" }}
			if tt.deps != nil {
				change = append(change, tt.deps)
			}
			golden(t, tt.name, frames(t, tt.w, tt.steps, change...))
		})
	}
}

// severalHosts is a trace that a client makes to several hosts, the first of
// which is not what it asks for.
func severalHosts() trace.Trace {
	w := newWorld()
	s := w.heard()
	b := check.Board(s, w.cluster("pg-test"), t0)
	answers := func(addr string, recovery bool) trace.Attempt {
		return trace.Attempt{Endpoint: model.Endpoint{Host: addr, Port: 5432}, Addr: addr,
			Try: model.Try{Dial: time.Millisecond, Connect: 3 * time.Millisecond, Query: time.Millisecond, Answer: model.Answer{Addr: addr, Recovery: recovery, ReadOnly: recovery, Timeline: 1}}}
	}
	first, second := answers("10.10.10.11", false), answers("10.10.10.12", true)
	first.Skipped = first.Try.Answer.Unfit("standby")
	target := trace.Target{DSN: access.DSN{Hosts: []string{"10.10.10.11", "10.10.10.12"}, Ports: []uint16{5432, 5432}, User: "app", Database: "shop", Attrs: "standby"}}
	return trace.Of(s, w.inv, []board.Board{b}, target, []trace.Attempt{first, second})
}

// asking is a world whose answers the test gives: each trace waits until it is
// answered, or its page does not wait any more.
type asking struct {
	ctxs []context.Context
	ends []error // of ctxs, while the question was being answered
	cmds []tea.Cmd
}

func (a *asking) deps(d *fake) {
	d.Start = "pg-test"
	d.Trace = func(ctx context.Context, _ *model.Inventory, target []string) (trace.Trace, error) {
		a.ctxs, a.ends = append(a.ctxs, ctx), append(a.ends, ctx.Err())
		return trace.Trace{Health: model.HealthOK, Summary: "answer " + strings.Repeat("I", len(a.ctxs)) + " to " + strings.Join(target, " ")}, ctx.Err()
	}
}

// press presses a key and keeps what it asks for, unanswered.
func (a *asking) press(r *rig, key string) {
	next, cmd := r.m.Update(keyOf(key))
	r.m = next.(Model)
	a.cmds = append(a.cmds, cmd)
}

// answer lets a question come to its end, and hands its answer in.
func (a *asking) answer(r *rig, i int) {
	r.t.Helper()
	if a.cmds[i] == nil {
		r.t.Fatalf("key %d asked nothing", i)
	}
	r.drain(a.cmds[i])
}

func TestALateAnswerToAnOlderQuestionIsIgnored(t *testing.T) {
	var a asking
	r := newRig(t, newWorld(), 120, 30, a.deps)
	a.press(r, "T")
	r.want("connecting to pg-test primary as a client would")
	a.press(r, "R")
	a.answer(r, 1)
	r.want("answer I to pg-test primary")
	a.answer(r, 0) // the first, at last
	if err := a.ends[1]; !errors.Is(err, context.Canceled) {
		t.Errorf("the older question was not called off: %v", err)
	}
	r.want("answer I to pg-test primary")
	r.wantNot("answer II", "checking again", "could not be asked")
	a.press(r, "R")
	r.want("answer I to", "checking again")
	r.now = t0.Add(30 * time.Second)
	r.want("answer I to")
	a.answer(r, 2)
	r.want("answer III to pg-test primary", "checked just now")
	r.now = r.now.Add(20 * time.Second)
	r.fire(false)
	r.want("checked 20 s ago")
}

// An older answer is not taken for the newer one that is still waited for,
// whether it is an error or came in spite of being called off.
func TestAnOlderAnswerDoesNotEndTheWait(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		var a asking
		r := newRig(t, newWorld(), 120, 30, a.deps)
		if deaf {
			r.fake.Trace = func(context.Context, *model.Inventory, []string) (trace.Trace, error) {
				return trace.Trace{Summary: "of yesterday"}, nil
			}
		}
		a.press(r, "T")
		a.press(r, "R")
		a.answer(r, 0)
		r.want("connecting to pg-test primary as a client would")
		r.wantNot("could not be asked", "of yesterday")
	}
}

func TestAPageKnowsWhereItsCursorIs(t *testing.T) {
	r := newRig(t, newWorld(), 120, 60, func(d *fake) { d.Start = "pg-test" })
	r.press("a", "right", ":")
	r.typing("trace")
	r.press("enter", "y")
	r.want("sent to the terminal's clipboard: pgtui trace pg-test replica")
	r.press("esc", "c")
	r.press("j", "j", "5")
	if got := r.path(); got != "fleet › pg-test › pg-test-1" {
		t.Errorf("the instance of the component: %s", got)
	}
}

func TestAQuestionEndsWithItsPage(t *testing.T) {
	for _, leave := range [][]string{{"esc"}, {"1"}, {"6"}, {"tab"}} {
		var a asking
		r := newRig(t, newWorld(), 120, 30, a.deps)
		a.press(r, "T")
		for _, k := range leave {
			a.press(r, k)
		}
		a.answer(r, 0)
		if err := a.ends[0]; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the question goes on: %v", leave, err)
		}
		r.wantNot("answer I")
		if n := len(r.m.feed.asked); n > 1 {
			t.Errorf("%s: %d questions are kept", leave, n)
		}
	}
	// What only lies below another page is still waited for.
	var a asking
	r := newRig(t, newWorld(), 120, 30, a.deps)
	a.press(r, "T")
	a.press(r, "?")
	a.answer(r, 0)
	if len(r.m.feed.asked) != 0 || a.ends[0] != nil || a.ctxs[0].Err() == nil {
		t.Errorf("%d questions are kept after their answers; it was asked under %v", len(r.m.feed.asked), a.ends[0])
	}
	r.press("esc")
	r.want("answer I to pg-test primary")
}

func TestAPageThatComesBackAsksAgainWhatItNeverHeard(t *testing.T) {
	var a asking
	r := newRig(t, newWorld(), 120, 30, a.deps)
	a.press(r, "T")
	a.press(r, "6")
	if got := r.path(); got != "fleet › pg-test › findings" {
		t.Fatal(got)
	}
	a.answer(r, 0)
	a.press(r, "<")
	r.want("connecting to pg-test primary")
	a.answer(r, 2)
	r.want("answer II to pg-test primary")
	r.press("6", "<")
	r.want("answer II to pg-test primary")
	if len(a.ctxs) != 2 {
		t.Errorf("asked %d times", len(a.ctxs))
	}
}

func TestARunningQuestionBlocksNoKey(t *testing.T) {
	r := newRig(t, newWorld(), 120, 30, func(d *fake) { d.Start = "pg-test" })
	r.lazy = true
	for _, k := range []string{"a", "c", "T", "v"} {
		r.press(k)
		r.want("~ ", "R re")
		r.press("j", "G", "left", "enter", "y")
		r.want("sent to the terminal's clipboard: pgtui ")
		r.press("?")
		r.want("EVERYWHERE")
		r.press("esc", "esc")
		if got := r.path(); got != "fleet › pg-test" {
			t.Errorf("%s: %s", k, got)
		}
	}
}

func TestThePaletteOpensWhatTheCommandsPrint(t *testing.T) {
	for typed, want := range map[string]struct{ path, copied string }{
		"access":                {"fleet › access", "pgtui access pg-meta"},
		"access pg-test":        {"fleet › access", "pgtui access pg-test"},
		"components pg-test":    {"fleet › components", "pgtui components pg-test"},
		"trace pg-test replica": {"fleet › trace replica", "pgtui trace pg-test replica"},
		"trace":                 {"fleet › trace primary", "pgtui trace pg-meta primary"},
	} {
		r := newRig(t, newWorld(), 120, 30)
		r.press(":")
		r.typing(typed)
		r.press("enter")
		if got := r.path(); got != want.path {
			t.Errorf(":%s leads to %s, want %s", typed, got, want.path)
		}
		r.press("y")
		r.want("sent to the terminal's clipboard: " + want.copied)
	}
	r := newRig(t, newWorld(), 120, 30)
	r.press(":")
	r.typing("pg-test")
	r.wantNot("trace pg-test")
}

func TestAnEntryOpensItsTrace(t *testing.T) {
	for _, tt := range []struct {
		keys   []string
		copied string
	}{
		{nil, "pgtui trace pg-test primary"},
		{[]string{"right"}, "pgtui trace pg-test replica"},
		{[]string{"j"}, "pgtui trace postgres://app@10.10.10.3:5433/shop"},
		{[]string{"j", "j", "left", "left"}, "pgtui trace postgres://app@pg-test-1:5432/shop"},
	} {
		var asked []string
		r := newRig(t, newWorld(), 120, 40, func(d *fake) {
			d.Start = "pg-test"
			d.Trace = func(_ context.Context, _ *model.Inventory, target []string) (trace.Trace, error) {
				asked = target
				return trace.Trace{}, errors.New("not now")
			}
		})
		r.press("a")
		r.press(tt.keys...)
		r.press("enter")
		r.want("the connection could not be traced", "not now", "R rechecks")
		r.press("y")
		r.want("sent to the terminal's clipboard: " + tt.copied)
		if got := strings.Join(asked, " "); "pgtui trace "+got != tt.copied {
			t.Errorf("asked %q", got)
		}
		r.press("esc")
		if got := r.path(); got != "fleet › pg-test › access" {
			t.Errorf("back leads to %s", got)
		}
	}
}

func TestHopsAndComponentsOpenWhatTheyAreOf(t *testing.T) {
	for _, tt := range []struct {
		keys []string
		path string
	}{
		{[]string{"T", "j", "j", "j", "enter"}, "fleet › pg-test › trace primary › primary"},
		{[]string{"T", "j", "j", "j", "j", "j", "j", "enter"}, "fleet › pg-test › trace primary › pg-test-1"},
		{[]string{"c", "enter"}, "fleet › pg-test › components › pg-test-1"},
		{[]string{"c", "j", "j", "j", "j", "j", "j", "j", "enter"}, "fleet › pg-test › components › haproxy 10.10.10.11"},
	} {
		r := newRig(t, newWorld(), 120, 40, func(d *fake) { d.Start = "pg-test" })
		r.press(tt.keys...)
		if got := r.path(); got != tt.path {
			t.Errorf("%v leads to %s, want %s\n%s", tt.keys, got, tt.path, r.screen())
		}
	}
}

func TestWhatCannotBeAskedIsNotOffered(t *testing.T) {
	r := newRig(t, newWorld(), 200, 60, func(d *fake) {
		d.Start, d.Access, d.Components, d.Trace = "pg-test", nil, nil, nil
	})
	r.press("a", "c", "T")
	if got := r.path(); got != "fleet › pg-test" {
		t.Errorf("path %s", got)
	}
	r.press("?")
	r.wantNot("every way in", "what Pigsty runs", "hop by hop")
	r.press("esc", ":")
	r.typing("trace")
	r.wantNot("one connection")
}

func TestTheCursorStaysOnItsComponent(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 120, 60, func(d *fake) { d.Start = "pg-test" })
	r.press("c", "j", "j")
	r.want("patroni on 10.10.10.11  ● up")
	w.trouble = true // the second node comes first now
	r.press("R")
	r.want("patroni on 10.10.10.11  ● up")
	if s := r.screen(); strings.Index(s, "10.10.10.12") > strings.Index(s, "10.10.10.11  pg-test-1") {
		t.Errorf("the node with trouble is not first:\n%s", s)
	}
}

func TestAskingPagesHaveOneMeaningForAKey(t *testing.T) {
	r := newRig(t, newWorld(), 120, 40, func(d *fake) { d.Start = "pg-test" })
	for _, k := range []string{"", "a", "c", "T", "v"} {
		if k != "" {
			r.press("esc", k)
		}
		seen := map[string]keys.Action{}
		for _, row := range r.m.rows(r.m.env(30)) {
			if row.Scope == keys.Everywhere {
				continue
			}
			for _, name := range row.Names() {
				if was, twice := seen[name]; twice {
					t.Errorf("%s: %s is %s and %s", r.path(), name, was, row.Action)
				}
				seen[name] = row.Action
			}
		}
	}
}

// The DSN under the cursor is copied, in one form after the other, and begins
// anew on another entry.
func TestTheDSNIsCopied(t *testing.T) {
	r := newRig(t, newWorld(), 160, 40, func(d *fake) { d.Start = "pg-test" })
	r.press("a")
	for _, want := range []string{"sent to the terminal's clipboard: postgres://", "sent to the terminal's clipboard: host=", "sent to the terminal's clipboard: jdbc:postgresql://", "sent to the terminal's clipboard: pgx.Connect(ctx, ", "sent to the terminal's clipboard: psycopg.connect(", "sent to the terminal's clipboard: postgres://"} {
		r.press("D")
		r.want(want)
	}
	r.press("D")
	r.want("sent to the terminal's clipboard: host=")
	r.press("down", "D")
	r.want("sent to the terminal's clipboard: postgres://")
}

func TestNoPasswordIsShown(t *testing.T) {
	w := newWorld()
	for i := range w.inv.Clusters {
		w.inv.Clusters[i].Monitor.Password = "DBUser.Monitor"
	}
	r := newRig(t, w, 200, 60, func(d *fake) { d.Start = "pg-test" })
	for _, k := range []string{"a", "enter", "esc", "G", "esc", "c", "esc", "T", "y"} {
		r.press(k)
		r.wantNot("DBUser.Monitor")
	}
}

var (
	_ page.Inquirer = (*ways.Access)(nil)
	_ page.Inquirer = (*ways.Components)(nil)
	_ page.Inquirer = (*ways.Trace)(nil)
)

// TestAPanicWhileAskingIsTheAnswer: of a page's question, of a plan, and of reading
// the inventory again.
func TestAPanicWhileAskingIsTheAnswer(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 120, 40, func(d *fake) {
		d.Start = "pg-test"
		d.Access = func(context.Context, *model.Inventory, *model.Snapshot, model.ClusterName) (access.Access, error) {
			panic("no")
		}
		d.Plan = func(context.Context, *model.Inventory, model.ClusterName, []model.Host) (plan.Plan, error) {
			panic("no")
		}
		d.Trace = func(context.Context, *model.Inventory, []string) (trace.Trace, error) { panic("no") }
		d.Components = func(context.Context, *model.Inventory, model.ClusterName) ([]model.ComponentRow, error) { panic("no") }
	})
	for _, key := range []string{"a", "c", "T", "d"} {
		r.press(key)
		r.want("pgtui itself failed", "please report it: no")
		r.press("esc")
	}
	r.fake.Load = func(context.Context) (*model.Inventory, error) { panic("no") }
	r.m.feed.use(r.m.deps)
	r.press("R")
	r.want("pgtui itself failed reading the inventory")
}

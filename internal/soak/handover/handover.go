// Package handover tests changes of the leader: over seeded random states of the
// lab it compares what pgtui predicts with what Patroni does, counts the calls that
// reach Patroni, and compares the gap that pgtui reports with the one that an
// independent client sees. It is part of `make soak`, and in a short form the lab
// test TestLabHandover.
package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"pgtui/internal/soak"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/candidate"
	"pgtui/plan/action"
	"pgtui/session"
)

// Options are the settings of Run.
type Options struct {
	Lab       soak.Lab
	SSHConfig string // of the lab
	Release   string // bookworm or trixie
	Attempts  int
	Seed      uint64
	Only      string    // a part of the name of the conditions; "" is all
	Log       io.Writer // a line for each attempt
	State     string    // directory of the audit file
}

// Attempt is one change of the leader that was tried.
type Attempt struct {
	Kind       action.Kind
	From, To   model.InstanceName
	Conditions []string
	Cut        time.Duration // when the connection of the call was cut; 0 never
	Predicted  candidate.Prediction
	Refused    string // why pgtui sent nothing; "" when it did
	Outcome    action.Outcome
	Err        string
	Posts      int
	Code       int    // of Patroni's answer; 0 when none came
	Words      string // of Patroni's answer
	Leader     model.InstanceName
	Gap, Seen  time.Duration // the longest gap through one HAProxy, by pgtui and by the independent client
	Slack      time.Duration // how exact the client's measure is on this machine
	Bad        []string      // what is wrong with it; nil when nothing is
}

// Report is the end of a run.
type Report struct {
	Seed     uint64
	Attempts []Attempt
}

// Bad counts the attempts that something is wrong with.
func (r *Report) Bad() int {
	n := 0
	for i := range r.Attempts {
		if len(r.Attempts[i].Bad) > 0 {
			n++
		}
	}
	return n
}

// campaign is one call of Run.
type campaign struct {
	Options
	rng *rand.Rand
	rec recorder
	s   *session.Session
	inv *model.Inventory
	c   *model.Cluster
}

// Run tries o.Attempts changes of the leader of pg-test. The lab is reset before
// and after. The error is of Run itself; what is wrong with an attempt is in it.
func Run(ctx context.Context, o Options) (rep *Report, err error) {
	r := &campaign{Options: o, rng: soak.Random(o.Seed)}
	path, err := o.Lab.Do(ctx, "inventory")
	if err != nil {
		return nil, err
	}
	if _, err := o.Lab.Do(ctx, "reset"); err != nil {
		return nil, err
	}
	defer func() {
		_, e := o.Lab.Do(context.WithoutCancel(ctx), "reset")
		err = errors.Join(err, e)
	}()
	getenv := func(name string) string {
		if name == "PGTUI_AUDIT" {
			return o.State + "/audit.jsonl"
		}
		return os.Getenv(name)
	}
	r.s = session.New(session.Options{Inventory: path, SSHConfig: o.SSHConfig}, session.World{Getenv: getenv, Now: time.Now, Dial: r.rec.Dial})
	if r.inv, err = r.s.Load(ctx); err != nil {
		return nil, err
	}
	r.c = r.inv.Cluster("pg-test")
	rep = &Report{Seed: o.Seed}
	for i := range o.Attempts {
		a, err := r.attempt(ctx)
		if err != nil {
			return rep, fmt.Errorf("attempt %d of seed %d: %w", i+1, o.Seed, err)
		}
		rep.Attempts = append(rep.Attempts, *a)
		fmt.Fprintf(o.Log, "%3d  %s\n", i+1, a)
	}
	return rep, nil
}

// calmFor is how long the cluster may take to be calm again.
const calmFor = 90 * time.Second

// attempt draws a state, makes it, and changes the leader in it.
func (r *campaign) attempt(ctx context.Context) (*Attempt, error) {
	b, err := r.calm(ctx)
	if err != nil {
		return nil, err
	}
	a, p, conds := r.draw(b)
	for _, c := range conds {
		if c.do == nil {
			continue
		}
		for _, cmd := range c.do(p) {
			if _, err := r.Lab.Do(ctx, cmd...); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
		if c.settles {
			time.Sleep(6 * time.Second) // a loop of Patroni
		}
	}
	err = r.change(ctx, a, slices.ContainsFunc(conds, func(c condition) bool { return strings.Contains(c.name, "one HAProxy") }))
	for _, c := range slices.Backward(conds) {
		if c.undo == nil {
			continue
		}
		for _, cmd := range c.undo(p) {
			if _, e := r.Lab.Do(context.WithoutCancel(ctx), cmd...); e != nil {
				err = errors.Join(err, fmt.Errorf("the end of %q: %w", c.name, e))
			}
		}
	}
	return a, err
}

// draw chooses the conditions, the action and the members.
func (r *campaign) draw(b *board.Board) (*Attempt, place, []condition) {
	all := slices.DeleteFunc(conditions(), func(c condition) bool {
		return c.only != "" && c.only != r.Release || !strings.Contains(c.name, r.Only)
	})
	conds := []condition{all[r.rng.IntN(len(all))]}
	if second := all[r.rng.IntN(len(all))]; r.rng.IntN(4) == 0 && second.name != conds[0].name {
		conds = append(conds, second)
	}
	var replicas []string
	for i := range b.Members {
		if m := &b.Members[i]; m.Instance != b.Leader {
			replicas = append(replicas, string(m.Instance))
		}
	}
	if r.rng.IntN(2) == 0 {
		slices.Reverse(replicas)
	}
	a := &Attempt{Kind: action.Switchover, From: b.Leader, To: model.InstanceName(replicas[0])}
	switch r.rng.IntN(6) {
	case 0:
		a.Kind = action.Failover
	case 1:
		a.To = ""
	}
	if r.rng.IntN(4) == 0 {
		a.Cut = time.Duration(1+r.rng.IntN(4000)) * time.Millisecond
	}
	for _, c := range conds {
		a.Conditions = append(a.Conditions, c.name)
	}
	return a, place{leader: string(b.Leader), candidate: replicas[0], other: replicas[1]}, conds
}

// change plans the action, carries it out whatever its risks are, and judges it.
// routed is whether a HAProxy does not route to the candidate by hand.
func (r *campaign) change(ctx context.Context, a *Attempt, unrouted bool) error {
	r.rec.reset(a.Cut)
	p, err := r.s.PlanAction(ctx, r.inv, action.Request{Kind: a.Kind, Cluster: r.c.Name, Candidate: a.To})
	if err != nil {
		return err
	}
	if p.Candidates == nil {
		return errors.New("the plan has no table of candidates")
	}
	a.Predicted = candidate.Predict(p.Candidates, a.To, a.Kind == action.Failover)
	p.Accepted = p.Unaccepted()
	if p.Refused != nil {
		a.Refused = p.Refused.Error()
	}
	life, stop := context.WithCancel(ctx)
	var c client
	done := make(chan struct{})
	go func() { c.run(life, model.Host(address(string(a.From))), r.c.Monitor); close(done) }()
	time.Sleep(300 * time.Millisecond)
	limit, cancel := context.WithTimeout(ctx, 3*calmFor)
	rep, err := r.s.Act(limit, r.inv, p, nil)
	cancel()
	time.Sleep(300 * time.Millisecond)
	stop()
	<-done
	a.Outcome, a.Seen, a.Slack = rep.Outcome, c.longest(), c.slack()
	for i := range rep.Clients {
		if x := &rep.Clients[i]; x.Host == model.Host(address(string(a.From))) {
			a.Gap = x.Gap.Longest
		}
	}
	if err != nil {
		a.Err = err.Error()
	}
	r.awaitAnswer(ctx)
	a.Posts, a.Code, a.Words = r.rec.seen()
	if a.Leader, err = r.leader(ctx); err != nil {
		return err
	}
	a.judge(unrouted)
	return nil
}

// awaitAnswer waits until Patroni has answered a call that was cut.
func (r *campaign) awaitAnswer(ctx context.Context) {
	for range 300 {
		if posts, code, _ := r.rec.seen(); posts == 0 || code != 0 || ctx.Err() != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// leader is who leads by the lab's own request, without pgtui.
func (r *campaign) leader(ctx context.Context) (model.InstanceName, error) {
	for range 300 {
		if out, err := r.Lab.Do(ctx, "leader", "pg-test"); err == nil {
			return model.InstanceName(out), nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return "", errors.New("no member of pg-test leads")
}

// calm waits until the cluster has a leader that every HAProxy routes to, and every
// other member streams.
func (r *campaign) calm(ctx context.Context) (*board.Board, error) {
	var b board.Board
	for end := time.Now().Add(calmFor); ; {
		snap, err := r.s.Probe(ctx, r.inv, []*model.Cluster{r.c}, 0)
		if err != nil {
			return nil, err
		}
		b = session.Boards(snap, []*model.Cluster{r.c}, time.Now())[0]
		if why := uneasy(&b); why == "" {
			return &b, nil
		} else if time.Now().After(end) {
			return nil, fmt.Errorf("pg-test is not calm: %s", why)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// uneasy is why a cluster is not calm, "" when it is.
func uneasy(b *board.Board) string {
	if b.Leader == "" || b.LeaderUnsure || b.Paused {
		return "no leader, or paused"
	}
	for i := range b.Members {
		if m := &b.Members[i]; m.Instance != b.Leader && (!m.Known || m.State != "streaming" && m.State != "running" || m.Lag != 0) {
			return fmt.Sprintf("%s is %s, lag %d", m.Instance, m.State, m.Lag)
		}
	}
	for _, f := range b.Findings {
		if f.Severity <= model.Warning && !slices.Contains([]string{"stale-roles", "service-on-backup", "service-empty"}, f.Code) {
			return f.Summary
		}
	}
	return ""
}

// String is the attempt in one line.
func (a *Attempt) String() string {
	s := fmt.Sprintf("%-10s %s → %-9s  %s", a.Kind, a.From, a.To, strings.Join(a.Conditions, " + "))
	if a.Cut > 0 {
		s += fmt.Sprintf(", cut after %v", a.Cut)
	}
	s += fmt.Sprintf(": predicted %s", a.Predicted.Verdict)
	if a.Predicted.Verdict != candidate.Pass {
		s += fmt.Sprintf(" (%d %s)", a.Predicted.Status, a.Predicted.Why)
	}
	s += fmt.Sprintf(", Patroni %d %s, %s, %s leads, gap %d ms (client %d ms ± %d)", a.Code, a.Words, a.Outcome, a.Leader, a.Gap.Milliseconds(), a.Seen.Milliseconds(), a.Slack.Milliseconds())
	if a.Err != "" {
		s += "; " + a.Err
	}
	for _, b := range a.Bad {
		s += "\n     WRONG: " + b
	}
	return s
}

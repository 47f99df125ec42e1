package soak

import (
	"cmp"
	"context"
	"fmt"
	"pgtui/model/board"
	"regexp"
	"strings"
	"time"

	"pgtui/model"
)

const (
	calmLimit = 120 * time.Second // the longest time until the cluster is healthy again
	calmFor   = time.Second       // without a fault after that
	warmUp    = 4 * time.Second   // with clients and boards before the first fault
)

// breakThings begins faults until r.For has passed, and undoes each.
func (r *campaign) breakThings(ctx context.Context) error {
	only, err := regexp.Compile(r.Only)
	if err != nil {
		return fmt.Errorf("soak: the kinds of faults: %w", err)
	}
	if len(deck(Random(0), only)) == 0 {
		return fmt.Errorf("soak: no kind of fault matches %q", r.Only)
	}
	end := r.Now().Add(r.For)
	if err := r.calm(ctx); err != nil {
		return err
	}
	pause(ctx, warmUp)
	var pile []kind
	for ctx.Err() == nil {
		left := end.Sub(r.Now())
		if len(pile) == 0 {
			pile = deck(r.rng, only)
		}
		k := pile[0]
		pile = pile[1:]
		hold := k.min + time.Duration(r.rng.Float64()*float64(k.max-k.min))
		p := placeOf(r.rng, r.cluster, r.board())
		if left <= 0 {
			return nil
		}
		if hold > left {
			continue // too long for the rest: a shorter kind may fit
		}
		if err := r.strike(ctx, k, p, hold); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// board is the newest board.
func (r *campaign) board() *board.Board {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.judge.Latest()
}

// strike does one fault, holds it, undoes it and waits for calm.
func (r *campaign) strike(ctx context.Context, k kind, p place, hold time.Duration) error {
	what := k.do(p)
	e := Event{Name: k.name, What: line(what), Do: r.Now()}
	r.mu.Lock()
	r.faults = append(r.faults, e)
	i := len(r.faults) - 1
	fmt.Fprintf(r.Log, "%s  %s: %s, for %v\n", clock(e.Do), k.name, e.What, hold.Round(100*time.Millisecond))
	r.mu.Unlock()
	err := r.commands(ctx, what)
	pause(ctx, hold)
	if k.undo != nil {
		if k.name == "pause" || k.name == "sync mode" {
			if now := r.board().Leader; now != "" {
				p.leader = string(now) // the leader of now takes the configuration
			}
		}
		// The fault is undone even when Run is interrupted.
		err = cmp.Or(err, r.commands(context.WithoutCancel(ctx), k.undo(p)))
	}
	r.mu.Lock()
	r.faults[i].Undo, r.faults[i].Err = r.Now(), err
	if err != nil {
		fmt.Fprintf(r.Log, "  %v\n", err)
	}
	r.mu.Unlock()
	if err := r.calm(ctx); err != nil {
		return fmt.Errorf("after %q: %w", k.name, err)
	}
	r.mu.Lock()
	r.faults[i].Calm = r.Now()
	r.mu.Unlock()
	pause(ctx, calmFor)
	return nil
}

// commands runs the commands in order, also after an error. The error is the first one.
func (r *campaign) commands(ctx context.Context, list [][]string) error {
	var first error
	for _, c := range list {
		_, err := r.Lab.Do(ctx, c...)
		first = cmp.Or(first, err)
	}
	return first
}

func line(list [][]string) string {
	var out []string
	for _, c := range list {
		out = append(out, "lab "+strings.Join(c, " "))
	}
	return strings.Join(out, "; ")
}

// calm waits until the board shows a healthy cluster.
func (r *campaign) calm(ctx context.Context) error {
	limit := r.Now().Add(calmLimit)
	why := "no board yet"
	for r.Now().Before(limit) {
		r.mu.Lock()
		if b := r.judge.Latest(); b != nil {
			why = unrest(b)
		}
		r.mu.Unlock()
		if why == "" {
			return nil
		}
		if !pause(ctx, 250*time.Millisecond) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("the cluster is not healthy after %v: %s", calmLimit, why)
}

// unrest is the first problem on the board; "" when there is none.
func unrest(b *board.Board) string {
	if b.LeaderBy != "self" {
		return "no leader"
	}
	for _, m := range b.Members {
		if !m.Known || (m.State != "running" && m.State != "streaming") {
			return fmt.Sprintf("%s: %s %s", m.Instance, m.State, m.Why)
		}
		if m.Instance != b.Leader && m.Timeline != 0 && m.Timeline != b.Timeline {
			return fmt.Sprintf("%s is on timeline %d", m.Instance, m.Timeline)
		}
	}
	for i := range b.Routes {
		for _, v := range b.Routes[i].Views {
			if v.Verdict != model.Serving && v.Verdict != model.BackupServing {
				return fmt.Sprintf("%s on %s: %s: %s", b.Routes[i].Service, v.Label(), v.Verdict, v.Why)
			}
		}
	}
	return ""
}

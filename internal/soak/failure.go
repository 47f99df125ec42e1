package soak

import (
	"fmt"
	"pgtui/model/board"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/check"
)

// failure is a connection that failed although the board named a server, and
// that nothing on the board has explained yet.
type failure struct {
	d      Disagreement
	repeat bool // it is one of several
	again  bool // the port has worked since, as on the board
}

// disagree records a wrong board.
func (j *Judge) disagree(d Disagreement, kind string) {
	d.Kind = kind
	j.report.Disagreements = append(j.report.Disagreements, d)
}

// failedPort takes a connection that failed although the board named a server.
func (j *Judge) failedPort(d Disagreement, v *board.View, span []moment) {
	if code := explained(span, v); code != "" {
		j.report.Agreed++
		j.report.Explained[code]++
		return
	}
	if to, ok := j.dead[j.key(d.Answer)]; ok && d.Answer.Start.Before(to.Add(nearProof)) {
		j.report.PortNo++
		return
	}
	// The first failure of a series belongs to it.
	f := failure{d: d, repeat: d.Answer.Again}
	for i := range j.failed {
		o := &j.failed[i]
		if f.repeat && !o.again && j.key(o.d.Answer) == j.key(d.Answer) {
			o.repeat = true
		}
	}
	j.failed = append(j.failed, f)
}

// Stalled records a stall of this machine: connections that failed during it
// prove nothing.
func (j *Judge) Stalled(from, to time.Time) {
	j.report.Stalls++
	j.stalls = append(j.stalls, [2]time.Time{from, to})
	j.stalls = j.stalls[max(0, len(j.stalls)-100):]
}

// stalled reports whether an answer overlaps a stall, or took far longer than
// its own limit.
func (j *Judge) stalled(a Answer) bool {
	for _, s := range j.stalls {
		if s[0].Before(a.End) && a.Start.Before(s[1]) {
			return true
		}
	}
	return a.End.Sub(a.Start) > clientTimeout+clientTimeout/5
}

// works records that a port works: its earlier failures were not the beginning
// of what the board shows later.
func (j *Judge) works(a Answer, v *board.View) {
	if a.Fault != "" || (len(v.Serving) > 1 && !a.Again) {
		return // the answer of another server proves nothing about the one that fails
	}
	if len(v.Serving) == 1 { // with several, some answers in a row may all be of the others
		delete(j.dead, j.key(a))
	}
	for i := range j.failed {
		if f := &j.failed[i]; j.key(f.d.Answer) == j.key(a) {
			f.again = true
		}
	}
}

// noticed removes the failures that the board explains a little later: before
// HAProxy's checks and the probe notice, the board shows what HAProxy does.
func (j *Judge) noticed(b *board.Board, now time.Time) {
	j.failed = slices.DeleteFunc(j.failed, func(f failure) bool {
		a := f.d.Answer
		if f.again || now.Sub(a.End) > noticing || !shows(b, viewOf(&f.d.Before, a), viewOf(b, a)) {
			return false
		}
		j.report.Noticed++
		j.report.NoticedAfter = max(j.report.NoticedAfter, now.Sub(a.Start))
		return true
	})
}

// shows reports whether the board now shows a problem of one of the servers that
// a view named before: a finding, or HAProxy has taken the server out.
func shows(b *board.Board, before, now *board.View) bool {
	if before == nil || now == nil {
		return false
	}
	if explains(b, before) != "" || now.Verdict == model.Unknown {
		return true
	}
	for _, c := range now.Cells {
		// "UP 1/3" is a server whose check has begun to fail.
		if (c.Share == 0 || strings.Contains(c.Status, "/")) && slices.Contains(before.Serving, c.Instance) {
			return true
		}
	}
	return shut(before, now)
}

// shut reports whether the view calls the port of a server that it named before
// shut now, as while its pgbouncer is paused.
func shut(before, now *board.View) bool {
	return before != nil && now != nil && slices.ContainsFunc(now.Cells, func(c board.Cell) bool {
		return c.Shut != "" && slices.Contains(before.Serving, c.Instance)
	})
}

// explained is explains for the boards around an answer.
func explained(span []moment, v *board.View) string {
	for i := range span {
		if code := explains(&span[i].board, v); code != "" {
			return code
		}
	}
	return ""
}

// explains is the code of a finding from which connections through the view are
// expected to fail; "" when the board has none.
func explains(b *board.Board, v *board.View) string {
	for _, f := range b.Findings {
		if f.Severity > model.Warning {
			continue
		}
		switch f.Code {
		case "member-state", "patroni-silent", "leader-silent", "replica-not-streaming":
			if slices.Contains(v.Serving, f.Instance) {
				return f.Code
			}
		case "pool-paused", "pool-disabled", "pool-full", "pool-stalled", "pool-waiting", "check-yes-port-no", "foreign-patroni":
			if f.Instance == "" || slices.Contains(v.Serving, f.Instance) {
				return f.Code
			}
		case "haproxy-full":
			if f.Host == v.HAProxy {
				return f.Code
			}
		case "two-primaries", "no-leader":
			return f.Code
		}
	}
	return ""
}

// Proved takes a snapshot with the product's own proofs, which began at start.
// They explain failures of their ports.
func (j *Judge) Proved(start time.Time, s *model.Snapshot) {
	b := check.Board(s, j.cluster, s.TakenAt)
	j.report.Proofs++
	for key, o := range s.Proofs {
		v := viewOf(&b, Answer{Host: key.HAProxy, Service: key.Service})
		if o.Known() && proves(v) {
			j.dead[key] = s.TakenAt
		}
	}
	var left []failure
	for _, f := range j.failed {
		a := f.d.Answer
		v := viewOf(&b, a)
		near := a.End.After(start.Add(-nearProof)) && a.Start.Before(s.TakenAt.Add(nearProof))
		if _, proved := s.Proofs[j.key(a)]; near && proved {
			if proves(v) || shut(viewOf(&f.d.Before, a), v) {
				j.report.PortNo++
				continue
			}
			f.d.Proofs = append(f.d.Proofs, proofText(start, s.TakenAt, v))
		}
		left = append(left, f)
	}
	j.failed = left
}

// proves reports whether a proof found that the port fails, or that a login takes
// as long as a client here waits: HAProxy tries a dead server for some seconds
// before it takes another one.
func proves(v *board.View) bool {
	return v != nil && v.Proven != nil && (v.Proven.Dead != "" || v.Proven.Connect >= clientTimeout)
}

// proofText is a proof without an explanation, as evidence.
func proofText(from, to time.Time, v *board.View) string {
	out := fmt.Sprintf("proof from %s to %s: ", clock(from), clock(to))
	if v == nil || v.Proven == nil {
		return out + "no such view on the board"
	}
	p := v.Proven
	return fmt.Sprintf("%s%s, %d of %d failed (%s), answered: %s, the slowest after %s; %s", out, v.Verdict, p.Failed, p.Total(), p.Error, model.Join(p.Names()), p.Connect.Round(time.Millisecond), p.Note)
}

// settleFailures decides about failures that no proof explained in time.
func (j *Judge) settleFailures(now time.Time) {
	j.failed = slices.DeleteFunc(j.failed, func(f failure) bool {
		switch {
		case now.Sub(f.d.Answer.End) < proofWait:
			return false
		case f.repeat:
			j.disagree(f.d, "fails repeatedly, without a finding")
		default:
			f.d.Kind = "failed once"
			j.report.Singles = append(j.report.Singles, f.d)
		}
		return true
	})
}

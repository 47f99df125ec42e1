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

// moment is one snapshot and its board.
type moment struct {
	snap  *model.Snapshot
	board board.Board
}

// Judge compares clients' answers with the boards around them. It takes
// snapshots and answers as they come, and keeps those that it still needs. It is
// pure: all times come from its input.
type Judge struct {
	cluster *model.Cluster
	moments []moment
	open    []Answer // wait for a snapshot that began after their end
	failed  []failure
	tries   map[model.PortKey][]bool    // of a port's latest connections: true is a failure
	stalls  [][2]time.Time              // of this machine, from and to
	dead    map[model.PortKey]time.Time // ports that a proof found dead, and when; removed when they work
	gaps    map[model.PortKey]*Gap
	windows *windows
	report  Report
}

const (
	keep      = 60 * time.Second // the age at which a snapshot is dropped
	proofWait = 20 * time.Second // the time that a failure waits for a proof
	noticing  = 15 * time.Second // the time in which HAProxy's checks and the probe may notice
	nearProof = 6 * time.Second  // a proof explains failures this close to it
)

// NewJudge is the judge of one cluster.
func NewJudge(c *model.Cluster) *Judge {
	return &Judge{cluster: c, tries: map[model.PortKey][]bool{}, dead: map[model.PortKey]time.Time{}, gaps: map[model.PortKey]*Gap{}, windows: newWindows(),
		report: Report{Outside: map[string]int{}, Explained: map[string]int{}}}
}

// Observed takes the next snapshot and judges the answers that waited for it. It
// returns the new disagreements.
func (j *Judge) Observed(s *model.Snapshot) []Disagreement {
	m := moment{s, check.Board(s, j.cluster, s.TakenAt)}
	j.moments = append(j.moments, m)
	j.windows.observed(&m)
	j.report.Boards++
	n := len(j.report.Disagreements)
	j.open = slices.DeleteFunc(j.open, j.decide)
	j.noticed(&m.board, s.TakenAt)
	j.settleFailures(s.TakenAt)
	for len(j.moments) > 1 && j.moments[1].snap.TakenAt.Before(s.TakenAt.Add(-keep)) {
		j.moments = j.moments[1:]
	}
	return slices.Clone(j.report.Disagreements[n:])
}

// Answered takes a client's answer. It reports whether the port needs a proof: it
// failed although the board names a server.
func (j *Judge) Answered(a Answer) bool {
	j.report.Tried++
	key := j.key(a)
	last := append(j.tries[key], a.Fault != "")
	j.tries[key] = last[max(0, len(last)-maxTries):]
	doubt := false
	if b := j.Latest(); b != nil {
		v := viewOf(b, a)
		if v != nil && (v.Verdict == model.Serving || v.Verdict == model.BackupServing) {
			bad := failures(j.tries[key], len(v.Serving)+1)
			a.Again = bad >= 2 || a.Fault == "" && failures(j.tries[key], enough(len(v.Serving))) == 0
			doubt = a.Fault != ""
		}
	}
	j.open = append(j.open, a)
	return doubt
}

// maxTries is the number of a port's latest connections that are kept.
const maxTries = 24

// enough is the number of connections in a row after which a port works again:
// with several servers, a few connections may all be on the others.
func enough(servers int) int {
	if servers < 2 {
		return 2
	}
	return min(6*servers, maxTries)
}

// failures is the number of failures among a port's latest n connections.
func failures(failed []bool, n int) int {
	bad := 0
	for _, f := range failed[max(0, len(failed)-n):] {
		if f {
			bad++
		}
	}
	return bad
}

func (j *Judge) key(a Answer) model.PortKey {
	return model.PortKey{HAProxy: a.Host, Cluster: j.cluster.Name, Service: a.Service}
}

// viewOf is the board's view of the port that a client connected to; nil when
// there is none.
func viewOf(b *board.Board, a Answer) *board.View {
	r := b.Route(a.Service)
	if r == nil {
		return nil
	}
	for i := range r.Views {
		if r.Views[i].HAProxy == a.Host {
			return &r.Views[i]
		}
	}
	return nil
}

// around are the moments that an answer is compared with: from the last snapshot
// before its start to the first whose probe of the HAProxy began after its end;
// nil when there is no such snapshot yet. none is true when there was no board
// before its start.
func (j *Judge) around(a Answer) (span []moment, none bool) {
	first := slices.IndexFunc(j.moments, func(m moment) bool { return m.snap.TakenAt.After(a.Start) })
	if first < 0 {
		first = len(j.moments)
	}
	if first--; first < 0 {
		return nil, len(j.moments) > 0
	}
	for i := first; i < len(j.moments); i++ {
		o := j.moments[i].snap.HAProxy[a.Host]
		if !o.Tried.Add(-o.Took).Before(a.End) {
			return j.moments[first : i+1], false
		}
	}
	return nil, false
}

// decide judges one answer; false when the snapshot after it is missing still.
func (j *Judge) decide(a Answer) bool {
	span, none := j.around(a)
	if none {
		j.report.Outside["no board yet"]++
		return true
	}
	if span == nil {
		return false
	}
	section := string(j.cluster.Name) + "-" + string(a.Service)
	word := windowWord(span, a, section)
	v := viewOf(&span[0].board, a)
	j.gap(a, word != "")
	if word == "" && a.Fault != "" && j.stalled(a) {
		word = "this machine stalled"
	}
	if word != "" {
		j.report.Outside[word]++
		if a.Fault == "" && anyNames(span, a) {
			j.report.OutsideRight++
		}
		return true
	}
	j.works(a, v)
	d := Disagreement{Answer: a, Before: span[0].board, After: span[len(span)-1].board}
	primary := j.wantsPrimary(a.Service)
	switch {
	case a.Fault == "" && !slices.Contains(v.Serving, a.Node):
		j.disagree(d, "answered by another")
	case a.Fault == "" && primary && a.Recovery && explained(span, v) == "":
		j.disagree(d, "read-only, without a finding")
	case a.Fault == "" || v.Verdict == model.Empty:
		j.report.Agreed++
	default:
		j.failedPort(d, v, span)
	}
	return true
}

// windowWord is the reason why an answer is not compared: the board calls the
// port uncertain, or its verdict changed meanwhile; "" when it is compared.
func windowWord(span []moment, a Answer, section string) string {
	first := viewOf(&span[0].board, a)
	for i := range span {
		v := viewOf(&span[i].board, a)
		if v == nil {
			return "no such view"
		}
		switch v.Verdict {
		case model.Serving, model.BackupServing, model.Empty:
		default:
			return string(v.Verdict)
		}
		if !slices.Equal(slices.Sorted(slices.Values(v.Serving)), slices.Sorted(slices.Values(first.Serving))) {
			return "changed"
		}
	}
	if model.Moved(span[0].snap, span[len(span)-1].snap, a.Host, section) {
		return "changed"
	}
	return ""
}

// anyNames reports whether one of the boards around an answer named its instance.
func anyNames(span []moment, a Answer) bool {
	for i := range span {
		if v := viewOf(&span[i].board, a); v != nil && slices.ContainsFunc(v.Cells, func(c board.Cell) bool { return c.Instance == a.Node && c.Share > 0 }) {
			return true
		}
	}
	return false
}

func (j *Judge) wantsPrimary(name model.ServiceName) bool {
	return slices.ContainsFunc(j.cluster.Services(), func(s *model.Service) bool { return s.Name == name && model.WantsPrimary(s.Check) })
}

// Report is the result so far. Answers that still wait are not compared.
func (j *Judge) Report() *Report {
	j.settleFailures(j.now().Add(proofWait))
	if n := len(j.open); n > 0 {
		j.report.Outside["no board after"] += n
		j.open = nil
	}
	for key := range j.gaps {
		j.endGap(key)
	}
	r := j.report
	r.Windows = j.windows.done
	return &r
}

func (j *Judge) now() time.Time {
	if len(j.moments) == 0 {
		return time.Time{}
	}
	return j.moments[len(j.moments)-1].snap.TakenAt
}

// Latest is the newest board; nil when there is none.
func (j *Judge) Latest() *board.Board {
	if len(j.moments) == 0 {
		return nil
	}
	return &j.moments[len(j.moments)-1].board
}

// cellsText is a view as evidence: its verdict and each server's state.
func cellsText(v *board.View) string {
	if v == nil {
		return "no such view"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s [%s] %s", v.Verdict, model.Join(v.Serving), v.Why)
	for _, c := range v.Cells {
		fmt.Fprintf(&b, "\n      %s: %s, %s, share %d%%, Patroni %d: %s", c.Instance, c.Verdict, c.Status, c.Share, c.Allowed, c.Why)
	}
	return b.String()
}

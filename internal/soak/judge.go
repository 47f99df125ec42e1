package soak

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
)

// moment is one snapshot and what the board made of it.
type moment struct {
	snap  *model.Snapshot
	board board.Board
}

// Judge compares clients' answers with the boards around them. Snapshots and
// answers are given to it as they come; it keeps what it still needs. It is
// pure: all times come from what it is given.
type Judge struct {
	cluster *model.Cluster
	moments []moment
	open    []Answer // waits for a snapshot asked for after its end
	failed  []failure
	tries   map[model.PortKey][]bool    // which of a port's latest connections failed
	stalls  [][2]time.Time              // when this machine was held up
	dead    map[model.PortKey]time.Time // ports that a proof found dead, and when; until they work
	gaps    map[model.PortKey]*Gap
	windows *windows
	report  Report
}

const (
	keep      = 60 * time.Second // how long snapshots are kept
	proofWait = 20 * time.Second // how long a failure waits to be explained by a proof
	noticing  = 15 * time.Second // how long HAProxy's checks and the probe may take to notice
	nearProof = 6 * time.Second  // a proof tells of failures this close to it
)

// NewJudge makes a judge of one cluster.
func NewJudge(c *model.Cluster) *Judge {
	return &Judge{cluster: c, tries: map[model.PortKey][]bool{}, dead: map[model.PortKey]time.Time{}, gaps: map[model.PortKey]*Gap{}, windows: newWindows(),
		report: Report{Outside: map[string]int{}, Explained: map[string]int{}}}
}

// Look takes the next snapshot and judges the answers that waited for it. What
// it returns is new and wrong.
func (j *Judge) Look(s *model.Snapshot) []Disagreement {
	m := moment{s, check.Board(s, j.cluster, s.TakenAt)}
	j.moments = append(j.moments, m)
	j.windows.look(&m)
	j.report.Boards++
	n := len(j.report.Disagreements)
	var wait []Answer
	for _, a := range j.open {
		if !j.decide(a) {
			wait = append(wait, a)
		}
	}
	j.open = wait
	j.noticed(&m.board, s.TakenAt)
	j.settleFailures(s.TakenAt)
	for len(j.moments) > 1 && j.moments[1].snap.TakenAt.Before(s.TakenAt.Add(-keep)) {
		j.moments = j.moments[1:]
	}
	return slices.Clone(j.report.Disagreements[n:])
}

// Answered takes what a client found. It reports whether the port should be
// proved: it failed though the board names a server.
func (j *Judge) Answered(a Answer) bool {
	j.report.Tried++
	key := j.key(a)
	last := append(j.tries[key], a.Fault != "")
	j.tries[key] = last[max(0, len(last)-maxTries):]
	doubt := false
	if len(j.moments) > 0 {
		v := viewOf(&j.moments[len(j.moments)-1].board, a)
		if v != nil && (v.Verdict == model.Serving || v.Verdict == model.BackupServing) {
			bad := failures(j.tries[key], len(v.Serving)+1)
			a.Again = bad >= 2 || a.Fault == "" && failures(j.tries[key], enough(len(v.Serving))) == 0
			doubt = a.Fault != ""
		}
	}
	j.open = append(j.open, a)
	return doubt
}

// maxTries is how many of a port's latest connections are remembered.
const maxTries = 24

// enough is how many connections in a row tell that a port works again: of
// several servers, a few may all have gone to the others.
func enough(servers int) int {
	if servers < 2 {
		return 2
	}
	return min(6*servers, maxTries)
}

// failures counts those among a port's latest n connections.
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

// viewOf is the board's word about the port a client connected to; nil when
// the board has none.
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

// around are the moments that an answer is compared with: from the last
// snapshot before it began to the first that asked the HAProxy after it ended.
// nil when that has not come yet; none is true when there was no board before.
func (j *Judge) around(a Answer) (span []moment, none bool) {
	first := -1
	for i := range j.moments {
		if !j.moments[i].snap.TakenAt.After(a.Start) {
			first = i
			continue
		}
		break
	}
	if first < 0 {
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

// decide judges one answer; false when the snapshot after it is not there yet.
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
	if word == "" && a.Fault != "" && j.heldUp(a) {
		word = "this machine was held up"
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
		d.Kind = "answered by another"
		j.disagree(d)
	case a.Fault == "" && primary && a.Recovery && explained(span, v) == "":
		d.Kind = "takes no writes, and nothing says so"
		j.disagree(d)
	case a.Fault == "" || v.Verdict == model.Empty:
		j.report.Agreed++
	default:
		j.failedPort(d, v, span)
	}
	return true
}

// windowWord says why an answer is not compared: the board calls the port
// uncertain, or its word changed meanwhile. "" when it is compared.
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
		if !slices.Equal(sorted(v.Serving), sorted(first.Serving)) {
			return "changed"
		}
	}
	if model.Moved(span[0].snap, span[len(span)-1].snap, a.Host, section) {
		return "changed"
	}
	return ""
}

func sorted(names []model.InstanceName) []model.InstanceName {
	out := slices.Clone(names)
	slices.Sort(out)
	return out
}

// anyNames reports whether one of the boards around an answer named who gave it.
func anyNames(span []moment, a Answer) bool {
	for i := range span {
		v := viewOf(&span[i].board, a)
		if v == nil {
			continue
		}
		for _, c := range v.Cells {
			if c.Instance == a.Node && c.Share > 0 {
				return true
			}
		}
	}
	return false
}

func (j *Judge) wantsPrimary(name model.ServiceName) bool {
	for _, svc := range j.cluster.Services() {
		if svc.Name == name {
			return model.WantsPrimary(svc.Check)
		}
	}
	return false
}

// Report is what was found so far. Answers that still wait are not compared.
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
	r.Windows = j.windows.longest()
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

// cellsText is a view as evidence: who serves and each server's state.
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

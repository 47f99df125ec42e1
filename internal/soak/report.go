package soak

import (
	"fmt"
	"io"
	"maps"
	"pgtui/model/board"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"pgtui/model"
)

// Goal is the share of compared answers that must agree.
const Goal = 0.999

// Event is one fault with its times.
type Event struct {
	Name     string
	What     string // the lab's commands
	Do, Undo time.Time
	Err      error     // of the lab's commands: such a fault tests nothing
	Calm     time.Time // when the board was calm again; zero: not in time
}

// Disagreement is a wrong board with its evidence.
type Disagreement struct {
	Kind          string
	Answer        Answer
	Before, After board.Board
	Proofs        []string // proofs of the port at about that time
}

// Text is the evidence: faults near it, the client's answer, both boards.
func (d *Disagreement) Text(faults []Event) string {
	var b strings.Builder
	a := d.Answer
	fmt.Fprintf(&b, "  %s: %s through %s, %s to %s\n", d.Kind, a.Service, a.Host, clock(a.Start), clock(a.End))
	if a.Fault != "" {
		fmt.Fprintf(&b, "  client: %s\n", a.Fault)
	} else {
		fmt.Fprintf(&b, "  client: %s answered, in recovery: %v\n", a.Node, a.Recovery)
	}
	for i, f := range faults {
		if f.Do.After(a.End) || (i+2 < len(faults) && faults[i+2].Do.Before(a.Start)) {
			continue
		}
		fmt.Fprintf(&b, "  fault: %s (%s) from %s", f.Name, f.What, clock(f.Do))
		if !f.Undo.IsZero() {
			fmt.Fprintf(&b, ", undone %s", clock(f.Undo))
		}
		b.WriteByte('\n')
	}
	for _, x := range []struct {
		when  string
		board *board.Board
	}{{"before", &d.Before}, {"after", &d.After}} {
		v := viewOf(x.board, a)
		fmt.Fprintf(&b, "  board %s, judged %s, leader %s", x.when, clock(x.board.Judged), x.board.Leader)
		if v != nil {
			fmt.Fprintf(&b, ", HAProxy answered %s", clock(v.At))
		}
		fmt.Fprintf(&b, "\n    %s\n", cellsText(v))
		for _, f := range x.board.Findings {
			fmt.Fprintf(&b, "    finding %s: %s\n", f.Code, f.Summary)
		}
	}
	for _, p := range d.Proofs {
		fmt.Fprintf(&b, "  %s\n", p)
	}
	return b.String()
}

func clock(t time.Time) string { return t.Format("15:04:05.000") }

// Report is the result of Run.
type Report struct {
	Seed          uint64
	Took          time.Duration
	Faults        []Event
	Boards        int            // snapshots judged
	Tried         int            // connections made
	Agreed        int            // compared, and the board was right
	Explained     map[string]int // of those: failed as this finding says
	PortNo        int            // compared: the check passes, the port fails, and the product's proof shows it
	Noticed       int            // compared: failed before HAProxy's checks and the probe noticed; on the board later
	NoticedAfter  time.Duration  // the longest time until then
	Stalls        int            // stalls of this machine
	Outside       map[string]int // not compared, by reason
	OutsideRight  int            // of those: answered by an instance that the board named
	Proofs        int            // proofs made by the product
	Disagreements []Disagreement
	Singles       []Disagreement // failed only once: too little for a verdict
	Gaps          []Gap
	Windows       []Window
}

// Compared is the number of answers that were compared with a certain board.
func (r *Report) Compared() int { return r.Agreed + r.PortNo + r.Noticed + len(r.Disagreements) }

// Agreement is the share of compared answers for which the board was right; 0
// when nothing was compared.
func (r *Report) Agreement() float64 {
	if r.Compared() == 0 {
		return 0
	}
	return 1 - float64(len(r.Disagreements))/float64(r.Compared())
}

// Failed are the faults that the lab failed to do or to undo.
func (r *Report) Failed() []Event {
	return slices.DeleteFunc(slices.Clone(r.Faults), func(f Event) bool { return f.Err == nil })
}

// Wrong is the number of answers from an instance that the board did not name.
func (r *Report) Wrong() int {
	n := 0
	for _, d := range r.Disagreements {
		if d.Answer.Fault == "" {
			n++
		}
	}
	return n
}

// failedMost reports whether more than a tenth of the faults could not be made, one
// apart: Patroni itself may not know how a switchover on a busy machine ended.
func (r *Report) failedMost() bool {
	n := len(r.Failed())
	return n > 0 && n == len(r.Faults) || n > 1 && n*10 > len(r.Faults)
}

// Err is the reason why the run failed; nil when the board was right.
func (r *Report) Err() error {
	switch {
	case r.Compared() == 0:
		return fmt.Errorf("nothing was compared: %d connections, %d boards", r.Tried, r.Boards)
	case r.Wrong() > 0:
		return fmt.Errorf("the board was certain and wrong %d times", r.Wrong())
	case r.failedMost():
		return fmt.Errorf("%d of %d faults failed: %w", len(r.Failed()), len(r.Faults), r.Failed()[0].Err)
	case r.Agreement() < Goal:
		return fmt.Errorf("agreement is %.3f%%, less than %.1f%%", 100*r.Agreement(), 100*Goal)
	}
	return nil
}

// Print writes the report.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "seed %d, %v, %d faults, %d boards\n", r.Seed, r.Took.Round(time.Second), len(r.Faults), r.Boards)
	outside := 0
	for _, n := range r.Outside {
		outside += n
	}
	fmt.Fprintf(w, "connections %d: compared %d, in windows %d (%s; %d of them answered by an instance on the board)\n",
		r.Tried, r.Compared(), outside, counts(r.Outside), r.OutsideRight)
	fmt.Fprintf(w, "compared: agreed %d (of those failed as a finding says: %s), on the board up to %s later %d, check passes and port fails %d (%d proofs), disagreements %d (%d answered by another)\n",
		r.Agreed, counts(r.Explained), secs(r.NoticedAfter), r.Noticed, r.PortNo, r.Proofs, len(r.Disagreements), r.Wrong())
	fmt.Fprintf(w, "also not compared: failed only once %d; this machine stalled %d times\n", len(r.Singles), r.Stalls)
	fmt.Fprintf(w, "agreement %.3f%%\n", 100*r.Agreement())
	for _, f := range r.Failed() {
		fmt.Fprintf(w, "fault failed: %s: %v\n", f.Name, f.Err)
	}
	r.printFaults(w)
}

// during reports whether t is between fault i and the next one. A client that
// fails may have begun a little before the fault.
func (r *Report) during(i int, t time.Time) bool {
	return !t.Before(r.Faults[i].Do.Add(-clientTimeout)) && (i+1 == len(r.Faults) || t.Before(r.Faults[i+1].Do.Add(-clientTimeout)))
}

// printFaults prints a line for each kind of fault: the number of them, and the
// longest times: held, until the board was calm, without a comparison, and with
// each of the other verdicts on a port.
func (r *Report) printFaults(w io.Writer) {
	words := []model.Verdict{model.Settling, model.Mismatch, model.Empty, model.Unknown, model.Missing}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	defer tw.Flush()
	fmt.Fprintf(tw, "fault\ttimes\theld\tcalm after\twindow")
	for _, word := range words {
		fmt.Fprintf(tw, "\t%s", word)
	}
	fmt.Fprintln(tw)
	kinds := map[string][]int{}
	for i, f := range r.Faults {
		kinds[f.Name] = append(kinds[f.Name], i)
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		var held, calm, gap time.Duration
		longest := map[model.Verdict]time.Duration{}
		for _, i := range kinds[name] {
			f := r.Faults[i]
			held = max(held, f.Undo.Sub(f.Do))
			if !f.Calm.IsZero() {
				calm = max(calm, f.Calm.Sub(f.Undo))
			}
			for _, win := range r.Windows {
				if r.during(i, win.From) {
					longest[win.Word] = max(longest[win.Word], win.Long)
				}
			}
			for _, g := range r.Gaps {
				if r.during(i, g.From) {
					gap = max(gap, g.To.Sub(g.From))
				}
			}
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s", name, len(kinds[name]), secs(held), secs(calm), secs(gap))
		for _, word := range words {
			fmt.Fprintf(tw, "\t%s", secs(longest[word]))
		}
		fmt.Fprintln(tw)
	}
}

func secs(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

func counts(m map[string]int) string {
	if len(m) == 0 {
		return "none"
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}

package candidate

import (
	"fmt"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
)

// The usual time from the end of the last write to the promotion: the old leader
// stops, releases its key, and the candidate takes it.
const (
	stopLow  = 500 * time.Millisecond
	stopHigh = 2 * time.Second
)

// gap is how long the primary port has no server when the best candidate takes
// over.
func (j *judge) gap() Gap {
	g := Gap{Low: stopLow, High: stopHigh, Parts: []string{fmt.Sprintf("%s to %s to stop, hand over and promote: assumed, as measured on idle clusters", about(stopLow), about(stopHigh))}}
	j.gapOfChecks(&g)
	j.gapOfReplay(&g)
	for _, x := range j.t.Gates {
		if x.Name == "archiver" && (x.Verdict == Risk || x.Verdict == Unknown) {
			g.Open = true
			g.Parts = append(g.Parts, "an unknown time for the archive: "+x.What)
		}
	}
	return g
}

// gapOfChecks adds the time until HAProxy's checks of the candidate have passed.
func (j *judge) gapOfChecks(g *Gap) {
	for _, svc := range j.c.Services() {
		if !model.LockOnly(svc.Check, j.c.Standby) {
			continue
		}
		t := svc.Timing()
		from := "assumed: the service's options do not have all of it"
		if t.Given {
			from = "from the options of the service " + string(svc.Name)
		}
		g.Low, g.High = g.Low+t.Least(), g.High+t.Most()
		g.Parts = append(g.Parts, fmt.Sprintf("%s to %s until HAProxy's checks pass: rise %d × fastinter %s, after downinter %s; %s",
			about(t.Least()), about(t.Most()), t.Rise, about(t.Fast), about(t.Down), from))
		return
	}
	g.Open = true
	g.Parts = append(g.Parts, "an unknown time until clients reach it: no service is for the leader alone")
}

// gapOfReplay adds the backlog of the best candidate.
func (j *judge) gapOfReplay(g *Gap) {
	best := j.t.Best()
	if len(best) == 0 {
		return
	}
	name := best[0].Instance
	st := j.s.PatroniStatus(name)
	n := st.Value.Backlog()
	if n < worth {
		g.Parts = append(g.Parts, fmt.Sprintf("no time for the replay: %s has %s to replay", name, text.Bytes(n)))
		return
	}
	x := member{judge: j, m: j.b.Member(name), st: st.Value}
	took, how := x.replays(n)
	if took < 0 {
		g.Open = true
	} else {
		g.Low, g.High = g.Low+took, g.High+took
	}
	g.Parts = append(g.Parts, fmt.Sprintf("the replay of %s on %s: %s", text.Bytes(n), name, how))
}

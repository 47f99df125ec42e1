package show

import (
	"fmt"

	"pgtui/lang"
	"pgtui/model/access"
	"pgtui/model/trace"
)

// Trace is a line a hop, for each attempt.
func Trace(w Out, t *trace.Trace, sum *trace.Spread) {
	Target(w, &t.Target)
	for i := range t.Attempts {
		at := &t.Attempts[i]
		if len(t.Attempts) > 1 {
			fmt.Fprintf(w, "\n%s", at.Endpoint)
			if at.Skipped != "" {
				fmt.Fprintf(w, "  skipped: %s", w.line(at.Skipped, 200))
			}
			fmt.Fprintln(w)
		}
		tw := lang.NewTable(w)
		for _, h := range at.Hops {
			took := "–"
			if h.Took > 0 {
				took = Milliseconds(h.Took) + " ms"
			}
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\n", h.Kind, w.line(h.At, 80), w.tint(hopHue(h.Verdict), string(h.Verdict)), took, w.line(h.Text, 400))
		}
		tw.Flush()
	}
	if sum.Total > 1 {
		fmt.Fprintf(w, "\n%s\n", w.line(sum.Text(), 400))
	}
	fmt.Fprintf(w, "\n%s\n", Verdict(w, t.Health, t.Summary))
}

// hopHue is the colour of a hop's verdict.
func hopHue(v trace.HopVerdict) hue {
	switch v {
	case trace.HopOK:
		return green
	case trace.HopBad:
		return red
	}
	return yellow
}

// Target is where a connection goes, and as whom.
func Target(w Out, t *trace.Target) {
	fmt.Fprintf(w, "%s\n", w.line(t.Text(access.FormURI), 600))
	if t.As != "" {
		fmt.Fprintf(w, "as %s, %s\n", w.line(t.Login.User, 80), w.line(t.As, 200))
	}
}

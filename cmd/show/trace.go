package show

import (
	"fmt"
	"io"
	"text/tabwriter"

	"pgtui/internal/text"
	"pgtui/model/access"
	"pgtui/model/trace"
)

// Trace is a line a hop, for each attempt.
func Trace(w io.Writer, t *trace.Trace, sum *trace.Spread) {
	Target(w, &t.Target)
	for i := range t.Attempts {
		at := &t.Attempts[i]
		if len(t.Attempts) > 1 {
			fmt.Fprintf(w, "\n%s", at.Endpoint)
			if at.Skipped != "" {
				fmt.Fprintf(w, "  skipped: %s", text.Line(at.Skipped, 200))
			}
			fmt.Fprintln(w)
		}
		tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		for _, h := range at.Hops {
			took := "–"
			if h.Took > 0 {
				took = Milliseconds(h.Took) + " ms"
			}
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\n", h.Kind, text.Line(h.At, 80), h.Verdict, took, text.Line(h.Text, 400))
		}
		tw.Flush()
	}
	if sum.Total > 1 {
		fmt.Fprintf(w, "\n%s\n", text.Line(sum.Text(), 400))
	}
	fmt.Fprintf(w, "\n%s\n", Verdict(t.Health, t.Summary))
}

// Target is where a connection goes, and as whom.
func Target(w io.Writer, t *trace.Target) {
	fmt.Fprintf(w, "%s\n", text.Line(t.Text(access.FormURI), 600))
	if t.As != "" {
		fmt.Fprintf(w, "as %s, %s\n", text.Line(t.Login.User, 80), text.Line(t.As, 200))
	}
}

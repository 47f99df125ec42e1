package show

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
)

// Matrix is a line an endpoint, and which of them an application should use.
func Matrix(w io.Writer, acc *access.Access) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "HOST\tPORT\tNAME\tSHOULD\tNOW\tVERDICT\tDSN\tWHY")
	for i := range acc.Entries {
		e := &acc.Entries[i]
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", text.Line(e.Host, 60), e.Port, text.Line(e.At.Name, 30), Dash(shouldText(e)), Dash(model.Join(e.Now.Instances)),
			e.Now.Word(), text.Line(e.DSN.Text(access.FormURI), 200), text.Line(e.Now.Why, 200))
	}
	tw.Flush()
	fmt.Fprintln(w, "\nwhich port should an application use?")
	for _, x := range access.AdviceOf(acc) {
		fmt.Fprintf(w, "  %s: %s\n    %s\n", x.Need, x.Endpoint, x.Why)
	}
	fmt.Fprintln(w, "\nclients that choose the instance themselves")
	for _, u := range acc.Smart {
		fmt.Fprintf(w, "  %s\n    %s; needs %s\n", text.Line(u.Text(access.FormURI), 600), u.Why, u.Needs)
	}
	for _, n := range acc.Notes {
		fmt.Fprintf(w, "\n%s\n", text.Line(n, 300))
	}
	health, summary := access.Health(acc)
	fmt.Fprintf(w, "\n%s\n", Verdict(health, summary))
}

// shouldText is what an entry should reach, with the instances where they are known.
func shouldText(e *access.Entry) string {
	text := string(e.At.Target)
	if len(e.Should) > 0 {
		text += ": " + model.Join(e.Should)
	}
	return text
}

// DSNs are the connection strings of every endpoint in every form.
func DSNs(w io.Writer, acc *access.Access) {
	block := func(head string, d access.DSN) {
		fmt.Fprintf(w, "# %s\n", text.Line(head, 200))
		for _, f := range access.Forms() {
			fmt.Fprintln(w, text.Line(d.Text(f), 1000))
		}
	}
	for i := range acc.Entries {
		block(acc.Entries[i].String()+"  "+acc.Entries[i].Way, acc.Entries[i].DSN)
	}
	for _, u := range acc.Smart {
		block("every "+u.Port+", "+u.Attrs+": "+u.Why, u.DSN)
	}
}

// Schemes compares the ways to bring clients to a cluster.
func Schemes(w io.Writer, schemes []access.Scheme) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "SCHEME\tHERE\tSINGLE POINT\tHOPS\tCLIENT IP\tFAILOVER\tDNS CACHE\tDECLARED\tNOW")
	for _, s := range schemes {
		here, failover := "–", "–"
		if s.InUse {
			here = "yes"
		}
		if s.Failover > 0 {
			failover = "≤" + strconv.Itoa(int(s.Failover.Seconds())) + " s"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", s.Name, here, s.SinglePoint, s.Hops, s.ClientIP, failover, s.DNSCache, text.Line(s.Declared, 120), Dash(text.Line(s.Live, 200)))
	}
	tw.Flush()
	for _, s := range schemes {
		fmt.Fprintf(w, "\n%s: %s\n  %s\n", s.Name, s.Path, s.Limits)
	}
}

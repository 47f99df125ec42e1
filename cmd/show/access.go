package show

import (
	"fmt"
	"strconv"

	"pgtui/lang"
	"pgtui/model"
	"pgtui/model/access"
)

// Matrix is a line an endpoint, and which of them an application should use.
func Matrix(w Out, acc *access.Access) {
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, w.wider("HOST\tPORT\tNAME\tSHOULD\tNOW\tVERDICT\tDSN\tWHY", "USE\tWAY"))
	for i := range acc.Entries {
		e := &acc.Entries[i]
		fmt.Fprintln(tw, w.wider(fmt.Sprintf("%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s", w.line(e.Host, 60), e.Port, w.line(e.At.Name, 30), Dash(shouldText(e)), Dash(model.Join(e.Now.Instances)),
			w.verdict(e.Now.Verdict, e.Now.Word()), w.line(e.DSN.Text(access.FormURI), 200), w.line(e.Now.Why, 200)), w.line(e.At.Use, 100)+"\t"+w.line(e.Way, 100)))
	}
	tw.Flush()
	fmt.Fprintln(w, "\nwhich port should an application use?")
	for _, x := range access.AdviceOf(acc) {
		fmt.Fprintf(w, "  %s: %s\n    %s\n", x.Need, x.Endpoint, x.Why)
	}
	fmt.Fprintln(w, "\nclients that choose the instance themselves")
	for _, u := range acc.Smart {
		fmt.Fprintf(w, "  %s\n    %s; needs %s\n", w.line(u.Text(access.FormURI), 600), u.Why, u.Needs)
	}
	for _, n := range acc.Notes {
		fmt.Fprintf(w, "\n%s\n", w.line(n, 300))
	}
	health, summary := access.Health(acc)
	fmt.Fprintf(w, "\n%s\n", Verdict(w, health, summary))
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
func DSNs(w Out, acc *access.Access) {
	block := func(head string, d access.DSN) {
		fmt.Fprintf(w, "# %s\n", w.line(head, 200))
		for _, f := range access.Forms() {
			fmt.Fprintln(w, w.line(d.Text(f), 1000))
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
func Schemes(w Out, schemes []access.Scheme) {
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "SCHEME\tHERE\tSINGLE POINT\tHOPS\tCLIENT IP\tFAILOVER\tDNS CACHE\tDECLARED\tNOW")
	for _, s := range schemes {
		here, failover := "–", "–"
		if s.InUse {
			here = "yes"
		}
		if s.Failover > 0 {
			failover = "≤" + strconv.Itoa(int(s.Failover.Seconds())) + " s"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", s.Name, here, s.SinglePoint, s.Hops, s.ClientIP, failover, s.DNSCache, w.line(s.Declared, 120), Dash(w.line(s.Live, 200)))
	}
	tw.Flush()
	for _, s := range schemes {
		fmt.Fprintf(w, "\n%s: %s\n  %s\n", s.Name, s.Path, s.Limits)
	}
}

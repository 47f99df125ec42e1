package check

import (
	"fmt"
	"time"

	"pgtui/model"
)

// clockSkew: a node's clock, by the date of Patroni's answer, is not
// this machine's. Logs cannot be laid side by side then, and TTLs and
// certificates may fail. Where every node differs, it is this machine's that is wrong.
func clockSkew(in Input, report func(model.Finding)) {
	var off []model.Finding
	dated := 0
	for _, m := range in.Board.Members {
		o := in.Snap.Patroni[m.Instance].Status
		if o.Err != nil || !o.Ever() || m.Foreign != nil {
			continue
		}
		dated++
		skew := o.Value.Skew
		if skew == 0 {
			continue
		}
		way := "ahead of"
		if skew < 0 {
			way = "behind"
		}
		off = append(off, model.Finding{Severity: model.Warning, Instance: m.Instance, Host: m.Host,
			Summary:  fmt.Sprintf("the clock of %s is %s %s this machine", m.Host, skew.Abs(), way),
			Evidence: []string{fmt.Sprintf("Patroni's answer at %s UTC was dated %s UTC", o.At.UTC().Format(time.TimeOnly), o.At.Add(skew).UTC().Format(time.TimeOnly))},
			Hint:     "ssh " + string(m.Host) + " chronyc tracking"})
	}
	all := model.Finding{Severity: model.Warning, Summary: fmt.Sprintf("the clocks of all %d nodes differ from this machine: its own clock may be wrong", dated), Hint: "chronyc tracking, on this machine and on the nodes"}
	for _, f := range off {
		if all.Evidence = append(all.Evidence, f.Summary); len(off) < max(2, dated) {
			report(f)
		}
	}
	if len(off) >= max(2, dated) {
		report(all)
	}
}

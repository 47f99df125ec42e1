package check

import (
	"fmt"
	"strings"

	"pgtui/model"
)

// halfWiped: services run whose files are gone from the disk, as a run of
// Pigsty's playbook that failed half-way leaves them. One finding a node.
func halfWiped(in Input, report func(model.Finding)) {
	eachConf(in, func(f *model.LoadBalancer, label string, conf *model.NodeConf) {
		stats := in.Snap.HAProxy[f.Host]
		if !stats.Known() {
			return
		}
		gone := model.Wiped(f, conf, &stats.Value)
		if len(gone) == 0 {
			return
		}
		report(model.Finding{Severity: model.Critical, Host: f.Host,
			Summary:  fmt.Sprintf("%d of %d services run on %s without a file on disk: they end at its next reload, restart or crash", len(gone), len(f.Services), label),
			Evidence: []string{"no file in " + conf.Dir + " has " + strings.Join(gone, ", ") + "; HAProxy still runs them"},
			Hint:     fmt.Sprintf("do not restart HAProxy there; pgtui reload %s %s writes the files again", in.Board.Cluster.Name, f.Host)})
	})
}

package check

import (
	"fmt"

	"pgtui/model"
)

// configUnloaded: the files on a node are not what its HAProxy runs: somebody
// edited and never reloaded. The edit takes effect with the next reload,
// restart or crash, whoever causes it. One finding a node.
func configUnloaded(in Input, report func(model.Finding)) {
	eachConf(in, func(f *model.LoadBalancer, label string, conf *model.NodeConf) {
		stats := in.Snap.HAProxy[f.Host]
		if !stats.Known() {
			return
		}
		diffs := model.Unloaded(in.Board.Cluster, conf, &stats.Value, in.Snap.Workers[f.Host])
		if len(diffs) > 0 {
			report(model.Finding{Severity: model.Warning, Host: f.Host, Evidence: diffs,
				Summary: fmt.Sprintf("the HAProxy files on %s were edited but not loaded: they take effect at the next reload or restart", label),
				Hint:    fmt.Sprintf("pgtui diff %[1]s %[2]s; then pgtui reload %[1]s %[2]s", in.Board.Cluster.Name, f.Host)})
		}
	})
}

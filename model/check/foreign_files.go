package check

import (
	"fmt"
	"strings"

	"pgtui/model"
)

// foreignFiles: files that HAProxy reads and that belong to no cluster of the
// inventory. A reload leaves them alone. One finding a node.
func foreignFiles(in Input, report func(model.Finding)) {
	eachConf(in, func(f *model.LoadBalancer, label string, conf *model.NodeConf) {
		var names []string
		for _, x := range conf.Files {
			if x.Foreign && x.Read && len(names) < 20 {
				names = append(names, x.Name)
			}
		}
		if len(names) > 0 {
			report(model.Finding{Severity: model.Info, Host: f.Host,
				Summary:  fmt.Sprintf("HAProxy on %s reads %d %s to no cluster in the inventory", label, len(names), plural(len(names), "file that belongs", "files that belong")),
				Evidence: []string{conf.Dir + ": " + strings.Join(names, " ")},
				Hint:     "they may belong to a retired cluster or another tool; a reload leaves them alone"})
		}
	})
}

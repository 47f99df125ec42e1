package check

import (
	"fmt"

	"pgtui/model"
)

// inventoryProblem: what the inventory declares wrongly for this cluster.
func inventoryProblem(in Input, report func(model.Finding)) {
	for _, p := range in.Board.Cluster.Problems {
		f := model.Finding{Severity: model.Info, Summary: p.Subject + ": " + p.What, Hint: p.Try}
		if p.Fatal {
			f.Severity = model.Warning
		}
		if p.At.File != "" {
			f.Evidence = []string{fmt.Sprintf("%s:%d:%d", p.At.File, p.At.Line, p.At.Column)}
		}
		report(f)
	}
}

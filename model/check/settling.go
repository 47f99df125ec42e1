package check

import (
	"fmt"

	"pgtui/model"
)

// settling: a HAProxy that has just started or reloaded and has not finished
// its first checks.
func settling(in Input, report func(model.Finding)) {
	hosts := map[model.Host]string{}
	var order []model.Host
	for _, r := range in.Board.Routes {
		for _, v := range r.Views {
			if v.Verdict == model.Settling && hosts[v.HAProxy] == "" {
				hosts[v.HAProxy] = v.Label()
				order = append(order, v.HAProxy)
			}
		}
	}
	for _, h := range order {
		report(model.Finding{Severity: model.Info, Host: h,
			Summary: fmt.Sprintf("HAProxy on %s has just reloaded: its first checks are running", hosts[h]),
			Hint:    "until they end, any server may get connections; it takes a second or two"})
	}
}

package show

import (
	"fmt"
	"strings"

	"pgtui/model"
	"pgtui/model/setup"
)

// Setup is a line for each node: what is there, and below it what is not, with the fix.
func Setup(w Out, inv *model.Inventory, items []setup.Item, sudoers []string) {
	missing, unknown := 0, 0
	for i := 0; i < len(items); {
		host, end := items[i].Host, i
		for end < len(items) && items[end].Host == host {
			end++
		}
		var there []string
		for k := i; k < end; k++ {
			if it := &items[k]; it.State == setup.OK {
				there = append(there, it.Check)
			}
		}
		name := "this machine"
		if host != "" {
			name = inv.Label(host)
		}
		fmt.Fprintf(w, "%s  ok: %s\n", name, Dash(strings.Join(there, ", ")))
		for k := i; k < end; k++ {
			it := &items[k]
			switch it.State {
			case setup.OK:
				continue
			case setup.Missing:
				missing++
				fmt.Fprintf(w, "  %s %s: %s\n", w.tint(red, "✕"), it.Check, w.line(it.Says, 300))
			default:
				unknown++
				fmt.Fprintf(w, "  %s %s: %s\n", w.tint(yellow, "?"), it.Check, w.line(it.Says, 300))
			}
			if it.Try != "" {
				fmt.Fprintf(w, "    fix: %s\n", w.line(it.Try, 300))
			}
		}
		i = end
	}
	fmt.Fprintf(w, "%d checks: %d missing, %d not checked\n", len(items), missing, unknown)
	if len(sudoers) > 0 {
		fmt.Fprintln(w, "\nsudoers on the nodes, in /etc/sudoers.d/pgtui:")
		for _, line := range sudoers {
			fmt.Fprintf(w, "  %s\n", line)
		}
		fmt.Fprintln(w, "The shell of this line reads its script from standard input: who may use it is root there.")
	}
}

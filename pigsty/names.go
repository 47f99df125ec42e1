package pigsty

import (
	"net/netip"
	"sort"
	"strings"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/source/budget"
)

// shortName is inventory_hostname_short: an address stays whole.
func shortName(name string) string {
	if _, err := netip.ParseAddr(name); err == nil {
		return name
	}
	short, _, _ := strings.Cut(name, ".")
	return short
}

func groupNames(h *inventory.Host, b *budget.Budget) []py.Value {
	if n := len(h.Groups()); b.Spend(n, budget.Times(n, 3*budget.Item)) != nil {
		return nil
	}
	var names []string
	for _, g := range h.Groups() {
		if g.Name != "all" {
			names = append(names, g.Name)
		}
	}
	sort.Strings(names)
	out := make([]py.Value, 0, len(names))
	for _, n := range names {
		out = append(out, n)
	}
	return out
}

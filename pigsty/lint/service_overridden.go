package lint

import (
	"fmt"

	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/pigsty"
)

// serviceOverridden: two services of one name; the later file replaces the
// earlier.
func serviceOverridden() Rule {
	return Rule{"service-overridden", Warning, "two services of the same name on one host",
		"both have the same file: the later one replaces the earlier, whose port is then closed",
		func(in *Input, report func(Finding)) {
			for c, m := range in.members() {
				seen := map[string]pigsty.Decl{}
				for _, d := range in.services(m.Host) {
					if was, ok := seen[d.Name]; ok && d.Name != "" {
						report(overridden(c, m, was, d))
					}
					seen[d.Name] = d
				}
			}
		}}
}

func overridden(c *model.Cluster, m model.Instance, was, d pigsty.Decl) Finding {
	p1, _ := was.Dict.Get("port")
	p2, _ := d.Dict.Get("port")
	at := d.Dict.At
	if e := d.Dict.Lookup("name"); e != nil {
		at = e.At
	}
	f := Finding{At: at, Subject: string(c.Name) + " " + d.Name,
		What: fmt.Sprintf("service %s on port %s replaces the one of the same name on port %s (%s)", d.Name, py.Print(p2), py.Print(p1), place(was.Dict.At)),
		Fix:  "give it another name, or change the earlier one"}
	if py.Equal(p1, p2) && was.Dict.At.Line == 0 {
		f.Severity, f.Why = Info, "it takes the place of Pigsty's own service, on the same port"
	}
	return f
}

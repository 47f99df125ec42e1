package lint

import (
	"fmt"

	"pgtui/ansible/py"
	"pgtui/pigsty"
)

// duplicateKey: YAML keeps the last of two keys.
func duplicateKey() Rule {
	return Rule{"duplicate-key", Warning, "a key that is written twice in one mapping",
		"the last one replaces the first with everything in it: of two groups of the same name, the hosts of the first are gone",
		warnings(true, "remove one, or join the two")}
}

// oddInventory: what Ansible passes over with a warning at most.
func oddInventory() Rule {
	return Rule{"odd-inventory", Warning, "something that Ansible skips or reads differently from how it looks",
		"Ansible continues without it",
		warnings(false, "put it where Ansible looks: hosts, children and vars of a group")}
}

// warnings are what reading the inventory warned about: keys written twice, or all else.
func warnings(twice bool, fix string) func(*Input, func(Finding)) {
	return func(in *Input, report func(Finding)) {
		for _, w := range in.Inventory.Warnings {
			if w.Twice == twice {
				report(Finding{At: w.At, Subject: "inventory", What: w.Text, Fix: fix})
			}
		}
	}
}

// unknownVersion: a version that says nothing about the rules.
func unknownVersion() Rule {
	return Rule{"unknown-version", Warning, "a version that is not a Pigsty version",
		"pgtui uses the newest rules it knows",
		func(in *Input, report func(Finding)) {
			if len(in.Inventory.Hosts) == 0 {
				return
			}
			e := in.Inventory.Hosts[0].All().Lookup("version")
			if e == nil {
				return
			}
			if _, err := pigsty.ParseDialect(py.Print(e.Value)); err == nil {
				return
			}
			report(Finding{At: e.At, Subject: "inventory", What: fmt.Sprintf("version %s is not a Pigsty version that pgtui knows", py.Brief(e.Value)), Fix: "write it as in v4.5.0, or give --dialect"})
		}}
}

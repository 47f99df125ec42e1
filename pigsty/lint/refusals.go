package lint

import (
	"fmt"
	"iter"
	"strings"

	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/source"
)

// undefinedVariable: pg_id passes every variable on, so one template that
// fails anywhere fails the cluster.
func undefinedVariable() Rule {
	return Rule{"undefined-variable", Error, "a template that cannot be resolved in any variable of a member",
		"Pigsty resolves every variable of a cluster's members: one that fails leaves the whole cluster without files",
		func(in *Input, report func(Finding)) {
			for c, r := range in.refusals() {
				fix := "correct the template, or put {% raw %} … {% endraw %} around braces that are plain text"
				if r.Undefined {
					fix = "define it in the inventory, or write {{ … | default(…) }}"
				}
				if !r.Unread {
					report(Finding{At: r.At, Subject: string(c.Name), What: fmt.Sprintf("variable %s of %s: %v", r.Name, r.Host, r.Err), Fix: fix})
				}
			}
		}}
}

// unreadableValue: what Python writes and cannot read back.
func unreadableValue() Rule {
	return Rule{"unreadable-value", Error, "a date, .inf, .nan or a locked vault in any variable of a member",
		"Pigsty writes every variable of a cluster's members and reads it back: one that it cannot read leaves the whole cluster without files",
		func(in *Input, report func(Finding)) {
			for c, r := range in.refusals() {
				if !r.Unread {
					continue
				}
				newer, fix := "prints it", "put the value in quotes"
				if strings.Contains(r.Err.Error(), "vault") {
					newer, fix = "writes none either", "give the password with --vault-password-file"
				}
				report(Finding{At: r.At, Subject: string(c.Name), What: fmt.Sprintf("variable %s of %s: %v: ansible ≤ 2.18: no files for the cluster; ≥ 2.19: %s", r.Name, r.Host, r.Err, newer), Fix: fix})
			}
		}}
}

// refusals yields what pg_id fails on, with the cluster whose files it costs.
func (in *Input) refusals() iter.Seq2[*model.Cluster, pigsty.Refusal] {
	return func(yield func(*model.Cluster, pigsty.Refusal) bool) {
		for _, c := range in.clusters() {
			for _, h := range in.Members(c.Name) {
				for _, r := range in.Refusals(h) {
					if !yield(c, r) {
						return
					}
				}
			}
		}
	}
}

// refused are the places of variables that pg_id fails on, and of what fails in them.
func (in *Input) refused() map[source.Pos]bool {
	out := map[source.Pos]bool{}
	for _, r := range in.refusals() {
		out[r.At], out[in.var1(r.Host, r.Name)] = true, true
	}
	return out
}

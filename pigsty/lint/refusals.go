package lint

import (
	"fmt"
	"strings"

	"pgtui/pigsty"
	"pgtui/source"
)

// undefinedVariable: pg_id passes every variable on, so one template that
// fails anywhere fails the cluster.
func undefinedVariable() Rule {
	return Rule{"undefined-variable", Error, "a template that cannot be resolved in any variable of a member",
		"Pigsty resolves every variable of a cluster's members: one that fails leaves the whole cluster without files",
		func(in *Input) []Finding {
			return in.refusals(func(r pigsty.Refusal) *Finding {
				f := &Finding{What: fmt.Sprintf("variable %s of %s: %v", r.Name, r.Host, r.Err), Fix: "correct the template, or put {% raw %} … {% endraw %} around braces that are plain text"}
				switch {
				case r.Unread:
					return nil
				case r.Undefined:
					f.Fix = "define it in the inventory, or write {{ … | default(…) }}"
				}
				return f
			})
		}}
}

// unreadableValue: what Python writes and cannot read back.
func unreadableValue() Rule {
	return Rule{"unreadable-value", Error, "a date, .inf, .nan or a locked vault in any variable of a member",
		"Pigsty writes every variable of a cluster's members and reads it back: one that it cannot read leaves the whole cluster without files",
		func(in *Input) []Finding {
			return in.refusals(func(r pigsty.Refusal) *Finding {
				if !r.Unread {
					return nil
				}
				newer, fix := "prints it", "put the value in quotes"
				if strings.Contains(r.Err.Error(), "vault") {
					newer, fix = "writes none either", "give the password with --vault-password-file"
				}
				return &Finding{What: fmt.Sprintf("variable %s of %s: %v: ansible ≤ 2.18: no files for the cluster; ≥ 2.19: %s", r.Name, r.Host, r.Err, newer), Fix: fix}
			})
		}}
}

func (in *Input) refusals(f func(pigsty.Refusal) *Finding) []Finding {
	var out []Finding
	for _, c := range in.clusters() {
		for _, h := range in.Members(c.Name) {
			for _, r := range in.Refusals(h) {
				if x := f(r); x != nil {
					x.At, x.Subject = r.At, string(c.Name)
					out = append(out, *x)
				}
			}
		}
	}
	return out
}

// refused are the places of variables that pg_id fails on, and of what fails in them.
func (in *Input) refused() map[source.Pos]bool {
	out := map[source.Pos]bool{}
	in.refusals(func(r pigsty.Refusal) *Finding {
		out[r.At], out[in.var1(r.Host, r.Name)] = true, true
		return nil
	})
	return out
}

package lint

import (
	"pgtui/model"
	"pgtui/source"
)

// serviceFails: what the playbook would fail on, unless a rule of its own
// reports it at the same place.
func serviceFails() Rule {
	return Rule{"service-fails", Error, "a service or host that Ansible fails on: no name, no port, no selector or a wrong one, a value that must be a list",
		"its file is deleted and not written again, and the host that fails is not reloaded",
		func(in *Input, report func(Finding)) {
			elsewhere := in.foundElsewhere()
			for _, c := range in.clusters() {
				for _, p := range c.Problems {
					if p.Fatal && !elsewhere[p.At] {
						report(Finding{At: p.At, Subject: p.Subject, What: p.What, Fix: p.Try})
					}
				}
			}
		}}
}

// foundElsewhere are the places that the rules about identity and values name:
// of a cluster they find something in, those of its members' identities.
func (in *Input) foundElsewhere() map[source.Pos]bool {
	out := in.refused()
	for _, r := range []Rule{missingPrimary(), extraPrimary(), duplicateSeq(), badSeq(), mixedSeq(), badRole(), badClusterName()} {
		r.Find(in, func(f Finding) {
			for _, h := range in.Members(model.ClusterName(f.Subject)) {
				for _, name := range []string{"pg_cluster", "pg_seq", "pg_role"} {
					out[in.var1(h, name)] = true
				}
			}
		})
	}
	return out
}

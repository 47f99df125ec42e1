package lint

import (
	"fmt"

	"pgtui/ansible/py"
	"pgtui/model"
)

// duplicateSeq: two members of one number are two servers of one name.
func duplicateSeq() Rule {
	return Rule{"duplicate-seq", Error, "two members of a cluster with the same pg_seq",
		"both are the same instance to Pigsty, Patroni and HAProxy, which refuses two servers of the same name",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				seen := map[string]model.Instance{}
				for _, m := range c.Instances {
					v, ok, err := in.Attr(m.Host, "pg_seq")
					n, number := seqOf(v)
					if !ok || err != nil || !number {
						continue
					}
					if was, twice := seen[n]; twice {
						at := in.var1(m.Host, "pg_seq")
						report(Finding{At: at, Subject: string(c.Name),
							What: fmt.Sprintf("pg_seq %s of %s is also that of %s (%s)", n, m.Host, was.Host, place(in.var1(was.Host, "pg_seq"))), Fix: "give every member a number of its own"})
						continue
					}
					seen[n] = m
				}
			}
		}}
}

// badSeq: a member without a number.
func badSeq() Rule {
	return Rule{"bad-seq", Error, "a pg_seq that is missing or not a number",
		assertedWhy,
		func(in *Input, report func(Finding)) {
			for c, m := range in.members() {
				v, ok, err := in.Attr(m.Host, "pg_seq")
				if err != nil {
					continue
				}
				f := Finding{At: in.var1(m.Host, "pg_seq"), Subject: string(c.Name), Severity: in.asserted(), Fix: "write a whole number, 0 or above"}
				switch _, number := seqOf(v); {
				case !ok || v == nil:
					f.Severity, f.What = Error, fmt.Sprintf("host %s of %s has no pg_seq", m.Host, c.Name)
				case !number:
					f.What = fmt.Sprintf("pg_seq of host %s is %s: not a number", m.Host, py.Brief(v))
				default:
					continue
				}
				report(f)
			}
		}}
}

// mixedSeq: numbers and strings never compare equal in a selector, and not at
// all up to v3.6.1.
func mixedSeq() Rule {
	return Rule{"mixed-seq", Warning, "quoted and unquoted pg_seq in one cluster",
		"a selector such as [? pg_seq == `1`] skips the quoted ones; Pigsty up to v3.6.1 writes no files at all",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				var texts, numbers []model.Host
				for _, m := range c.Instances {
					v, ok, err := in.Attr(m.Host, "pg_seq")
					if !ok || err != nil || v == nil {
						continue
					}
					if _, text := py.Text(v); text {
						texts = append(texts, m.Host)
					} else {
						numbers = append(numbers, m.Host)
					}
				}
				if len(texts) == 0 || len(numbers) == 0 {
					continue
				}
				f := Finding{At: in.var1(texts[0], "pg_seq"), Subject: string(c.Name), What: fmt.Sprintf("pg_seq of %s is a string, that of %s a number", texts[0], numbers[0]), Fix: "write every pg_seq without quotes"}
				if d := in.Model.Dialect; d == model.DialectV20 || d == model.DialectV27 {
					f.Severity = Error
				}
				report(f)
			}
		}}
}

package lint

import (
	"fmt"
	"regexp"
	"strings"

	"pgtui/ansible/py"
	"pgtui/model"
)

var wholeTime = regexp.MustCompile(`^[0-9]+(us|ms|s|m|h|d)?$`)

// rtoRejected: times that are no whole number.
func rtoRejected() Rule {
	return Rule{"rto-rejected", Error, "health check times that HAProxy rejects: pg_rto fast and safe have fractions of a second",
		"HAProxy (2.6 measured) refuses 0.5s and 1.5s: the next reload fails on every node of the cluster",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				words := strings.Fields(s.Options)
				for i, w := range words {
					if w != "inter" && w != "fastinter" && w != "downinter" && w != "slowstart" {
						continue
					}
					if i+1 < len(words) && wholeTime.MatchString(words[i+1]) {
						continue
					}
					bad := w
					if i+1 < len(words) {
						bad += " " + words[i+1]
					}
					f := Finding{At: in.at(s, "options"), Subject: title(c, s), What: fmt.Sprintf("service %s has %s: HAProxy takes whole numbers with a unit", s.Name, bad), Fix: "write 500ms for 0.5s"}
					if in.decl(s).Lookup("options") == nil {
						v, _, _ := in.Var(s.Rendered, "pg_rto")
						f.At, f.Subject = in.var1(s.Rendered, "pg_rto"), string(c.Name)
						f.What = fmt.Sprintf("pg_rto %s gives %s: HAProxy takes whole numbers with a unit", py.Print(v), bad)
						f.Fix = "use norm or wide, or a pg_rto_plan of your own with 500ms and 1500ms in it"
						if at, ok := in.At(s.Rendered, "pg_rto_plan"); ok {
							f.At = at
						}
					}
					report(f)
					break
				}
			}
		}}
}

// rtoUnknown: a mode the plan does not have is norm.
func rtoUnknown() Rule {
	return Rule{"rto-unknown", Warning, "a pg_rto that is not in pg_rto_plan",
		"the health checks silently get the times of norm",
		func(in *Input, report func(Finding)) {
			if d := in.Model.Dialect; d != model.DialectV40 && d != model.DialectV45 {
				return
			}
			for c, m := range in.members() {
				mode, _, err1 := in.Var(m.Host, "pg_rto")
				plan, _, err2 := in.Var(m.Host, "pg_rto_plan")
				d, ok := plan.(*py.Dict)
				if err1 != nil || err2 != nil || !ok || d.Lookup(mode) != nil || d.Lookup("norm") == nil {
					continue
				}
				f := Finding{At: in.var1(m.Host, "pg_rto"), Subject: string(c.Name), What: fmt.Sprintf("pg_rto %s is no mode of pg_rto_plan: it means norm", py.Print(mode)), Fix: "use fast, norm, safe or wide"}
				if _, text := py.Text(mode); !text && py.IsNumber(mode) {
					f.Severity, f.Why = Info, "seconds are the format of Pigsty v3; v4 takes the times of norm for any number"
				}
				report(f)
			}
		}}
}

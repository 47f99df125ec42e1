package lint

import (
	"fmt"
	"strings"
)

// badMaxconn: a limit that is not a number.
func badMaxconn() Rule {
	return Rule{"bad-maxconn", Warning, "a maxconn that is not a number",
		"HAProxy uses its leading digits, so the limit is not what was written",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				if s.MaxConn != "" && strings.Trim(s.MaxConn, "0123456789") == "" && weightOf(s.MaxConn) > 0 {
					continue
				}
				f := Finding{At: in.at(s, "maxconn"), Subject: title(c, s), What: fmt.Sprintf("maxconn %q of service %s is not a number above 0", s.MaxConn, s.Name), Fix: "write a number such as 5000, or leave it out"}
				if s.MaxConn == "" {
					f.Severity, f.Why = Error, "HAProxy refuses maxconn without a number, and with it the whole configuration"
				}
				report(f)
			}
		}}
}

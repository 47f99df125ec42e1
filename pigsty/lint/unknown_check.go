package lint

import (
	"fmt"
	"strings"
)

// unknownCheck: Patroni answers 503 to every path it does not know.
func unknownCheck() Rule {
	return Rule{"unknown-check", Warning, "a health check path that Patroni does not know",
		"Patroni answers 503 to it, so every server of the service is down",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				f := Finding{At: in.at(s, "check"), Subject: title(c, s),
					Fix: "use /primary, /replica, /read-only, /leader, /sync, /async, /health or another path of Patroni's REST API"}
				_, known := kindOf(s.Check, c.Standby)
				switch {
				case s.Check == "" || strings.ContainsAny(s.Check, " \t\n"):
					f.Severity, f.What = Error, fmt.Sprintf("check %q of service %s is not one word", s.Check, s.Name)
					f.Why = "HAProxy refuses the http-check line, and with it the whole configuration"
				case !strings.HasPrefix(s.Check, "/"):
					f.What = fmt.Sprintf("check %q of service %s does not begin with /", s.Check, s.Name)
				case !known:
					f.What = fmt.Sprintf("check %s of service %s is not a health check of Patroni", s.Check, s.Name)
				default:
					continue
				}
				report(f)
			}
		}}
}

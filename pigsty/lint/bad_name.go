package lint

import (
	"fmt"
	"strings"
)

// badName: a service name that HAProxy or its directory cannot take.
func badName() Rule {
	return Rule{"bad-service-name", Error, "a service name that HAProxy does not accept",
		"HAProxy refuses the section, or does not read the file at all",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				f := Finding{At: in.at(s, "name"), Subject: title(c, s), Fix: "use letters, digits and dashes"}
				bad := strings.IndexFunc(s.Proxy(), func(r rune) bool {
					return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:", r))
				})
				switch {
				case s.Name == "":
					f.What = "a service has an empty name"
				case bad >= 0:
					f.What = fmt.Sprintf("service name %q contains %q", s.Name, []rune(s.Proxy()[bad:])[0])
				case strings.Contains(s.Proxy(), ".cfg"):
					f.What = fmt.Sprintf("service name %q holds .cfg: HAProxy silently skips such a file", s.Name)
				default:
					continue
				}
				report(f)
			}
		}}
}

package lint

import (
	"fmt"
	"slices"
	"strings"
)

// badBalance: an algorithm that HAProxy does not know.
func badBalance() Rule {
	return Rule{"bad-balance", Error, "a balance algorithm that HAProxy does not know",
		"HAProxy refuses the whole configuration",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				name, _, _ := strings.Cut(strings.TrimSpace(s.Balance), " ")
				name, _, _ = strings.Cut(name, "(")
				known := []string{"", "roundrobin", "static-rr", "leastconn", "first", "source", "random", "hash", "rdp-cookie"}
				http := []string{"uri", "url_param", "hdr"}
				f := Finding{At: in.at(s, "balance"), Subject: title(c, s), Fix: "use roundrobin or leastconn"}
				switch {
				case slices.Contains(known, name):
					continue
				case slices.Contains(http, name):
					f.Severity, f.What = Warning, fmt.Sprintf("balance %s of service %s works on HTTP only", s.Balance, s.Name)
					f.Why = "Pigsty's services are TCP: HAProxy falls back to roundrobin"
				default:
					f.What = fmt.Sprintf("balance %s of service %s is not a HAProxy algorithm", s.Balance, s.Name)
				}
				report(f)
			}
		}}
}

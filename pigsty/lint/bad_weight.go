package lint

import (
	"fmt"
	"strings"

	"pgtui/ansible/py"
)

// badWeight: HAProxy takes 0 to 256.
func badWeight() Rule {
	return Rule{"bad-weight", Error, "a pg_weight that is not a number from 0 to 256",
		"HAProxy refuses the whole configuration",
		func(in *Input, report func(Finding)) {
			refused := in.refused()
			for _, m := range in.members() {
				v, ok, err := in.Attr(m.Host, "pg_weight")
				if !ok || err != nil || refused[in.var1(m.Host, "pg_weight")] {
					continue
				}
				s := py.Print(v)
				number := s != "" && strings.Trim(s, "0123456789") == ""
				if number && len(s) < 6 && weightOf(s) <= 256 {
					continue
				}
				f := Finding{At: in.var1(m.Host, "pg_weight"), Subject: string(m.Name), What: fmt.Sprintf("pg_weight of %s is %s: HAProxy takes 0 to 256", m.Name, py.Brief(v)), Fix: "write a whole number from 0 to 256; 100 is normal, 0 takes no connections"}
				switch {
				case s == "":
					f.Why = "HAProxy takes the next word for the weight: it becomes 0, and a backup server is no longer one"
				case !number && !strings.HasPrefix(s, "-"):
					f.Why = fmt.Sprintf("HAProxy reads the digits it begins with: the weight is %d", weightOf(s))
				}
				report(f)
			}
		}}
}

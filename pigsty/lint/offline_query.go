package lint

import (
	"fmt"

	"pgtui/ansible/py"
)

// offlineQueryText: JMESPath takes every string but the empty one for true,
// and 0 as well.
func offlineQueryText() Rule {
	return Rule{"truthy-value", Warning, "a yes-or-no variable that is not true or false",
		"selectors treat every value except false, null and empty as true: 'false', 'no' and 0 select the member",
		func(in *Input, report func(Finding)) {
			for _, m := range in.members() {
				v, ok, err := in.Attr(m.Host, "pg_offline_query")
				if _, isBool := v.(bool); ok && err == nil && v != nil && !isBool {
					f := Finding{At: in.var1(m.Host, "pg_offline_query"), Subject: string(m.Name), Fix: "write true or false, without quotes",
						What: fmt.Sprintf("pg_offline_query of %s is %s: the offline service treats that as true", m.Name, py.Brief(v))}
					if s, text := py.Text(v); text && s == "" {
						f.What = fmt.Sprintf("pg_offline_query of %s is an empty string: the offline service treats that as false", m.Name)
					}
					report(f)
				}
				v, ok, err = in.Attr(m.Host, "patroni_ssl_enabled")
				if s, text := py.Text(v); ok && err == nil && text && !py.Bool(v) && !falseWord(s) {
					report(Finding{At: in.var1(m.Host, "patroni_ssl_enabled"), Subject: string(m.Name), Fix: "write true or false, without quotes",
						What: fmt.Sprintf("patroni_ssl_enabled of %s is %q, which Ansible treats as false", m.Name, s), Why: "the health checks speak plain HTTP to a Patroni that speaks TLS: every server is down"})
				}
			}
		}}
}

func falseWord(s string) bool {
	switch s {
	case "", "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "0":
		return true
	}
	return false
}

package lint

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/source"
)

// template reports whether v holds a template anywhere.
func (in *Input) template(v py.Value, depth int) bool {
	if depth > 50 || in.cost(1) != nil || !in.Needs(v) {
		return false
	}
	switch x := v.(type) {
	case string:
		return jinja.Marked(x)
	case []py.Value:
		for _, it := range x {
			if in.template(it, depth+1) {
				return true
			}
		}
	case *py.Dict:
		for _, e := range x.Entries() {
			if in.template(e.Value, depth+1) {
				return true
			}
		}
	}
	return false
}

// repr is how a value is compared, which does not keep it.
func (in *Input) repr(v py.Value) string {
	s := py.ReprIn(in.Budget(), v)
	in.Budget().Return(5 * len(s))
	return s
}

// templated calls f for every variable of every member that holds a template.
func (in *Input) templated(f func(c *model.Cluster, h model.Host, e py.Entry)) {
	for _, c := range in.clusters() {
		for _, m := range in.Members(c.Name) {
			for _, e := range in.Inventory.Host(string(m)).All().Entries() {
				if _, ok := py.Text(e.Key); ok && in.template(e.Value, 0) {
					f(c, m, e)
				}
			}
		}
	}
}

// newerAnsibleFails: what needs role defaults, hostvars or facts of the run.
func newerAnsibleFails() Rule {
	return Rule{"newer-ansible-fails", Warning, "a template that ansible-core 2.19 and newer cannot resolve",
		"after an upgrade of Ansible the whole cluster gets no files",
		func(in *Input, report func(Finding)) {
			refused := in.refused()
			in.templated(func(c *model.Cluster, h model.Host, e py.Entry) {
				name := py.Print(e.Key)
				_, err := in.Native(h, name, true)
				_, unknown := errors.AsType[*jinja.Unknowable](err)
				if err == nil || unknown || refused[e.At] {
					return
				}
				legacy := "works"
				if v, _, err := in.Attr(h, name); err == nil && !in.template(v, 0) {
					if _, isList := v.([]py.Value); !isList {
						legacy = "is " + py.Brief(v)
					}
				} else if py.IsNumber(v) || in.template(v, 0) {
					if s, ok := py.Text(v); ok {
						legacy = "members are printed with " + py.Cut(s)
					}
				}
				report(Finding{At: e.At, Subject: string(c.Name), What: fmt.Sprintf("variable %s of %s: ansible ≤ 2.18: %s; ≥ 2.19: %v, and %s gets no files", name, h, legacy, err, c.Name),
					Fix: "write {{ pg_port | default(5432) }} for role defaults; put what a run finds out into the inventory"})
			})
		}}
}

// newerAnsibleValue: what prints, selects or counts differently.
func newerAnsibleValue() Rule {
	return Rule{"newer-ansible-value", Warning, "a template whose value has another type on ansible-core 2.19 and newer",
		"the same inventory gives different files after an upgrade of Ansible",
		func(in *Input, report func(Finding)) {
			in.templated(func(c *model.Cluster, h model.Host, e py.Entry) {
				name := py.Print(e.Key)
				old, _, err1 := in.Attr(h, name)
				now, err2 := in.Native(h, name, true)
				if err1 != nil || err2 != nil || in.repr(old) == in.repr(now) || !in.matters(c, name, old, now) {
					return
				}
				report(Finding{At: e.At, Subject: string(c.Name), What: fmt.Sprintf("%s of %s: ansible ≤ 2.18: %s; ≥ 2.19: %s", name, h, py.Brief(old), py.Brief(now)), Fix: "write the value without a template, or in quotes without one"})
			})
			for c, m := range in.members() {
				in.serviceValues(c, m.Host, report)
			}
		}}
}

// matters reports whether the two values of a member's variable can make
// another file.
func (in *Input) matters(c *model.Cluster, name string, old, now py.Value) bool {
	switch name {
	case "pg_services", "pg_default_services":
		return false // looked at field by field
	case "patroni_ssl_enabled":
		return py.Bool(old) != py.Bool(now)
	case "pg_weight", "pg_port", "pgbouncer_port", "patroni_port", "pg_seq", "pg_cluster":
		if py.Print(old) != py.Print(now) {
			return true
		}
	case "pg_default_service_dest":
		return destText(old) != destText(now)
	}
	all := c.Services()
	if in.cost(20+4*len(all)) != nil {
		return false
	}
	word := regexp.MustCompile(`(^|[^A-Za-z0-9_])` + regexp.QuoteMeta(name) + `([^A-Za-z0-9_]|$)`)
	for _, s := range all {
		if in.cost((len(s.Selector)+len(s.Backup))>>6) != nil {
			return false
		}
		if word.MatchString(s.Selector) || word.MatchString(s.Backup) {
			return true
		}
	}
	return false
}

// destText words where a dest sends the traffic.
func destText(v py.Value) string {
	switch {
	case py.IsNumber(v):
		return "port " + py.Print(v)
	case py.Equal(v, "default"), py.Equal(v, "postgres"), py.Equal(v, "pgbouncer"):
		return py.Print(v)
	}
	return "port 5432"
}

func (in *Input) serviceValues(c *model.Cluster, h model.Host, report func(Finding)) {
	old, now := in.services(h), in.NativeServices(h)
	if len(old) != len(now) {
		return
	}
	for i := range old {
		for _, e := range old[i].Dict.Entries() {
			n := now[i].Dict.Lookup(e.Key)
			if n == nil || in.repr(n.Value) == in.repr(e.Value) {
				continue
			}
			a, b := py.PrintIn(in.Budget(), e.Value), py.PrintIn(in.Budget(), n.Value)
			switch py.Print(e.Key) {
			case "dest":
				a, b = destText(e.Value), destText(n.Value)
			case "selector", "backup":
				a, b = in.repr(e.Value), in.repr(n.Value)
			}
			if a != b {
				report(Finding{At: e.At, Subject: string(c.Name) + " " + old[i].Name, What: fmt.Sprintf("%s of service %s: ansible ≤ 2.18: %s; ≥ 2.19: %s", py.Print(e.Key), old[i].Name, py.Cut(a), py.Cut(b)), Fix: "write the value without a template"})
			}
		}
	}
	in.nameless(c, h, old, report)
}

// nameless: a service without a name stops the loop before 2.19 only.
func (in *Input) nameless(c *model.Cluster, h model.Host, all []pigsty.Decl, report func(Finding)) {
	for i, d := range all {
		if d.Dict.Lookup("name") == nil && i+1 < len(all) {
			at := d.Dict.At
			if at.Line == 0 {
				at = in.var1(h, "pg_services")
			}
			report(Finding{At: at, Subject: string(c.Name), What: fmt.Sprintf("service number %d has no name: ansible ≤ 2.18 writes nothing after it, ≥ 2.19 writes the other %d", i+1, len(all)-i-1), Fix: "give the service a name"})
			return
		}
	}
}

var (
	typedFacts   = regexp.MustCompile(`(^|[^A-Za-z0-9_])(pg_group|pg_cluster_size|pg_seq_next|pg_primary_seq)([^A-Za-z0-9_]|$)`)
	numberCalls  = regexp.MustCompile(`(^|[^A-Za-z0-9_])(abs|ceil|floor|avg|sum|max|min|sort|sort_by|max_by|min_by)\(`)
	portableCall = regexp.MustCompile(`to_number\(\s*to_string\(`)
)

// newerAnsibleSelector: functions on numbers fail, facts become numbers.
func newerAnsibleSelector() Rule {
	return Rule{"newer-ansible-selector", Warning, "a selector that returns something else on ansible-core 2.19 and newer",
		"after an upgrade of Ansible the service loses its servers, or its file",
		func(in *Input, report func(Finding)) {
			for c, s := range in.each() {
				for _, q := range [][2]string{{"selector", s.Selector}, {"backup", s.Backup}} {
					key, text := q[0], q[1]
					f := Finding{At: in.at(s, key), Subject: title(c, s)}
					if m := typedFacts.FindStringSubmatch(text); m != nil {
						f.What = fmt.Sprintf("%s of service %s compares %s: ansible ≤ 2.18: a string within -l, ≥ 2.19: a number", key, s.Name, m[2])
						f.Fix = "compare with a variable of your own, or with both: " + m[2] + " == `1` || " + m[2] + " == '1'"
						report(f)
					}
					if m := numberCalls.FindStringSubmatch(text); m != nil && !portableCall.MatchString(text) && in.onNumbers(c, text) {
						f.What = fmt.Sprintf("%s of service %s calls %s on numbers: ansible ≤ 2.18: %s; ≥ 2.19: the service fails and its file is lost", key, s.Name, m[2], model.Join(names(s)))
						f.Fix = "sort with sort_by(@, &to_number(to_string(pg_seq))), which works on both"
						report(f)
					}
				}
			}
		}}
}

// onNumbers reports whether the selector names a variable that is a number.
func (in *Input) onNumbers(c *model.Cluster, text string) bool {
	for _, m := range c.Instances {
		for _, e := range in.Inventory.Host(string(m.Host)).All().Entries() {
			name, ok := py.Text(e.Key)
			if !ok || !strings.Contains(text, name) {
				continue
			}
			if v, _, err := in.Attr(m.Host, name); err == nil && py.IsNumber(v) {
				return true
			}
		}
	}
	return false
}

func names(s *model.Service) []model.InstanceName {
	var out []model.InstanceName
	for _, m := range s.Members {
		out = append(out, m.Name)
	}
	return out
}

// newerAnsibleRefused: Pigsty up to v3.6.1 does not run on 2.19 at all.
func newerAnsibleRefused() Rule {
	return Rule{"newer-ansible-refused", Info, "a Pigsty version that does not run on ansible-core 2.19 and newer",
		"pg_service fails there, and where every pg_seq is quoted it empties the directory first",
		func(in *Input, report func(Finding)) {
			if d := in.Model.Dialect; d != model.DialectV20 && d != model.DialectV27 || len(in.Model.Clusters) == 0 {
				return
			}
			f := Finding{At: source.Pos{File: in.Inventory.Source, Line: 1, Column: 1}, Subject: "inventory", What: "Pigsty up to v3.6.1: ansible ≤ 2.18 writes the files, ≥ 2.19 writes none", Fix: "keep ansible-core at 2.18 or older, or upgrade Pigsty to v3.7"}
			if e := in.Inventory.Hosts[0].All().Lookup("version"); e != nil {
				f.At = e.At
			}
			report(f)
		}}
}

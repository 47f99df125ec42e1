package model

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	filterForm = regexp.MustCompile(`^\s*\[\?(.*)\]\s*$`)
	equalForm  = regexp.MustCompile("^([a-z_]+)\\s*==\\s*[`']\"?([a-z0-9_.-]+)\"?[`']$")
	truthForm  = regexp.MustCompile(`^[a-z_]+$`)
)

// NoneSelected is why a service has no server by the inventory: what its selector demands
// and no instance has. A selector that is more than one or two simple terms is quoted.
func NoneSelected(svc *Service) string {
	out := fmt.Sprintf("the selector %s matches no instance of %s", svc.Selector, svc.Cluster)
	switch terms := filterTerms(svc.Selector); len(terms) {
	case 1:
		out = fmt.Sprintf("no instance of %s has %s", svc.Cluster, terms[0])
	case 2:
		out = fmt.Sprintf("no instance of %s has %s or %s", svc.Cluster, terms[0], terms[1])
	}
	if svc.Line.File != "" {
		out += fmt.Sprintf(" (%s:%d)", svc.Line.File, svc.Line.Line)
	}
	return out
}

// filterTerms are the alternatives of a filter, "pg_role offline", "pg_offline_query: true";
// nil for a filter that has other terms, and for what is no filter.
func filterTerms(selector string) []string {
	m := filterForm.FindStringSubmatch(selector)
	if m == nil {
		return nil
	}
	var out []string
	for _, term := range strings.Split(m[1], "||") {
		switch term = strings.TrimSpace(term); {
		case equalForm.MatchString(term):
			x := equalForm.FindStringSubmatch(term)
			out = append(out, x[1]+" "+x[2])
		case truthForm.MatchString(term):
			out = append(out, term+": true")
		default:
			return nil
		}
	}
	return out
}

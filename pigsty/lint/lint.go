// Package lint finds the mistakes of an inventory before they hurt: what
// HAProxy would refuse or silently do wrong, what Pigsty would not write, what
// a failover would bring to light. One file a rule; each rule is a pure
// function of the inventory as the playbook sees it.
package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/source"
)

// Severity says how bad a finding is. The zero Severity means "the rule's own".
type Severity int

// The severities, worst first.
const (
	Error   Severity = iota + 1 // files are not written, HAProxy refuses them, or clients reach the wrong server
	Warning                     // something does not do what it looks like, or will hurt later
	Info                        // worth knowing; nothing has to be done
)

// String is the word for the severity.
func (s Severity) String() string {
	return [...]string{"", "error", "warning", "info"}[s]
}

// Finding is one mistake at one place.
type Finding struct {
	Code     string // of the rule
	Severity Severity
	At       source.Pos
	Subject  string // cluster, service or host it is about
	What     string // what is wrong
	Why      string // what it does to the user
	Fix      string // what to write instead
}

// Rule is one kind of mistake.
type Rule struct {
	Code     string // stable, kebab-case
	Severity Severity
	Title    string // what it finds, in a few words
	Why      string // why it matters
	// Find reports the mistakes of this kind. It need not set Code, Severity
	// and Why, when the rule's own hold.
	Find func(in *Input, report func(Finding))
}

// All are the rules, in the order of docs/lint.md.
func All() []Rule {
	return slices.Concat(serviceRules(), portRules(), identityRules(), placeRules(), valueRules(), engineRules())
}

func serviceRules() []Rule {
	return []Rule{
		serviceFails(), selectorMatchesNobody(), selectorRepeats(), noPossibleServer(), offlineTwoNodes(), emptyAfterFailover(),
		unknownDest(), unknownCheck(), noCheck(), badBalance(), badMaxconn(), badName(), unknownField(), serviceOverridden(),
	}
}

func portRules() []Rule {
	return []Rule{duplicatePort(), portTaken(), badPort(), componentPort()}
}

func identityRules() []Rule {
	return []Rule{
		missingPrimary(), extraPrimary(), duplicateSeq(), badSeq(), mixedSeq(), badRole(), badClusterName(), clusterEverywhere(),
		noSuchGroup(), badWeight(), offlineQueryText(), hostNotAddress(),
	}
}

func placeRules() []Rule {
	return []Rule{
		prefixCollision(), fileCollision(), haproxyServiceWiped(), unknownProvider(), emptyProvider(), providerNotOnPrimary(),
		providerDisagrees(), membersDisagree(), providerWithoutCA(), haproxyDisabled(), duplicateVIP(), badVIP(),
	}
}

func valueRules() []Rule {
	return []Rule{rtoRejected(), rtoUnknown(), undefinedVariable(), unreadableValue(), duplicateKey(), oddInventory(), numberForm(), unknownVersion()}
}

func engineRules() []Rule {
	return []Rule{newerAnsibleFails(), newerAnsibleValue(), newerAnsibleSelector(), newerAnsibleRefused()}
}

// Run applies every rule and returns the findings by file and line; of one
// place the worst first. A mistake that several hosts share is reported once. The
// rules ask the play, and cost as it does: where that is too much there are no
// findings, and the play's Err has the reason.
func Run(p *pigsty.Play) []Finding {
	in := NewInput(p)
	var out []Finding
	seen := map[string]bool{}
	for _, r := range All() {
		if p.Err() != nil {
			return nil // half a judgement is none
		}
		r.Find(in, func(f Finding) {
			f.Code, f.Severity, f.Why = r.Code, cmp.Or(f.Severity, r.Severity), cmp.Or(f.Why, r.Why)
			f.At.File = cmp.Or(f.At.File, p.Inventory.Source)
			f.At.Line, f.At.Column = max(f.At.Line, 1), max(f.At.Column, 1)
			if key := fmt.Sprint(f.Code, f.At, f.Subject); !seen[key] {
				seen[key] = true
				out = append(out, f)
			}
		})
	}
	slices.SortStableFunc(out, byPlace)
	return out
}

// About are the findings about clusters, their services, their instances and the
// HAProxy nodes that expose them.
func About(found []Finding, cls []*model.Cluster) []Finding {
	subjects := map[string]bool{}
	for _, c := range cls {
		subjects[string(c.Name)] = true
		for i := range c.Instances {
			subjects[string(c.Instances[i].Name)], subjects[string(c.Instances[i].Host)] = true, true
		}
		for _, h := range c.HAProxies() {
			subjects[string(h)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool {
		name, _, _ := strings.Cut(f.Subject, " ")
		return !subjects[name]
	})
}

func byPlace(a, b Finding) int {
	return cmp.Or(strings.Compare(a.At.File, b.At.File), a.At.Line-b.At.Line, int(a.Severity-b.Severity), a.At.Column-b.At.Column)
}

// Worst is the worst severity among the findings, 0 when there is none.
func Worst(fs []Finding) Severity {
	worst := Severity(0)
	for _, f := range fs {
		if worst == 0 || f.Severity < worst {
			worst = f.Severity
		}
	}
	return worst
}

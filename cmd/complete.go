package cmd

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/plan"
	"pgtui/session"
)

// kind is what an argument or the value of a flag names.
type kind int

// The kinds. Instances, nodes and services are those of the cluster in the earlier
// arguments, or of all clusters.
const (
	anything kind = iota // nothing is offered
	files                // the shell's own
	plans                // files with a plan
	clusters
	members // clusters and instances
	instances
	nodes
	places  // clusters and nodes
	targets // clusters and entry points
	services
	haproxies
	hostsAndGroups
	undoables // clusters and plan ids
	contexts
	risks
	flushes
	units
	languages
)

// argumentKinds are the kinds of each command's arguments, in order; the last is that of
// all that follow. A command that is not here takes none.
func argumentKinds() map[string][]kind {
	return map[string][]kind{
		"": {clusters}, "demo": {clusters},
		"status": {clusters}, "doctor": {clusters}, "routes": {clusters}, "access": {clusters}, "candidates": {clusters}, "roles": {clusters},
		"ghosts": {clusters}, "states": {clusters}, "lint": {clusters}, "history": {clusters}, "render": {clusters}, "report": {clusters}, "record": {clusters}, "rules": {clusters}, "timeline": {clusters, anything}, "wait": {clusters},
		"patroni history": {clusters}, "components": {places}, "diff": {clusters, haproxies}, "reload": {clusters, haproxies},
		"trace": {targets, services}, "whatif": {clusters, anything}, "pgbouncer": {instances, anything}, "postgres": {instances, anything}, "logs": {nodes, anything}, "inventory": {hostsAndGroups, anything},
		"switchover": {clusters, anything}, "failover": {clusters, anything}, "restart": {members, anything}, "reinit": {instances, anything},
		"pause": {clusters, anything}, "resume": {clusters, anything}, "enable": {clusters, anything}, "patroni config": {clusters, anything},
		"patroni reload": {clusters, anything}, "patroni flush": {clusters, flushes, instances, anything},
		"drain": {instances, anything}, "undrain": {instances, anything}, "maint": {instances, anything}, "ready": {instances, anything},
		"cancel": {instances, anything}, "terminate": {instances, anything},
		"weight": {instances, anything}, "maintenance": {nodes, anything}, "apply": {plans, anything}, "replay": {files, anything}, "undo": {undoables, anything},
	}
}

// flagKinds are the kinds of the flags that have a value, by name. Those that choose
// among a few values know them.
func flagKinds() map[string]kind {
	return map[string]kind{
		"inventory": files, "ssh-config": files, "pigsty-home": files, "vault-password-file": files, "out": files, "dir": files, "script": files, "playbook-dir": files, "from": files,
		"candidate": instances, "serves": instances, "down": instances, "leader": instances, "down-node": nodes, "host": nodes, "haproxy": haproxies,
		"order": haproxies, "service": services, "context": contexts, "unit": units, "lang": languages, "accept-risk": risks,
	}
}

// completing reports whether the shell requests the words that may follow.
func completing(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// complete adds completion to every command below c: names of the inventory as
// far as reading it shows, without a program, a node or a change.
func (a *app) complete(c *cobra.Command) {
	name := strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), "pgtui"), " ")
	if kinds, ok := argumentKinds()[name]; ok {
		c.ValidArgsFunction = func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			return a.words(c, kinds[min(len(args), len(kinds)-1)], args, word)
		}
	} else if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	own := c.LocalNonPersistentFlags()
	if !c.HasParent() {
		own = c.PersistentFlags()
	}
	own.VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "bool" {
			return
		}
		_ = c.RegisterFlagCompletionFunc(f.Name, func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if of, ok := f.Value.(*choice); ok {
				return beginning(word, of.of, nil), cobra.ShellCompDirectiveNoFileComp
			}
			return a.words(c, flagKinds()[f.Name], args, word)
		})
	})
	for _, s := range c.Commands() {
		a.complete(s)
	}
}

// words are the names of a kind that begin with word, with what each is behind a tab.
func (a *app) words(c *cobra.Command, k kind, args []string, word string) ([]string, cobra.ShellCompDirective) {
	switch k {
	case files:
		return nil, cobra.ShellCompDirectiveDefault
	case plans:
		return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
	}
	a.Notice, a.Doing = nil, nil
	_ = a.configure(c) // a wrong file has no names
	return beginning(word, a.names(c, k, args, word), args), cobra.ShellCompDirectiveNoFileComp
}

// beginning are the names that begin with word, each once, without those that were
// typed before it.
func beginning(word string, names, typed []string) []string {
	var out []string
	for _, w := range names {
		if first, _, _ := strings.Cut(w, "\t"); strings.HasPrefix(first, word) && !slices.Contains(typed, first) && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// names are the names of a kind.
func (a *app) names(c *cobra.Command, k kind, args []string, word string) []string {
	switch k {
	case contexts:
		return contextNames(a.config)
	case risks:
		return acceptableRisks()
	case units:
		return unitNames()
	case languages:
		return lang.Names()
	case flushes:
		return []string{"switchover", "restart"}
	case anything:
		return nil
	}
	hosts, err := a.Names(c.Context())
	if err != nil {
		return nil
	}
	n := nameList{hosts, args}
	var out []string
	switch k {
	case clusters:
		return n.clusters()
	case members:
		return append(n.clusters(), n.instances()...)
	case instances:
		return n.instances()
	case nodes:
		return n.nodes()
	case places:
		return append(n.clusters(), n.nodes()...)
	case targets:
		for _, p := range a.EntryPoints {
			out = append(out, p.Name+"\tentry point "+p.Host)
		}
		return append(n.clusters(), out...)
	case services:
		return n.services(word)
	case haproxies:
		return n.haproxies()
	case undoables:
		return append(n.clusters(), a.planIDs()...)
	}
	return n.nodes()
}

// planIDs are the plans of the inventory that changed files, the newest first.
func (a *app) planIDs() []string {
	path, err := a.Find()
	if err != nil {
		return nil
	}
	log, err := a.AuditLog(path)
	if err != nil {
		return nil
	}
	var out []string
	for _, r := range slices.Backward(plan.RunsOf(plan.Runs(log.Records), session.SameInventory(session.Resolved(path)))) {
		if r.MayUndo() {
			out = append(out, r.Plan+"\t"+r.Action+" of "+string(r.Cluster)+", "+text.Moment(r.Began.Local()))
		}
	}
	return out
}

// nameList is an inventory's hosts, and the arguments before the word.
type nameList struct {
	hosts []pigsty.Named
	args  []string
}

// of are the hosts of the cluster that the arguments name, by its own name or by
// that of an instance; all where they name none.
func (n *nameList) of() []pigsty.Named {
	for _, arg := range n.args {
		var out []pigsty.Named
		for _, h := range n.hosts {
			if string(h.Cluster) == arg || h.Cluster != "" && slices.ContainsFunc(n.hosts, func(x pigsty.Named) bool { return string(x.Instance) == arg && x.Cluster == h.Cluster }) {
				out = append(out, h)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return n.hosts
}

func (n *nameList) clusters() []string {
	var out []string
	seen := map[model.ClusterName]bool{"": true}
	for _, h := range n.hosts {
		if !seen[h.Cluster] {
			seen[h.Cluster] = true
			out = append(out, string(h.Cluster))
		}
	}
	return out
}

func (n *nameList) instances() []string {
	var out []string
	for _, h := range n.of() {
		if h.Instance != "" {
			out = append(out, string(h.Instance)+"\t"+string(h.Host))
		}
	}
	return out
}

// nodes are named by their nodename, else their instance, else their address.
func (n *nameList) nodes() []string {
	var out []string
	for _, h := range n.of() {
		if name := cmp.Or(h.Node, string(h.Instance)); name != "" && name != string(h.Host) {
			out = append(out, name+"\t"+string(h.Host))
		}
		out = append(out, string(h.Host))
	}
	return out
}

func (n *nameList) haproxies() []string {
	var out []string
	for _, h := range n.of() {
		if h.Cluster != "" {
			out = append(out, string(h.Host)+"\t"+string(h.Instance))
		}
	}
	return out
}

// services are the services' names, and their ports where word begins like one.
func (n *nameList) services(word string) []string {
	var out []string
	seen := map[model.ClusterName]bool{}
	for _, h := range n.of() { // the same on every host of a cluster
		if h.Cluster == "" || seen[h.Cluster] {
			continue
		}
		seen[h.Cluster] = true
		for _, s := range h.Services() {
			one := s.Name + "\tport " + s.Port
			if word != "" && word[0] >= '0' && word[0] <= '9' {
				one = s.Port + "\t" + s.Name
			}
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}

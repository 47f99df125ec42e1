package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/session"
	"pgtui/source"
)

type inventoryOptions struct {
	list, graph, vars, export bool
	host                      *string // nil without --host
	playbooks                 string
	output                    format
}

func (a *app) inventoryCmd() *cobra.Command {
	var o inventoryOptions
	var host string
	c := &cobra.Command{
		Use:   "inventory [--list|--host HOST|--graph [group]|host-pattern]",
		Short: "What Ansible makes of the inventory, and where each value comes from",
		Long: "Without a flag: the variables that decide each cluster's services, with the file and\n" +
			"line of the definition that won; -o json adds the whole value and the definitions that lost.\n" +
			"With --list, --host or --graph: the output of ansible-inventory, byte for byte.\n\n" +
			"--list, --host and --graph --vars print every variable, passwords included, as\n" +
			"ansible-inventory does. Values of !vault stay encrypted.",
		Args: upTo(1, "host pattern"),
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("host") {
				o.host = &host
			}
			if c.Flags().Changed("output") && (o.list || o.host != nil || o.graph) {
				return wrong("-o cannot be combined with --list, --host or --graph: they print what ansible-inventory prints")
			}
			return a.inventory(c.Context(), &o, args)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.list, "list", false, "print the inventory as JSON, as ansible-inventory --list; secrets included")
	f.StringVar(&host, "host", "", "print the variables of one host as JSON; secrets included")
	f.BoolVar(&o.graph, "graph", false, "print the tree of groups and hosts")
	f.BoolVar(&o.vars, "vars", false, "with --graph: print the variables too; secrets included")
	f.BoolVar(&o.export, "export", false, "with --list: keep variables with the group or host that defines them")
	outputFlag(c, &o.output, "without another flag", "table", "json")
	f.StringVar(&o.playbooks, "playbook-dir", "", "with --list, --host and --graph: include the vars files beside these playbooks, as ansible-inventory does")
	c.MarkFlagsMutuallyExclusive("list", "host", "graph")
	return c
}

func (a *app) inventory(ctx context.Context, o *inventoryOptions, args []string) error {
	if !o.list && o.host == nil && !o.graph {
		return a.origins(ctx, o, args)
	}
	if len(args) > 0 && !o.graph {
		return wrong("--list and --host take no argument: %s", text.Line(args[0], 100))
	}
	inv, err := a.Variables(ctx, o.playbooks)
	if err != nil {
		return err
	}
	for _, w := range inv.Warnings {
		a.warn(source.Problem{At: w.At, Subject: "inventory", What: w.Text})
	}
	switch {
	case o.list:
		return a.printValue(inv, inv.List(o.export))
	case o.host != nil:
		return a.printHost(inv, *o.host)
	}
	args = append(args, "all")
	tree, err := inv.Graph(args[0], o.vars)
	if err == nil {
		_, err = io.WriteString(a.io.Out, text.Block(tree))
	}
	return err
}

// origins prints where the values that matter come from, for a cluster or the
// hosts of a pattern, as the playbook sees them.
func (a *app) origins(ctx context.Context, o *inventoryOptions, args []string) error {
	play, err := a.Play(ctx)
	if err != nil {
		return err
	}
	found, err := session.OriginsOf(play, strings.Join(args, ""))
	if !o.output.document() {
		for _, p := range found.Problems {
			a.warn(p)
		}
	}
	if err != nil {
		return err
	}
	return a.reply(o.output, 0,
		func() any { return jsonv1.NewOrigins(play.Model, &found) },
		func(w show.Out) {
			fmt.Fprintln(w, dialectLine(play.Model))
			show.Origins(w, found.Rows)
		})
}

// printValue prints a value as ansible-inventory does.
func (a *app) printValue(inv *inventory.Inventory, v py.Value) error {
	out, err := inventory.JSONIn(inv.Budget(), v)
	if err != nil {
		return err
	}
	_, err = a.io.Out.Write(append(out, '\n'))
	return err
}

func (a *app) printHost(inv *inventory.Inventory, pattern string) error {
	hosts, err := inv.Match(pattern)
	if err != nil {
		return err
	}
	if len(hosts) != 1 {
		return &source.Hint{Err: fmt.Errorf("%q is %d hosts of %s: expected one", pattern, len(hosts), inv.Source), Try: "pgtui inventory --graph", Usage: true}
	}
	return a.printValue(inv, inv.HostVars(hosts[0]))
}

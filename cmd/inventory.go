package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/render"
	"pgtui/source"
	"pgtui/source/budget"
)

func (a *app) inventoryCmd() *cobra.Command {
	var list, graph, vars, export bool
	var host, playbooks, output string
	c := &cobra.Command{
		Use:   "inventory [--list|--host HOST|--graph [group]|host-pattern]",
		Short: "What Ansible makes of the inventory, and where each value comes from",
		Long: "Without a flag: the variables that decide each cluster's services, with the file and\n" +
			"line of the definition that won; -o json adds the whole value and the definitions that lost.\n" +
			"With --list, --host or --graph: what ansible-inventory\n" +
			"prints, byte for byte.\n\n" +
			"--list, --host and --graph --vars print every variable, passwords included, as\n" +
			"ansible-inventory does. Values of !vault stay encrypted.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !list && !cmd.Flags().Changed("host") && !graph {
				return a.showOrigins(cmd.Context(), args, output)
			}
			if len(args) > 0 && !graph {
				return wrong("--list and --host take no argument: %s", text.Line(args[0], 100))
			}
			if cmd.Flags().Changed("output") {
				return wrong("-o and --list, --host and --graph exclude each other: those print what ansible-inventory prints")
			}
			path, err := a.findInventory()
			if err != nil {
				return err
			}
			inv, _, err := a.readFile(cmd.Context(), budget.New(), path, playbooks, newInputs())
			if err != nil {
				return err
			}
			for _, w := range inv.Warnings {
				a.warn(source.Problem{At: w.At, Subject: "inventory", What: w.Text})
			}
			arg := "all"
			if len(args) > 0 {
				arg = args[0]
			}
			switch {
			case list:
				return a.printJSON(inv, inv.List(export))
			case !graph:
				return a.printHost(inv, host)
			}
			raw, err := inv.Graph(arg, vars)
			if err == nil {
				_, err = io.WriteString(a.io.Out, text.Block(raw))
			}
			return err
		},
	}
	f := c.Flags()
	f.BoolVar(&list, "list", false, "print the inventory as JSON, as ansible-inventory --list; secrets included")
	f.StringVar(&host, "host", "", "print the variables of one host as JSON; secrets included")
	f.BoolVar(&graph, "graph", false, "print the tree of groups and hosts")
	f.BoolVar(&vars, "vars", false, "with --graph: print the variables too; secrets included")
	f.BoolVar(&export, "export", false, "with --list: leave variables with the group or host they are written for")
	f.StringVarP(&output, "output", "o", "table", "table or json, without another flag")
	f.StringVar(&playbooks, "playbook-dir", "", "with --list, --host and --graph: count the vars files beside these playbooks too, as ansible-inventory does")
	c.MarkFlagsMutuallyExclusive("list", "host", "graph")
	return c
}

// showOrigins prints where the values that matter come from, for a cluster or
// the hosts of a pattern, as the playbook sees them.
func (a *app) showOrigins(ctx context.Context, args []string, output string) error {
	if err := expect("-o", output, "table", "json"); err != nil {
		return err
	}
	play, err := a.play(ctx)
	if err != nil {
		return err
	}
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	found, err := originsOf(play, name)
	if output == "json" {
		if err != nil {
			return err
		}
		return printJSON(a.io.Out, jsonv1.NewOrigins(play.Model, &found))
	}
	for _, p := range found.Problems {
		a.warn(p)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(a.io.Out, dialectLine(play.Model))
	return printOrigins(a.io.Out, found.Rows)
}

// originsOf says where the values of a cluster, or of the hosts of a pattern,
// come from; of all hosts when name is "". The problems of the inventory are
// there even with an error. What may be a secret is masked.
func originsOf(play *pigsty.Play, name string) (source.Origins, error) {
	inv := play.Inventory
	out := source.Origins{Source: inv.Source, Hash: play.Model.Hash, Problems: slices.Clone(play.Model.Problems)}
	hosts, err := originHosts(play, name)
	if err != nil {
		return out, err
	}
	out.Rows = inventory.Origins(inv, hosts)
	if err := play.Err(); err != nil {
		return out, err
	}
	for i := range out.Rows {
		o := &out.Rows[i]
		maskDefinition(&o.Definition)
		for k := range o.Hid {
			maskDefinition(&o.Hid[k])
		}
	}
	if len(out.Rows) == 0 {
		return out, errors.New("no cluster: no host has a pg_cluster")
	}
	for i := range play.Model.Clusters {
		c := &play.Model.Clusters[i]
		if slices.ContainsFunc(c.Instances, func(in model.Instance) bool {
			return slices.ContainsFunc(hosts, func(h *inventory.Host) bool { return h.Name == string(in.Host) })
		}) {
			out.Problems = append(out.Problems, c.Problems...)
		}
	}
	return out, nil
}

// originHosts are the hosts that a pattern matches, and the members of the
// cluster of that name.
func originHosts(play *pigsty.Play, name string) ([]*inventory.Host, error) {
	inv := play.Inventory
	if name == "" {
		name = "all"
	}
	hosts, err := inv.Match(name)
	if c := play.Model.Cluster(model.ClusterName(name)); c != nil {
		for _, in := range c.Instances {
			if h := inv.Host(string(in.Host)); h != nil && !slices.Contains(hosts, h) {
				hosts, err = append(hosts, h), nil
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		return nil, &source.Hint{Err: fmt.Errorf("no host matches %q in %s", name, inv.Source), Try: "pgtui inventory --graph", Usage: true}
	}
	return hosts, nil
}

// maskDefinition masks what would be a secret in an HAProxy configuration.
func maskDefinition(d *source.Definition) {
	d.Value = render.MaskSecrets(d.Value)
	for i := range d.Text {
		d.Text[i] = render.MaskSecrets(d.Text[i])
	}
}

func (a *app) printJSON(inv *inventory.Inventory, v py.Value) error {
	text, err := inventory.JSONIn(inv.Budget(), v)
	if err != nil {
		return err
	}
	_, err = a.io.Out.Write(append(text, '\n'))
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
	return a.printJSON(inv, inv.HostVars(hosts[0]))
}

// printOrigins is the table of where values come from.
func printOrigins(w io.Writer, rows []source.Origin) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CLUSTER\tHOST\tVARIABLE\tVALUE\tFROM")
	for i := range rows {
		o := &rows[i]
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", dash(text.Line(string(o.Cluster), 40)), text.Line(o.Where(), 60), o.Variable,
			text.Line(o.Value, 60), text.Line(o.From(), 120))
	}
	return tw.Flush()
}

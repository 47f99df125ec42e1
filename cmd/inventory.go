package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pgtui/internal/safe"
	"pgtui/model"
	"pgtui/model/inventory"
	"pgtui/model/py"
)

func (a *app) inventoryCmd() *cobra.Command {
	var list, graph, vars, export bool
	var host, playbooks string
	c := &cobra.Command{
		Use:   "inventory [--list|--host HOST|--graph [group]|host-pattern]",
		Short: "What Ansible makes of the inventory, and where each value comes from",
		Long: "Without a flag: the variables that decide each cluster's services, with the file and\n" +
			"line of the definition that won. With --list, --host or --graph: what ansible-inventory\n" +
			"prints, byte for byte.\n\n" +
			"--list, --host and --graph --vars print every variable, passwords included, as\n" +
			"ansible-inventory does. Values of !vault stay encrypted.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !list && host == "" && !graph {
				return a.showOrigins(cmd.Context(), args)
			}
			path, err := findInventory(a.inventory, a.io.Getenv)
			if err != nil {
				return err
			}
			inv, _, err := a.readFile(cmd.Context(), path, playbooks)
			if err != nil {
				return err
			}
			for _, w := range inv.Warnings {
				a.warn(model.Problem{At: w.At, Subject: "inventory", What: w.Text})
			}
			arg := "all"
			if len(args) > 0 {
				arg = args[0]
			}
			switch {
			case list:
				return a.printJSON(inv.List(export))
			case host != "":
				return a.printHost(inv, host)
			}
			text, err := inv.Graph(arg, vars)
			if err == nil {
				_, err = io.WriteString(a.io.Out, printable(text))
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
	f.StringVar(&playbooks, "playbook-dir", "", "with --list, --host and --graph: count the vars files beside these playbooks too, as ansible-inventory does")
	c.MarkFlagsMutuallyExclusive("list", "host", "graph")
	return c
}

// showOrigins prints where the values that matter come from, for the hosts of
// a pattern, as the playbook sees them.
func (a *app) showOrigins(ctx context.Context, args []string) error {
	play, err := a.play(ctx)
	if err != nil {
		return err
	}
	inv, pattern := play.Inventory, "all"
	if len(args) > 0 {
		pattern = args[0]
	}
	for _, p := range play.Model.Problems {
		a.warn(p)
	}
	hosts, err := inv.Match(pattern)
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		return &model.Hint{Err: fmt.Errorf("no host matches %q in %s", pattern, inv.Source), Try: "pgtui inventory --graph"}
	}
	fmt.Fprintln(a.io.Out, dialectLine(play.Model))
	return printOrigins(a.io.Out, inventory.Origins(inv, hosts))
}

func (a *app) printJSON(v py.Value) error {
	_, err := fmt.Fprintf(a.io.Out, "%s\n", inventory.JSON(v))
	return err
}

func (a *app) printHost(inv *inventory.Inventory, pattern string) error {
	hosts, err := inv.Match(pattern)
	if err != nil {
		return err
	}
	if len(hosts) != 1 {
		return &model.Hint{Err: fmt.Errorf("%q is %d hosts of %s: expected one", pattern, len(hosts), inv.Source), Try: "pgtui inventory --graph"}
	}
	return a.printJSON(inv.HostVars(hosts[0]))
}

// printable keeps line breaks and makes the rest harmless for a terminal.
func printable(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.Map(func(r rune) rune {
			if r == '\n' || r == '\t' || r >= ' ' && r != 0x7f && (r < 0x80 || r > 0x9f) {
				return r
			}
			return '?'
		}, line))
	}
	return b.String()
}

// printOrigins is the table of where values come from.
func printOrigins(w io.Writer, clusters []inventory.Origin) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CLUSTER\tHOST\tVARIABLE\tVALUE\tFROM")
	for _, o := range clusters {
		cluster, hosts := o.Cluster, strings.Join(o.Hosts, " ")
		if cluster == "" {
			cluster = "–"
		}
		if o.All {
			hosts = fmt.Sprintf("all %d", len(o.Hosts))
		} else if len(o.Hosts) > 3 {
			hosts = fmt.Sprintf("%s and %d more", strings.Join(o.Hosts[:2], " "), len(o.Hosts)-2)
		}
		from := o.At.File
		if o.At.Line > 0 {
			from = fmt.Sprintf("%s:%d", o.At.File, o.At.Line)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", safe.Text(cluster, 40), safe.Text(hosts, 60), o.Variable, safe.Text(o.Value, 60), safe.Text(from, 120))
	}
	if len(clusters) == 0 {
		return errors.Join(tw.Flush(), errors.New("no cluster: no host has a pg_cluster"))
	}
	return tw.Flush()
}

package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

func (a *app) componentsCmd() *cobra.Command {
	var output string
	var noSSH bool
	c := &cobra.Command{
		Use:   "components [cluster|node]",
		Short: "What Pigsty runs on each node: port, reachable, health, version; exits as status",
		Long: "components asks everything that Pigsty runs on the nodes of a cluster, on one node, or on all\n" +
			"nodes whether it is well: over the network, and systemd over SSH. It changes nothing. Exit codes:\n" +
			"0 all is well, 1 something only watches and is not well, 2 something that carries traffic is\n" +
			"not well, 3 nothing is wrong and something is unknown.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			unknown := int(model.HealthUnknown)
			if err := expect("-o", output, "table", "json"); err != nil {
				return err
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return exit(unknown, err)
			}
			nodes, err := nodesOf(inv, args)
			if err != nil {
				return exit(unknown, err)
			}
			rows := a.componentsOf(cmd.Context(), inv, nodes, !noSSH)
			health, summary := model.ComponentsHealth(rows)
			if output == "json" {
				enc := json.NewEncoder(a.io.Out)
				enc.SetIndent("", "  ")
				enc.SetEscapeHTML(false)
				if err := enc.Encode(jsonv1.NewComponents(inv, nodes, rows, now())); err != nil {
					return err
				}
			} else {
				printComponents(a.io.Out, nodes, rows)
				fmt.Fprintf(a.io.Out, "\n%s %s  %s\n", mark(health), health, text.Line(summary, 200))
			}
			return exit(int(health), nil)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	c.Flags().BoolVar(&noSSH, "no-ssh", false, "ask over the network only: what listens on no port is unknown")
	return c
}

// componentsOf asks everything that Pigsty runs on nodes whether it is well, and
// with ssh systemd as well.
func (a *app) componentsOf(ctx context.Context, inv *model.Inventory, nodes []*model.Node, ssh bool) []model.ComponentRow {
	p := a.prober()
	var facts map[model.Host]source.Observed[model.NodeFacts]
	if ssh {
		facts = a.nodes().Facts(ctx, nodes)
	}
	return model.Components(nodes, p.Components(ctx, inv, nodes, facts))
}

// nodesOf are the nodes of a cluster, with those of its provider; the node of
// that name or address; or all.
func nodesOf(inv *model.Inventory, args []string) ([]*model.Node, error) {
	var out []*model.Node
	add := func(h model.Host) {
		if n := inv.Node(h); n != nil && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if len(args) == 0 {
		for i := range inv.Nodes {
			add(inv.Nodes[i].Host)
		}
		return out, nil
	}
	if c := inv.Cluster(model.ClusterName(args[0])); c != nil {
		for i := range c.Instances {
			add(c.Instances[i].Host)
		}
		for i := range c.LoadBalancers {
			add(c.LoadBalancers[i].Host)
		}
		return out, nil
	}
	for i := range inv.Nodes {
		if n := &inv.Nodes[i]; string(n.Host) == args[0] || n.Name == args[0] {
			add(n.Host)
		}
	}
	if len(out) == 0 {
		return nil, &source.Hint{Err: fmt.Errorf("no cluster and no node %q in %s", args[0], inv.Source), Try: "pgtui components, for all nodes", Usage: true}
	}
	return out, nil
}

// printComponents is a block a node.
func printComponents(w io.Writer, nodes []*model.Node, rows []model.ComponentRow) {
	for i, n := range nodes {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s  %s\n", n.Host, n.Name)
		tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(tw, "  COMPONENT\tMODULE\tPORT\tHEALTH\tVERSION\tMS\tWHY")
		for k := range rows {
			r := &rows[k]
			if r.Host != n.Host {
				continue
			}
			st := r.State.Value
			port, ms := "–", "–"
			if r.Port > 0 && r.Ask != model.AskUnit {
				port = fmt.Sprint(r.Port)
			}
			if st.Reachable && r.Ask != model.AskUnit {
				ms = msText(r.State.Took)
			}
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Module, port, st.Health, dash(text.Line(st.Version, 30)), ms, text.Line(st.Why, 160))
		}
		tw.Flush()
	}
}

// dash stands for a text that is not there.
func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// msText is a time in milliseconds, to a tenth below ten.
func msText(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

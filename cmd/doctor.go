package cmd

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/cmd/jsonv1"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

func (a *app) doctorCmd() *cobra.Command {
	var output string
	var count int
	c := &cobra.Command{
		Use:   "doctor [cluster]",
		Short: "All that is wrong, worst first, each with its evidence and what to type; exits as status",
		Long: "doctor asks Patroni and HAProxy as status does, connects through every service port,\n" +
			"and reads the HAProxy files and processes of each node over SSH. It changes nothing.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			unknown := int(model.HealthUnknown)
			if err := cmp.Or(expect("-o", output, "table", "json"), within("--count", count, 0, mostConnections)); err != nil {
				return err
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return exit(unknown, err)
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return exit(unknown, err)
			}
			// What the nodes hold is judged by what Patroni and HAProxy say
			// afterwards.
			prober := a.prober()
			var look apply.Examination
			var nodes map[model.Host]source.Observed[model.NodeFacts]
			var faults [2]error
			var g guard.Group
			g.Go("examining the nodes", func() { look = a.applier(inv.Source).Examine(cmd.Context(), inv, cls) }, func(err error) { faults[0] = err })
			g.Go("asking who has the VIP", func() { nodes = a.nodes().Addresses(cmd.Context(), vipNodes(inv, cls)) }, func(err error) { faults[1] = err })
			g.Wait()
			if err := errors.Join(faults[:]...); err != nil {
				return exit(unknown, err)
			}
			var snap *model.Snapshot
			if count > 0 {
				snap, err = proven(cmd.Context(), prober, inv, cls, count)
			} else {
				snap, err = prober.Probe(cmd.Context(), inv, only(cls)...)
			}
			if err != nil {
				return exit(unknown, err)
			}
			snap.Conf, snap.Workers, snap.Servers, snap.Nodes = look.Conf, look.Workers, look.Servers, nodes
			boards := boardsOf(snap, cls, now())
			if output == "json" {
				enc := json.NewEncoder(a.io.Out)
				enc.SetIndent("", "  ")
				enc.SetEscapeHTML(false)
				if err := enc.Encode(jsonv1.NewDoctor(snap, boards, now())); err != nil {
					return err
				}
			} else {
				printDoctor(a.io.Out, boards)
			}
			return exit(int(worst(boards)), nil)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	c.Flags().IntVar(&count, "count", 2, "real connections through each port of each HAProxy; 0 makes none")
	return c
}

// vipNodes are the nodes that may have the VIP of one of the clusters.
func vipNodes(inv *model.Inventory, cls []*model.Cluster) []*model.Node {
	var out []*model.Node
	for _, c := range cls {
		for i := range c.Instances {
			if n := inv.Node(c.Instances[i].Host); c.VIP != "" && n != nil && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// printDoctor writes the findings of each cluster, worst first, and says what
// they rest on where there are none.
func printDoctor(w io.Writer, boards []board.Board) {
	for i := range boards {
		b := &boards[i]
		fmt.Fprintf(w, "%s  %s %s  %s\n", b.Cluster.Name, mark(b.Health), b.Health, text.Line(b.Summary, 200))
		if len(b.Findings) == 0 {
			fmt.Fprintf(w, "  nothing found on %d HAProxy nodes and %d instances\n", len(b.Cluster.LoadBalancers), len(b.Cluster.Instances))
		}
		for n, f := range b.Findings {
			fmt.Fprintf(w, "  %d. %s [%s]: %s\n", n+1, f.Severity, f.Code, text.Line(f.Summary, 240))
			for _, e := range f.Evidence {
				fmt.Fprintf(w, "       %s\n", text.Line(e, 400))
			}
			if f.Hint != "" {
				fmt.Fprintf(w, "     → %s\n", text.Line(f.Hint, 400))
			}
		}
	}
}

package cmd

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
)

func (a *app) routesCmd() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "routes [cluster]",
		Short: "node:port → instance, a line for each HAProxy and service; exits as status does",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := expect("-o", output, "table", "json"); err != nil {
				return err
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return exit(int(model.HealthUnknown), err)
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return exit(int(model.HealthUnknown), err)
			}
			snap, err := a.prober().Probe(cmd.Context(), inv, only(cls)...)
			if err != nil {
				return exit(int(model.HealthUnknown), err)
			}
			at := now()
			boards := boardsOf(snap, cls, at)
			if output == "json" {
				enc := json.NewEncoder(a.io.Out)
				enc.SetIndent("", "  ")
				enc.SetEscapeHTML(false)
				if err := enc.Encode(jsonv1.NewRoutes(boards, at)); err != nil {
					return err
				}
			} else {
				a.printRoutes(boards, at)
			}
			return exit(int(worst(boards)), nil)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

func (a *app) printRoutes(boards []board.Board, at time.Time) {
	tw := tabwriter.NewWriter(a.io.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "HAPROXY\tPORT\tCLUSTER\tSERVICE\tSERVES\tVERDICT\tAGE\tWHY")
	for i := range boards {
		for _, r := range boards[i].Routes {
			for _, v := range r.Views {
				serves, age := "–", "–"
				if len(v.Serving) > 0 {
					serves = servers(v.Serving, []board.View{v})
				}
				if !v.At.IsZero() {
					age = at.Sub(v.At).Round(time.Millisecond).String()
				}
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.HAProxy, r.Port, boards[i].Cluster.Name, r.Service, serves, v.Verdict, age, text.Line(v.Why, 120))
			}
		}
	}
	tw.Flush()
}

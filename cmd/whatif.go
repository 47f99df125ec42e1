package cmd

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/safe"
	"pgtui/model"
)

func (a *app) whatifCmd() *cobra.Command {
	var down []string
	var leader, output string
	c := &cobra.Command{
		Use:   "whatif <cluster> --down <instance> [--leader <instance>]",
		Short: "On paper: who would serve each port if an instance were gone, or another one led",
		Args:  needs(1, "cluster", "pgtui whatif pg-test --down pg-test-1"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(down) == 0 && leader == "" {
				return misuse("pgtui whatif "+args[0]+" --down "+args[0]+"-1", "suppose what? --down or --leader names an instance")
			}
			if err := expect("-o", output, "table", "json"); err != nil {
				return err
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return err
			}
			snap, err := a.prober().Probe(cmd.Context(), inv, only(cls)...)
			if err != nil {
				return err
			}
			sup := model.Supposition{Leader: model.InstanceName(leader)}
			for _, d := range down {
				sup.Down = append(sup.Down, model.InstanceName(d))
			}
			at := now()
			out, err := model.WhatIf(snap, cls[0], sup, at)
			if err != nil {
				return err
			}
			if output == "json" {
				enc := json.NewEncoder(a.io.Out)
				enc.SetIndent("", "  ")
				return enc.Encode(jsonv1.NewWhatIf(sup, out, at))
			}
			a.printWhatIf(out)
			return nil
		},
	}
	c.Flags().StringSliceVar(&down, "down", nil, "instances that are gone")
	c.Flags().StringVar(&leader, "leader", "", "the instance that leads then (default: the likely one)")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

func (a *app) printWhatIf(out model.Outcome) {
	leader := string(out.Leader)
	if leader == "" {
		leader = "nobody"
	}
	fmt.Fprintf(a.io.Out, "%s  leader %s → %s (%s)\n\n", out.After.Cluster.Name, leaderText(&out.Before), leader, safe.Text(out.Why, 200))
	tw := tabwriter.NewWriter(a.io.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "  PORT\tSERVICE\tNOW\tTHEN\tSESSIONS CUT\tWHY")
	for i, r := range out.After.Routes {
		why := ""
		if r.Verdict != model.Serving {
			why = r.Why
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%d\t%s\n", r.Port, r.Service, serves(out.Before.Routes[i]), serves(r), out.Cut[r.Service], safe.Text(why, 160))
	}
	tw.Flush()
	fmt.Fprintln(a.io.Out, "\n  once every check has settled; a failover itself takes Patroni's ttl and HAProxy's checks")
}

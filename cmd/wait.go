package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/check"
)

// mostWait is the longest --timeout.
const mostWait = 30 * 24 * time.Hour

func (a *app) waitCmd() *cobra.Command {
	var service, serves string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait <cluster> --service <name> --serves <instance>",
		Short: "Wait until every HAProxy sends a service to an instance; exits 0 then, 1 when time is up",
		Args:  needs(1, "cluster", "pgtui wait pg-test --serves pg-test-1"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := lasting("--timeout", timeout, time.Millisecond, mostWait); err != nil {
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
			if !slices.ContainsFunc(cls[0].Services(), func(s *model.Service) bool { return string(s.Name) == service }) {
				return misuse("--service primary", "%s has no service %q", args[0], service)
			}
			if serves != "" && cls[0].Instance(model.InstanceName(serves)) == nil {
				return misuse("--serves "+args[0]+"-1", "%s has no instance %q", args[0], serves)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return a.wait(ctx, inv, cls[0], model.ServiceName(service), model.InstanceName(serves))
		},
	}
	c.Flags().StringVar(&service, "service", "primary", "the service to watch")
	c.Flags().StringVar(&serves, "serves", "", "the instance that must serve it, alone or among others (default: any)")
	c.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait")
	return c
}

// wait watches until all HAProxies agree that the instance serves the service.
func (a *app) wait(ctx context.Context, inv *model.Inventory, c *model.Cluster, service model.ServiceName, serves model.InstanceName) error {
	t0, last := now(), ""
	for snap := range a.prober().Watch(ctx, inv, 500*time.Millisecond, c.Name) {
		b := check.Board(snap, c, now())
		r := b.Route(service)
		if ok := r.Agreed && len(r.Silent) == 0 && len(r.Serving) > 0 && (r.Verdict == model.Serving || r.Verdict == model.BackupServing); ok &&
			(serves == "" || slices.Contains(r.Serving, serves)) {
			fmt.Fprintf(a.io.Out, "%s %s is served by %s on all HAProxies after %s\n", c.Name, service, model.Join(r.Serving), now().Sub(t0).Round(100*time.Millisecond))
			return nil
		}
		last = string(r.Verdict) + ": " + r.Why
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return exit(1, fmt.Errorf("time is up after %s; %s %s is %s", now().Sub(t0).Round(time.Second), c.Name, service, text.Line(last, 300)))
	}
	return ctx.Err()
}

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
	"pgtui/source"
)

// mostWait is the longest --timeout.
const mostWait = 30 * 24 * time.Hour

type waitOptions struct {
	service, serves string
	timeout         time.Duration
}

func (a *app) waitCmd() *cobra.Command {
	var o waitOptions
	c := &cobra.Command{
		Use:   "wait <cluster…> --service <name> --serves <instance>",
		Short: "Wait until every HAProxy sends a service to an instance; exits 0 then, 1 after the timeout",
		Args:  needs(0, "cluster", "pgtui wait pg-test --serves pg-test-1"),
		RunE:  verb(&o, a.wait),
	}
	c.Flags().StringVar(&o.service, "service", "primary", "the service to watch")
	c.Flags().StringVar(&o.serves, "serves", "", "the instance that must serve it, alone or among others (default: any)")
	c.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait")
	return c
}

// wait watches until all HAProxies agree that the instance serves the service.
func (a *app) wait(ctx context.Context, o *waitOptions, names []string) error {
	if err := lasting("--timeout", o.timeout, time.Millisecond, mostWait); err != nil {
		return err
	}
	inv, cls, err := a.matching(ctx, 1, names...)
	if err != nil {
		return err
	}
	if o.serves != "" && len(cls) > 1 {
		return misuse("pgtui wait "+string(cls[0].Name)+" --serves "+o.serves, "--serves takes one cluster, and got %d", len(cls))
	}
	services := make([]model.ServiceName, len(cls))
	for i, c := range cls {
		svc, err := c.ServiceOf(o.service)
		if err != nil {
			return err
		}
		services[i] = svc.Name
	}
	serves := model.InstanceName(o.serves)
	if serves != "" {
		if _, err := cls[0].InstanceNamed(serves); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	t0 := now()
	for i, c := range cls {
		if err := a.waitFor(ctx, inv, c, services[i], serves, t0); err != nil {
			return err
		}
	}
	return nil
}

// waitFor is wait for one cluster, since t0.
func (a *app) waitFor(ctx context.Context, inv *model.Inventory, c *model.Cluster, service model.ServiceName, serves model.InstanceName, t0 time.Time) error {
	last := "not probed yet"
	defer a.doing(fmt.Sprintf("waiting for %s %s", c.Name, service))()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for snap := range a.Prober().Watch(ctx, inv, 500*time.Millisecond, c.Name) {
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
		return exit(1, fmt.Errorf("timed out after %s: %s %s is %s", now().Sub(t0).Round(time.Second), c.Name, service, text.Line(last, 300)))
	}
	return source.Ended(ctx)
}

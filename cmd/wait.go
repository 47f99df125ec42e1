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
		Use:   "wait <cluster> --service <name> --serves <instance>",
		Short: "Wait until every HAProxy sends a service to an instance; exits 0 then, 1 after the timeout",
		Args:  needs(1, "cluster", "pgtui wait pg-test --serves pg-test-1"),
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
	inv, cls, err := a.open(ctx, 1, names...)
	if err != nil {
		return err
	}
	c, serves := cls[0], model.InstanceName(o.serves)
	svc, err := c.ServiceOf(o.service)
	if err != nil {
		return err
	}
	if serves != "" {
		if _, err := c.InstanceNamed(serves); err != nil {
			return err
		}
	}
	service := svc.Name
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	t0, last := now(), ""
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

package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/session"
)

// patroniFlags are the flags of every action that calls Patroni.
type patroniFlags struct {
	actFlags
	ssh bool
	why string
}

func (o *patroniFlags) add(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&o.ssh, "ssh", false, "send the calls to Patroni through SSH from its own node, where its allowlist does not have this machine")
	c.Flags().StringVar(&o.why, "why", "", "the reason, kept in the audit file")
	return o.actFlags.add(c)
}

// scheduleFlag adds --schedule.
func scheduleFlag(c *cobra.Command, to *string) {
	c.Flags().StringVar(to, "schedule", "", "have Patroni do it by itself at this `time`: RFC 3339, 15:04 for the next one, or 2h from now")
}

// perform checks the flags, loads the inventory, and runs the action that request
// makes of the cluster, and of the instance when one is named.
func (a *app) perform(ctx context.Context, c string, o *patroniFlags, name string, request func(*model.Cluster, model.InstanceName) (action.Request, error)) error {
	if err := o.check(c); err != nil {
		return err
	}
	inv, err := a.load(ctx)
	if err != nil {
		return exit(action.EndRefused.Code(), err)
	}
	cls, instance, err := session.ClusterOf(inv, name)
	if err != nil {
		return err
	}
	r, err := request(cls, instance)
	if err != nil {
		return err
	}
	r.Cluster, r.SSH = cls.Name, o.ssh
	if r.Why == "" {
		r.Why = o.why
	}
	return a.act(ctx, &o.actFlags, inv, r)
}

// performOn is perform of a command that takes a cluster as a whole. flags is what
// follows the cluster's name in the command.
func (a *app) performOn(ctx context.Context, command, name, flags string, o *patroniFlags, request func(*model.Cluster) (action.Request, error)) error {
	return a.perform(ctx, command+" "+name+flags, o, name, func(c *model.Cluster, instance model.InstanceName) (action.Request, error) {
		if err := wholeCluster(c, instance, command); err != nil {
			return action.Request{}, err
		}
		return request(c)
	})
}

// wholeCluster refuses an instance where a cluster is expected.
func wholeCluster(c *model.Cluster, instance model.InstanceName, command string) error {
	if instance == "" {
		return nil
	}
	return misuse("pgtui "+command+" "+string(c.Name), "%s is an instance: pgtui %s takes a cluster", instance, command)
}

// member checks a member that was typed. Patroni's candidate must be one.
func member(c *model.Cluster, name, command string) (model.InstanceName, error) {
	if name == "" || c.Instance(model.InstanceName(name)) != nil {
		return model.InstanceName(name), nil
	}
	return "", model.NotFound(fmt.Errorf("%s has no member %q", c.Name, text.Line(name, 60)), name, c.Names(), "pgtui candidates "+string(c.Name)+" lists those for "+command)
}

type switchoverOptions struct {
	patroniFlags
	candidate, schedule string
}

const (
	watchedLong = "It is a plan with named risks, sent once to a member that stays up, and watched until its end: a lost\n" +
		"reply is never repeated. Exit codes go by what is observed: 0 done and proven, 1 failed and the state is\n" +
		"known, 2 unknown, 3 refused before anything was sent. docs/actions.md has the details."
)

func (a *app) switchoverCmd() *cobra.Command {
	var o switchoverOptions
	c := &cobra.Command{
		Use:   "switchover <cluster>",
		Short: "Hand the leader's role to another member, and prove that clients follow",
		Long:  "switchover has Patroni hand the leader's role over while the leader is healthy; nothing is lost.\n" + watchedLong,
		Args:  needs(1, "cluster", "pgtui switchover pg-test --candidate pg-test-2"),
		RunE:  verb(&o, a.switchover),
	}
	c.Flags().StringVar(&o.candidate, "candidate", "", "the `instance` that is to lead (default: Patroni chooses)")
	scheduleFlag(c, &o.schedule)
	return o.add(c)
}

func (a *app) switchover(ctx context.Context, o *switchoverOptions, args []string) error {
	at, err := timeOf("--schedule", o.schedule)
	if err != nil {
		return err
	}
	return a.performOn(ctx, "switchover", args[0], "", &o.patroniFlags, func(c *model.Cluster) (action.Request, error) {
		to, err := member(c, o.candidate, "--candidate")
		return action.Request{Kind: action.Switchover, Candidate: to, At: at}, err
	})
}

type failoverOptions struct {
	patroniFlags
	candidate string
}

func (a *app) failoverCmd() *cobra.Command {
	var o failoverOptions
	c := &cobra.Command{
		Use:   "failover <cluster> --candidate <instance>",
		Short: "Make a member the leader where no leader answers; the plan shows what WAL is lost",
		Long:  "failover has Patroni make the candidate the leader, also where no leader lives. What the candidate has\nnot received is lost: the plan has the bytes.\n" + watchedLong,
		Args:  needs(1, "cluster", "pgtui failover pg-test --candidate pg-test-2"),
		RunE:  verb(&o, a.failover),
	}
	c.Flags().StringVar(&o.candidate, "candidate", "", "the `instance` that is to lead")
	return o.add(c)
}

func (a *app) failover(ctx context.Context, o *failoverOptions, args []string) error {
	if o.candidate == "" {
		return misuse("pgtui failover "+args[0]+" --candidate "+args[0]+"-2", "a failover requires --candidate")
	}
	return a.performOn(ctx, "failover", args[0], " --candidate "+o.candidate, &o.patroniFlags, func(c *model.Cluster) (action.Request, error) {
		to, err := member(c, o.candidate, "--candidate")
		return action.Request{Kind: action.Failover, Candidate: to}, err
	})
}

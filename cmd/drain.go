package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/session"
)

// serverOptions are the flags of an action on HAProxy's servers.
type serverOptions struct {
	actFlags
	kind             action.Kind
	service, haproxy string
	until, why       string
	wait             time.Duration
	cut              bool
	takes, waits     bool // which of the flags the command has
}

// serverCmds are the commands that change servers of the running HAProxies.
func (a *app) serverCmds() []*cobra.Command {
	const every = "\n\nIt is done on every HAProxy of the cluster, in the services that route to the instance or whose check it\n" +
		"passes, and read back on each. --service and --haproxy narrow it."
	return []*cobra.Command{
		a.serverCmd(&serverOptions{kind: action.Drain, takes: true, waits: true}, "drain <instance>", "Keep an instance's sessions and send it no new connections",
			"drain takes an instance out of service on the running HAProxies without cutting a session."+every+
				"\nWithout --timeout it does not wait for the sessions that are left. pgtui undrain ends it."),
		a.serverCmd(&serverOptions{kind: action.Undrain}, "undrain <instance>", "End the drain of an instance",
			"undrain sends an instance new connections again wherever it is in drain, hidden drains included."),
		a.serverCmd(&serverOptions{kind: action.Maint, takes: true}, "maint <instance>", "Take an instance out at once: its sessions end and its checks stop",
			"maint takes an instance out of service on the running HAProxies and ends its sessions at once."+every+"\npgtui ready ends it."),
		a.serverCmd(&serverOptions{kind: action.Ready}, "ready <instance>", "Bring an instance back from maint or drain",
			"ready ends maint and drain. From maint it goes by drain and waits for a real health check: HAProxy takes\n"+
				"a server that leaves maint as up until then, and would send it clients of the wrong port."),
		a.serverCmd(&serverOptions{kind: action.Weight, takes: true}, "weight <instance> <0-256>", "Change the weight of an instance in the running HAProxies",
			"weight changes how many new connections an instance gets beside the others."+every+"\nIt needs SSH: the stats page takes no weight. A reload sets the weight of the inventory again."),
	}
}

func (a *app) serverCmd(o *serverOptions, use, short, long string) *cobra.Command {
	example := "pgtui " + string(o.kind) + " pg-test-2"
	c := &cobra.Command{Use: use, Short: short, Long: long, Args: needs(1, "instance", example), RunE: verb(o, a.onServers)}
	if o.kind == action.Weight {
		c.Args = between(2, 2, "an instance and a weight", example+" 50")
	}
	f := c.Flags()
	f.StringVar(&o.service, "service", "", "only this `service`")
	f.StringVar(&o.haproxy, "haproxy", "", "only the HAProxy of this `node`")
	if o.takes {
		untilFlags(c, &o.until, &o.why)
	}
	if o.waits {
		f.DurationVar(&o.wait, "timeout", 0, "wait this long for the sessions to end")
		f.BoolVar(&o.cut, "cut", false, "end the sessions that are left, after --timeout")
	}
	return o.add(c)
}

// untilFlags adds what is kept about an action that must be ended by hand.
func untilFlags(c *cobra.Command, until, why *string) {
	c.Flags().StringVar(until, "until", "", "when it should end: 2h, 15:04 or RFC 3339. pgtui ends nothing by itself: later it is a finding")
	c.Flags().StringVar(why, "why", "", "the reason, kept in the audit file and shown by status and doctor")
}

// between is needs of several different arguments.
func between(least, most int, what, example string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return misuse(example, "%s takes %s, and got %s", c.Name(), what, text.Plural(len(args), "argument"))
		}
		return nil
	}
}

func (a *app) onServers(ctx context.Context, o *serverOptions, args []string) error {
	r := action.Request{Kind: o.kind, Instance: model.InstanceName(args[0]), Why: text.Line(o.why, 300), Wait: o.wait, Cut: o.cut}
	if err := o.check(string(o.kind) + " " + args[0]); err != nil {
		return err
	}
	if err := lasting("--timeout", o.wait, 0, 24*time.Hour); err != nil {
		return err
	}
	if o.kind == action.Weight {
		n, err := action.ParseWeight(args[1])
		if err != nil {
			return misuse("pgtui weight "+args[0]+" 50", "%w", err)
		}
		r.Weight = n
	}
	var err error
	if r.Until, err = timeOf("--until", o.until); err != nil {
		return err
	}
	inv, c, _, err := a.instance(ctx, action.EndRefused.Code(), args[0])
	if err != nil {
		return err
	}
	r.Cluster = c.Name
	if o.service != "" {
		s, err := c.ServiceOf(o.service)
		if err != nil {
			return err
		}
		r.Service = s.Name
	}
	if r.HAProxy, err = haproxyOf(inv, c, o.haproxy); err != nil {
		return err
	}
	return a.act(ctx, &o.actFlags, inv, r)
}

// haproxyOf is the HAProxy node of a cluster by its name or address, "" for "".
func haproxyOf(inv *model.Inventory, c *model.Cluster, name string) (model.Host, error) {
	if name == "" {
		return "", nil
	}
	h, err := session.HostOf(inv, name)
	if err != nil {
		return "", err
	}
	if c.LoadBalancer(h) == nil {
		return "", c.NoHAProxy(name)
	}
	return h, nil
}

func (a *app) enableCmd() *cobra.Command {
	var o serverOptions
	o.kind = action.EnableFrontend
	c := &cobra.Command{
		Use:   "enable <cluster> --service <service>",
		Short: "Open a service port again that was closed by hand (disable frontend)",
		Long: "enable opens the port of a service on every HAProxy of the cluster where its frontend is PAUSED, and\n" +
			"reads it back. --haproxy narrows it to one. A frontend that is STOP needs a reload.",
		Args: needs(1, "cluster", "pgtui enable pg-test --service primary"),
		RunE: verb(&o, a.enable),
	}
	c.Flags().StringVar(&o.service, "service", "", "the `service` whose port is closed")
	c.Flags().StringVar(&o.haproxy, "haproxy", "", "only the HAProxy of this `node`")
	return o.add(c)
}

func (a *app) enable(ctx context.Context, o *serverOptions, args []string) error {
	if o.service == "" {
		return misuse("pgtui enable "+args[0]+" --service primary", "enable needs --service")
	}
	if err := o.check("enable " + args[0] + " --service " + o.service); err != nil {
		return err
	}
	inv, cls, err := a.open(ctx, action.EndRefused.Code(), args...)
	if err != nil {
		return err
	}
	s, err := cls[0].ServiceOf(o.service)
	if err != nil {
		return err
	}
	r := action.Request{Kind: o.kind, Cluster: cls[0].Name, Service: s.Name}
	if r.HAProxy, err = haproxyOf(inv, cls[0], o.haproxy); err != nil {
		return err
	}
	return a.act(ctx, &o.actFlags, inv, r)
}

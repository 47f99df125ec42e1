package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/probe/logs"
	"pgtui/probe/transport"
	"pgtui/session"
)

type logsOptions struct {
	output format
	units  []string
	since  time.Duration
	follow bool
	lines  int
}

func (a *app) logsCmd() *cobra.Command {
	var o logsOptions
	c := &cobra.Command{
		Use:   "logs <instance|node>",
		Short: "Logs of an instance's node: Patroni, PostgreSQL, pgbouncer, HAProxy, vip-manager",
		Long: "logs reads the logs of a node over SSH: the files in the directories that the inventory declares,\n" +
			"and systemd's journal for what Pigsty keeps there. Lines of several logs are sorted by\n" +
			"time. Passwords in a known form are masked, such as PASSWORD '…' and password=….\n\n" +
			"Exit codes: 0 every log was read, or ctrl-c ended -f, 1 a log could not be read, or a unit of --unit\n" +
			"has no log, 3 the node could not be reached, or the command could not start.",
		Args: needs(1, "instance or node", "pgtui logs pg-test-1"),
		RunE: verb(&o, a.logs),
	}
	outputFlag(c, &o.output, "with -f a document for each batch", "table", "json")
	f := c.Flags()
	f.StringSliceVarP(&o.units, "unit", "u", nil, "only these logs, separated by commas: "+text.Or(unitNames())+" (default: every log of the node)")
	f.DurationVar(&o.since, "since", 0, "only lines newer than this, such as 10m")
	f.BoolVarP(&o.follow, "follow", "f", false, "print new lines until interrupted")
	f.IntVarP(&o.lines, "lines", "n", 200, "how many of the newest lines to print; with -f, of each log")
	return c
}

func unitNames() []string { return model.Strings(model.LogUnits()) }

// request checks the flags.
func (o *logsOptions) request() (model.LogRequest, error) {
	r := model.LogRequest{Lines: o.lines, Since: o.since, Follow: o.follow}
	for _, u := range o.units {
		if !slices.Contains(unitNames(), u) {
			try := ""
			if near := text.Nearest(u, unitNames()); near != "" {
				try = "--unit " + near
			}
			return r, misuse(try, "--unit %s: expected %s", text.Line(u, 60), text.Or(unitNames()))
		}
		if !slices.Contains(r.Units, model.LogUnit(u)) {
			r.Units = append(r.Units, model.LogUnit(u))
		}
	}
	if o.since != 0 {
		if err := lasting("--since", o.since, time.Second, 365*24*time.Hour); err != nil {
			return r, err
		}
	}
	return r, within("--lines", o.lines, 1, logs.MostLines)
}

func (a *app) logs(ctx context.Context, o *logsOptions, names []string) error {
	req, err := o.request()
	if err != nil {
		return err
	}
	inv, err := a.load(ctx)
	if err != nil {
		return exit(healthUnknown, err)
	}
	h, err := session.HostOf(inv, names[0])
	if err != nil {
		return exit(healthUnknown, err)
	}
	req.Instance = model.InstanceName(names[0])
	seen := &logsSeen{app: a, named: len(req.Units) > 0, doc: jsonv1.NewLogs(inv, h)}
	err = a.Logs(ctx, inv, h, req, func(b model.LogBatch) {
		seen.sources(b.Sources)
		seen.doc.Add(b)
		switch {
		case !o.output.document():
			show.LogLines(a.to(o.output), b.Lines)
		case o.follow:
			seen.failed = cmp.Or(seen.failed, a.printBatch(o.output, seen.doc.Take()))
		}
	})
	if err = cmp.Or(err, seen.failed); err != nil {
		return exit(healthUnknown, err)
	}
	if o.follow && ctx.Err() != nil {
		return nil // that is how it is meant to end
	}
	if seen.unreached != nil && seen.read == 0 {
		return exit(healthUnknown, seen.unreached)
	}
	return a.reply(o.output, seen.code(), func() any { return seen.doc }, func(show.Out) {})
}

// logsSeen is what became of each log.
type logsSeen struct {
	*app
	named     bool // the units were named
	doc       *jsonv1.Logs
	read      int // logs that were begun
	bad       int // logs that could not be read
	unreached error
	failed    error // of printing
	printed   []string
}

func (s *logsSeen) code() int {
	if s.bad > 0 || s.read == 0 {
		return 1
	}
	return 0
}

// sources takes in where logs come from, and prints once what is wrong. Where no log
// was read, a node that was not reached is the error of the command.
func (s *logsSeen) sources(all []model.LogSource) {
	var none []string
	for _, src := range all {
		switch err := src.Err; {
		case err == nil:
			s.read++
		case errors.Is(err, context.Canceled):
		case errors.Is(err, model.ErrNoLog):
			none = append(none, string(src.Unit))
			if s.named {
				s.bad++
			}
		default:
			s.bad++
			if errors.Is(err, transport.ErrNotStarted) {
				s.unreached = err
			} else {
				s.print(err.Error())
			}
		}
	}
	if s.unreached != nil && s.read > 0 {
		s.print(s.unreached.Error())
	}
	if len(none) > 0 {
		s.print(fmt.Sprintf("no log of %s: neither a file nor a line in the journal", strings.Join(none, ", ")))
	}
}

// print prints a line, each once: several logs fail for one reason.
func (s *logsSeen) print(line string) {
	if !slices.Contains(s.printed, line) {
		s.printed = append(s.printed, line)
		fmt.Fprintln(s.io.Err, "pgtui: "+lang.Text(strings.Join(text.Lines(line, 4, 400), " ")))
	}
}

package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/model/history"
	"pgtui/session"
)

// formatMarkdown is for a ticket or a report.
const formatMarkdown format = "md"

type timelineOptions struct {
	output       format
	since, until string
	noSSH        bool
}

func (a *app) timelineCmd() *cobra.Command {
	var o timelineOptions
	c := &cobra.Command{
		Use:   "timeline <cluster>",
		Short: "What happened to a cluster: who did what, what changed, and how long each port had no server",
		Long: "timeline joins what is stored: the samples of VictoriaMetrics or Prometheus, the log lines of HAProxy,\n" +
			"Patroni and vip-manager in VictoriaLogs or on the nodes (over SSH), Patroni's history, and pgtui's own\n" +
			"audit file. The stores are those of the infra nodes, or of stores in the configuration. Each event has\n" +
			"its sources, its time with ±, and what contradicts it. What no source has is unknown.\n\n" +
			"Exit codes: 0 every source was read, 1 one was not, or targets have no samples, 3 no store and no log\n" +
			"was read, or the command could not start.",
		Args: needs(1, "cluster", "pgtui timeline pg-test --since 2h"),
		RunE: verb(&o, a.timeline),
	}
	outputFlag(c, &o.output, "md is Markdown for a ticket", "table", "json", "md")
	f := c.Flags()
	f.StringVar(&o.since, "since", "1h", "where it begins: 15:04, 15:04:05, RFC 3339, or 2h for two hours ago")
	f.StringVar(&o.until, "until", "", "where it ends, as --since (default: now)")
	f.BoolVar(&o.noSSH, "no-ssh", false, "read no logs from the nodes")
	return c
}

func (a *app) timeline(ctx context.Context, o *timelineOptions, names []string) error {
	at := now()
	since, err := pastTime("--since", o.since, at)
	if err != nil {
		return err
	}
	until := at
	if o.until != "" {
		if until, err = pastTime("--until", o.until, at); err != nil {
			return err
		}
	}
	switch {
	case !since.Before(until):
		return misuse("pgtui timeline "+text.Word(names[0])+" --since 2h", "--since %s is not before --until %s", text.Line(o.since, 60), text.Line(o.until, 60))
	case until.Sub(since) > 31*24*time.Hour:
		return misuse("pgtui timeline "+text.Word(names[0])+" --since 2h", "--since: more than 31 days")
	}
	inv, cls, err := a.open(ctx, 3, names...)
	if err != nil {
		return err
	}
	t, err := a.Timeline(ctx, inv, cls[0], since, until, !o.noSSH)
	if err != nil {
		return exit(3, err)
	}
	if err := session.Stopped(ctx); err != nil {
		return exit(3, err)
	}
	if o.output == formatMarkdown {
		show.TimelineMarkdown(a.io.Out, &t)
		return exit(timelineCode(&t), nil)
	}
	return a.reply(o.output, timelineCode(&t), func() any { return jsonv1.NewTimeline(&t) }, func(w show.Out) { show.Timeline(w, &t) })
}

// timelineCode is the exit code of a timeline.
func timelineCode(t *history.Timeline) int {
	code, read := 0, 0
	for i := range t.Sources {
		s := &t.Sources[i]
		switch {
		case s.Err != nil, len(s.Notes) > 0:
			code = 1
		}
		if s.Err == nil && (s.Kind == "metrics" || s.Kind == "logs") {
			read++
		}
	}
	if read == 0 {
		return 3
	}
	return code
}

// pastTime reads a time as --at takes it, or a duration that lies back.
func pastTime(flag, s string, at time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return at.Add(-d), nil
	}
	t, err := anyTime(s, at)
	switch {
	case err != nil:
		return t, misuse("", "%s %s: expected 15:04, 15:04:05, RFC 3339 such as 2026-11-30T03:12:00Z, or 2h", flag, text.Line(s, 60))
	case t.After(at):
		return t, misuse("", "%s %s is not over yet", flag, text.Line(s, 60))
	}
	return t, nil
}

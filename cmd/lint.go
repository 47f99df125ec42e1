package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/pigsty/lint"
	"pgtui/session"
)

// The exit codes of lint, as Exits has them.
const (
	lintWarnings   = 1
	lintErrors     = 2
	lintUnreadable = 3
)

type lintOptions struct{ output format }

func (a *app) lintCmd() *cobra.Command {
	var o lintOptions
	c := &cobra.Command{
		Use:   "lint [cluster…]",
		Short: "The inventory's mistakes before they hurt; exits 0 clean, 1 warnings, 2 errors, 3 could not read",
		Long: "lint reads the inventory as Ansible does and reports what HAProxy would refuse or split,\n" +
			"what Pigsty would not write, and what a failover would expose: each with its place, why\n" +
			"it matters and the fix. With clusters it reports what is about them, their instances and\n" +
			"their HAProxy nodes. It probes no node. docs/lint.md lists the rules.",
		Args: cobra.ArbitraryArgs,
		RunE: verb(&o, a.lint),
	}
	outputFlag(c, &o.output, "", "text", "json")
	return c
}

func (a *app) lint(ctx context.Context, o *lintOptions, names []string) error {
	play, err := a.Play(ctx)
	if err != nil {
		return exit(lintUnreadable, err)
	}
	found := lint.Run(play)
	if err := play.Err(); err != nil {
		return exit(lintUnreadable, err)
	}
	if len(names) > 0 {
		cls, err := session.Matching(play.Model, names...)
		if err != nil {
			return err
		}
		found = lint.About(found, cls)
	}
	code := lintCode(found)
	return a.reply(o.output, code,
		func() any { return jsonv1.FromLint(play.Model.Source, string(play.Model.Dialect), code, found) },
		func(w show.Out) { show.Lint(w, play.Model.Source, found) })
}

// lintCode is the exit code of the worst finding.
func lintCode(found []lint.Finding) int {
	switch lint.Worst(found) {
	case lint.Error:
		return lintErrors
	case lint.Warning:
		return lintWarnings
	}
	return 0
}

package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/pigsty/lint"
)

// The exit codes of lint, as docs/exit-codes.md has them.
const (
	lintWarnings   = 1
	lintErrors     = 2
	lintUnreadable = 3
)

type lintOptions struct{ output format }

func (a *app) lintCmd() *cobra.Command {
	var o lintOptions
	c := &cobra.Command{
		Use:   "lint",
		Short: "The inventory's mistakes before they hurt; exits 0 clean, 1 warnings, 2 errors, 3 could not read",
		Long: "lint reads the inventory as Ansible does and reports what HAProxy would refuse or split,\n" +
			"what Pigsty would not write, and what a failover would expose: each with its place, why\n" +
			"it matters and the fix. It probes no node. docs/lint.md lists the rules.",
		Args: none,
		RunE: verb(&o, a.lint),
	}
	outputFlag(c, &o.output, "", "text", "json")
	return c
}

func (a *app) lint(ctx context.Context, o *lintOptions, _ []string) error {
	play, err := a.Play(ctx)
	if err != nil {
		return exit(lintUnreadable, err)
	}
	found := lint.Run(play)
	if err := play.Err(); err != nil {
		return exit(lintUnreadable, err)
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

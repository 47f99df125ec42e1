package cmd

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/pigsty/lint"
)

// The exit codes of lint, as docs/exit-codes.md has them.
const (
	lintWarnings   = 1
	lintErrors     = 2
	lintUnreadable = 3
)

func (a *app) lintCmd() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "lint",
		Short: "The inventory's mistakes before they hurt; exits 0 clean, 1 warnings, 2 errors, 3 could not read",
		Long: "lint reads the inventory as Ansible does and reports what HAProxy would refuse or split,\n" +
			"what Pigsty would not write, and what a failover would bring to light: each with its\n" +
			"place, why it matters and the fix. It asks no node. docs/lint.md lists the rules.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := expect("-o", output, "text", "json"); err != nil {
				return err
			}
			play, err := a.play(cmd.Context())
			if err != nil {
				return exit(lintUnreadable, err)
			}
			found := lint.Run(play)
			if err := play.Err(); err != nil {
				return exit(lintUnreadable, err)
			}
			code := lintCode(found)
			if output == "json" {
				if err := printJSON(a.io.Out, jsonv1.FromLint(play.Model.Source, string(play.Model.Dialect), code, found)); err != nil {
					return err
				}
			} else {
				printLint(a.io.Out, play.Model.Source, found)
			}
			return exit(code, nil)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
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

// printLint writes a block for each finding and the sum of them.
func printLint(w io.Writer, source string, found []lint.Finding) {
	count := map[lint.Severity]int{}
	for _, f := range found {
		count[f.Severity]++
		fmt.Fprintf(w, "%s:%d:%d: %s: %s [%s]\n", text.Line(f.At.File, 200), f.At.Line, f.At.Column, f.Severity, text.Line(f.What, 400), f.Code)
		fmt.Fprintf(w, "    why: %s\n", text.Line(f.Why, 300))
		if f.Fix != "" {
			fmt.Fprintf(w, "    fix: %s\n", text.Line(f.Fix, 300))
		}
	}
	if len(found) == 0 {
		fmt.Fprintf(w, "%s: nothing found\n", text.Line(source, 200))
		return
	}
	fmt.Fprintf(w, "%s: %s, %s, %d worth knowing\n", text.Line(source, 200), plural(count[lint.Error], "error"), plural(count[lint.Warning], "warning"), count[lint.Info])
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

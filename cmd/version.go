package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/model"
)

// devel is the version of a build that carries none.
const devel = "devel"

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version; with -i also the versions of Pigsty and ansible-core that it follows",
		Args:  none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintf(a.io.Out, "pgtui %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			if a.Inventory == "" {
				return nil
			}
			inv, err := a.Load(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintln(a.io.Out, dialectLine(inv))
			for _, p := range inv.Problems {
				a.warn(p)
			}
			return nil
		},
	}
}

// version is the module's version and revision as the Go toolchain recorded them.
func version() string {
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		return devel
	}
	v := bi.Main.Version
	if v == "" || v == "(devel)" {
		v = devel
	}
	for _, s := range bi.Settings {
		if s.Key == "vcs.revision" && v == devel {
			v += "-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return v
}

// dialectLine is which versions are followed, and where they are from.
func dialectLine(inv *model.Inventory) string {
	line := fmt.Sprintf("Pigsty dialect %s (from %s)", inv.Dialect, text.Line(inv.DialectFrom, 300))
	if inv.Core != "" {
		line += ", ansible-core " + text.Line(inv.Core, 30)
	}
	return line
}

package cmd

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/model"
)

// devel is the version of a build that carries none.
const devel = "devel"

type versionOptions struct{ output format }

func (a *app) versionCmd() *cobra.Command {
	var o versionOptions
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version; with -i also the versions of Pigsty and ansible-core that it follows",
		Args:  none,
		RunE:  verb(&o, a.version),
	}
	outputFlag(c, &o.output, "", "text", "json")
	return c
}

func (a *app) version(ctx context.Context, o *versionOptions, _ []string) error {
	var inv *model.Inventory
	if a.Inventory != "" {
		var err error
		if inv, err = a.Load(ctx); err != nil {
			return err
		}
	}
	err := a.reply(o.output, 0, func() any { return jsonv1.NewVersion(version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, inv) }, func(w show.Out) {
		fmt.Fprintf(w, "pgtui %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		if inv != nil {
			fmt.Fprintln(w, dialectLine(inv))
		}
	})
	if inv != nil {
		for _, p := range inv.Problems {
			a.warn(p)
		}
	}
	return err
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

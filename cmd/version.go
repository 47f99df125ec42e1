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

// What `make dist` writes with -ldflags -X: the version, the commit and its date in RFC
// 3339. A plain `go build` leaves them empty.
//
//nolint:gochecknoglobals // the linker writes variables only
var distVersion, distCommit, distDate string

// build is what is known about how this program was built; empty where it is unknown.
type build struct{ Version, Commit, Date string }

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
	b := built(debug.ReadBuildInfo())
	err := a.reply(o.output, 0, func() any {
		return jsonv1.NewVersion(jsonv1.Build{Pgtui: b.Version, Commit: b.Commit, Date: b.Date, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}, inv)
	}, func(w show.Out) {
		fmt.Fprintf(w, "pgtui %s %s %s/%s\n", b.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		if b.Commit != "" {
			fmt.Fprintf(w, "commit %s of %s\n", b.Commit, b.Date)
		}
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

// version is the version in one word.
func version() string { return built(debug.ReadBuildInfo()).Version }

// built is what `make dist` wrote into the program, else what the Go toolchain recorded.
func built(bi *debug.BuildInfo, ok bool) build {
	b := build{Version: distVersion, Commit: distCommit, Date: distDate}
	if b.Version != "" {
		return b
	}
	b.Version = devel
	if !ok {
		return b
	}
	settings := map[string]string{}
	for _, s := range bi.Settings {
		settings[s.Key] = s.Value
	}
	b.Commit, b.Date = settings["vcs.revision"], settings["vcs.time"]
	switch v := bi.Main.Version; {
	case v != "" && v != "(devel)":
		b.Version = v
	case b.Commit != "":
		b.Version += "-" + b.Commit[:min(12, len(b.Commit))]
	}
	return b
}

// dialectLine is which versions are followed, and where they are from.
func dialectLine(inv *model.Inventory) string {
	line := fmt.Sprintf("Pigsty dialect %s (from %s)", inv.Dialect, text.Line(inv.DialectFrom, 300))
	if inv.Core != "" {
		line += ", ansible-core " + text.Line(inv.Core, 30)
	}
	return line
}

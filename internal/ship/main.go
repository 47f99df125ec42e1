// Command ship makes what a package of pgtui holds beside the program: manual pages,
// completions, the licences of its modules, and the list of what it is built from.
//
//	go run ./internal/ship man DIR            manual pages: DIR/man1, DIR/zh_CN/man1
//	go run ./internal/ship completions DIR    pgtui.bash, _pgtui, pgtui.fish
//	go run ./internal/ship notice             the licence of each module, to standard output
//	go run ./internal/ship sbom FILE...       CycloneDX, with the digests of the files
//	go run ./internal/ship sizes              bytes of each module in the program
//
// The version and the date are arguments: the same commit gives the same bytes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ship:", err)
		os.Exit(1)
	}
}

// edition is which pgtui it is.
type edition struct {
	Version string
	Date    time.Time // of the commit, UTC
}

func run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("ship", flag.ContinueOnError)
	var e edition
	f.StringVar(&e.Version, "version", "devel", "version of pgtui")
	date := f.Int64("date", 0, "date of the commit, in seconds since 1970")
	if err := f.Parse(args); err != nil {
		return err
	}
	e.Date = time.Unix(*date, 0).UTC()
	what, rest := f.Arg(0), f.Args()
	switch {
	case what == "man" && len(rest) == 2:
		return writePages(rest[1], e)
	case what == "completions" && len(rest) == 2:
		return writeCompletions(rest[1])
	case what == "notice" && len(rest) == 1:
		mods, err := modules(ctx)
		if err != nil {
			return err
		}
		return notice(out, mods)
	case what == "sbom":
		mods, err := modules(ctx)
		if err != nil {
			return err
		}
		return sbom(out, e, mods, rest[1:])
	case what == "sizes" && len(rest) == 1:
		return sizes(ctx, out)
	}
	return errors.New("expected man DIR, completions DIR, notice, sbom FILE... or sizes")
}

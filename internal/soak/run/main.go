// Command run breaks the lab for as long as it is told to and says whether the
// board told the truth. It is `make soak`; see package soak.
//
//	testdata/lab/lab hold go run ./internal/soak/run -for 30m [-seed N]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"pgtui/internal/soak"
)

func main() {
	length := flag.Duration("for", 30*time.Minute, "how long faults are begun")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "makes the sequence of faults")
	only := flag.String("only", "", "the kinds of faults that are begun, as a regular expression; all when empty")
	script := flag.String("lab", "testdata/lab/lab", "the lab's command")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *script, *length, *seed, *only); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, script string, length time.Duration, seed uint64, only string) error {
	rep, err := soak.OnLab(ctx, script, length, seed, only, os.Stdout)
	if rep != nil {
		rep.Print(os.Stdout)
	}
	if err != nil {
		return err
	}
	return rep.Err()
}

// Command run breaks the lab for a given time and reports whether the board was
// right. It is `make soak`; see package soak.
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
	length := flag.Duration("for", 30*time.Minute, "time in which faults begin")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the sequence of faults")
	only := flag.String("only", "", "regular expression of the kinds of faults; all when empty")
	script := flag.String("lab", "testdata/lab/lab", "the lab's command")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := soakLab(ctx, *script, *length, *seed, *only); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soakLab(ctx context.Context, script string, length time.Duration, seed uint64, only string) error {
	rep, err := soak.OnLab(ctx, script, length, seed, only, os.Stdout)
	if rep != nil {
		rep.Print(os.Stdout)
	}
	if err != nil {
		return err
	}
	return rep.Err()
}

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
	"pgtui/internal/soak/handover"
)

func main() {
	length := flag.Duration("for", 30*time.Minute, "time in which faults begin")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the sequence of faults")
	only := flag.String("only", "", "regular expression of the kinds of faults; all when empty")
	attempts := flag.Int("handovers", 0, "changes of the leader to try in place of faults; 0 is none")
	ssh := flag.String("ssh-config", "testdata/lab/.state/ssh_config", "with -handovers: the lab's SSH configuration")
	release := flag.String("release", "bookworm", "with -handovers: the generation of the lab")
	script := flag.String("lab", "testdata/lab/lab", "the lab's command")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *attempts > 0 {
		if err := handovers(ctx, handover.Options{Lab: soak.Lab{Script: *script}, SSHConfig: *ssh, Release: *release, Attempts: *attempts, Seed: *seed, Only: *only, Log: os.Stdout}); err != nil {
			fmt.Fprintln(os.Stderr, "soak:", err)
			os.Exit(1)
		}
		return
	}
	if err := soakLab(ctx, *script, *length, *seed, *only); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// handovers changes the leader again and again.
func handovers(ctx context.Context, o handover.Options) error {
	dir, err := os.MkdirTemp("", "pgtui-soak")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	o.State = dir
	rep, err := handover.Run(ctx, o)
	if rep != nil {
		fmt.Printf("seed %d: %d changes of the leader tried, %d wrong\n", rep.Seed, len(rep.Attempts), rep.Bad())
		if err == nil && rep.Bad() > 0 {
			err = fmt.Errorf("%d of %d went otherwise than pgtui reported", rep.Bad(), len(rep.Attempts))
		}
	}
	return err
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

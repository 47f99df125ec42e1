// Command pgtui is the console for Pigsty's PostgreSQL services: which
// instance serves each port and why, what a reload would change, and the
// reload itself.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"pgtui/cmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	code := cmd.Run(ctx, os.Args[1:], cmd.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(code)
}

// Command pgtui is the console for Pigsty's PostgreSQL services: which
// instance serves each port and why, what a reload would change, and the
// reload itself.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"pgtui/cmd"
)

// memory is where the collector of garbage begins to work harder, in bytes. An
// inventory's budget is below it; it is no limit, and refuses nothing.
const memory = 480 << 20

func main() {
	debug.SetMemoryLimit(memory)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	code := cmd.Run(ctx, os.Args[1:], cmd.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(code)
}

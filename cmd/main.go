package cmd

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// memory is the soft limit of Go's heap, in bytes: near it the garbage collector
// works harder. An inventory's budget is below it. It is not a hard limit.
const memory = 480 << 20

// Main is the program: Run with the arguments, streams and signals of the
// process. It returns the exit code.
func Main() int {
	debug.SetMemoryLimit(memory)
	if completing(os.Args[1:]) {
		debug.SetGCPercent(-1) // it ends before it has used what a collection would free
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return Run(ctx, os.Args[1:], IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
}

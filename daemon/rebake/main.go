// Command rebake keeps a directory of static pages fresh. See the package
// daemon, or `rebake --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"rebake/daemon"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks politely; from then on the next one ends at once.
	context.AfterFunc(ctx, stop)
	os.Exit(daemon.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, hangups))
}

func hangups() <-chan os.Signal {
	c := make(chan os.Signal, 1) // two that come at once ask for the same
	signal.Notify(c, syscall.SIGHUP)
	return c
}

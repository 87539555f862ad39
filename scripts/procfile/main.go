// Command procfile runs the processes that ./Procfile names, all of them or
// those in its arguments, until Ctrl-C or until one of them ends. It is
// declared as a tool in go.mod:
//
//	go tool procfile
//	go tool procfile redis api worker
//
// Any other runner of Procfiles does as well. This one is here so that a clone
// needs nothing but Go, and it ends processes the other way round than it
// starts them, so that a worker still has its Redis while it stops.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// grace is how long each process is given to end: longer than `shutdown` in
// rebake.yaml, which is 10s by default.
const grace = 15 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := start(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "procfile:", err)
		os.Exit(1)
	}
}

// start runs the named processes of ./Procfile; without names all of them.
func start(ctx context.Context, names []string, out io.Writer) error {
	f, err := os.Open("Procfile")
	if err != nil {
		return fmt.Errorf("%w; start it where the Procfile is", err)
	}
	defer f.Close()
	all, err := parse(f)
	if err != nil {
		return fmt.Errorf("read Procfile: %w", err)
	}
	chosen, err := choose(all, names)
	if err != nil {
		return err
	}
	return run(ctx, chosen, out, grace)
}

// Command benchmark measures Rebake as a user runs it: the real program, a real
// redis-server with fsync always, real files. It prints figures and judges
// nothing.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to measure: build")
	}
	switch args[0] {
	case "build":
		return benchBuild(ctx, args[1:])
	}
	return fmt.Errorf("%s: unknown; known: build", args[0])
}

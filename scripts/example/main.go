// Command example is the site of a fresh clone: a small blog and its CMS, both
// those of `rebake demo`.
//
//	example write    writes rebake.yaml and templates here; overwrites nothing
//	example cms      serves the CMS that ./rebake.yaml reads
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, log *slog.Logger) error {
	if len(args) == 0 {
		return errors.New("say what to do: write or cms")
	}
	flags := flag.NewFlagSet("example "+args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors are returned
	switch args[0] {
	case "write":
		var to addresses
		to.flags(flags)
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return write(".", to)
	case "cms":
		listen := flags.String("listen", "127.0.0.1:8081", "")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return serveCMS(ctx, "rebake.yaml", *listen, log)
	}
	return fmt.Errorf("%s: unknown; known: write, cms", args[0])
}

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/daemon/config"
	"rebake/daemon/embedded"
	"rebake/renderer/source"
	"rebake/storage"
	"rebake/storage/output"
)

// checkTime bounds each thing that is tried.
const checkTime = 10 * time.Second

func newCheckCommand(flags *globalFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Look at the config, and try what it names",
		Long: `Check reads the config, loads the templates, and tries Redis, the sources and the
output directory. It prints what it found and the config as it is in effect,
without secrets. It changes nothing that is served.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			ok := runChecks(cmd.Context(), cmd.OutOrStdout(), cfg)
			fmt.Fprintln(cmd.OutOrStdout(), "\nThe config in effect:")
			if err := cfg.Dump(cmd.OutOrStdout()); err != nil {
				return failed(err)
			}
			if !ok {
				return &exitError{exitFailed, errors.New("not everything works; see the lines with ✗ above")}
			}
			return nil
		},
	}
}

// runChecks tries one thing after the other and reports whether all worked.
func runChecks(ctx context.Context, w io.Writer, cfg *config.Config) bool {
	ok := true
	report := func(name string, err error) {
		if err == nil {
			fmt.Fprintf(w, "%s %s\n", color.GreenString("✓"), name)
			return
		}
		ok = false
		fmt.Fprintf(w, "%s %s: %v\n", color.RedString("✗"), name, err)
	}
	a := &app{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	_, err := a.openRenderer()
	report("templates and routes", errors.Join(err, a.close()))
	report("output "+cfg.Output, checkOutput(cfg))
	report("redis", checkRedis(ctx, cfg))
	for _, name := range slices.Sorted(maps.Keys(cfg.Sources)) {
		report("source "+name+" "+cfg.Sources[name].URL, checkSource(ctx, name, cfg.Sources[name]))
	}
	return ok
}

// checkOutput tries a rename into the output, and leaves no directory behind
// that was not there.
func checkOutput(cfg *config.Config) error {
	for _, dir := range []string{cfg.Output, cfg.State} {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return nil // serve makes it
		}
	}
	d, err := output.Open(output.Config{Dir: cfg.Output, State: cfg.State, Compress: cfg.Compress})
	if err != nil {
		return err
	}
	return d.Close()
}

func checkRedis(ctx context.Context, cfg *config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	switch cfg.Redis {
	case "":
		_, err := embedded.Find()
		return err
	case "memory":
		return nil
	}
	q, err := openQueue(ctx, cfg, false, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	err = awaitRedis(ctx, q.client, 2*time.Second)
	if err == nil && cfg.Durability != "relaxed" {
		err = checkDurability(ctx, q.client)
	}
	return errors.Join(err, q.close())
}

// checkSource asks for the base of the API. What it answers is its own
// business, as long as something does.
func checkSource(ctx context.Context, name string, c source.Config) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	s, err := source.New(name, c)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Get(ctx, "", true)
	var temporary *storage.TemporaryError
	if errors.As(err, &temporary) {
		return err
	}
	return nil
}

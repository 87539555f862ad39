package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/api/webhook"
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
		Long: `Check reads the config, loads the templates, and tries Redis, the sources, the
origins and the output directory. Of an origin it takes a page twice, and says
whether it would be published, and whether a cache of the origin's own answers.
It prints the config as it is in effect, without secrets, and below it what it
found. It changes nothing that is served.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "The config in effect:")
			if err := cfg.Dump(cmd.OutOrStdout()); err != nil {
				return failed(err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "\nWhat was found:")
			if !runChecks(cmd.Context(), cmd.OutOrStdout(), cfg) {
				return &exitError{exitFailed, errors.New("not everything works; see the lines with ✗ above")}
			}
			return nil
		},
	}
}

// checks tries things, and says of each what came of it.
type checks struct {
	w      io.Writer
	failed bool
}

// report says that something works, or why it does not.
func (c *checks) report(name string, err error) {
	if err == nil {
		fmt.Fprintf(c.w, "%s %s\n", color.GreenString("✓"), name)
		return
	}
	c.failed = true
	fmt.Fprintf(c.w, "%s %s: %v\n", color.RedString("✗"), name, err)
}

// warn says what works and may surprise somebody nevertheless.
func (c *checks) warn(name, text string) {
	fmt.Fprintf(c.w, "%s %s: %s\n", color.YellowString("!"), name, text)
}

// runChecks tries one thing after the other and reports whether all worked.
func runChecks(ctx context.Context, w io.Writer, cfg *config.Config) bool {
	c := &checks{w: w}
	a := &app{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	site, err := a.openRenderer()
	c.report("templates and routes", err)
	c.report("output "+cfg.Output, checkOutput(cfg))
	c.report("redis", checkRedis(ctx, cfg))
	var webhooks []string // what senders have to know
	for _, name := range slices.Sorted(maps.Keys(cfg.Sources)) {
		c.report("source "+name+" "+cfg.Sources[name].URL, checkSource(ctx, name, cfg.Sources[name]))
	}
	for name, w := range cfg.AllWebhooks() {
		webhooks = append(webhooks, fmt.Sprintf("webhook %s (%s): %s%s%s", name, w.Kind, cfg.Site, webhook.Prefix, name))
	}
	slices.Sort(webhooks)
	for _, line := range webhooks {
		c.report(line, nil)
	}
	if site != nil {
		for _, name := range slices.Sorted(maps.Keys(cfg.Origins)) {
			c.origin(ctx, cfg, site, name)
		}
	}
	if err := a.close(); err != nil {
		c.report("sources and origins", err)
	}
	return !c.failed
}

// checkOutput tries a rename into the output, and leaves no directory behind
// that was not there.
func checkOutput(cfg *config.Config) error {
	for _, dir := range []string{cfg.Output, cfg.State} {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return explainOpen(cfg, checkMaking(cfg))
		}
	}
	d, err := output.Open(output.Config{Dir: cfg.Output, State: cfg.State, Compress: cfg.Compress})
	if err != nil {
		return explainOpen(cfg, err)
	}
	return errors.Join(explainOwned(cfg, d.Owned(output.Owner{Site: host(cfg.Site)})), d.Close())
}

// checkMaking reports whether serve can make output and state, on one file
// system: it moves a folder from above the one to above the other.
func checkMaking(cfg *config.Config) error {
	made, err := os.MkdirTemp(nearest(cfg.State), ".rebake-check-*")
	if err != nil {
		return fmt.Errorf("make state: %w", err)
	}
	defer os.Remove(made)
	moved := filepath.Join(nearest(cfg.Output), filepath.Base(made)+"-moved")
	if err := os.Rename(made, moved); err != nil {
		return fmt.Errorf("output %s cannot be made, or is on another file system than state %s: %w", cfg.Output, cfg.State, err)
	}
	return os.Remove(moved)
}

// nearest returns dir, or what is there above it.
func nearest(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
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

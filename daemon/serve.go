package daemon

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"rebake/daemon/config"
)

func newServeCommand(flags *globalFlags, hangups Hangups) *cobra.Command {
	var only string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run: accept triggers and render pages",
		Long: `Serve runs everything in one process: the api that accepts triggers, the workers
that render and publish, and, when the config names no Redis, a redis-server of
its own. With --only the parts run in processes of their own, any number of
each, on one Redis.

On SIGHUP it loads the templates again, and renders the pages that were made
with the files that have changed; templates with an error change nothing. Of
rebake.yaml it takes secret and webhooks, and the webhook of each source and
origin; it logs which other keys have changed and wait for a restart.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			hup := hangups() // at once: before, a SIGHUP ends the program
			r, err := parseRoles(only)
			if err != nil {
				return err
			}
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			limitMemory(cfg)
			a, err := newApp(cmd.Context(), cfg, r, newLog(cmd.ErrOrStderr(), cfg.Log))
			if err != nil {
				return failed(err)
			}
			reload := func(ctx context.Context) error {
				select {
				case <-a.worker.Admitted():
					r := newReloader(a, a.logLoaded)
					r.config = newConfigReloader(a, func() (*config.Config, error) { return flags.load(io.Discard) }).load
					return runReloader(ctx, r, hup)
				case <-ctx.Done():
					return nil
				}
			}
			return failed(runStages(cmd.Context(), []service{reload}, []service{a.run}))
		},
	}
	cmd.Flags().StringVar(&only, "only", "", "run one part: api or worker")
	return cmd
}

func parseRoles(only string) (roles, error) {
	switch only {
	case "":
		return roles{api: true, worker: true}, nil
	case "api":
		return roles{api: true}, nil
	case "worker":
		return roles{worker: true}, nil
	}
	return roles{}, &exitError{exitUsage, fmt.Errorf("--only %s: use api or worker, or leave it out", only)}
}

// limitMemory has the garbage collected in time: what large pages leave behind
// would be as much again as they take. It is a wish and no limit; GOMEMLIMIT in
// the environment stands for another one.
func limitMemory(cfg *config.Config) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(3 * cfg.Limits.Memory)
	}
}

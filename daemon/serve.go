package daemon

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newServeCommand(flags *globalFlags) *cobra.Command {
	var only string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run: accept triggers and render pages",
		Long: `Serve runs everything in one process: the api that accepts triggers, the workers
that render and publish, and, when the config names no Redis, a redis-server of
its own. With --only the parts run in processes of their own, any number of
each, on one Redis.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := parseRoles(only)
			if err != nil {
				return err
			}
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			a, err := newApp(cmd.Context(), cfg, r, newLog(cmd.ErrOrStderr(), cfg.Log))
			if err != nil {
				return failed(err)
			}
			return failed(a.run(cmd.Context()))
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

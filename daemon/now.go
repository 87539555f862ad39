package daemon

import (
	"fmt"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/api"
)

func newNowCommand(flags *globalFlags) *cobra.Command {
	var asJSON, noWait bool
	wait := time.Minute
	cmd := &cobra.Command{
		Use:   "now PATH...",
		Short: "Render pages again, and wait for them",
		Example: `  rebake now / /blog/hello
  rebake now --no-wait /blog/hello`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			c, err := newClient(cfg)
			if err != nil {
				return failed(err)
			}
			ask := api.CreateTrigger{Paths: args, Reason: "rebake now"}
			if !noWait {
				ask.Wait = min(wait, cfg.Limits.MaxWait).String()
			}
			var res api.TriggerResult
			started := time.Now()
			if err := c.post(cmd.Context(), "/v1/triggers", ask, &res); err != nil {
				return failed(err)
			}
			return printTrigger(cmd, res, asJSON, time.Since(started))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "return when the trigger is durable")
	cmd.Flags().DurationVar(&wait, "wait", wait, "how long to wait for the pages")
	return cmd
}

func printTrigger(cmd *cobra.Command, res api.TriggerResult, asJSON bool, took time.Duration) error {
	bad := 0
	for _, p := range res.Pages {
		if p.Result == "failed" || p.Result == "unmatched" {
			bad++
		}
	}
	var told error
	if bad > 0 {
		told = &exitError{exitFailed, errAlreadyTold}
	}
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), res); err != nil {
			return failed(err)
		}
		return told
	}
	for _, p := range res.Pages {
		mark := color.GreenString("✓")
		if p.Result == "failed" || p.Result == "unmatched" {
			mark = color.RedString("✗")
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s %s  %s", mark, p.Path, p.Result)
		if p.Reason != "" {
			fmt.Fprintf(cmd.OutOrStdout(), ": %s", p.Reason)
		}
		fmt.Fprintln(cmd.OutOrStdout())
	}
	if bad > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "%d of %d not done; `rebake explain PATH` says why\n", bad, len(res.Pages))
		return told
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d in %s\n", len(res.Pages), took.Round(time.Millisecond))
	return nil
}

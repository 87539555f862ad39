package daemon

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rebake/api"
)

func newHoldCommand(flags *globalFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hold REASON",
		Short: "Stop rendering and publishing, and keep every trigger",
		Long: `Hold stops all workers of the site: when it returns no page begins to be
rendered any more, and what was being rendered is still published. Triggers are
accepted and kept; readers get the pages as they are. It lasts until
` + "`rebake resume`" + `, also across restarts.`,
		Example: `  rebake hold "the CMS is being moved"`,
		Args: func(_ *cobra.Command, args []string) error {
			if strings.TrimSpace(strings.Join(args, "")) == "" {
				return errors.New(`say why, for those who will wonder: rebake hold "the CMS is being moved"`)
			}
			return nil
		},
		RunE: ask(flags, func(cmd *cobra.Command, args []string, a asking) error {
			var res api.HoldResult
			body := api.HoldRequest{Reason: strings.Join(args, " "), By: person()}
			if err := a.post(cmd.Context(), "/v1/hold", body, &res); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.screen, res)
			}
			a.tell(true, "publishing is held: %s", res.Hold.Why)
			a.screen.note("triggers are accepted and kept; `rebake resume` lets them go on")
			return nil
		}),
	}
	cmd.Flags().Bool("json", false, "print the answer as JSON")
	return cmd
}

func newResumeCommand(flags *globalFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "End a hold",
		Args:  cobra.NoArgs,
		RunE: ask(flags, func(cmd *cobra.Command, _ []string, a asking) error {
			var res api.HoldResult
			if err := a.post(cmd.Context(), "/v1/resume", api.HoldRequest{By: person()}, &res); err != nil {
				return err
			}
			switch {
			case a.json:
				return printJSON(a.screen, res)
			case res.Hold == nil:
				a.tell(true, "publishing was not held")
			default:
				a.tell(true, "publishing goes on; it was held %s", holdText(res.Hold, time.Now()))
				a.screen.note("`rebake status --watch` shows what is being caught up on")
			}
			return nil
		}),
	}
	cmd.Flags().Bool("json", false, "print the answer as JSON")
	return cmd
}

package daemon

import (
	"github.com/spf13/cobra"

	"rebake/api"
)

func newRemoveCommand(flags *globalFlags) *cobra.Command {
	body := api.RemoveRequest{By: person()}
	cmd := &cobra.Command{
		Use:   "remove PATH",
		Short: "Take a page away now, without asking its source",
		Long: `Remove takes a page and its sidecars out of the output directory, also while
publishing is held. The next trigger for the page may bring it back; with
--keep-gone none does, until ` + "`rebake now PATH`" + ` names it.`,
		Example: `  rebake remove /blog/leaked --keep-gone --reason "legal asked"`,
		Args:    onePage,
		RunE: ask(flags, func(cmd *cobra.Command, args []string, a asking) error {
			body.Path = args[0]
			var res api.RemoveResult
			if err := a.post(cmd.Context(), "/v1/remove", body, &res); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.screen, res)
			}
			text := res.Path + " is removed"
			if !res.Removed {
				text = res.Path + " was not there"
			}
			a.tell(true, "%s", text)
			if res.Kept != nil {
				a.screen.note("and stays away, whatever triggers it; `rebake now %s` brings it back", res.Path)
			} else {
				a.screen.note("the next trigger may bring it back; --keep-gone prevents that")
			}
			if len(a.cfg.Origins) > 0 {
				a.screen.note("what an origin still has can be reached through it: take it away there too")
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&body.KeepGone, "keep-gone", false, "no trigger brings it back")
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, for those who will wonder")
	cmd.Flags().Bool("json", false, "print the answer as JSON")
	return cmd
}

package daemon

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rebake/api"
)

func newWebhookCommand(flags *globalFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhook",
		Short: "Try what events of a CMS do, and look at those that were not understood",
		Long: `A CMS sends its events to /_rebake/webhooks/NAME, where NAME is one of webhooks
in the config, or a source or origin with a webhook. The rules there say what an
event means. An event for which a rule fails is parked: its sender is told that
all is well, and a person has to look at it.`,
	}
	cmd.AddCommand(newWebhookTestCommand(flags), newWebhookParkedCommand(flags), newWebhookRetryCommand(flags))
	return cmd
}

func newWebhookParkedCommand(flags *globalFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "parked",
		Short: "List the events that were not understood",
		Long: `Parked lists the events of which a rule made nothing, the newest first: when each
came, to which webhook, what its sender calls it, what it is about, and why it
was not understood.
With --json their bodies are there, too: save one to a file, and try other rules
on it with "rebake webhook test".`,
		Example: `  rebake webhook parked
  rebake webhook parked --json | jq -r '.events[0].body' > event.json`,
		Args: cobra.NoArgs,
		RunE: ask(flags, func(cmd *cobra.Command, _ []string, a asking) error {
			var res api.ParkedEvents
			if err := a.get(cmd.Context(), "/v1/webhooks/parked", nil, &res); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.screen, res)
			}
			a.printParked(res.Events)
			a.printDropped(res.Dropped)
			return nil
		}),
	}
	cmd.Flags().Bool("json", false, "print the events as JSON, with their bodies")
	return cmd
}

func (a asking) printParked(events []api.ParkedEvent) {
	if len(events) == 0 {
		a.tell(true, "no event is parked")
		return
	}
	for _, e := range events {
		line := strings.TrimRight(fmt.Sprintf("%s  %s  %s  %s  %s", e.ID, e.At.Local().Format("Jan _2 15:04"), e.Webhook, e.Event, e.About), " ")
		fmt.Fprintln(a.screen, cut(line, a.screen.width))
		a.screen.note("%s", e.Reason)
	}
	a.screen.note("`rebake webhook retry` sends them through the rules again, when those have been mended and loaded: SIGHUP does that")
}

// printDropped says how many events there is no trace of any more.
func (a asking) printDropped(dropped map[string]int64) {
	for _, name := range slices.Sorted(maps.Keys(dropped)) {
		a.tell(false, "%s of %s dropped for these, and all pages rendered in their place", count(dropped[name], "older event", "older events"), name)
	}
}

func newWebhookRetryCommand(flags *globalFlags) *cobra.Command {
	var drop bool
	cmd := &cobra.Command{
		Use:   "retry [ID]",
		Short: "Send parked events through the rules again",
		Long: `Retry looks at parked events again, at all of them or at one: with the rules of
the rebake that runs. One that is understood now is done with; another stays
parked. With --drop they are taken away instead.

The exit code is 1 when an event stays parked.`,
		Example: `  rebake webhook retry
  rebake webhook retry 2QX5VJ7RZ4KAB
  rebake webhook retry 2QX5VJ7RZ4KAB --drop`,
		Args: cobra.MaximumNArgs(1),
		RunE: ask(flags, func(cmd *cobra.Command, args []string, a asking) error {
			body := api.RetryParked{Drop: drop, ID: strings.Join(args, "")}
			if drop && body.ID == "" {
				return &exitError{exitUsage, errors.New("--drop takes the ID of one event; see `rebake webhook parked`")}
			}
			return a.retryParked(cmd, body)
		}),
	}
	cmd.Flags().BoolVar(&drop, "drop", false, "take the event away")
	cmd.Flags().Bool("json", false, "print what became of them as JSON")
	return cmd
}

func (a asking) retryParked(cmd *cobra.Command, body api.RetryParked) error {
	var res struct {
		Events []api.Retried `json:"events"`
	}
	if err := a.post(cmd.Context(), "/v1/webhooks/parked/retry", body, &res); err != nil {
		return err
	}
	var told error
	for _, e := range res.Events {
		if e.Result == "parked" {
			told = &exitError{exitFailed, errAlreadyTold}
		}
	}
	if a.json {
		return errors.Join(printJSON(a.screen, res), told)
	}
	if len(res.Events) == 0 {
		a.tell(true, "no event is parked")
	}
	for _, e := range res.Events {
		text := fmt.Sprintf("%s  %s  %s", e.ID, e.Webhook, e.Result)
		if e.Pages > 0 {
			text += ", " + count(int64(e.Pages), "page", "pages")
		}
		if e.Message != "" {
			text += ": " + e.Message
		}
		a.tell(e.Result != "parked", "%s", text)
	}
	return told
}

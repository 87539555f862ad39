package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/api"
	"rebake/storage/ledger"
	"rebake/worker"
)

func newReconcileCommand(flags *globalFlags) *cobra.Command {
	var source string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Find edits and deletions of which nobody told",
		Long: `Reconcile asks every source and origin what is there, compares that with what
was there before, and triggers the pages of what has changed, if no webhook has
done so. A running rebake does the same by itself, as often as reconcile in
rebake.yaml says, for what has changed last; the command compares everything.

What can be asked is a WordPress, and of other sources what routes have lists
of. With --json it prints one object for each of them.`,
		Example: `  rebake reconcile --dry-run`,
		Args:    cobra.NoArgs,
		RunE: ask(flags, func(cmd *cobra.Command, _ []string, a asking) error {
			return a.reconcile(cmd.Context(), source, dryRun)
		}),
	}
	cmd.Flags().StringVar(&source, "source", "", "only this source or origin, by its name in rebake.yaml")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be triggered")
	cmd.Flags().Bool("json", false, "print one JSON object a line")
	return cmd
}

// reconcile asks one after the other. One that fails does not keep the others.
func (a asking) reconcile(ctx context.Context, source string, dry bool) error {
	names := []string{source}
	if source == "" {
		var known api.ReconcileSources
		if err := a.get(ctx, "/v1/reconcile", url.Values{}, &known); err != nil {
			return err
		}
		names = nil
		for _, s := range known.Sources {
			names = append(names, s.Source)
		}
		if len(names) == 0 {
			return errors.New("nothing says what has changed: no page is made from a source or origin of kind wordpress, and no route has a list")
		}
	}
	var failed []string
	for _, name := range names {
		if err := a.reconcileOne(ctx, name, dry); err != nil {
			if len(names) == 1 {
				return err
			}
			failed = append(failed, name)
			a.screen.note("%s: %v", name, err)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("not reconciled: %s", strings.Join(failed, ", "))
	}
	return nil
}

// mostRounds ends what never comes to an end.
const mostRounds = 500

// reconcileOne goes on until everything is compared; a dry run cannot, since
// nothing is remembered of it.
func (a asking) reconcileOne(ctx context.Context, name string, dry bool) error {
	sum := api.ReconcileResult{DryRun: dry, Reconciled: worker.Reconciled{Source: name, Found: []worker.Found{}}}
	for round := range mostRounds {
		var res api.ReconcileResult
		err := a.post(ctx, "/v1/reconcile", api.ReconcileRequest{Source: name, Full: round == 0, DryRun: dry, By: person()}, &res)
		if err != nil {
			return err
		}
		if !a.json {
			for _, f := range res.Found {
				a.foundLine(f)
			}
		}
		sum.Found = append(sum.Found, res.Found...)
		sum.Count, sum.Compared, sum.Requests = sum.Count+res.Count, sum.Compared+res.Compared, sum.Requests+res.Requests
		sum.Open = res.Open
		for _, n := range res.Notes {
			if !slices.Contains(sum.Notes, n) {
				sum.Notes = append(sum.Notes, n)
			}
		}
		if !res.Open || dry {
			break
		}
	}
	if a.json {
		return json.NewEncoder(a.screen).Encode(sum)
	}
	a.reconcileSum(sum)
	return nil
}

func (a asking) foundLine(f worker.Found) {
	line := fmt.Sprintf("%-7s  %s%s  %s", f.What, f.Item, f.Path, f.Version)
	if a.screen.width > 0 {
		line = cut(line, a.screen.width)
	}
	fmt.Fprintln(a.screen, strings.TrimSpace(line))
}

func (a asking) reconcileSum(sum api.ReconcileResult) {
	if more := sum.Count - len(sum.Found); more > 0 {
		fmt.Fprintf(a.screen, "and %d more\n", more)
	}
	took := fmt.Sprintf("%s compared in %s", count(int64(sum.Compared), "item", "items"), count(int64(sum.Requests), "request", "requests"))
	switch {
	case sum.Count == 0:
		a.tell(true, "%s: nothing has changed of which nobody told; %s", sum.Source, took)
	case sum.DryRun:
		a.tell(true, "%s: would trigger %s; %s, and nothing was touched", sum.Source, count(int64(sum.Count), "change", "changes"), took)
	default:
		a.tell(true, "%s: triggered %s; %s", sum.Source, count(int64(sum.Count), "change", "changes"), took)
	}
	if sum.Open {
		a.tell(false, "not everything was compared in the time that there was")
	}
	for _, n := range sum.Notes {
		a.screen.note("%s", n)
	}
}

// writePolls says how the last poll of each source and origin ended.
func writePolls(w screen, s api.Status) {
	for i, p := range s.Reconcile {
		name := ""
		if i == 0 {
			name = "reconcile"
		}
		w.field(name, "%s: %s", p.Source, pollText(p, s.At))
	}
}

func pollText(p ledger.PollState, now time.Time) string {
	text := fmt.Sprintf("%s, found %d", ago(p.At, now), p.Found)
	switch {
	case p.Error != "":
		text = ago(p.At, now) + ", " + color.RedString(p.Error)
		if wait := p.Next.Sub(now); wait > 0 {
			text += "; tried again in " + max(wait, time.Second).Round(time.Second).String()
		} else if !p.Next.IsZero() {
			text += "; the next try is due"
		}
	case p.Open:
		text += ", goes on"
	}
	return text
}

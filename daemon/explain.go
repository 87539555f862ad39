package daemon

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rebake/api"
	"rebake/storage/ledger"
)

func newExplainCommand(flags *globalFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "explain PATH",
		Short:   "Say why a page is what it is",
		Example: "  rebake explain /blog/hello",
		Args:    onePage,
		RunE: ask(flags, func(cmd *cobra.Command, args []string, a asking) error {
			var e api.Explanation
			if err := a.get(cmd.Context(), "/v1/explain", url.Values{"path": {args[0]}}, &e); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.screen, e)
			}
			writeExplanation(a.screen, e, time.Now())
			return nil
		}),
	}
	cmd.Flags().Bool("json", false, "print the answer as JSON")
	return cmd
}

// writeExplanation tells a person about a page.
func writeExplanation(w screen, e api.Explanation, now time.Time) {
	fmt.Fprintf(w, "%s  %s\n", e.Path, colorOf(e.Freshness).Sprint(string(e.Freshness)))
	switch {
	case e.Passed != "":
		w.field("route", "none makes a page of it: the origin %q always answers this path itself", e.Passed)
	case e.Unmatched:
		w.field("route", "none has this path; nothing will be rendered for it")
	}
	if e.Freshness == ledger.PageUnknown {
		explainHistory(w, e, now)
	}
	if e.Label != "" {
		w.field("stale by", "a trigger of %s, which are being rendered", pagesOf(e.Label))
	}
	if e.Owed != nil {
		explainOwed(w, e.Owed, now)
	}
	if e.Hold != nil && e.Freshness != ledger.PageFresh {
		w.field("held", "%s; `rebake resume` ends that", holdText(e.Hold, now))
	}
	if k := e.Kept; k != nil {
		w.field("kept gone", "%s; `rebake now %s` brings it back", keptText(k, now), e.Path)
	}
	if e.Page != nil {
		explainPage(w, e, now)
	} else if e.Freshness != ledger.PageUnknown {
		w.field("page", "never published")
	}
}

// explainHistory says what became of those who asked for a page that there
// never was.
func explainHistory(w screen, e api.Explanation, now time.Time) {
	if len(e.History) == 0 {
		text := "never published, and nobody has asked for it lately"
		if !e.Unmatched && e.Owed == nil {
			text += "; `rebake now " + e.Path + "` does"
		}
		w.field("", "%s", text)
		return
	}
	w.field("", "never published")
	last := e.History[0]
	asked := last.At.Add(-time.Duration(last.WaitedMS) * time.Millisecond)
	w.field("asked by", "%s, %s", askers(e.History, asked), ago(asked, now))
	outcome := string(last.Kind)
	switch {
	case last.Error != "":
		outcome += ": " + last.Error
	case last.Kind == ledger.Removed:
		outcome = "there is no such page"
	}
	w.field("outcome", "%s, %s", outcome, ago(last.At, now))
	for _, end := range e.History[1:] {
		if end.Error != "" {
			w.field("before", "%s, %s", end.Error, ago(end.At, now))
			return
		}
	}
}

// askers are the reasons of the runs since a time, the first one first: a second
// look takes the place of the event that it follows.
func askers(history []api.Event, since time.Time) string {
	var reasons []string
	for _, end := range slices.Backward(history) {
		if !end.At.Before(since) && !slices.Contains(reasons, end.Reason) {
			reasons = append(reasons, end.Reason)
		}
	}
	return strings.Join(reasons, ", then ")
}

func explainOwed(w screen, o *ledger.OwedState, now time.Time) {
	w.field("owed", "%s, trigger %d, since %s, priority %s", o.Status, o.Newest, ago(o.Since, now), o.Priority)
	w.field("asked by", "%s", o.Reason)
	if o.Error != "" {
		w.field("last try", "%s failed (%s): %s", ordinal(o.Attempts), ago(o.LastTry, now), o.Error)
	}
	if o.Settling.After(now) {
		w.field("settling", "until %s; a trigger that comes before may begin that anew", clock(o.Settling))
	} else if o.Due.After(now) {
		w.field("next try", "in %s", o.Due.Sub(now).Round(100*time.Millisecond))
	}
}

func explainPage(w screen, e api.Explanation, now time.Time) {
	p := e.Page
	if p.Gone {
		w.field("page", "removed %s", ago(p.Changed, now))
	} else {
		w.field("file", "%s, %d bytes, %s", e.File, p.Size, p.Type)
		w.field("changed", "%s", ago(p.Changed, now))
	}
	if p.Lagging != "" {
		w.field("lagging", "%s; it is published as it is, and looked at again", p.Lagging)
	}
	w.field("checked", "%s, meets triggers up to %d", ago(p.At, now), p.G0)
	w.field("because", "%s", p.Reason)
	if p.Route != "" {
		w.field("route", "%s", p.Route)
	}
	if p.Version != "" {
		w.field("version", "%s", p.Version)
	}
	if len(p.Tags) > 0 {
		w.field("tags", "%s", strings.Join(p.Tags, "  "))
	}
}

// clock is a time of this day for people.
func clock(t time.Time) string { return t.Local().Format("15:04:05.0") }

func ordinal(n int) string {
	suffix := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		suffix = "st"
	case n%10 == 2:
		suffix = "nd"
	case n%10 == 3:
		suffix = "rd"
	}
	return fmt.Sprintf("%d%s", n, suffix)
}

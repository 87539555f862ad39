package daemon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/api"
)

// nowOptions are the flags of `rebake now`.
type nowOptions struct {
	api.CreateTrigger
	noWait bool
	wait   time.Duration
}

func newNowCommand(flags *globalFlags) *cobra.Command {
	var o nowOptions
	cmd := &cobra.Command{
		Use:   "now [PATH|GLOB]...",
		Short: "Render pages again, and wait for them",
		Long: `Now triggers pages and waits until they are published. In a pattern * is any
text within a segment of the path and ** any number of segments; put it in
quotes. A page that was removed with --keep-gone comes back when its path is
named.

The exit code is 1 when a page is not published.`,
		Example: `  rebake now / /blog/hello
  rebake now '/blog/2026-*' --dry-run
  rebake now --tag post:42
  rebake now --failed
  rebake now --all --no-wait`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && len(o.Tags) == 0 && !o.All && !o.Failed {
				return &exitError{exitUsage, fmt.Errorf("say which pages: PATH, GLOB, --tag, --failed or --all; see `%s --help`", cmd.CommandPath())}
			}
			return ask(flags, func(cmd *cobra.Command, args []string, a asking) error {
				return a.now(cmd, args, o)
			})(cmd, args)
		},
	}
	cmd.Flags().StringArrayVar(&o.Tags, "tag", nil, "pages with this tag (repeatable)")
	cmd.Flags().BoolVar(&o.All, "all", false, "every known page, at low priority")
	cmd.Flags().BoolVar(&o.Failed, "failed", false, "every page that has failed")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "say what it would touch and why, and touch nothing")
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "return when the trigger is durable")
	cmd.Flags().DurationVar(&o.wait, "wait", 0, "how long to wait (default 1m for paths, else no limit)")
	cmd.Flags().StringVar(&o.Reason, "reason", "rebake now", "why, for those who will wonder")
	cmd.Flags().Bool("json", false, "print the answer as JSON")
	return cmd
}

// nowResult is what --json prints.
type nowResult struct {
	api.TriggerResult
	// Progress is what became of pages that were not named one by one.
	Progress *api.TriggerProgress `json:"progress,omitempty"`
}

func (a asking) now(cmd *cobra.Command, args []string, o nowOptions) error {
	for _, arg := range args {
		if strings.Contains(arg, "*") {
			o.Globs = append(o.Globs, arg)
		} else {
			o.Paths = append(o.Paths, arg)
		}
	}
	if o.DryRun {
		var res api.DryRun
		if err := a.post(cmd.Context(), "/v1/triggers", o.CreateTrigger, &res); err != nil {
			return err
		}
		return a.printDryRun(res)
	}
	// Pages that are named are waited for by the server, which is told of their
	// end at once. Others may be many: their progress is looked at.
	named := len(o.Globs)+len(o.Tags) == 0 && !o.All && !o.Failed
	if named && !o.noWait {
		wait := o.wait
		if wait == 0 {
			wait = time.Minute
		}
		o.Wait = min(wait, a.cfg.Limits.MaxWait).String()
	}
	var res nowResult
	started := time.Now()
	if err := a.post(cmd.Context(), "/v1/triggers", o.CreateTrigger, &res.TriggerResult); err != nil {
		return err
	}
	if !named && !o.noWait && res.ID != "" && res.Hold == nil {
		p, err := a.follow(cmd, res.ID, o.wait)
		if err != nil {
			return err
		}
		res.Progress = &p
	}
	return a.printNow(res, o, time.Since(started))
}

func (a asking) printNow(res nowResult, o nowOptions, took time.Duration) error {
	bad := 0
	for _, p := range res.Pages {
		if notDone(p, o.noWait) {
			bad++
		}
	}
	empty := len(res.Pages)+len(res.Labels) == 0 && !o.Failed
	var told error
	if bad > 0 || empty || res.Hold != nil && !o.noWait || res.Progress != nil && (res.Progress.Failed > 0 || !res.Progress.Done) {
		told = &exitError{exitFailed, errAlreadyTold}
	}
	switch {
	case a.json:
		if err := printJSON(a.screen, res); err != nil {
			return err
		}
	case res.Hold != nil:
		a.tell(o.noWait, "accepted, and kept: publishing is held %s", holdText(res.Hold, time.Now()))
		a.screen.note("`rebake resume` lets it go on")
	case res.Progress != nil:
		a.printProgress(*res.Progress, took)
	case len(res.Pages)+len(res.Labels) == 0:
		a.tell(!empty, "%s", res.Message)
	default:
		a.printPages(res.TriggerResult, bad, o.noWait, took)
	}
	return told
}

// notDone reports that a page is not what was asked for. What is spooled will
// be, for who does not wait for it.
func notDone(p api.PageResult, noWait bool) bool {
	return p.Result == "failed" || p.Result == "retrying" || p.Result == "unmatched" || p.Result == "spooled" && !noWait
}

// inText says for people how soon a time comes.
func inText(t, now time.Time) string {
	if wait := t.Sub(now).Round(100 * time.Millisecond); wait > 0 {
		return "in " + wait.String()
	}
	return "now"
}

// printPages tells of each page that was named.
func (a asking) printPages(res api.TriggerResult, bad int, noWait bool, took time.Duration) {
	for _, p := range res.Pages {
		text := p.Path + "  " + p.Result
		if p.Result == "retrying" {
			text = p.Path + "  not yet"
		}
		if p.Reason != "" {
			// The path stands there already.
			text += ": " + strings.TrimPrefix(p.Reason, p.Path+": ")
		}
		if p.Result == "retrying" {
			text += "; tried again " + inText(p.Next, time.Now())
		}
		a.tell(!notDone(p, noWait), "%s", text)
	}
	for _, l := range res.Labels {
		a.tell(true, "%s  %s, %s", l.Label, l.Result, count(l.Pages, "page", "pages"))
	}
	switch {
	case strings.HasPrefix(res.ID, "spool-"):
		a.screen.note("%s", res.Message)
	case bad > 0:
		a.screen.note("%d of %d not done; `rebake explain PATH` says why", bad, len(res.Pages))
	case len(res.Labels) > 0:
		a.screen.note("trigger %s; `rebake status` shows how it gets on", res.ID)
	default:
		fmt.Fprintf(a.screen, "  %s in %s\n", count(int64(len(res.Pages)), "page", "pages"), took.Round(time.Millisecond))
	}
}

func (a asking) printProgress(p api.TriggerProgress, took time.Duration) {
	shown := 0
	for _, row := range p.Unmet {
		if row.Error == "" || shown == mostShown {
			continue
		}
		shown++
		a.tell(false, "%s  %s: %s", row.Path, row.Freshness, row.Error)
	}
	if more := p.Failed - shown; more > 0 {
		a.screen.note("and %d more; `rebake pages --state failed` names them", more)
	}
	if !p.Done {
		a.tell(false, "%d of %d pages published in %s; the trigger is kept, and the others follow", p.Met, p.Pages, took.Round(time.Millisecond))
		return
	}
	in := "in " + took.Round(time.Millisecond).String()
	switch {
	case p.Failed > 0:
		a.tell(false, "%d of %s not published, %s", p.Failed, count(int64(p.Pages), "page", "pages"), in)
	case p.Pages == 0:
		a.tell(true, "no page has that yet")
	default:
		a.tell(true, "%s %s", count(int64(p.Met), "page", "pages"), in)
	}
}

func (a asking) printDryRun(res api.DryRun) error {
	if a.json {
		return printJSON(a.screen, res)
	}
	width := 0
	for _, p := range slices.Concat(res.Pages, res.Left) {
		width = max(width, len([]rune(p.Path)))
	}
	width = min(width, 48)
	if a.screen.width > 0 {
		width = min(width, a.screen.width/2)
	}
	print := func(mark string, list []api.Touched) {
		for _, p := range list {
			line := cut(fmt.Sprintf("%-*s  %s", width, p.Path, p.Why), a.screen.width-2)
			fmt.Fprintf(a.screen, "%s %s\n", mark, line)
		}
	}
	print(color.GreenString("+"), res.Pages)
	print(color.New(color.Faint).Sprint("-"), res.Left)
	text := fmt.Sprintf("%s would be rendered, at %s priority; nothing was touched", count(int64(len(res.Pages)+res.More), "page", "pages"), res.Priority)
	if res.More > 0 {
		text = fmt.Sprintf("and %d more; ", res.More) + text
	}
	if res.Hold != nil {
		text += ". Publishing is held: " + res.Hold.Why
	}
	a.screen.note("%s", text)
	return nil
}

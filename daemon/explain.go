package daemon

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/api"
	"rebake/storage/ledger"
)

func newExplainCommand(flags *globalFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "explain PATH",
		Short:   "Say why a page is what it is",
		Example: "  rebake explain /blog/hello",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := flags.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			c, err := newClient(cfg)
			if err != nil {
				return failed(err)
			}
			var e api.Explanation
			if err := c.get(cmd.Context(), "/v1/explain", url.Values{"path": {args[0]}}, &e); err != nil {
				return failed(err)
			}
			if asJSON {
				return failed(printJSON(cmd.OutOrStdout(), e))
			}
			writeExplanation(cmd.OutOrStdout(), e, time.Now())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	return cmd
}

// writeExplanation tells a person about a page.
func writeExplanation(w io.Writer, e api.Explanation, now time.Time) {
	paint := color.New(color.FgGreen)
	switch e.Freshness {
	case ledger.PageStale, ledger.PageRetrying:
		paint = color.New(color.FgYellow)
	case ledger.PageFailed:
		paint = color.New(color.FgRed)
	case ledger.PageUnknown:
		paint = color.New(color.Faint)
	}
	fmt.Fprintf(w, "%s  %s\n", e.Path, paint.Sprint(string(e.Freshness)))
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	if e.Freshness == ledger.PageUnknown {
		line("", "never published, and nobody has asked for it")
		return
	}
	if o := e.Owed; o != nil {
		line("owed", "%s, trigger %d, since %s, priority %s", o.Status, o.Newest, ago(o.Since, now), o.Priority)
		line("asked by", "%s", o.Reason)
		if o.Error != "" {
			line("last try", "%s failed (%s): %s", ordinal(o.Attempts), ago(o.LastTry, now), o.Error)
		}
		if o.Due.After(now) {
			line("next try", "in %s", o.Due.Sub(now).Round(100*time.Millisecond))
		}
	}
	p := e.Page
	if p == nil {
		line("page", "never published")
		return
	}
	if p.Gone {
		line("page", "removed %s, since its source no longer has it", ago(p.At, now))
	} else {
		line("file", "%s, %d bytes, %s", e.File, p.Size, p.Type)
		line("changed", "%s", ago(p.Changed, now))
	}
	line("checked", "%s, meets triggers up to %d", ago(p.At, now), p.G0)
	line("because", "%s", p.Reason)
	if p.Route != "" {
		line("route", "%s", p.Route)
	}
	if p.Version != "" {
		line("version", "%s", p.Version)
	}
	if len(p.Tags) > 0 {
		line("tags", "%s", strings.Join(p.Tags, "  "))
	}
}

func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Hour:
		return d.Round(time.Second).String() + " ago"
	}
	return t.Format("2006-01-02 15:04:05")
}

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

package daemon

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"rebake/api"
)

func newPagesCommand(flags *globalFlags) *cobra.Command {
	var tag, prefix, state string
	cmd := &cobra.Command{
		Use:   "pages",
		Short: "List the pages that are known",
		Long: `Pages lists every page that was published once, in the order of paths: how it
is, when its bytes changed, its size, its path, and the last error. With
--state stale, retrying or failed it also lists pages that were never published.
With --json it prints one object a line.`,
		Example: `  rebake pages --state failed
  rebake pages --prefix /blog --tag post:42`,
		Args: cobra.NoArgs,
		RunE: ask(flags, func(cmd *cobra.Command, _ []string, a asking) error {
			query := url.Values{"limit": {"1000"}}
			for name, value := range map[string]string{"tag": tag, "prefix": prefix, "state": state} {
				if value != "" {
					query.Set(name, value)
				}
			}
			n, err := a.eachPage(cmd, query)
			if err == nil && n == 0 && !a.json {
				fmt.Fprintln(cmd.ErrOrStderr(), noPages(tag, prefix, state))
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&tag, "tag", "", "only pages with this tag")
	cmd.Flags().StringVar(&prefix, "prefix", "", "only the page at this path, and all below it")
	cmd.Flags().StringVar(&state, "state", "", "only pages that are fresh, stale, retrying, failed, gone or lagging")
	cmd.Flags().Bool("json", false, "print one JSON object a line")
	return cmd
}

// noPages says that a list is empty.
func noPages(tag, prefix, state string) string {
	text := "no page"
	if prefix != "" {
		text += " at or below " + prefix
	}
	if tag != "" {
		text += " with tag " + tag
	}
	switch {
	case state != "":
		return text + " is " + state
	case tag != "" || prefix != "":
		text += " is known"
	default:
		text += " is known yet"
	}
	return text + "; `rebake build` makes all that the routes' lists name"
}

// eachPage prints pages as they come.
func (a asking) eachPage(cmd *cobra.Command, query url.Values) (n int, err error) {
	enc := json.NewEncoder(a.screen)
	for {
		var res api.PageList
		if err := a.get(cmd.Context(), "/v1/pages", query, &res); err != nil {
			return n, err
		}
		now := time.Now()
		for _, p := range res.Pages {
			n++
			if !a.json {
				a.page(p, now)
			} else if err := enc.Encode(p); err != nil {
				return n, err
			}
		}
		if res.Next == "" {
			return n, nil
		}
		query.Set("after", res.Next)
	}
}

// page prints one line: what has to be whole stands first, and the reason last.
func (a asking) page(p api.PageRow, now time.Time) {
	size := "-"
	if p.Size > 0 {
		size = bytesOf(p.Size)
	}
	const left = 27 // columns before the path
	why := p.Error
	switch {
	case why != "":
	case p.Settling.After(now):
		why = "settling until " + clock(p.Settling)
	case p.Label != "":
		why = "by " + string(p.Label)
	case p.Lagging != "":
		why = "lagging: " + p.Lagging
	}
	path, below := p.Path, ""
	switch {
	case why == "":
	case a.screen.width == 0 || left+utf8.RuneCountInString(path+why)+2 <= a.screen.width:
		path += "  " + why
	default:
		below = "  " + cut(why, a.screen.width-2) + "\n"
	}
	if a.screen.width > 0 {
		path = cut(path, a.screen.width-left)
	}
	fmt.Fprintf(a.screen, "%s  %4s  %7s  %s\n%s", colorOf(p.Freshness).Sprintf("%-10s", p.Freshness), age(p.Changed, now), size, path, below)
}

package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/api"
	"rebake/storage/ledger"
)

func newStatusCommand(flags *globalFlags) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what is going on",
		Args:  cobra.NoArgs,
		RunE: ask(flags, func(cmd *cobra.Command, _ []string, a asking) error {
			if watch {
				return a.watchStatus(cmd.Context())
			}
			s, err := a.status(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				err = printJSON(a.screen, s)
			} else {
				writeStatus(a.screen, a.cfg.Site, s)
			}
			if err == nil && s.Redis != "ok" {
				err = &exitError{exitFailed, errAlreadyTold}
			}
			return err
		}),
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "again each second, until it is interrupted")
	cmd.Flags().Bool("json", false, "print the answer as JSON")
	return cmd
}

func (a asking) status(ctx context.Context) (s api.Status, err error) {
	err = a.get(ctx, "/v1/status", url.Values{}, &s)
	return s, err
}

// watchEvery is the time between two looks.
const watchEvery = time.Second

// watchStatus draws over what it has drawn, where that is a terminal. A rebake
// that is away for a while is waited for.
func (a asking) watchStatus(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for first := true; ; first = false {
		s, err := a.status(ctx)
		if ctx.Err() != nil || err != nil && first {
			return err
		}
		if err := a.drawStatus(s, err, first); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (a asking) drawStatus(s api.Status, problem error, first bool) error {
	if a.json {
		if problem != nil {
			return nil
		}
		return json.NewEncoder(a.screen).Encode(s)
	}
	var page bytes.Buffer
	now := newScreen(a.screen.Writer) // the window may have been resized
	to := screen{&page, now.width}
	if problem != nil {
		fmt.Fprintln(to, color.New(color.Bold).Sprint(a.cfg.Site))
		to.field("rebake", "%s", color.RedString(problem.Error()))
	} else {
		writeStatus(to, a.cfg.Site, s)
	}
	if now.width == 0 {
		fmt.Fprintln(&page)
		_, err := a.screen.Write(page.Bytes())
		return err
	}
	start := "\x1b[H"
	if first {
		start += "\x1b[2J"
	}
	_, err := fmt.Fprint(a.screen, start, strings.ReplaceAll(page.String(), "\n", "\x1b[K\n"), "\x1b[J")
	return err
}

// writeIntake says where triggers go, when that is not Redis.
func writeIntake(w screen, s api.Status) {
	since := ""
	if !s.Since.IsZero() {
		since = ", since " + ago(s.Since, s.At)
	}
	switch {
	case s.Redis != "ok":
		w.field("redis", "%s; nothing is rendered until it is back%s", color.RedString(s.Redis), since)
		w.field("", "%s", s.Intake)
	case s.Intake != "":
		w.field("redis", "%s%s", color.RedString(s.Intake), since)
	}
	if n := s.Spooled; n.Records > 0 || s.Intake != "" {
		w.field("spool", "%s, %s; triggers are kept here until Redis takes them", count(int64(n.Records), "trigger", "triggers"), count(n.Bytes, "byte", "bytes"))
	}
}

// downText says what is down, and when that may end.
func downText(d ledger.Down, now time.Time) string {
	next := "with the next page that needs it"
	if wait := d.Next.Sub(now); wait > 0 {
		next = "in " + max(wait, time.Second).Round(time.Second).String()
	}
	return fmt.Sprintf("%s (%s), since %s: %s; tried again %s", color.RedString(d.Upstream), d.Server, ago(d.Since, now), d.Reason, next)
}

// pagesOf says for people which pages have a label.
func pagesOf(l ledger.Label) string {
	kind, of, _ := strings.Cut(string(l), ":")
	near, isNear := strings.CutPrefix(of, "near:")
	file, isTemplate := strings.CutPrefix(of, "template:")
	switch {
	case kind == "tag" && isNear:
		return "the pages that lead to " + near
	case kind == "tag" && isTemplate:
		return "the pages made with " + file
	case kind == "tag":
		return "the pages with tag " + of
	case kind == "item":
		return "the pages that show " + of
	case kind == "prefix":
		return "the pages at and below " + of
	case kind == "route":
		return "the pages of route " + of
	}
	return "all pages"
}

// walkText says which walk, and what it waits for.
func walkText(walk ledger.Walking, now time.Time) string {
	text := fmt.Sprintf("%s, asked for %s", pagesOf(walk.Label), ago(walk.Since, now))
	wait := walk.Due.Sub(now).Round(100 * time.Millisecond)
	switch {
	case walk.Error != "":
		text += "; " + walk.Error
		if wait > 0 {
			text += "; tried again in " + wait.String()
		}
	case wait > 0:
		text += ", settling until " + clock(walk.Due)
	}
	return text
}

// writeStatus tells a person. Ages are counted by the clock of the machine that
// answered.
func writeStatus(w screen, site string, s api.Status) {
	fmt.Fprintln(w, color.New(color.Bold).Sprint(site))
	writeIntake(w, s)
	if s.Redis != "ok" {
		return
	}
	publishing := "on"
	if s.Hold != nil {
		publishing = color.YellowString("held") + " " + holdText(s.Hold, s.At) + "; `rebake resume` ends that"
	}
	w.field("publishing", "%s", publishing)
	for _, d := range s.Down {
		w.field("down", "%s", downText(d, s.At))
	}
	w.field("pages", "%d", s.Pages)
	owed := fmt.Sprint(s.Owed)
	if s.Owed > 0 && !s.Oldest.IsZero() {
		owed += ", the oldest asked for " + ago(s.Oldest, s.At)
	}
	w.field("owed", "%s", owed)
	failed := fmt.Sprint(s.Failed)
	if s.Failed > 0 {
		failed = color.RedString(failed) + "; `rebake pages --state failed` names them"
	}
	w.field("failed", "%s", failed)
	if s.Lagging > 0 {
		w.field("lagging", "%s with something older than its CMS has told of; `rebake pages --state lagging` names them", count(s.Lagging, "page", "pages"))
	}
	if s.Parked > 0 {
		text := color.RedString(count(s.Parked, "event", "events")) + " of webhooks that nobody understood"
		if s.Dropped > 0 {
			text += fmt.Sprintf(", and %d older ones dropped", s.Dropped)
		}
		w.field("parked", "%s; `rebake webhook parked` shows them", text)
	}
	for _, e := range s.Refused {
		w.field("refused", "%s, the last %s: %s", color.RedString("%s to webhook %s", count(e.Requests, "request", "requests"), e.Webhook), ago(e.Last, s.At), e.Reason)
	}
	if s.Timers > 0 {
		w.field("scheduled", "%s: a second look, a date in the content, revalidate of a route", count(s.Timers, "trigger waits for its time", "triggers wait for their time"))
	}
	writePolls(w, s)
	for i, walk := range s.Walks {
		if i == 5 {
			w.field("", "and %d more", len(s.Walks)-i)
			break
		}
		name := ""
		if i == 0 {
			name = "triggering"
		}
		w.field(name, "%s", walkText(walk, s.At))
	}
	fmt.Fprintf(w, "\n  %-10s %8s %8s %8s\n", "queue", "waiting", "running", "later")
	for _, q := range s.Queues {
		fmt.Fprintf(w, "  %-10s %8d %8d %8d\n", q.Priority, q.Waiting, q.Running, q.Later)
	}
}

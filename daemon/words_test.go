package daemon

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"rebake/api"
	"rebake/api/webhook"
	"rebake/storage/ledger"
)

func TestWords_ofWhatPagesWaitFor(t *testing.T) {
	now := time.Now()
	const lag = "waits for the CMS to show version 3 of post:42 (shows 2)"
	soon := now.Add(2 * time.Second)
	for name, c := range map[string]struct {
		write func(screen)
		want  []string
	}{
		"explain a page that there never was": {func(w screen) {
			writeExplanation(w, api.Explanation{Path: "/a", Freshness: ledger.PageUnknown, History: []api.Event{
				{Kind: ledger.Removed, Reason: "second look", At: now.Add(-5 * time.Second), WaitedMS: 120_000},
				{Kind: ledger.Retrying, Reason: "second look", At: now.Add(-25 * time.Second), Error: lag},
				{Kind: ledger.Retrying, Reason: "webhook cms", At: now.Add(-2 * time.Minute), Error: "status 503"},
				{Kind: ledger.Removed, Reason: "rebake build", At: now.Add(-3 * time.Minute)},
			}}, now)
		}, []string{"asked by   webhook cms, then second look, 2m5s ago", "outcome    there is no such page, 5s ago", "before     " + lag + ", 25s ago"}},
		"explain a page that nobody asked for": {func(w screen) {
			writeExplanation(w, api.Explanation{Path: "/a", Freshness: ledger.PageUnknown}, now)
		}, []string{"nobody has asked for it lately; `rebake now /a` does\n"}},
		"explain a path that is no page": {func(w screen) {
			writeExplanation(w, api.Explanation{Path: "/a", Freshness: ledger.PageUnknown, Unmatched: true}, now)
		}, []string{"nothing will be rendered for it\n", "nobody has asked for it lately\n"}},
		"explain a page that settles": {func(w screen) {
			owed := &ledger.OwedState{Status: "queued", Due: soon, Settling: soon, Since: now}
			writeExplanation(w, api.Explanation{Path: "/a", Freshness: ledger.PageStale, Owed: owed}, now)
		}, []string{"settling   until " + clock(soon)}},
		"explain a page that waits for its CMS": {func(w screen) {
			owed := &ledger.OwedState{Status: "waiting", Due: soon, Attempts: 1, LastTry: now, Error: lag, Since: now}
			writeExplanation(w, api.Explanation{Path: "/a", Freshness: ledger.PageRetrying, Owed: owed}, now)
		}, []string{lag, "next try   in 2s"}},
		"explain a page that was removed": {func(w screen) {
			page := &ledger.PageState{Gone: true, At: now.Add(-39 * time.Second), Changed: now.Add(-13 * time.Minute)}
			writeExplanation(w, api.Explanation{Path: "/a", Freshness: ledger.PageGone, Page: page}, now)
		}, []string{"page       removed 13m0s ago", "checked    39s ago"}},
		"explain a path that its origin keeps": {func(w screen) {
			writeExplanation(w, api.Explanation{Path: "/wp-admin", Freshness: ledger.PageUnknown, Unmatched: true, Passed: "wp"}, now)
		}, []string{`none makes a page of it: the origin "wp" always answers this path itself`}},
		"pages where none is": {func(w screen) {
			for _, query := range [][3]string{{"", "", "failed"}, {"t", "/a", "lagging"}, {"t", "", ""}, {}} {
				fmt.Fprintln(w, noPages(query[0], query[1], query[2]))
			}
		}, []string{"no page is failed\n", "no page at or below /a with tag t is lagging\n", "no page with tag t is known; `rebake build`", "no page is known yet; `rebake build`"}},
		"a webhook test that drops something": {func(w screen) {
			dropped := []webhook.Failure{{Key: "rules[0].paths[1]", Message: "null"}}
			asking{screen: w}.printReading(webhookReading{Webhook: "cms", Rules: 1, Matched: []int{0}, Paths: []string{"/a"}, Dropped: dropped})
		}, []string{"cms: rules[0] matches", "dropped    rules[0].paths[1]: null"}},
		"pages that a trigger means": {func(w screen) {
			for _, l := range []ledger.Label{"tag:near:/blog/a", "tag:template:post.html", "tag:post:1", "item:post:1", "prefix:/blog", "route:/blog/{slug}", ledger.Site} {
				fmt.Fprintln(w, pagesOf(l))
			}
		}, []string{
			"pages that lead to /blog/a\n", "pages made with post.html\n", "pages with tag post:1\n", "pages that show post:1\n",
			"pages at and below /blog\n", "pages of route /blog/{slug}\n", "all pages\n",
		}},
		"explain a page that lags": {func(w screen) {
			writeExplanation(w, api.Explanation{Path: "/a", Freshness: ledger.PageFresh, Page: &ledger.PageState{At: now, Lagging: lag}}, now)
		}, []string{"lagging    " + lag}},
		"status": {func(w screen) {
			writeStatus(w, "https://www.example.com", api.Status{Redis: "ok", At: now, Lagging: 1, Timers: 3, Parked: 3, Dropped: 12, Walks: []ledger.Walking{
				{Label: "item:post:1", Since: now, Due: soon},
				{Label: "item:post:2", Since: now, Due: soon, Attempts: 2, Error: "status 503"},
			}})
		}, []string{
			"scheduled  3 triggers wait for their time", "triggering the pages that show post:1, asked for",
			"lagging    1 page with something older", "rebake pages --state lagging", "parked     3 events", "nobody understood, and 12 older ones dropped; `rebake webhook parked`",
			"the pages that show post:1, asked for", "settling until " + clock(soon), "status 503; tried again in 2s",
		}},
		"status of webhooks that refuse": {func(w screen) {
			writeStatus(w, "https://www.example.com", api.Status{Redis: "ok", At: now, Refused: []api.RefusedEvents{
				{Webhook: "ghost", Requests: 1, Last: now.Add(-time.Minute), Reason: "there is no x-ghost-signature"},
				{Webhook: "wordpress", Requests: 12, Last: now.Add(-3 * time.Second), Reason: "another secret"},
			}})
		}, []string{
			"refused    1 request to webhook ghost, the last 1m0s ago: there is no x-ghost-signature\n",
			"refused    12 requests to webhook wordpress, the last 3s ago: another secret\n",
		}},
		"parked events": {func(w screen) {
			w.width = 80
			asking{screen: w}.printParked([]api.ParkedEvent{
				{ID: "2QX5VJ7RZ4KAB", Webhook: "strapi", Event: "entry.publish", About: "article:x1", At: now, Reason: strings.Repeat("it names no item ", 8)},
				{ID: "3QX5VJ7RZ4KAB", Webhook: "strapi", At: now, Reason: "no"},
			})
		}, []string{now.Local().Format("Jan _2 15:04") + "  strapi  entry.publish  article:x1\n  it names", "it names no item it names\n", "strapi\n  no\n"}},
		"parked events for which others were dropped": {func(w screen) {
			asking{screen: w}.printDropped(map[string]int64{"strapi": 2, "ghost": 1})
		}, []string{"1 older event of ghost dropped", "2 older events of strapi dropped"}},
		"pages": {func(w screen) {
			asking{screen: w}.page(api.PageRow{Path: "/a", Freshness: ledger.PageStale, Settling: soon}, now)
			asking{screen: w}.page(api.PageRow{Path: "/b", Freshness: ledger.PageFresh, Lagging: lag}, now)
			asking{screen: w}.page(api.PageRow{Path: "/c", Freshness: ledger.PageRetrying, Error: lag}, now)
		}, []string{"/a  settling until " + clock(soon), "/b  lagging: " + lag, "/c  " + lag}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			c.write(screen{Writer: &out})
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in:\n%s", want, out.String())
				}
			}
		})
	}
}

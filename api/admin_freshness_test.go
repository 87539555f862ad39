package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/ledger"
)

// laggingPages are some of which /blog/b and /a lag.
func laggingPages(t *testing.T) map[string]ledger.State {
	states := make(map[string]ledger.State)
	for path, lag := range map[string]string{"/a": "waits for the CMS", "/blog": "", "/blog/b": "waits as well", "/blogs": "waits too"} {
		states[path] = ledger.State{Path: mustPath(t, path), Freshness: ledger.PageFresh, Page: &ledger.PageState{Lagging: lag, Tags: []string{"post:" + path}}}
	}
	return states
}

func TestPages_lagging(t *testing.T) {
	for query, want := range map[string]PageList{
		"": {Pages: []PageRow{
			{Path: "/a", Freshness: ledger.PageFresh, Lagging: "waits for the CMS"},
			{Path: "/blog/b", Freshness: ledger.PageFresh, Lagging: "waits as well"},
			{Path: "/blogs", Freshness: ledger.PageFresh, Lagging: "waits too"},
		}},
		"&prefix=/blog":     {Pages: []PageRow{{Path: "/blog/b", Freshness: ledger.PageFresh, Lagging: "waits as well"}}},
		"&tag=post:/blogs":  {Pages: []PageRow{{Path: "/blogs", Freshness: ledger.PageFresh, Lagging: "waits too"}}},
		"&tag=post:/blog":   {Pages: []PageRow{}},
		"&limit=1":          {Pages: []PageRow{{Path: "/a", Freshness: ledger.PageFresh, Lagging: "waits for the CMS"}}, Next: "/a"},
		"&limit=2&after=/a": {Pages: []PageRow{{Path: "/blog/b", Freshness: ledger.PageFresh, Lagging: "waits as well"}, {Path: "/blogs", Freshness: ledger.PageFresh, Lagging: "waits too"}}},
		"&after=/blogs":     {Pages: []PageRow{}},
	} {
		t.Run(query, func(t *testing.T) {
			f := newFixture(t)
			f.state.states = laggingPages(t)
			w := do(t, f.Admin(), "GET", "/v1/pages?state=lagging"+query, "", admin)
			var got PageList
			w.decode(&got)
			if diff := cmp.Diff(want, got); diff != "" || w.Code != 200 {
				t.Errorf("status %d, want 200; pages (-want +got):\n%s", w.Code, diff)
			}
		})
	}
}

func TestPages_tellWhatTheyWaitFor(t *testing.T) {
	until := time.UnixMilli(1_790_000_000_000).UTC()
	f := newFixture(t)
	f.state.states = map[string]ledger.State{"/a": {
		Path: mustPath(t, "/a"), Freshness: ledger.PageStale, Owed: &ledger.OwedState{Status: "queued", Due: until, Settling: until},
	}}
	var got PageList
	do(t, f.Admin(), "GET", "/v1/pages", "", admin).decode(&got)
	if len(got.Pages) != 1 || !got.Pages[0].Settling.Equal(until) {
		t.Errorf("pages are %+v, want one that settles until %s", got.Pages, until)
	}
}

func TestStatus_countsWhatSomebodyHasToLookAt(t *testing.T) {
	f := newFixture(t)
	f.state.parkedEvents, f.state.lagging = 3, 2
	var got Status
	do(t, f.Admin(), "GET", "/v1/status", "", admin).decode(&got)
	if got.Parked != 3 || got.Lagging != 2 {
		t.Errorf("status is %+v, want 3 parked events and 2 lagging pages", got)
	}
}

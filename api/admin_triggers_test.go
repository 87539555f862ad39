package api

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/ledger"
	"rebake/worker"
)

// withPages gives a fixture a small site: two posts, of which one has failed,
// the home page, and a page whose route is no more.
func withPages(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.state.states = make(map[string]ledger.State)
	for _, path := range []string{"/", "/blog", "/blog/a", "/blog/b", "/blog-2", "/shop/x/reviews", "/nowhere/old"} {
		f.state.states[path] = ledger.State{Path: mustPath(t, path), Freshness: ledger.PageFresh, Page: &ledger.PageState{G0: 1}}
	}
	a := f.state.states["/blog/a"]
	a.Page.Tags = []string{"post:1"}
	b := f.state.states["/blog/b"]
	b.Freshness, b.Owed = ledger.PageFailed, &ledger.OwedState{Status: "failed", Error: "no luck"}
	f.state.states["/blog/b"] = b
	return f
}

func (f *fixture) createTrigger(body string) response {
	f.t.Helper()
	return do(f.t, f.Admin(), "POST", "/v1/triggers", body, admin)
}

func TestCreateTrigger_labels(t *testing.T) {
	f := withPages(t)
	w := f.createTrigger(`{"tags":["post:42"],"prefixes":["/blog/"],"only_generated":true}`)
	want := map[string]any{"id": "22", "pages": []any{}, "labels": []any{
		map[string]any{"label": "tag:post:42", "id": "21", "pages": 3.0, "result": "accepted"},
		map[string]any{"label": "prefix:/blog", "id": "22", "pages": 3.0, "result": "accepted"},
	}}
	if diff := cmp.Diff(want, w.object()); diff != "" || w.Code != 202 {
		t.Errorf("status %d, want 202; answer (-want +got):\n%s", w.Code, diff)
	}
	if got := w.Header().Get("Location"); got != "/v1/triggers/22" {
		t.Errorf("Location is %q", got)
	}
	f.labelled("tag:post:42", "prefix:/blog")
	if !f.site.all()[0].OnlyPublished {
		t.Error("the trigger also takes pages that were never published")
	}
}

func TestCreateTrigger_ofLabelsWaitsForThem(t *testing.T) {
	f := newFixture(t)
	f.site.waitLabel = func(context.Context, worker.AcceptedLabel) error { return errors.New("no luck") }
	var got TriggerResult
	f.createTrigger(`{"tags":["posts"],"wait":"5s"}`).decode(&got)
	want := []LabelResult{{Label: "tag:posts", ID: "21", Pages: 3, Result: "failed", Reason: "no luck"}}
	if diff := cmp.Diff(want, got.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

func TestCreateTrigger_globs(t *testing.T) {
	for glob, want := range map[string][]string{
		"/blog/*":         {"/blog/a", "/blog/b"},
		"/blog/*/":        {"/blog/a", "/blog/b"},
		"/blog/**":        {"/blog", "/blog/a", "/blog/b"},
		"/blog*":          {"/blog", "/blog-2"},
		"/b*g/a":          {"/blog/a"},
		"/**/reviews":     {"/shop/x/reviews"},
		"/shop/*/reviews": {"/shop/x/reviews"},
		"/*":              {"/", "/blog", "/blog-2"},
		"/**/a":           {"/blog/a"},
		"/shop/*":         nil,
		"/blog/.*":        nil,
	} {
		t.Run(glob, func(t *testing.T) {
			f := withPages(t)
			w := f.createTrigger(`{"globs":["` + glob + `"]}`)
			if w.Code != 202 {
				t.Fatalf("answer is %d %s", w.Code, w.Body)
			}
			if want == nil {
				f.idle()
				if got := w.object()["message"]; got != "no known page matches" {
					t.Errorf("message is %q", got)
				}
				return
			}
			f.triggered(want...)
		})
	}
}

func TestCreateTrigger_priorities(t *testing.T) {
	for body, want := range map[string]ledger.Priority{
		`{"paths":["/a"]}`:                      ledger.Critical,
		`{"tags":["a"]}`:                        ledger.Critical,
		`{"globs":["/blog/*"]}`:                 ledger.Default,
		`{"failed":true}`:                       ledger.Default,
		`{"all":true}`:                          ledger.Low,
		`{"all":true,"priority":"critical"}`:    ledger.Critical,
		`{"paths":["/a"],"priority":"default"}`: ledger.Default,
	} {
		t.Run(body, func(t *testing.T) {
			f := withPages(t)
			f.createTrigger(body)
			if got := f.site.all(); len(got) != 1 || got[0].Priority != want {
				t.Errorf("triggers are %+v, want one of priority %s", got, want)
			}
		})
	}
}

func TestCreateTrigger_ofAllTakesTheSite(t *testing.T) {
	f := withPages(t)
	f.createTrigger(`{"all":true,"tags":["post:1"]}`)
	f.labelled("site")
}

func TestCreateTrigger_ofFailedTakesThem(t *testing.T) {
	f := withPages(t)
	f.createTrigger(`{"failed":true}`)
	f.triggered("/blog/b")
}

func TestCreateTrigger_letsNamedPagesComeBack(t *testing.T) {
	f := withPages(t)
	f.createTrigger(`{"paths":["/blog/a"],"globs":["/blog/*"]}`)
	for _, got := range f.site.all() {
		named := got.Paths[0].String() == "/blog/a"
		if got.Unkeep != named {
			t.Errorf("trigger of %v: lets them come back is %v, want %v", got.Paths, got.Unkeep, named)
		}
	}
}

func TestCreateTrigger_whileHeldDoesNotWait(t *testing.T) {
	f := newFixture(t)
	f.state.hold = &ledger.Hold{Why: "an incident"}
	f.site.wait = func(context.Context, worker.AcceptedPage) error {
		t.Error("waited for a page")
		return nil
	}
	var got TriggerResult
	f.createTrigger(`{"paths":["/a"],"wait":"5s"}`).decode(&got)
	if got.Hold == nil || got.Message != "publishing is held: an incident" || got.Pages[0].Result != "accepted" {
		t.Errorf("answer is %+v, want that it is accepted, and held", got)
	}
}

func TestCreateTrigger_dryRun(t *testing.T) {
	for body, want := range map[string]DryRun{
		`{"paths":["/blog/a","/c","/nowhere"],"dry_run":true}`: {
			Pages: []Touched{{"/blog/a", "is named"}, {"/c", "is named; never published before"}},
			Left:  []Touched{{"/nowhere", "no route matches"}}, Priority: ledger.Critical,
		},
		`{"paths":["/c"],"only_generated":true,"dry_run":true}`: {
			Pages: []Touched{}, Left: []Touched{{"/c", "never published"}}, Priority: ledger.Critical,
		},
		`{"tags":["post:1"],"globs":["/blog/*"],"dry_run":true}`: {
			Pages: []Touched{{"/blog/a", "has tag post:1"}, {"/blog/b", "matches /blog/*"}}, Priority: ledger.Default,
		},
		`{"prefixes":["/shop"],"failed":true,"dry_run":true}`: {
			Pages: []Touched{{"/shop/x/reviews", "under /shop"}, {"/blog/b", "failed: no luck"}}, Priority: ledger.Default,
		},
	} {
		t.Run(body, func(t *testing.T) {
			f := withPages(t)
			w := f.createTrigger(body)
			var got DryRun
			w.decode(&got)
			if diff := cmp.Diff(want, got); diff != "" || w.Code != http.StatusOK {
				t.Errorf("status %d, want 200; answer (-want +got):\n%s", w.Code, diff)
			}
			f.idle()
		})
	}
}

func TestCreateTrigger_dryRunTellsWhichPagesWereRemoved(t *testing.T) {
	f := withPages(t)
	removed := f.state.states["/blog/a"]
	removed.Freshness, removed.Page = ledger.PageGone, &ledger.PageState{Gone: true, Tags: removed.Page.Tags}
	f.state.states["/blog/a"] = removed
	for body, want := range map[string]string{
		`{"paths":["/blog/a"],"dry_run":true}`:  "is named; was removed, and is looked for again",
		`{"tags":["post:1"],"dry_run":true}`:    "has tag post:1; was removed, and is looked for again",
		`{"globs":["/blog/a*"],"dry_run":true}`: "matches /blog/a*; was removed, and is looked for again",
	} {
		var got DryRun
		f.createTrigger(body).decode(&got)
		if diff := cmp.Diff([]Touched{{"/blog/a", want}}, got.Pages); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestTriggerProgress(t *testing.T) {
	f := withPages(t)
	f.createTrigger(`{"paths":["/blog/a"],"tags":["posts"],"reason":"new layout"}`)
	f.state.progress = ledger.Progress{Met: 3, Failed: 1, Waiting: 2}
	f.state.unmet = []ledger.State{f.state.states["/blog/b"]}
	w := do(t, f.Admin(), "GET", "/v1/triggers/21", "", admin)
	got := w.object()
	delete(got, "at")
	want := map[string]any{
		"id": "21", "reason": "new layout", "labels": []any{"tag:posts"}, "pages": 6.0, "met": 3.0, "failed": 1.0, "waiting": 2.0, "done": false,
		"unmet": []any{map[string]any{"path": "/blog/b", "freshness": "failed", "error": "no luck"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || w.Code != 200 {
		t.Errorf("status %d, want 200; answer (-want +got):\n%s", w.Code, diff)
	}
}

func TestTriggerProgress_ofAnUnknownTrigger(t *testing.T) {
	f := newFixture(t)
	for _, id := range []string{"7", "x", "-1"} {
		do(t, f.Admin(), "GET", "/v1/triggers/"+id, "", admin).wants(404, "no_trigger")
	}
}

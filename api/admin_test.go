package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

const admin = "Authorization: Bearer " + adminToken

func TestAdmin_asksForToken(t *testing.T) {
	for _, route := range []string{
		"GET /v1/explain?path=/a", "POST /v1/triggers", "DELETE /v1/triggers", "HEAD /v1/explain?path=/a", "GET /v1/triggers/7",
		"GET /v1/pages", "GET /v1/status", "GET /v1/events", "POST /v1/hold", "POST /v1/resume", "POST /v1/remove",
	} {
		for name, header := range map[string]string{
			"none": "X: y", "empty": "Authorization: Bearer ", "no scheme": "Authorization: " + adminToken,
			"prefix": "Authorization: Bearer " + adminToken[:10], "the site's secret": "Authorization: Bearer " + secret,
			"another header": "X-Rebake-Secret: " + adminToken, "cookie": "Cookie: token=" + adminToken,
		} {
			t.Run(route+", "+name, func(t *testing.T) {
				f := newFixture(t)
				method, target, _ := strings.Cut(route, " ")
				w := do(t, f.Admin(), method, target, `{"paths":["/a"]}`, header)
				w.wants(401, "unauthorized")
				if got := w.Header().Get("WWW-Authenticate"); got != "Bearer" {
					t.Errorf("WWW-Authenticate is %q, want Bearer", got)
				}
				f.idle()
			})
		}
	}
}

func TestAdmin_withoutATokenLetsNobodyIn(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.AdminToken = "" })
	do(t, f.Admin(), "GET", "/v1/explain?path=/a", "", "Authorization: Bearer ").wants(401, "unauthorized")
}

func TestAdmin_tokenIsNotForQueries(t *testing.T) {
	f := newFixture(t)
	do(t, f.Admin(), "GET", "/v1/explain?path=/a&token="+adminToken, "").wants(401, "unauthorized")
}

// Who sends none of the headers that tell of another site still needs the token,
// see TestAdmin_asksForToken: this keeps browsers out, and proves nobody's right.
func TestAdmin_refusesOtherSites(t *testing.T) {
	for name, headers := range map[string][]string{
		"cross-site":        {"Sec-Fetch-Site: cross-site"},
		"same-site":         {"Sec-Fetch-Site: same-site"},
		"of another origin": {"Origin: https://evil.example"},
	} {
		t.Run("H48 "+name, func(t *testing.T) {
			f := newFixture(t)
			do(t, f.Admin(), "POST", "/v1/triggers", `{"paths":["/a"]}`, append(headers, admin)...).wants(403, "cross_origin")
			f.idle()
		})
	}
}

func TestCreateTrigger(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(_ context.Context, tr worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{Pages: []worker.AcceptedPage{{Path: tr.Paths[0], ID: 5}}, Unmatched: tr.Paths[1:]}, nil
	}
	w := do(t, f.Admin(), "POST", "/v1/triggers", `{"paths":["/a/","/b"],"priority":"low","reason":"new layout\u001b[31m"}`, admin)
	want := map[string]any{"id": "5", "pages": []any{
		map[string]any{"path": "/a", "result": "accepted"},
		map[string]any{"path": "/b", "result": "unmatched", "reason": "no route matches"},
	}}
	if diff := cmp.Diff(want, w.object()); diff != "" || w.Code != 202 {
		t.Errorf("status %d, want 202; answer (-want +got):\n%s", w.Code, diff)
	}
	f.triggered("/a", "/b")
	got := f.site.all()[0]
	if got.Priority != ledger.Low || got.Reason != "new layout[31m" || got.Recheck || got.OnlyPublished {
		t.Errorf("trigger is %+v, want low, with the reason, and nothing more", got)
	}
}

func TestCreateTrigger_byDefault(t *testing.T) {
	f := newFixture(t)
	do(t, f.Admin(), "POST", "/v1/triggers", `{"paths":["/a"]}`, admin, "User-Agent: rebake/1.0")
	if got := f.site.all()[0]; got.Priority != ledger.Critical || got.Reason != "admin by rebake/1.0" {
		t.Errorf("trigger is %+v, want critical, by its sender", got)
	}
}

func TestCreateTrigger_waits(t *testing.T) {
	f := newFixture(t)
	f.site.wait = func(_ context.Context, p worker.AcceptedPage) error {
		if p.Path.String() == "/b" {
			return errors.New("no luck")
		}
		return nil
	}
	f.state.states = map[string]ledger.State{"/a": {Page: &ledger.PageState{Hash: "x"}}}
	f.state.kept = map[string]ledger.Kept{"/d": {By: "ann"}}
	w := do(t, f.Admin(), "POST", "/v1/triggers", `{"paths":["/a","/b","/c","/d"],"wait":"5s"}`, admin)
	want := map[string]any{"id": "10", "pages": []any{
		map[string]any{"path": "/a", "result": "done"},
		map[string]any{"path": "/b", "result": "failed", "reason": "no luck"},
		map[string]any{"path": "/c", "result": "gone", "reason": "the source has no such page"},
		map[string]any{"path": "/d", "result": "gone", "reason": "it was removed to stay away (`rebake explain` says by whom)"},
	}}
	if diff := cmp.Diff(want, w.object()); diff != "" || w.Code != 202 {
		t.Errorf("status %d, want 202; answer (-want +got):\n%s", w.Code, diff)
	}
}

func TestCreateTrigger_refuses(t *testing.T) {
	for _, c := range []struct{ name, body, code string }{
		{"nothing", ``, "bad_json"},
		{"null", `null`, "bad_json"},
		{"list", `["/a"]`, "bad_json"},
		{"unknown field", `{"paths":["/a"],"path":"/b"}`, "bad_json"},
		{"text behind it", `{"paths":["/a"]}{}`, "bad_json"},
		{"name twice", `{"paths":["/a"],"paths":["/b"]}`, "bad_json"},
		{"number as path", `{"paths":[5]}`, "bad_json"},
		{"no path", `{"paths":[]}`, "missing_path"},
		{"bad path", `{"paths":["/a","/../etc"]}`, "dot_segment"},
		{"reserved path", `{"paths":["/assets/x"]}`, "reserved_route"},
		{"bad priority", `{"paths":["/a"],"priority":"urgent"}`, "bad_priority"},
		{"bad wait", `{"paths":["/a"],"wait":"soon"}`, "bad_wait"},
		{"empty tag", `{"tags":[""]}`, "bad_tag"},
		{"bad prefix", `{"prefixes":["blog"]}`, "not_absolute"},
		{"glob without a slash", `{"globs":["*.html"]}`, "bad_glob"},
		{"glob without a star", `{"globs":["/a"]}`, "bad_glob"},
		{"glob of half a segment", `{"globs":["/a**"]}`, "bad_glob"},
		{"glob of a bad path", `{"globs":["/../*"]}`, "dot_segment"},
		{"too many", `{"paths":["/a"` + strings.Repeat(`,"/a"`, 100) + `]}`, "too_many"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			do(t, f.Admin(), "POST", "/v1/triggers", c.body, admin).wants(400, c.code)
			f.idle()
		})
	}
}

func TestCreateTrigger_queueAway(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(context.Context, worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{}, storage.Temporary(errors.New("the inside"))
	}
	do(t, f.Admin(), "POST", "/v1/triggers", `{"paths":["/a"]}`, admin).wants(503, "unavailable")
}

func TestHealth_needsNoToken(t *testing.T) {
	f := newFixture(t)
	for target, want := range map[string]string{"/healthz": "ok", "/readyz": "ready"} {
		if w := do(t, f.Admin(), "GET", target, ""); w.Code != 200 || w.object()["status"] != want {
			t.Errorf("%s is %d %s, want 200 and %q", target, w.Code, w.Body, want)
		}
	}
}

func TestHealth_queueAway(t *testing.T) {
	f := newFixture(t)
	f.state.err = errors.New("the inside")
	if w := do(t, f.Admin(), "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("healthz is %d, want 200: the process lives", w.Code)
	}
	w := do(t, f.Admin(), "GET", "/readyz", "")
	if w.Code != 503 || w.object()["status"] != "unavailable" || strings.Contains(w.Body.String(), "inside") {
		t.Errorf("readyz is %d %s, want 503 and no more than that", w.Code, w.Body)
	}
}

func TestExplain(t *testing.T) {
	published := time.UnixMilli(1_790_000_000_000).UTC()
	page := &ledger.PageState{G0: 4, Hash: "abc", Size: 12, Type: "text/html", Tags: []string{"posts"}, Route: "/blog/{slug}", At: published}
	owed := &ledger.OwedState{Status: "failed", Newest: 9, Error: "refused by gate empty: the page has no content", Attempts: 1}
	for _, c := range []struct {
		path string
		want Explanation
	}{
		{"/blog/unknown", Explanation{Path: "/blog/unknown", File: "blog/unknown/index.html", Freshness: ledger.PageUnknown}},
		{"/blog/fresh", Explanation{Path: "/blog/fresh", File: "blog/fresh/index.html", Freshness: ledger.PageFresh, Page: page}},
		{"/blog/failed", Explanation{Path: "/blog/failed", File: "blog/failed/index.html", Freshness: ledger.PageFailed, Page: page, Owed: owed}},
	} {
		t.Run(c.path, func(t *testing.T) {
			f := newFixture(t)
			f.state.states = map[string]ledger.State{
				"/blog/fresh":  {Path: mustPath(t, "/blog/fresh"), Freshness: ledger.PageFresh, Page: page},
				"/blog/failed": {Path: mustPath(t, "/blog/failed"), Freshness: ledger.PageFailed, Page: page, Owed: owed},
			}
			w := do(t, f.Admin(), "GET", "/v1/explain?path="+c.path, "", admin)
			var got Explanation
			w.decode(&got)
			if diff := cmp.Diff(c.want, got); diff != "" || w.Code != 200 {
				t.Errorf("status %d, want 200; explanation (-want +got):\n%s", w.Code, diff)
			}
			f.idle()
		})
	}
}

func TestExplain_aPageThatNeverWasOne(t *testing.T) {
	f := newFixture(t)
	at := time.UnixMilli(1_790_000_000_000).UTC()
	f.state.history = []ledger.Event{
		{Kind: ledger.Removed, Path: mustPath(t, "/draft"), ID: 7, At: at, Waited: 2 * time.Minute, Reason: "webhook cms"},
		{Kind: ledger.Removed, Path: mustPath(t, "/other"), ID: 3, At: at},
	}
	var got Explanation
	do(t, f.Admin(), "GET", "/v1/explain?path=/draft", "", admin).decode(&got)
	want := []Event{{Kind: ledger.Removed, Path: "/draft", ID: "7", At: at, WaitedMS: 120_000, Reason: "webhook cms"}}
	if diff := cmp.Diff(want, got.History); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestExplain_refuses(t *testing.T) {
	for query, code := range map[string]string{
		"": "not_absolute", "path=": "not_absolute", "path=a": "not_absolute", "path=/../etc": "dot_segment",
		"path=/a;x": "bad_query", "path=/a&x=%zz": "bad_query",
	} {
		t.Run(query, func(t *testing.T) {
			f := newFixture(t)
			do(t, f.Admin(), "GET", "/v1/explain?"+query, "", admin).wants(400, code)
		})
	}
}

func TestExplain_queueAway(t *testing.T) {
	f := newFixture(t)
	f.state.err = storage.Temporary(fmt.Errorf("the inside"))
	w := do(t, f.Admin(), "GET", "/v1/explain?path=/a", "", admin)
	w.wants(503, "unavailable")
	if m := w.problem().Message; m != "the queue does not answer; send it again" {
		t.Errorf("message is %q, want one that fits a question", m)
	}
}

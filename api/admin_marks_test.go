package api

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

func TestListPages(t *testing.T) {
	f := withPages(t)
	w := do(t, f.Admin(), "GET", "/v1/pages?prefix=/blog/&tag=post:1&state=failed&after=/blog/a&limit=1", "", admin)
	want := PageList{Pages: []PageRow{{Path: "/blog/b", Freshness: ledger.PageFailed, Error: "no luck"}}, Next: "/blog/b"}
	var got PageList
	w.decode(&got)
	if diff := cmp.Diff(want, got); diff != "" || w.Code != 200 {
		t.Errorf("status %d, want 200; answer (-want +got):\n%s", w.Code, diff)
	}
	query := ledger.Query{Label: "tag:post:1", Below: mustPath(t, "/blog"), State: ledger.PageFailed, After: "/blog/a", Limit: 1}
	if f.state.query != query {
		t.Errorf("the ledger was asked for %+v, want %+v", f.state.query, query)
	}
}

func TestListPages_refuses(t *testing.T) {
	for query, code := range map[string]string{
		"state=new": "bad_state", "limit=0": "bad_limit", "limit=1001": "bad_limit", "limit=x": "bad_limit",
		"after=x": "bad_after", "prefix=blog": "not_absolute", "x=%zz": "bad_query",
	} {
		t.Run(query, func(t *testing.T) {
			do(t, newFixture(t).Admin(), "GET", "/v1/pages?"+query, "", admin).wants(400, code)
		})
	}
}

func TestStatus(t *testing.T) {
	f := withPages(t)
	f.state.hold = &ledger.Hold{Why: "an incident"}
	f.state.down = []ledger.Down{{Upstream: "source cms", Reason: "status 503"}}
	var got Status
	do(t, f.Admin(), "GET", "/v1/status", "", admin).decode(&got)
	if got.Redis != "ok" || got.Pages != 7 || got.Oldest.IsZero() || got.Hold == nil || len(got.Queues) != 1 || len(got.Down) != 1 {
		t.Errorf("status is %+v", got)
	}
}

func TestStatus_queueAway(t *testing.T) {
	f := newFixture(t)
	f.state.err = storage.Temporary(fmt.Errorf("the inside"))
	w := do(t, f.Admin(), "GET", "/v1/status", "", admin)
	if got := w.object()["redis"]; w.Code != 200 || got != "does not answer" {
		t.Errorf("answer is %d %s", w.Code, w.Body)
	}
}

func TestHold_saysWhoAndWhyUntilResumed(t *testing.T) {
	f := newFixture(t)
	w := do(t, f.Admin(), "POST", "/v1/hold", `{"reason":"an incident","by":"ann"}`, admin)
	if f.state.hold == nil || f.state.hold.By != "ann" || f.state.hold.Why != "an incident" || w.Code != 200 {
		t.Fatalf("hold is %+v, answer %d %s", f.state.hold, w.Code, w.Body)
	}
	ready := do(t, f.Admin(), "GET", "/readyz", "")
	if diff := cmp.Diff(map[string]any{"status": "ready", "held": true}, ready.object()); diff != "" {
		t.Errorf("readyz while held (-want +got):\n%s", diff)
	}
	var e Explanation
	do(t, f.Admin(), "GET", "/v1/explain?path=/a", "", admin).decode(&e)
	if e.Hold == nil {
		t.Error("explain does not tell of the hold")
	}
	do(t, f.Admin(), "POST", "/v1/resume", `{}`, admin)
	if f.state.hold != nil {
		t.Error("still held after resume")
	}
}

func TestHold_asksForAReason(t *testing.T) {
	f := newFixture(t)
	do(t, f.Admin(), "POST", "/v1/hold", `{"reason":" \u001b"}`, admin).wants(400, "missing_reason")
	do(t, f.Admin(), "POST", "/v1/hold", `{}`, admin).wants(400, "missing_reason")
}

func TestRemove(t *testing.T) {
	f := withPages(t)
	w := do(t, f.Admin(), "POST", "/v1/remove", `{"path":"/blog/a","keep_gone":true,"reason":"a takedown","by":"ann"}`, admin)
	if got := w.object(); w.Code != 200 || got["removed"] != true {
		t.Errorf("answer is %d %s", w.Code, w.Body)
	}
	want := []worker.Removal{{Path: mustPath(t, "/blog/a"), Keep: true, By: "ann", Reason: "a takedown"}}
	if diff := cmp.Diff(want, f.site.removed, cmp.Comparer(func(a, b storage.Path) bool { return a == b })); diff != "" {
		t.Errorf("removals (-want +got):\n%s", diff)
	}
}

func TestRemove_refuses(t *testing.T) {
	f := withPages(t)
	do(t, f.Admin(), "POST", "/v1/remove", `{"path":"/blog/unknown"}`, admin).wants(404, "no_page")
	do(t, f.Admin(), "POST", "/v1/remove", `{"path":"blog"}`, admin).wants(400, "not_absolute")
	do(t, f.Admin(), "POST", "/v1/remove", `{"paths":["/a"]}`, admin).wants(400, "bad_json")
	if len(f.site.removed) > 0 {
		t.Errorf("removed %v", f.site.removed)
	}
	f.site.removeErr = fmt.Errorf("remove: %w", storage.ErrForeign)
	do(t, f.Admin(), "POST", "/v1/remove", `{"path":"/blog/a"}`, admin).wants(409, "foreign_file")
}

func TestExplain_tellsLabelAndMark(t *testing.T) {
	f := withPages(t)
	f.state.kept = map[string]ledger.Kept{"/blog/a": {By: "ann"}}
	s := f.state.states["/blog/a"]
	s.Freshness, s.Label = ledger.PageStale, "tag:post:1"
	f.state.states["/blog/a"] = s
	var got Explanation
	do(t, f.Admin(), "GET", "/v1/explain?path=/blog/a", "", admin).decode(&got)
	if got.Label != "tag:post:1" || got.Kept == nil || got.Kept.By != "ann" {
		t.Errorf("explanation is %+v", got)
	}
}

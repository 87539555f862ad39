package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"rebake/api/webhook"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

// A rule that fails on an event is no reason for its sender to send it again,
// and none to forget the event.
func TestWebhook_parked(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", Rules: []webhook.Rule{{Paths: webhook.Texts{"/a", "/{body.none.slug}"}}}}})
	body := strings.Replace(articleHi, `"slug":"hi"`, `"slug":"`+hookSecret+`"`, 1)
	got := f.send("strapi", body, "X-Strapi-Event: entry.publish", "X-Secret-Key: CANARY").object()
	f.triggered("/a")
	if got["revalidated"] != true || !strings.Contains(got["message"].(string), "rules[0].paths[1]: ") {
		t.Errorf("answer is %v", got)
	}
	f.counted("strapi", "parked", 1)
	if len(f.state.parked) != 1 {
		t.Fatalf("%d events are parked", len(f.state.parked))
	}
	p := f.state.parked[0]
	if p.Webhook != "strapi" || !strings.Contains(p.Reason, "rules[0].paths[1]") || !strings.Contains(string(p.Body), "entry.publish") || strings.Contains(string(p.Body), canary) {
		t.Errorf("parked %+v: %s", p, p.Body)
	}
}

func TestWebhook_parkedNowhere(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", Rules: []webhook.Rule{{Paths: webhook.Texts{"/{body.none.slug}"}}}}})
	f.state.parkErr = storage.Temporary(errors.New("away"))
	f.send("strapi", articleHi).wants(http.StatusServiceUnavailable, "unavailable")
	f.counted("strapi", "lost", 1)
}

// What a dropped event was about, nobody knows any more: all pages are looked at.
func TestWebhook_parkedInThePlaceOfOthers(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", Rules: []webhook.Rule{{Paths: webhook.Texts{"/{body.none.slug}"}}}}})
	f.state.room, f.state.parked = 1, []ledger.ParkedEvent{{ID: "old", Webhook: "ghost"}}
	if w := f.send("strapi", articleHi); w.Code != 200 {
		t.Errorf("answer is %d %s", w.Code, w.Body)
	}
	all := f.site.all()
	if last := all[len(all)-1]; !slices.Equal(last.Labels, []ledger.Label{ledger.Site}) || last.Priority != ledger.Low || last.MaxWait != coverWait {
		t.Errorf("the last trigger is %+v", last)
	}
	if p := f.state.parked; len(p) != 1 || p[0].Webhook != "strapi" {
		t.Errorf("parked %+v", p)
	}
	var m dto.Metric
	if err := f.metrics.dropped.Write(&m); err != nil || m.GetCounter().GetValue() != 1 || !strings.Contains(f.logs.String(), "dropped for newer ones") {
		t.Errorf("%v dropped events are counted, %v; the log is %s", m.GetCounter().GetValue(), err, f.logs)
	}
	if got := f.asAdmin("GET", "/v1/webhooks/parked", "").object()["dropped"]; !cmp.Equal(got, map[string]any{"ghost": 1.0}) {
		t.Errorf("dropped: %v", got)
	}
	if got := f.asAdmin("GET", "/v1/status", "").object()["dropped"]; got != 1.0 {
		t.Errorf("the status says %v dropped", got)
	}
}

// Nothing is dropped when nothing can stand for it: the sender has the event.
func TestWebhook_parkedNotForOthersThatNothingStandsFor(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"own": {Kind: "generic", Rules: []webhook.Rule{{Paths: webhook.Texts{"/{body.none.slug}"}}}}})
	f.state.room, f.state.parked = 1, []ledger.ParkedEvent{{ID: "old", Webhook: "ghost"}}
	f.site.accept = func(context.Context, worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{}, storage.Temporary(errors.New("away"))
	}
	f.send("own", `{}`).wants(http.StatusServiceUnavailable, "unavailable")
	if p := f.state.parked; len(p) != 1 || p[0].ID != "old" {
		t.Errorf("parked %+v", p)
	}
}

func TestWebhook_parkedWithoutALargeBody(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", MaxBody: 4 << 20}})
	if w := f.send("strapi", `{"event":"entry.publish","pad":"`+strings.Repeat("x", 2<<20)+`"}`); w.Code != 200 {
		t.Errorf("answer is %d %s", w.Code, w.Body)
	}
	if p := f.state.parked; len(p) != 1 || p[0].Body != nil || !strings.Contains(p[0].Reason, "too large to be kept") {
		t.Errorf("parked %+v", p)
	}
}

func TestParked_retry(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", Rules: []webhook.Rule{{Paths: webhook.Texts{"/{body.entry.parent.slug}", "/x{header['x-strapi-event']}"}}}}})
	f.send("strapi", articleHi, "X-Strapi-Event: publish")
	listed := f.asAdmin("GET", "/v1/webhooks/parked", "").object()["events"].([]any)
	if len(listed) != 1 || listed[0].(map[string]any)["body"] != articleHi {
		t.Fatalf("parked: %v", listed)
	}
	id := listed[0].(map[string]any)["id"].(string)

	retry := func(body string) []any {
		t.Helper()
		return f.asAdmin("POST", "/v1/webhooks/parked/retry", body).object()["events"].([]any)
	}
	if got := retry(`{}`); len(got) != 1 || got[0].(map[string]any)["result"] != "parked" || len(f.state.parked) != 1 {
		t.Errorf("with the same rules: %v", got)
	}
	// The next start has better rules.
	fixed := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", Rules: []webhook.Rule{{Paths: webhook.Texts{"/x{header['x-strapi-event']}"}}}}})
	fixed.state.parked = f.state.parked
	f = fixed
	if got := retry(`{"id":"` + id + `"}`); len(got) != 1 || got[0].(map[string]any)["result"] != "accepted" || len(f.state.parked) != 0 {
		t.Errorf("with better rules: %v, %d parked", got, len(f.state.parked))
	}
	f.triggered("/xpublish")
	f.asAdmin("POST", "/v1/webhooks/parked/retry", `{"id":"none"}`).wants(http.StatusNotFound, "unknown_event")
}

func TestParked_drop(t *testing.T) {
	f := newHooked(t, nil)
	f.state.parked = []ledger.ParkedEvent{{ID: "1", Webhook: "gone"}, {ID: "2", Webhook: "gone"}}
	if got := f.asAdmin("POST", "/v1/webhooks/parked/retry", `{"id":"1"}`).object()["events"].([]any); got[0].(map[string]any)["result"] != "parked" {
		t.Errorf("event of a webhook that is gone: %v", got)
	}
	if f.asAdmin("POST", "/v1/webhooks/parked/retry", `{"id":"1","drop":true}`); len(f.state.parked) != 1 || f.state.parked[0].ID != "2" {
		t.Errorf("parked %v", f.state.parked)
	}
	f.idle()
}

func TestParked_isPrivate(t *testing.T) {
	f := newHooked(t, nil)
	do(t, f.Admin(), "GET", "/v1/webhooks/parked", "").wants(http.StatusUnauthorized, "unauthorized")
	do(t, f.Admin(), "POST", "/v1/webhooks/parked/retry", "{}").wants(http.StatusUnauthorized, "unauthorized")
}

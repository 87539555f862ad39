package api

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/spool"
	"rebake/worker"
)

const awayReason = "redis does not answer"

// redisAway makes the site spool every trigger.
func (f *fixture) redisAway() {
	f.site.intake = worker.Intake{
		Reason: awayReason, Cause: storage.Temporary(errors.New("dial tcp 10.0.0.7:6379: connection refused, with " + adminToken)),
		Since: time.Now().Add(-time.Minute), Spooled: spool.Size{Records: 3, Bytes: 500},
	}
	f.state.err = errors.New("nothing is asked while redis is away")
	f.site.accept = func(_ context.Context, t worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{Spooled: &worker.Spooled{ID: "spool-1", Paths: t.Paths, Labels: t.Labels, Why: awayReason}}, nil
	}
}

func TestRevalidate_spooled(t *testing.T) {
	f := newFixture(t)
	f.redisAway()
	w := f.revalidate("POST", "path=/a&path=/b&tag=x", "")
	got := w.object()
	delete(got, "now")
	want := map[string]any{
		"revalidated": true, "id": "spool-1", "pages": 2.0, "message": "redis does not answer; the trigger is kept until it takes it",
	}
	if diff := cmp.Diff(want, got); diff != "" || w.Code != 200 {
		t.Errorf("status %d, want 200; answer (-want +got):\n%s", w.Code, diff)
	}
}

func TestRevalidate_spooledIsNotWaitedFor(t *testing.T) {
	f := newFixture(t)
	f.redisAway()
	started := time.Now()
	w := f.revalidate("POST", "path=/a&tag=x&wait=20s", "")
	if w.Code != 500 || time.Since(started) > 5*time.Second {
		t.Errorf("answer is %d after %s, want 500 at once", w.Code, time.Since(started))
	}
	const reason = "redis does not answer; the trigger is kept until it takes it"
	want := map[string]any{
		"revalidated": false, "id": "spool-1", "message": "Error revalidating", "failed": []any{
			map[string]any{"path": "/a", "reason": reason}, map[string]any{"path": "tag:x", "reason": reason},
		},
	}
	if diff := cmp.Diff(want, w.object()); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestRevalidate_partlySpooledHasTheLedgersNumber(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(_ context.Context, t worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{
			Pages:   []worker.AcceptedPage{{Path: t.Paths[0], ID: 7}},
			Spooled: &worker.Spooled{ID: "spool-1", Paths: t.Paths[1:], Why: awayReason},
		}, nil
	}
	got := f.revalidate("POST", "path=/a&path=/b", "").object()
	if got["id"] != "7" || got["pages"] != 2.0 || !strings.Contains(got["message"].(string), "is kept") {
		t.Errorf("answer is %v", got)
	}
}

func TestRevalidate_neitherRedisNorSpool(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"full":   {spool.ErrFull, "redis does not answer, and the spool is full (limits.spool); send it again"},
		"broken": {errors.New("input/output error"), "redis does not answer, and the spool cannot be written; send it again"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.redisAway()
			f.site.accept = func(context.Context, worker.Trigger) (worker.Accepted, error) {
				return worker.Accepted{}, &worker.NotSpooledError{Redis: f.site.intake.Cause, Spool: c.err}
			}
			w := f.revalidate("POST", "path=/a", "")
			w.wants(503, "not_spooled")
			if got := w.problem().Message; got != c.want || w.Header().Get("Retry-After") == "" {
				t.Errorf("message is %q with Retry-After %q, want %q", got, w.Header().Get("Retry-After"), c.want)
			}
		})
	}
}

func TestCreateTrigger_spooled(t *testing.T) {
	f := newFixture(t)
	f.redisAway()
	for name, body := range map[string]string{
		"now":       `{"paths":["/a"],"tags":["x"]}`,
		"waited":    `{"paths":["/a"],"tags":["x"],"wait":"20s"}`,
		"scheduled": `{"paths":["/a"],"tags":["x"],"after":"1h"}`,
	} {
		t.Run(name, func(t *testing.T) {
			var got TriggerResult
			w := f.createTrigger(body)
			w.decode(&got)
			result := "spooled"
			if name == "scheduled" {
				result = "scheduled" // it is durable, and its time may be far away
			}
			want := TriggerResult{
				Pages:  []PageResult{{Path: "/a", Result: result, Reason: awayReason}},
				Labels: []LabelResult{{Label: ledger.Tag("x"), ID: "spool-1", Result: result, Reason: awayReason}},
			}
			got.ID, got.Message = "", ""
			if diff := cmp.Diff(want, got); diff != "" || w.Code != 202 {
				t.Errorf("status %d, want 202; answer (-want +got):\n%s", w.Code, diff)
			}
		})
	}
}

// Globs are found in the ledger, so nothing was accepted.
func TestCreateTrigger_ofGlobsIsRefusedWhileRedisIsAway(t *testing.T) {
	f := newFixture(t)
	f.redisAway()
	f.state.err = storage.Temporary(errors.New("away"))
	f.createTrigger(`{"paths":["/a"],"globs":["/blog/*"]}`).wants(503, "unavailable")
	f.idle()
}

func TestReadyz(t *testing.T) {
	for name, c := range map[string]struct {
		intake worker.Intake
		status int
		want   map[string]any
	}{
		"ready": {worker.Intake{}, 200, map[string]any{"status": "ready"}},
		"away": {worker.Intake{Reason: awayReason, Spooled: spool.Size{Records: 3, Bytes: 500}}, 503,
			map[string]any{"status": "unavailable", "reason": awayReason, "spooled": 3.0, "spooled_bytes": 500.0}},
		"draining": {worker.Intake{Spooled: spool.Size{Records: 3, Bytes: 500}}, 200,
			map[string]any{"status": "ready", "spooled": 3.0, "spooled_bytes": 500.0}},
		"half full": {worker.Intake{Reason: "redis is half full", Full: true}, 200,
			map[string]any{"status": "ready", "reason": "redis is half full"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.site.intake = c.intake
			w := do(t, f.Admin(), "GET", "/readyz", "")
			if diff := cmp.Diff(c.want, w.object()); diff != "" || w.Code != c.status {
				t.Errorf("status %d, want %d; answer (-want +got):\n%s", w.Code, c.status, diff)
			}
		})
	}
}

func TestStatus_tellsOfTheSpool(t *testing.T) {
	f := newFixture(t)
	f.redisAway()
	var got Status
	w := do(t, f.Admin(), "GET", "/v1/status", "", admin)
	w.decode(&got)
	if got.Redis != "does not answer" || got.Spooled.Records != 3 || got.Since.IsZero() || !strings.Contains(got.Intake, "connection refused") {
		t.Errorf("status is %+v", got)
	}
	if strings.Contains(w.Body.String(), canary) {
		t.Error("the status holds a secret")
	}
}

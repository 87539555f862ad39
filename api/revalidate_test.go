package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

func TestRevalidate_answer(t *testing.T) {
	f := newFixture(t)
	before := time.Now().UnixMilli()
	got := f.revalidate("GET", "path=/a&path=/b", "").object()
	if now, _ := got["now"].(float64); int64(now) < before || int64(now) > time.Now().UnixMilli() {
		t.Errorf("now is %v, want the time in ms", got["now"])
	}
	delete(got, "now")
	want := map[string]any{"revalidated": true, "id": "8", "pages": 2.0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// The row wants "revalidated": false; callers of Next.js take that for an error
// and the product says true, with the message.
func TestRevalidate_H45_answerWithoutPages(t *testing.T) {
	for _, c := range []struct {
		name, query, message string
		accepted             worker.Accepted
		pages                float64
	}{
		{"no route", "path=/x", "no route matches /x", worker.Accepted{Unmatched: []storage.Path{mustPath(t, "/x")}}, 0},
		{
			"no route for one of two", "path=/a&path=/x", "no route matches /x",
			worker.Accepted{Pages: []worker.AcceptedPage{{Path: mustPath(t, "/a"), ID: 3}}, Unmatched: []storage.Path{mustPath(t, "/x")}}, 1,
		},
		{
			"one of two over the quota", "path=/a&path=/x", overQuota + ": /x",
			worker.Accepted{Pages: []worker.AcceptedPage{{Path: mustPath(t, "/a"), ID: 3}}, OverQuota: []storage.Path{mustPath(t, "/x")}}, 1,
		},
		{"never published", "path=/x&only_generated=1", "never published, so left alone: /x", worker.Accepted{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.site.accept = func(context.Context, worker.Trigger) (worker.Accepted, error) { return c.accepted, nil }
			w := f.revalidate("GET", c.query, "")
			got := w.object()
			if w.Code != 200 || got["revalidated"] != true || got["pages"] != c.pages || got["message"] != c.message {
				t.Errorf("answer is %d %s, want 200, revalidated, %v pages and %q", w.Code, w.Body, c.pages, c.message)
			}
		})
	}
}

func TestRevalidate_longListInMessageIsCut(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(_ context.Context, tr worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{Unmatched: tr.Paths}, nil
	}
	got := f.revalidate("POST", "", `{"paths":["/1","/2","/3","/4","/5","/6","/7"]}`).object()["message"]
	if want := "no route matches /1, /2, /3, /4, /5, and 2 more"; got != want {
		t.Errorf("message is %q, want %q", got, want)
	}
}

func TestRevalidate_trigger(t *testing.T) {
	base := worker.Trigger{Priority: ledger.Critical, Reason: "revalidate", Recheck: true}
	with := func(change func(*worker.Trigger)) worker.Trigger { tr := base; change(&tr); return tr }
	noRecheck := with(func(tr *worker.Trigger) { tr.Recheck = false })
	onlyGenerated := with(func(tr *worker.Trigger) { tr.OnlyPublished = true })
	for _, c := range []struct {
		name, query, body, header string
		want                      worker.Trigger
	}{
		{name: "by default", want: base},
		{name: "recheck=1", query: "&recheck=1", want: base},
		{name: "recheck=0", query: "&recheck=0", want: noRecheck},
		{name: "recheck=off", query: "&recheck=off", want: noRecheck},
		{name: "recheck in JSON", body: `{"recheck":false}`, want: noRecheck},
		{name: "recheck in JSON as text", body: `{"recheck":"0"}`, want: noRecheck},
		{name: "only_generated=1", query: "&only_generated=1", want: onlyGenerated},
		{name: "only_generated=0", query: "&only_generated=0", want: base},
		{name: "only_generated in JSON", body: `{"only_generated":true}`, want: onlyGenerated},
		{
			name: "sender", header: "User-Agent: WordPress/6.1.9; https://cms.example.com",
			want: with(func(tr *worker.Trigger) { tr.Reason = "revalidate by WordPress/6.1.9; https://cms.example.com" }),
		},
		{
			name: "sender with a long name", header: "User-Agent: " + strings.Repeat("é", 100),
			want: with(func(tr *worker.Trigger) { tr.Reason = "revalidate by " + strings.Repeat("é", 30) + "…" }),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "path=/a"+c.query, c.body, c.header)
			c.want.Paths = []storage.Path{mustPath(t, "/a")}
			got := f.site.all()
			if diff := cmp.Diff([]worker.Trigger{c.want}, got, cmp.Comparer(func(a, b storage.Path) bool { return a == b })); diff != "" {
				t.Errorf("triggers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRevalidate_badSwitch(t *testing.T) {
	for query, code := range map[string]string{
		"wait=soon": "bad_wait", "wait=-1s": "bad_wait", "wait=61s": "bad_wait", "wait=20": "bad_wait", "wait=1e400": "bad_wait",
		"recheck=maybe": "bad_recheck", "only_generated=2": "bad_only_generated",
	} {
		t.Run(query, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("GET", "path=/a&"+query, "").wants(400, code)
			f.idle()
		})
	}
}

// forever waits until the context is done, as the worker floor says it.
func forever(ctx context.Context, p worker.AcceptedPage) error {
	<-ctx.Done()
	return fmt.Errorf("wait for %s: %w", p.Path, context.Cause(ctx))
}

func TestRevalidate_waitsForPages(t *testing.T) {
	f := newFixture(t)
	waited := make(chan string, 2)
	f.site.wait = func(_ context.Context, p worker.AcceptedPage) error {
		waited <- fmt.Sprint(p.Path, " ", p.ID)
		return nil
	}
	w := f.revalidate("GET", "path=/a&path=/b&wait=1", "")
	got := []string{<-waited, <-waited}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"/a 7", "/b 8"}, got); diff != "" || w.Code != 200 {
		t.Errorf("answer is %d %s; waited for (-want +got):\n%s", w.Code, w.Body, diff)
	}
}

func TestRevalidate_doesNotWaitUnasked(t *testing.T) {
	for _, query := range []string{"path=/a", "path=/a&wait=0", "path=/a&wait=false", "path=/a&wait="} {
		f := newFixture(t)
		f.site.wait = func(context.Context, worker.AcceptedPage) error { return errors.New("waited") }
		if w := f.revalidate("GET", query, ""); w.Code != 200 {
			t.Errorf("%s: answer is %d %s, want 200", query, w.Code, w.Body)
		}
	}
}

func TestRevalidate_waitForPageThatFails(t *testing.T) {
	f := newFixture(t)
	f.site.wait = func(_ context.Context, p worker.AcceptedPage) error {
		if p.Path.String() == "/a" {
			return fmt.Errorf("/a: %w: the CMS answers 500", worker.ErrNotPublished)
		}
		return nil
	}
	w := f.revalidate("GET", "path=/a&path=/b&wait=1", "")
	want := map[string]any{
		"revalidated": false, "message": "Error revalidating", "id": "8",
		"failed": []any{map[string]any{"path": "/a", "reason": "/a: not published: the CMS answers 500"}},
	}
	if diff := cmp.Diff(want, w.object()); diff != "" || w.Code != 500 {
		t.Errorf("status %d, want 500; answer (-want +got):\n%s", w.Code, diff)
	}
}

func TestRevalidate_waitThatTakesTooLong(t *testing.T) {
	for query, most := range map[string]time.Duration{"1": 20 * time.Second, "true": 20 * time.Second, "2500ms": 2500 * time.Millisecond, "1m": time.Minute} {
		t.Run(query, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.site.wait = func(ctx context.Context, p worker.AcceptedPage) error {
					if p.Path.String() == "/late" {
						return forever(ctx, p)
					}
					return ctx.Err() // done, but only if it is asked in time
				}
				started := time.Now()
				w := f.revalidate("GET", "path=/late&path=/done&wait="+query, "")
				if took := time.Since(started); took != most {
					t.Errorf("it took %s, want %s", took, most)
				}
				want := []any{map[string]any{
					"path": "/late", "reason": fmt.Sprintf("wait for /late: not yet published after %s; the trigger is kept", most),
				}}
				if diff := cmp.Diff(want, w.object()["failed"]); diff != "" || w.Code != 500 {
					t.Errorf("status %d, want 500; failed (-want +got):\n%s", w.Code, diff)
				}
			})
		})
	}
}

func TestRevalidate_waitIsNotLongerThanItMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(c *Config) { c.MaxWait = 5 * time.Second })
		f.site.wait = forever
		started := time.Now()
		f.revalidate("GET", "path=/a&wait=1", "")
		if took := time.Since(started); took != 5*time.Second {
			t.Errorf("it took %s, want 5s", took)
		}
	})
}

func TestRevalidate_queueAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.site.accept = func(ctx context.Context, _ worker.Trigger) (worker.Accepted, error) {
			<-ctx.Done()
			return worker.Accepted{}, storage.Temporary(fmt.Errorf("ledger: dial unix /run/redis.sock: %w", ctx.Err()))
		}
		started := time.Now()
		w := f.revalidate("GET", "path=/a&wait=1", "")
		w.wants(503, "unavailable")
		if got := w.Header().Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After is %q, want 1", got)
		}
		if took := time.Since(started); took > 2*time.Second {
			t.Errorf("it took %s, want at most 2s", took)
		}
		if strings.Contains(w.Body.String(), "redis") {
			t.Errorf("the answer tells what is inside: %s", w.Body)
		}
	})
}

func TestRevalidate_internalErrorIsTheLogsAlone(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(context.Context, worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{}, errors.New("the inside")
	}
	w := f.revalidate("GET", "path=/a", "")
	w.wants(500, "internal")
	if strings.Contains(w.Body.String(), "inside") || !strings.Contains(f.logs.String(), "the inside") {
		t.Errorf("the answer is %s and the log %s; only the log should tell", w.Body, f.logs)
	}
}

func TestRevalidate_panicEndsItsOwnRequestOnly(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(context.Context, worker.Trigger) (worker.Accepted, error) { panic("the inside") }
	w := f.revalidate("GET", "path=/a", "")
	w.wants(500, "internal")
	if strings.Contains(w.Body.String(), "inside") || !strings.Contains(f.logs.String(), "the inside") {
		t.Errorf("the answer is %s and the log %s; only the log should tell", w.Body, f.logs)
	}
	f.site.accept = nil
	if w := f.revalidate("GET", "path=/a", ""); w.Code != 200 {
		t.Errorf("the next answer is %d %s, want 200", w.Code, w.Body)
	}
}

func TestRevalidate_acceptsWhenTheCallerHangsUp(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(ctx context.Context, _ worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{}, ctx.Err()
	}
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	r := newRequest("GET", "/api/revalidate?path=/a&secret="+secret, "").WithContext(ctx)
	if w := serve(t, f.Public(), r); w.Code != 200 {
		t.Errorf("answer is %d %s: the trigger was given up with its caller", w.Code, w.Body)
	}
}

func TestAnswers_haveExactFields(t *testing.T) {
	f := newFixture(t)
	fields := func(w response) []string { return slices.Sorted(maps.Keys(w.object())) }
	for _, c := range []struct {
		name string
		got  response
		want []string
	}{
		{"200", f.revalidate("GET", "path=/a", ""), []string{"id", "now", "pages", "revalidated"}},
		{"400", f.revalidate("GET", "path=a", ""), []string{"error", "message", "revalidated"}},
		{"401", do(t, f.Public(), "GET", "/api/revalidate", ""), []string{"error", "message", "revalidated"}},
		{"404", do(t, f.Public(), "POST", "/", ""), []string{"error", "message", "revalidated"}},
		{"405", do(t, f.Public(), http.MethodDelete, "/api/revalidate", ""), []string{"error", "message", "revalidated"}},
	} {
		if diff := cmp.Diff(c.want, fields(c.got)); diff != "" {
			t.Errorf("fields of %s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestRevalidate_H122_nothingButPagesOverTheQuota(t *testing.T) {
	for _, query := range []string{"path=/x", "path=/x&wait=1"} {
		f := newFixture(t)
		f.site.accept = func(context.Context, worker.Trigger) (worker.Accepted, error) {
			return worker.Accepted{OverQuota: []storage.Path{mustPath(t, "/x")}}, nil
		}
		w := f.revalidate("GET", query, "")
		if got := w.object(); w.Code != http.StatusInsufficientStorage || got["revalidated"] != false || got["message"] != overQuota {
			t.Errorf("%s: answer is %d %s", query, w.Code, w.Body)
		}
	}
}

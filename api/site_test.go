package api

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"rebake/storage/ledger"
	"rebake/storage/redistest"
)

func TestSite_refusedRequestsChangeNothing(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t)
	idle := s.keys()
	for _, h := range hostilePaths() {
		s.revalidate("GET", "path=/blog/good&path="+h.sent, "").wants(400, h.code)
		s.revalidate("POST", "", h.json()).wants(400, h.code)
	}
	s.revalidate("GET", "path=/blog/a;secret=x", "").wants(400, "bad_query")
	s.revalidate("GET", "path=/blog/a+b", "").wants(400, "charset")
	s.revalidate("GET", "path=/blog/a&wait=soon", "").wants(400, "bad_wait")
	s.revalidate("GET", "tag=", "").wants(400, "bad_tag")
	s.revalidate("GET", "tag=good&prefix=blog", "").wants(400, "not_absolute")
	s.revalidate("POST", "path=/blog/a", `{"path":5}`).wants(400, "bad_json")
	do(t, s.Public(), "GET", "/api/revalidate?path=/blog/a&secret=wrong-CANARY", "").wants(401, "unauthorized")
	do(t, s.Public(), "HEAD", "/api/revalidate?path=/blog/a&secret="+secret, "").wants(405, "method")
	do(t, s.Admin(), "POST", "/v1/triggers", `{"paths":["/blog/a","/.env"]}`, admin).wants(400, "dotfile")
	if got := s.revalidate("GET", "path=/no/route", "").object(); got["pages"] != 0.0 { // H52
		t.Errorf("a path of no route: %v, want no pages", got)
	}
	if diff := cmp.Diff(idle, s.keys()); diff != "" {
		t.Errorf("keys (-idle +now):\n%s", diff)
	}
	if files := s.files(); len(files) > 0 {
		t.Errorf("files %v, want none", files)
	}
	if n := s.cms.asked.Load(); n > 0 {
		t.Errorf("the source was asked %d times, want never", n)
	}
}

func TestSite_publishesWhatACallerWaitsFor(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t)
	s.start()
	s.cms.set("a", "First")
	if w := s.revalidate("PUT", "wait=1&recheck=0", `{"paths":["https://www.example.com/blog/a/"]}`); w.Code != 200 {
		t.Fatalf("answer is %d %s, want 200", w.Code, w.Body)
	}
	s.cms.set("a", "Second")
	if w := s.revalidate("GET", "path=/blog/a&wait=10s&recheck=0", ""); w.Code != 200 {
		t.Fatalf("answer is %d %s, want 200", w.Code, w.Body)
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "blog/a/index.html"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("<!doctype html><html><title>Second</title></html>", string(b)); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	var e Explanation
	do(t, s.Admin(), "GET", "/v1/explain?path=/blog/a", "", admin).decode(&e)
	if e.Freshness != ledger.PageFresh {
		t.Errorf("the page is %s, want fresh", e.Freshness)
	}
}

func TestSite_publishesThePagesOfATagThatACallerWaitsFor(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t)
	s.start()
	s.cms.set("a", "First")
	s.cms.set("b", "First")
	if w := s.revalidate("GET", "path=/blog/a&path=/blog/b&wait=10s&recheck=0", ""); w.Code != 200 {
		t.Fatalf("answer is %d %s, want 200", w.Code, w.Body)
	}
	s.cms.set("a", "Second")
	s.cms.set("b", "Second")
	w := s.revalidate("GET", "tags=post:a&wait=10s&recheck=0", "")
	if got := w.object(); w.Code != 200 || got["pages"] != 1.0 {
		t.Fatalf("answer is %d %s, want 200 and one page", w.Code, w.Body)
	}
	for slug, want := range map[string]string{"a": "Second", "b": "First"} {
		b, err := os.ReadFile(filepath.Join(s.dir, "blog", slug, "index.html"))
		if err != nil {
			t.Fatal(err)
		}
		if want := "<!doctype html><html><title>" + want + "</title></html>"; string(b) != want {
			t.Errorf("page %s is %q, want %q", slug, b, want)
		}
	}
}

func TestSite_tagThatNoPageHas(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t)
	s.start()
	w := s.revalidate("GET", "tag=posts&wait=10s", "")
	if got := w.object(); w.Code != 200 || got["pages"] != 0.0 || got["message"] != "no page has tag:posts yet" {
		t.Errorf("answer is %d %s, want 200, no pages and a message", w.Code, w.Body)
	}
}

func TestSite_saysWhyAPageIsNotPublished(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t)
	s.start()
	s.cms.failing()
	w := s.revalidate("GET", "path=/blog/a&wait=10s", "")
	got := w.object()
	failed, _ := got["failed"].([]any)
	if w.Code != 500 || got["message"] != "Error revalidating" || len(failed) != 1 {
		t.Fatalf("answer is %d %s, want 500 with one page", w.Code, w.Body)
	}
	reason, _ := failed[0].(map[string]any)["reason"].(string)
	if want := "500"; !strings.Contains(reason, want) {
		t.Errorf("the reason is %q, want one that tells the source's answer", reason)
	}
	if files := s.files(); len(files) > 0 {
		t.Errorf("files %v, want none", files)
	}
}

func TestSite_keepsTheTriggerOfACallerWhoWaitedInVain(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t) // without a worker
	w := s.revalidate("GET", "path=/blog/a&wait=20ms", "")
	if w.Code != 500 || !strings.Contains(w.Body.String(), "the trigger is kept") {
		t.Fatalf("answer is %d %s, want 500 and that the trigger is kept", w.Code, w.Body)
	}
	s.cms.set("a", "First")
	s.start()
	if w := s.revalidate("GET", "path=/blog/a&wait=10s&only_generated=1", ""); w.Code != 200 {
		t.Fatalf("answer is %d %s, want 200", w.Code, w.Body)
	}
	p := mustPath(t, "/blog/a")
	await(t, func() bool {
		st, err := s.state.State(t.Context(), p)
		return err == nil && st.Freshness == ledger.PageFresh
	})
}

func TestSite_onlyGeneratedLeavesUnknownPagesAlone(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t)
	idle := s.keys()
	got := s.revalidate("GET", "path=/blog/a&only_generated=1", "").object()
	if got["pages"] != 0.0 || got["message"] != "never published, so left alone: /blog/a" {
		t.Errorf("answer is %v, want no pages and a message", got)
	}
	if diff := cmp.Diff(idle, s.keys()); diff != "" {
		t.Errorf("keys (-idle +now):\n%s", diff)
	}
}

func TestSite_redisAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(*redistest.Server){"dead": (*redistest.Server).Kill, "silent": (*redistest.Server).Pause} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newWholeSite(t)
			away(s.redis)
			var trigger, explain, ready response
			var requests sync.WaitGroup
			started := time.Now()
			requests.Go(func() { trigger = s.revalidate("GET", "path=/blog/a", "") })
			requests.Go(func() { explain = do(t, s.Admin(), "GET", "/v1/explain?path=/blog/a", "", admin) })
			requests.Go(func() { ready = do(t, s.Admin(), "GET", "/readyz", "") })
			requests.Wait()
			// Each takes 2 s at most (TestRevalidate_queueAway), and a busy machine
			// takes its time. Without a limit they would wait for Redis for longer.
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("the answers took %s, want about 2s", took)
			}
			trigger.wants(503, "unavailable")
			explain.wants(503, "unavailable")
			if trigger.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if body := trigger.Body.String() + explain.Body.String(); strings.Contains(body, "redis") || strings.Contains(body, "dial") {
				t.Errorf("the answers tell what is inside: %s", body)
			}
			if ready.Code != 503 {
				t.Errorf("readyz is %d, want 503", ready.Code)
			}
		})
	}
}

// TestSite_H34_secretIsKeptNowhere looks into Redis and the output.
func TestSite_H34_secretIsKeptNowhere(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t)
	s.start()
	s.cms.set("a", "First")
	if w := do(t, s.Public(), "GET", "/api/revalidate?path=/blog/a&wait=10s&secret="+secret, "", "User-Agent: x "+secret, "Referer: /?secret="+secret); w.Code != 200 {
		t.Fatalf("answer is %d %s, want 200", w.Code, w.Body)
	}
	for _, key := range s.keys() {
		dump, err := s.rdb.Dump(t.Context(), key).Result()
		if err != nil && err != redis.Nil {
			t.Fatal(err)
		}
		if strings.Contains(key+dump, canary) {
			t.Errorf("the key %s holds the secret", key)
		}
	}
	for _, name := range s.files() {
		if b, err := os.ReadFile(filepath.Join(s.dir, name)); err != nil || strings.Contains(string(b), canary) {
			t.Errorf("the file %s holds the secret, or %v", name, err)
		}
	}
}

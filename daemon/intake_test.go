package daemon

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rebake/storage/redistest"
)

// quickTrigger sends a trigger that has to be accepted before its sender gives
// up. On a machine that is busy with other things even a wrong secret is told
// late: that is added.
func (s *testSite) quickTrigger(slug string) (answer string) {
	s.t.Helper()
	started := time.Now()
	s.with("wrong")
	limit := 1500*time.Millisecond + 5*time.Since(started)
	started = time.Now()
	status, answer := s.trigger(url.Values{"path": {"/p/" + slug}, "recheck": {"0"}})
	if took := time.Since(started); status != http.StatusOK || took > limit {
		s.t.Errorf("trigger: %d %s after %s, want it accepted within %s", status, answer, took, limit)
	}
	return answer
}

// spooled returns how many files there are in the spool.
func (s *testSite) spooled() int {
	names, _ := filepath.Glob(filepath.Join(s.dir, ".rebake/spool/*/*"))
	return len(names)
}

func TestServe_H81RedisAwayAtTheStart(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	s := newTestSite(t, "redis: "+redis.Addr())
	p := s.launch()
	if text := s.awaitReadyz(p, http.StatusServiceUnavailable); !strings.Contains(text, "redis does not answer") {
		t.Errorf("readyz says %s, want the reason", text)
	}
	s.source.edit("a")
	if text := s.quickTrigger("a"); !strings.Contains(text, `"id":"spool-`) || !strings.Contains(text, "the trigger is kept") {
		t.Errorf("the answer is %s, want that it is spooled", text)
	}
	if status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1"}}); status != http.StatusInternalServerError || !strings.Contains(text, "redis does not answer") {
		t.Errorf("with wait it is answered %d %s, want 500 at once, and why", status, text)
	}
	s.mustFail(exitFailed, []string{"status"}, "does not answer", "2 triggers")
	s.mustFail(exitFailed, []string{"now", "/p/a"}, "/p/a  spooled: redis does not answer", "the trigger is kept")
	s.mustRun([]string{"now", "/p/a", "--no-wait"}, "/p/a  spooled")
	p.kill() // what is spooled survives that
	p = s.launch()
	if text := s.awaitReadyz(p, http.StatusServiceUnavailable); !strings.Contains(text, `"spooled":4`) {
		t.Errorf("readyz says %s, want what is spooled", text)
	}
	redis.Restart()
	s.awaitReadyz(p, http.StatusOK)
	s.await("the page is published", patience, func() bool { return s.shows("a") })
	s.await("the spool is empty", patience, func() bool { return s.spooled() == 0 })
}

// A Redis that may not be used is refused when it is there, however late.
func TestServe_H81RedisThatComesLateAndIsRefused(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	s := newTestSite(t, "redis: "+redis.Addr())
	p := s.launch()
	s.awaitReadyz(p, http.StatusServiceUnavailable)
	redis.Restart("--appendfsync", "everysec")
	s.await("it is refused", patience, func() bool {
		return strings.Contains(s.awaitReadyz(p, http.StatusServiceUnavailable), "may lose triggers")
	})
	s.source.edit("a")
	s.quickTrigger("a")
	s.await("the log says what to change", patience, func() bool { // it does after readyz
		return strings.Contains(p.log.String(), `appendfsync is \"everysec\" and has to be \"always\"`)
	})
	redis.Restart()
	s.await("the page is published", patience, func() bool { return s.shows("a") })
}

// An api that dies leaves its spool to any other process of the site.
func TestServe_H81SpoolOfADeadProcessIsDrainedByAnother(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := newTestSite(t, "redis: "+redis.Addr())
	s.start("--only", "worker")
	api := s.start("--only", "api")
	s.source.edit("a")
	redis.Kill()
	s.quickTrigger("a")
	api.kill()
	redis.Restart()
	s.await("the page is published", patience, func() bool { return s.shows("a") })
}

// H85: the whole program, with a Redis that hangs while triggers come.
func TestServe_H85RedisHangs(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := newTestSite(t, "redis: "+redis.Addr())
	p := s.start()
	redis.Pause()
	s.source.edit("a")
	s.quickTrigger("a")
	s.awaitReadyz(p, http.StatusServiceUnavailable)
	redis.Resume()
	s.await("the page is published", patience, func() bool { return s.shows("a") })
	s.awaitReadyz(p, http.StatusOK)
}

func TestServe_SpoolThatIsFullIsAnswered503(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	s := newTestSite(t, "redis: "+redis.Addr()+"\nlimits: {spool: 1048576}")
	p := s.launch()
	s.awaitReadyz(p, http.StatusServiceUnavailable)
	paths := make([]string, 100)
	for i := range paths {
		paths[i] = fmt.Sprintf("/p/%0100d", i)
	}
	for range 200 {
		status, text := s.trigger(url.Values{"path": paths})
		if status == http.StatusOK {
			continue
		}
		if status != http.StatusServiceUnavailable || !strings.Contains(text, "the spool is full (limits.spool)") {
			t.Errorf("a full spool is answered %d %s, want 503 and why", status, text)
		}
		return
	}
	t.Error("the spool is never full")
}

func TestCheckDurability_H93(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	c := server.Client()
	if err := checkDurability(t.Context(), c); err != nil {
		t.Errorf("a good Redis is refused: %v", err)
	}
	for _, bad := range []struct{ name, value, good string }{
		{"appendonly", "no", "yes"}, {"appendfsync", "everysec", "always"}, {"maxmemory-policy", "allkeys-lru", "noeviction"},
	} {
		if err := c.ConfigSet(t.Context(), bad.name, bad.value).Err(); err != nil {
			t.Fatal(err)
		}
		err := checkDurability(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), bad.name) || !strings.Contains(err.Error(), bad.good) {
			t.Errorf("%s %s: %v, want it refused with the value that it has to have", bad.name, bad.value, err)
		}
		if err := c.ConfigSet(t.Context(), bad.name, bad.good).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Do(t.Context(), "acl", "setuser", "default", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	if err := checkDurability(t.Context(), c); err == nil || !strings.Contains(err.Error(), "allow CONFIG GET") {
		t.Errorf("a Redis that may not be asked: %v, want it refused", err)
	}
	server.Kill()
	if err := checkDurability(t.Context(), c); !isTemporary(err) {
		t.Errorf("a Redis that is away: %v, want a temporary error", err)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := newTestSite(t, "redis: "+server.Addr())
	s.start()
	s.source.edit("a")
	s.mustTrigger("/p/a")
	s.await("the page is published", patience, func() bool { return s.shows("a") })
	get := func(token string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, "http://"+s.admin+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var b strings.Builder
		_ = res.Write(&b)
		return res.StatusCode, b.String()
	}
	if status, _ := get("wrong"); status != http.StatusUnauthorized {
		t.Errorf("metrics without the token are answered %d", status)
	}
	token, err := os.ReadFile(filepath.Join(s.dir, ".rebake/admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	s.await("the render is counted", patience, func() bool {
		_, text := get(strings.TrimSpace(string(token)))
		return strings.Contains(text, `rebake_renders_total{outcome="published"}`)
	})
	_, text := get(strings.TrimSpace(string(token)))
	for _, want := range []string{
		"rebake_redis_up 1", "rebake_spool_triggers 0", `rebake_triggers_total{to="redis"} 1`, "rebake_pages 1", "rebake_pages_failed 0", "go_goroutines",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("metrics do not hold %q", want)
		}
	}
	server.Kill()
	s.await("redis is known to be away", patience, func() bool {
		_, text := get(strings.TrimSpace(string(token)))
		return strings.Contains(text, "rebake_redis_up 0")
	})
	s.quickTrigger("a")
	if _, text := get(strings.TrimSpace(string(token))); !strings.Contains(text, "rebake_spool_triggers 1") {
		t.Error("the spooled trigger is not told")
	}
}

package daemon

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rebake/storage/redistest"
)

func TestServe(t *testing.T) {
	t.Run("publishes a page that a trigger names", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := newTestSite(t, "")
		s.start()
		s.source.edit("a")
		status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1m"}})
		if status != http.StatusOK || !s.shows("a") {
			t.Errorf("status %d, answer %s, page %q", status, text, s.file("a"))
		}
	})

	t.Run("renders again when a trigger arrives while the page renders", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := newTestSite(t, "")
		s.start()
		s.source.edit("a")
		held, release := s.source.holdNext("a")
		defer release()
		s.mustTrigger("/p/a")
		<-held // the render has read version 1
		s.source.edit("a")
		s.mustTrigger("/p/a")
		release()
		s.await("version 2 is public", patience, func() bool { return s.shows("a") })
	})

	t.Run("publishes everything that was accepted before kill -9, within 5 s and its rendering", func(t *testing.T) {
		needRedis(t)
		const pages, latency = 1000, 50 * time.Millisecond
		s := newTestSite(t, "")
		s.source.latency.Store(int64(latency))
		p := s.start()
		var slugs []string
		for i := range pages {
			slugs = append(slugs, fmt.Sprintf("page-%d", i))
			s.source.edit(slugs[i])
		}
		for i := 0; i < pages; i += 100 {
			var paths []string
			for _, slug := range slugs[i : i+100] {
				paths = append(paths, "/p/"+slug)
			}
			if status, text := s.trigger(url.Values{"path": paths, "recheck": {"0"}}); status != http.StatusOK {
				t.Fatalf("trigger: %d %s", status, text)
			}
		}
		missing := slices.Clone(slugs)
		published := func() int {
			missing = slices.DeleteFunc(missing, s.shows)
			return pages - len(missing)
		}
		s.await("some pages are published", patience, func() bool { return published() >= pages/20 })
		p.kill()
		before := published()
		if before == 0 || before == pages {
			t.Fatalf("%d of %d pages were published at the kill: it was not in the middle", before, pages)
		}
		s.start()
		// How long the rendering takes is the machine's affair. It never stands
		// still for longer than a lease and its taking over.
		var still time.Duration
		done, since := before, time.Now()
		took := s.await("all pages are published", 3*patience, func() bool {
			if n := published(); n > done {
				still, done, since = max(still, time.Since(since)), n, time.Now()
			}
			return done == pages
		})
		t.Logf("%d pages published before the kill, all %d within %s of the restart's first answer", before, pages, took)
		if limit := 2*recoverWithin + 3*s.starts; still > limit {
			t.Errorf("for %s no page was published, want at most %s", still, limit)
		}
	})

	t.Run("works with the api and the workers in processes of their own", func(t *testing.T) {
		t.Parallel()
		redis := redistest.Start(t)
		s := newTestSite(t, "redis: "+redis.Addr())
		s.start("--only", "api")
		s.start("--only", "worker")
		s.start("--only", "worker")
		s.source.edit("a")
		status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1m"}})
		if status != http.StatusOK || !s.shows("a") {
			t.Errorf("status %d, answer %s, page %q", status, text, s.file("a"))
		}
	})

	t.Run("stops on SIGTERM with the render under way published", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := newTestSite(t, "")
		p := s.start()
		s.source.edit("a")
		held, release := s.source.holdNext("a")
		defer release()
		s.mustTrigger("/p/a")
		<-held
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		release()
		<-p.ended
		if code := p.cmd.ProcessState.ExitCode(); code != 0 || !s.shows("a") {
			t.Errorf("exit code %d, page %q", code, s.file("a"))
		}
	})

	t.Run("removes a page that its source no longer has, and brings it back", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := newTestSite(t, "")
		s.start()
		s.source.edit("a")
		if status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1m"}}); status != http.StatusOK {
			t.Fatal(text)
		}
		s.source.remove("a")
		s.mustTrigger("/p/a")
		s.await("the page is gone", patience, func() bool { return s.file("a") == "" })
		s.source.edit("a")
		s.mustTrigger("/p/a")
		s.await("the page is back", patience, func() bool { return s.shows("a") })
	})
}

func TestServe_Refuses(t *testing.T) {
	run := func(t *testing.T, s *testSite, args ...string) string {
		t.Helper()
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(rebakeLink(t, exe), append([]string{"serve", "--config", filepath.Join(s.dir, "rebake.yaml")}, args...)...)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Fatalf("it served, and said %s", out)
		}
		return string(out)
	}
	contains := func(t *testing.T, got string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("got %q, want %q in it", got, w)
			}
		}
	}

	t.Run("H116: a second daemon on one state", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := newTestSite(t, "")
		s.start()
		contains(t, run(t, s), "another rebake serves this site")
	})

	t.Run("--only on the embedded queue", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		contains(t, run(t, newTestSite(t, ""), "--only", "api"), "name it with `redis:`")
	})

	t.Run("a Redis that could lose triggers", func(t *testing.T) {
		t.Parallel()
		redis := redistest.Start(t)
		c := redis.Client()
		if err := c.ConfigSet(t.Context(), "appendfsync", "everysec").Err(); err != nil {
			t.Fatal(err)
		}
		s := newTestSite(t, "redis: "+redis.Addr())
		contains(t, run(t, s), `appendfsync is "everysec" and has to be "always"`, "durability: relaxed")
	})

	t.Run("a Redis of another site", func(t *testing.T) {
		t.Parallel()
		redis := redistest.Start(t)
		if err := redis.Client().Set(t.Context(), "rebake:site", "other.example.com", 0).Err(); err != nil {
			t.Fatal(err)
		}
		contains(t, run(t, newTestSite(t, "redis: "+redis.Addr())), "belongs to the site other.example.com")
	})

	t.Run("a machine without redis-server", func(t *testing.T) {
		s := newTestSite(t, "")
		t.Setenv("PATH", t.TempDir())
		contains(t, run(t, s), "redis-server is not installed", "apt-get install redis-server")
	})

	t.Run("an address in use", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.start()
		other := newTestSite(t, "redis: memory")
		other.write("rebake.yaml", strings.ReplaceAll(read(t, other, "rebake.yaml"), other.listen, s.listen))
		contains(t, run(t, other), "address already in use", "listen in rebake.yaml")
	})
}

func read(t *testing.T, s *testSite, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestServe_EmbeddedRedis(t *testing.T) {
	child := func(t *testing.T, p *rebake) int {
		t.Helper()
		// The child belongs to the thread that started it.
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
		for _, task := range tasks {
			var pid int
			b, _ := os.ReadFile(task)
			if n, _ := fmt.Sscan(string(b), &pid); n == 1 {
				return pid
			}
		}
		t.Fatal("rebake has no child")
		return 0
	}

	t.Run("is started again when it dies, and nothing accepted is lost", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := newTestSite(t, "")
		p := s.start()
		held, release := s.source.holdNext("a")
		defer release()
		s.source.edit("a")
		s.mustTrigger("/p/a")
		<-held
		if err := syscall.Kill(child(t, p), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		release()
		s.await("the page is published", patience, func() bool { return s.shows("a") })
		s.source.edit("a")
		s.await("a new trigger is accepted", patience, func() bool {
			status, _ := s.trigger(url.Values{"path": {"/p/a"}})
			return status == http.StatusOK
		})
		s.await("the page is published again", patience, func() bool { return s.shows("a") })
	})

	t.Run("does not outlive its parent", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := newTestSite(t, "")
		p := s.start()
		pid := child(t, p)
		p.kill()
		s.await("the child has ended", patience, func() bool { return syscall.Kill(pid, 0) != nil })
	})

	t.Run("works below a directory whose name is too long for a socket", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := newTestSite(t, "state: ./"+strings.Repeat("long-", 30))
		s.start()
		s.source.edit("a")
		if status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1m"}}); status != http.StatusOK || !s.shows("a") {
			t.Errorf("status %d, answer %s", status, text)
		}
	})
}

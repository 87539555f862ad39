package daemon

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rebake/storage/redistest"
)

// visit asks for a page as nginx does when it has no file.
func (s *testSite) visit(path string) (status int, header http.Header, body string) {
	s.t.Helper()
	res, err := http.Get("http://" + s.listen + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

func TestMiss(t *testing.T) {
	t.Run("renders a page for its first visitor, and stores it", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.start()
		s.source.edit("a")
		status, header, body := s.visit("/p/a")
		if status != 200 || !strings.Contains(body, "a version 1") || !s.shows("a") {
			t.Errorf("status %d, body %q, file %q", status, body, s.file("a"))
		}
		if got := header.Get("Cache-Status"); got != "rebake; fwd=miss; stored" {
			t.Errorf("Cache-Status is %q", got)
		}
		if _, header, _ = s.visit("/p/a"); header.Get("Cache-Status") != "rebake; hit" {
			t.Errorf("the second time Cache-Status is %q", header.Get("Cache-Status"))
		}
	})

	t.Run("of many visitors at once costs one render", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.start()
		s.source.edit("a")
		held, release := s.source.holdNext("a")
		defer release()
		var visitors sync.WaitGroup
		for range 50 {
			visitors.Go(func() {
				if status, _, _ := s.visit("/p/a"); status != 200 {
					t.Errorf("status %d", status)
				}
			})
		}
		<-held
		release()
		visitors.Wait()
		if n := s.source.requests.Load(); n != 1 {
			t.Errorf("%d requests to the source, want 1", n)
		}
	})

	t.Run("H121 of paths that are no page leaves no file and nothing in Redis", func(t *testing.T) {
		t.Parallel()
		redis := redistest.Start(t)
		s := newTestSite(t, "redis: "+redis.Addr())
		s.start()
		s.source.edit("good")
		s.mustTrigger("/p/good")
		s.await("the good page is public", patience, func() bool { return s.shows("good") })
		c := redis.Client()
		var visitors sync.WaitGroup
		for i := range 8 {
			visitors.Go(func() {
				for n := range 250 {
					status, header, _ := s.visit(fmt.Sprintf("/p/nothing-%d-%d", i, n))
					if status != 404 || header.Get("Cache-Control") != "no-store" {
						t.Errorf("status %d, Cache-Control %q", status, header.Get("Cache-Control"))
						return
					}
				}
			})
		}
		visitors.Wait()
		keys, err := c.Keys(t.Context(), "*nothing*").Result()
		if err != nil || len(keys) > 0 {
			t.Errorf("Redis holds %q (%v)", keys, err)
		}
		for _, set := range []string{"dirty", "failed", "paths"} {
			names, err := c.ZRange(t.Context(), "rebake:{www.example.com}:"+set, 0, -1).Result()
			if err != nil || strings.Contains(fmt.Sprint(names), "nothing") {
				t.Errorf("%s holds %q (%v)", set, names, err)
			}
		}
		files, err := os.ReadDir(filepath.Join(s.dir, "public/p"))
		if err != nil || len(files) != 1 {
			t.Errorf("public/p holds %v (%v)", files, err)
		}
	})

	t.Run("H121 for an absent path is answered from memory for a while", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.start()
		for range 3 {
			if status, _, _ := s.visit("/p/nothing"); status != 404 {
				t.Errorf("status %d", status)
			}
		}
		if n := s.source.requests.Load(); n != 1 {
			t.Errorf("%d requests to the source, want 1", n)
		}
	})

	t.Run("with the source down is a 503, and the next visitor after it is served", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.start()
		s.source.edit("a")
		s.source.down.Store(true)
		status, header, _ := s.visit("/p/a")
		if status != 503 || header.Get("Retry-After") == "" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("status %d, header %v", status, header)
		}
		s.source.down.Store(false)
		s.await("the page is served", patience, func() bool {
			status, _, _ := s.visit("/p/a")
			return status == 200
		})
	})

	t.Run("of a removed page stays a 404 until a trigger brings it back", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.start()
		s.source.edit("a")
		s.mustTrigger("/p/a")
		s.await("the page is public", patience, func() bool { return s.shows("a") })
		s.source.remove("a")
		s.mustTrigger("/p/a")
		s.await("the page is gone", patience, func() bool { return s.file("a") == "" })
		if status, _, _ := s.visit("/p/a"); status != 404 {
			t.Errorf("status %d", status)
		}
		s.source.edit("a")
		s.mustTrigger("/p/a")
		s.await("the page is back", patience, func() bool { return s.shows("a") })
	})

	t.Run("is not rendered where the route says off", func(t *testing.T) {
		t.Parallel()
		s := newTestSite(t, "redis: memory")
		s.write("rebake.yaml", strings.Replace(read(t, s, "rebake.yaml"), "    template: post.html", "    misses: off\n    template: post.html", 1))
		s.start()
		s.source.edit("a")
		if status, _, _ := s.visit("/p/a"); status != 404 || s.source.requests.Load() != 0 {
			t.Errorf("status %d, %d requests to the source", status, s.source.requests.Load())
		}
	})

	for _, path := range []string{"/", "/nothing", "/p/..%2fa", "/p/%2e%2e/a", "//p/a", "/p/.env", "/p/a.gz", "/api/x", "/_rebake/x"} {
		t.Run("of "+path+" is a 404 without a render", func(t *testing.T) {
			t.Parallel()
			s := newTestSite(t, "redis: memory")
			s.start()
			s.source.edit("a")
			if status, _, _ := s.visit(path); status != 404 || s.source.requests.Load() != 0 {
				t.Errorf("status %d, %d requests to the source", status, s.source.requests.Load())
			}
		})
	}
}

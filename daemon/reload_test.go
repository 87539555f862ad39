package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/api"
	"rebake/daemon/config"
	"rebake/storage/ledger"
)

// templatedSite has /p/{slug} by post.html over a layout, and /note/{slug} by
// note.html alone.
func templatedSite(t *testing.T) *testSite {
	t.Helper()
	s := newTestSite(t, "")
	s.write("rebake.yaml", strings.Replace(read(t, s, "rebake.yaml"), "\nworkers:", `
  - path: /note/{slug}
    template: note.html
    data: {post: {source: cms, get: "/posts/{slug}", one: true}}
workers:`, 1))
	s.write("templates/layouts/base.html", `<!doctype html><html><body class="base-1">{{block "main" .}}{{end}}</body></html>`)
	s.write("templates/post.html", `{{template "layouts/base.html" .}}{{define "main"}}post-1 {{.post.slug}}{{end}}`)
	s.write("templates/note.html", `<!doctype html><html><body>note-1 {{.post.slug}}</body></html>`)
	s.source.edit("a")
	return s
}

// publish renders the pages for the first time.
func (s *testSite) publish(paths ...string) {
	s.t.Helper()
	if status, text := s.trigger(url.Values{"path": paths, "wait": {"1m"}, "recheck": {"0"}}); status != http.StatusOK {
		s.t.Fatalf("publish %v: %d %s", paths, status, text)
	}
}

// page returns a page's bytes, "" without a file.
func (s *testSite) page(path string) string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "public", path, "index.html"))
	return string(b)
}

// stamp is what changes when a file is written again.
type stamp struct {
	inode uint64
	mtime time.Time
}

func (s *testSite) stamp(path string) stamp {
	s.t.Helper()
	info, err := os.Stat(filepath.Join(s.dir, "public", path, "index.html"))
	if err != nil {
		s.t.Fatal(err)
	}
	return stamp{info.Sys().(*syscall.Stat_t).Ino, info.ModTime()}
}

// reason returns which trigger led to the last render of a page, as `explain`
// shows it.
func (s *testSite) reason(path string) string {
	s.t.Helper()
	cfg, err := config.Load(filepath.Join(s.dir, "rebake.yaml"), os.LookupEnv)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := newClient(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	var e api.Explanation
	if err := c.get(s.t.Context(), "/v1/explain", url.Values{"path": {path}}, &e); err != nil {
		s.t.Fatal(err)
	}
	if e.Page == nil {
		return ""
	}
	return e.Page.Reason
}

func (p *rebake) hangup() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
}

func TestServe_ChangedTemplates(t *testing.T) {
	t.Run("on SIGHUP are rendered, and exactly the pages that used them", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := templatedSite(t)
		p := s.start()
		s.publish("/p/a", "/note/a")
		before := s.stamp("/note/a")
		s.write("templates/layouts/base.html", strings.Replace(read(t, s, "templates/layouts/base.html"), "base-1", "base-2", 1))
		p.hangup()
		s.await("the page has the new layout", patience, func() bool { return strings.Contains(s.page("/p/a"), "base-2") })
		s.await("the ledger says why", patience, func() bool { return s.reason("/p/a") == "template layouts/base.html changed" })
		if diff := cmp.Diff(before, s.stamp("/note/a"), cmp.AllowUnexported(stamp{})); diff != "" {
			t.Errorf("the other page was written again (-before +after):\n%s", diff)
		}
		if got := s.reason("/note/a"); !strings.HasPrefix(got, "revalidate") {
			t.Errorf("the other page was rendered because of %q", got)
		}
	})

	t.Run("between two starts are rendered, and nothing at the first start", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := templatedSite(t)
		p := s.start()
		s.publish("/p/a", "/note/a")
		if strings.Contains(p.log.String(), "templates changed") {
			t.Errorf("the first start found changes")
		}
		p.stop()
		before := s.stamp("/note/a")
		s.write("templates/post.html", strings.Replace(read(t, s, "templates/post.html"), "post-1", "post-2", 1))
		s.start()
		s.await("the page has the new look", patience, func() bool { return strings.Contains(s.page("/p/a"), "post-2") })
		if diff := cmp.Diff(before, s.stamp("/note/a"), cmp.AllowUnexported(stamp{})); diff != "" {
			t.Errorf("the other page was written again (-before +after):\n%s", diff)
		}
	})

	t.Run("with an error leave the old ones in place, and the process ready", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := templatedSite(t)
		p := s.start()
		s.publish("/p/a")
		s.write("templates/post.html", `{{template "layouts/none.html" .}}`)
		p.hangup()
		s.await("the log says so", patience, func() bool { return strings.Contains(p.log.String(), "templates not loaded") })
		s.publish("/p/a")
		if got := s.page("/p/a"); !strings.Contains(got, "post-1 a") {
			t.Errorf("page %q", got)
		}
		res, err := http.Get("http://" + s.admin + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("readyz %d", res.StatusCode)
		}
	})

	t.Run("that mend a page which failed render it", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		s := templatedSite(t)
		s.write("templates/partials/title.html", `{{.post.none}}`)
		p := s.start()
		s.publish("/p/a")
		// The page has no tag for the partial, since no render with it succeeded.
		s.write("templates/post.html", `{{template "layouts/base.html" .}}{{define "main"}}{{template "partials/title.html" .}}{{end}}`)
		p.hangup()
		s.await("the render fails", patience, func() bool { return strings.Contains(p.log.String(), "page not published") })
		s.write("templates/partials/title.html", `mended {{.post.slug}}`)
		p.hangup()
		s.await("the page is mended", patience, func() bool { return strings.Contains(s.page("/p/a"), "mended a") })
	})
}

func TestChangedFiles(t *testing.T) {
	got := changedFiles(map[string]string{"same": "1", "edited": "2", "gone": "3"}, map[string]string{"same": "1", "edited": "4", "new": "5"})
	want := map[string]bool{"edited": true, "gone": true, "new": true}
	for _, name := range got {
		if !want[name] {
			t.Errorf("%s did not change", name)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

func TestChangeReason(t *testing.T) {
	for want, files := range map[string][]string{
		"template a.html changed":                               {"a.html"},
		"templates a.html, b.html changed":                      {"a.html", "b.html"},
		"templates a.html, b.html, c.html and 2 others changed": {"a.html", "b.html", "c.html", "d.html", "e.html"},
	} {
		if got := changeReason(files); got != want {
			t.Errorf("%v: %q, want %q", files, got, want)
		}
	}
}

// memoryApp is a site in this process, in memory. It is not running.
func memoryApp(t *testing.T, s *testSite) *app {
	t.Helper()
	cfg, err := config.Load(filepath.Join(s.dir, "rebake.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Redis, cfg.Listen, cfg.Admin = "memory", "127.0.0.1:0", "127.0.0.1:0"
	a, err := newApp(t.Context(), cfg, roles{api: true, worker: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(a.public.Close(), a.admin.Close(), a.close()); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestReloader_RemembersOnlyWhatWasTriggered(t *testing.T) {
	t.Parallel()
	s := templatedSite(t)
	a := memoryApp(t, s)
	r := newReloader(a, a.logLoaded)
	hashes := func() map[string]string {
		t.Helper()
		h, err := a.worker.Ledger.Templates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if err := r.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := hashes()
	s.write("templates/note.html", "<!doctype html><html>note-2</html>")
	if err := os.Remove(filepath.Join(s.dir, "templates/post.html")); err != nil {
		t.Fatal(err)
	}
	r.load() // the route's template is missing
	if err := r.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, hashes()); diff != "" {
		t.Errorf("templates that were not loaded are remembered (-before +after):\n%s", diff)
	}

	s.write("templates/post.html", "<!doctype html><html>post-2</html>")
	r.load()
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.settle(away); err == nil {
		t.Error("settled although the ledger did not answer")
	}
	if diff := cmp.Diff(first, hashes()); diff != "" {
		t.Errorf("what was not triggered is remembered (-before +after):\n%s", diff)
	}

	if err := r.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.renderer.Load().TemplateHashes(), hashes()); diff != "" {
		t.Errorf("not remembered (-want +got):\n%s", diff)
	}
}

// Of two processes on one ledger, the one that loads last has rendered with the
// old files until then.
func TestReloader_TriggersWhatAnotherProcessHasRemembered(t *testing.T) {
	t.Parallel()
	s := templatedSite(t)
	a := memoryApp(t, s)
	r := newReloader(a, a.logLoaded)
	if err := r.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.write("templates/note.html", "<!doctype html><html>note-2</html>")
	r.load()
	if err := a.worker.Ledger.RememberTemplates(t.Context(), a.renderer.Load().TemplateHashes()); err != nil {
		t.Fatal(err)
	}
	if err := r.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{"note.html": true, "post.html": false} {
		walking, err := a.worker.Ledger.Walking(t.Context(), ledger.Tag("template:"+file))
		if err != nil {
			t.Fatal(err)
		}
		if walking != want {
			t.Errorf("the tag of %s is triggered: %v, want %v", file, walking, want)
		}
	}
}

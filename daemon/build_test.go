package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// listedSite is a site whose route has a list, in the shape of WordPress.
type listedSite struct {
	*testSite

	mu      sync.Mutex
	posts   []string // guarded by mu
	broken  string   // guarded by mu; this post's title is missing
	singles int      // guarded by mu; requests for one post
}

func newListedSite(t *testing.T, extra string, posts int) *listedSite {
	l := &listedSite{}
	for i := range posts {
		l.posts = append(l.posts, fmt.Sprintf("post-%03d", i))
	}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	l.testSite = newTestSite(t, "")
	l.write("templates/post.html", "<html>{{.post.title}}</html>")
	l.write("rebake.yaml", fmt.Sprintf(`
site: https://www.example.com
output: ./public
listen: %s
admin: %s
secret: %s
sources:
  cms: {kind: wordpress, url: %q}
routes:
  - {path: /, template: home.html}
  - path: /p/{slug}
    template: post.html
    data: {post: {source: cms, get: "/posts?slug={slug}", one: true}}
    list: {source: cms, get: "/posts?per_page=100", path: "/p/{slug}", as: post}
%s
`, l.listen, l.admin, testSecret, server.URL, extra))
	l.write("templates/home.html", "<html>home</html>")
	return l
}

func (l *listedSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.URL.Path != "/posts" {
		http.NotFound(w, r)
		return
	}
	item := func(slug string) map[string]any {
		post := map[string]any{"slug": slug, "title": "title of " + slug}
		if slug == l.broken {
			delete(post, "title")
		}
		return post
	}
	list := []map[string]any{}
	if slug := r.URL.Query().Get("slug"); slug != "" {
		l.singles++
		for _, p := range l.posts {
			if p == slug {
				list = append(list, item(p))
			}
		}
	} else {
		page := 1
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		w.Header().Set("X-WP-TotalPages", fmt.Sprint((len(l.posts)+99)/100))
		for _, p := range l.posts[min(len(l.posts), (page-1)*100):min(len(l.posts), page*100)] {
			list = append(list, item(p))
		}
	}
	_ = json.NewEncoder(w).Encode(list)
}

// build runs the command as a process of its own.
func (s *testSite) build(args ...string) (out string, code int) {
	s.t.Helper()
	cmd := s.buildCommand(args...)
	b, _ := cmd.CombinedOutput()
	return string(b), cmd.ProcessState.ExitCode()
}

func (s *testSite) buildCommand(args ...string) *exec.Cmd {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	return exec.Command(rebakeLink(s.t, exe), append([]string{"build", "--config", filepath.Join(s.dir, "rebake.yaml")}, args...)...)
}

func (l *listedSite) files() int {
	l.t.Helper()
	names, err := filepath.Glob(filepath.Join(l.dir, "public/p/*/index.html"))
	if err != nil {
		l.t.Fatal(err)
	}
	return len(names)
}

func TestBuild(t *testing.T) {
	t.Run("renders every listed page from the list, and the pages without one, with no worker alive", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		l := newListedSite(t, "", 250)
		out, code := l.build()
		if code != 0 || !strings.Contains(out, "251 pages in") || l.files() != 250 || read(t, l.testSite, "public/index.html") == "" {
			t.Errorf("exit code %d, %d files, said:\n%s", code, l.files(), out)
		}
		if l.singles != 0 {
			t.Errorf("%d requests for single posts, want none", l.singles)
		}
	})

	t.Run("works beside a rebake that serves, on its Redis", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		l := newListedSite(t, "", 120)
		l.start()
		if out, code := l.build(); code != 0 || l.files() != 120 {
			t.Errorf("exit code %d, %d files, said:\n%s", code, l.files(), out)
		}
	})

	t.Run("tells of a page that fails, renders the others, and has an exit code that says so", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		l := newListedSite(t, "", 30)
		l.mu.Lock()
		l.broken = "post-007"
		l.mu.Unlock()
		out, code := l.build()
		if code != 1 || !strings.Contains(out, "/p/post-007") || !strings.Contains(out, "1 failed") || l.files() != 29 {
			t.Errorf("exit code %d, %d files, said:\n%s", code, l.files(), out)
		}
	})

	t.Run("tells of a list that cannot be read", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		l := newListedSite(t, "", 30)
		l.write("rebake.yaml", strings.Replace(read(t, l.testSite, "rebake.yaml"), `"/posts?per_page=100"`, `"/nothing/here?per_page=100"`, 1))
		out, code := l.build()
		if code != 1 || !strings.Contains(out, "list of /p/{slug}: ") || !strings.Contains(out, "1 pages in") {
			t.Errorf("exit code %d, said:\n%s", code, out)
		}
	})

	t.Run("removes a known page that is gone from the list and from the source", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		l := newListedSite(t, "", 10)
		l.start()
		if out, code := l.build(); code != 0 {
			t.Fatalf("exit code %d, said:\n%s", code, out)
		}
		l.mu.Lock()
		l.posts = l.posts[1:]
		l.mu.Unlock()
		if out, code := l.build(); code != 0 || l.files() != 9 {
			t.Errorf("exit code %d, %d files, said:\n%s", code, l.files(), out)
		}
	})

	t.Run("with --missing leaves published pages alone", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		l := newListedSite(t, "", 10)
		l.start()
		if status, text := l.trigger(url.Values{"path": {"/p/post-003"}, "wait": {"1m"}, "recheck": {"0"}}); status != 200 {
			t.Fatal(text)
		}
		before, err := os.Stat(filepath.Join(l.dir, "public/p/post-003/index.html"))
		if err != nil {
			t.Fatal(err)
		}
		out, code := l.build("--missing")
		after, err := os.Stat(filepath.Join(l.dir, "public/p/post-003/index.html"))
		if err != nil || code != 0 || l.files() != 10 || !strings.Contains(out, "10 pages in") || !os.SameFile(before, after) {
			t.Errorf("exit code %d, %d files, said:\n%s", code, l.files(), out)
		}
	})
}

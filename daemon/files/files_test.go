package files

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// newSite writes a small site, and a secret file beside it.
func newSite(t *testing.T) (root string) {
	t.Helper()
	top := t.TempDir()
	root = filepath.Join(top, "public")
	for name, text := range map[string]string{
		"../secret.txt":        "secret",
		"index.html":           "home",
		"blog/a/index.html":    "post a",
		"blog/a/index.html.gz": "packed",
		"feed.xml":             "<rss></rss>",
		"news/index.xml":       "<rss>news</rss>",
		"photo.png":            "png",
		"deep/x.txt":           "text",
		".env":                 "hidden",
		".git/config":          "hidden",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"out.txt": filepath.Join(top, "secret.txt"), "up.txt": "../secret.txt", "updir": "..",
	} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestServer(t *testing.T) {
	server := Server(newSite(t))
	for _, tc := range []struct {
		path   string
		status int
		body   string
	}{
		{"/", 200, "home"},
		{"/?utm_source=x", 200, "home"},
		{"/blog/a", 200, "post a"},
		{"/blog/a/", 200, "post a"},
		{"/feed.xml", 200, "<rss></rss>"},
		{"/news", 200, "<rss>news</rss>"},
		{"/photo.png", 200, "png"},
		{"/blog", 404, ""},
		{"/deep/", 404, ""},
		{"/nobody", 404, ""},
		{"/blog/a/index.html.gz", 404, ""},
		{"/.env", 404, ""},
		{"/.git/config", 404, ""},
		{"/%2e%2e/secret.txt", 404, ""},
		{"/blog/..%2f..%2f..%2fsecret.txt", 404, ""},
		{"/blog/%2e%2e/feed.xml", 404, ""},
		{"//secret.txt", 404, ""},
		{"/feed.xml%00.html", 404, ""},
		{"/out.txt", 404, ""},
		{"/up.txt", 404, ""},
		{"/updir/secret.txt", 404, ""},
	} {
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, httptest.NewRequest("GET", "http://site.test"+tc.path, nil))
		if rec.Code != tc.status || tc.status == 200 && rec.Body.String() != tc.body {
			t.Errorf("GET %s: %d %q, want %d %q", tc.path, rec.Code, rec.Body, tc.status, tc.body)
		}
	}
}

func TestServer_Headers(t *testing.T) {
	root := newSite(t)
	when := time.Unix(0x6a000000, 500)
	if err := os.Chtimes(filepath.Join(root, "feed.xml"), when, when); err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	Server(root).ServeHTTP(rec, httptest.NewRequest("GET", "/feed.xml", nil))
	for name, want := range map[string]string{
		"Etag":          `"6a000000-b"`,
		"Cache-Control": "max-age=0, must-revalidate",
		"Content-Type":  "text/xml; charset=utf-8",
		"Last-Modified": when.UTC().Format(http.TimeFormat),
	} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestServer_Methods(t *testing.T) {
	server := Server(newSite(t))
	for method, want := range map[string]int{"HEAD": 200, "POST": 405, "PUT": 405, "DELETE": 405, "OPTIONS": 405} {
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, httptest.NewRequest(method, "/", nil))
		if rec.Code != want {
			t.Errorf("%s: %d, want %d", method, rec.Code, want)
		}
	}
}

func TestServer_ConditionalRequest(t *testing.T) {
	root := newSite(t)
	server := Server(root)
	rec := httptest.NewRecorder()
	server.ServeHTTP(rec, httptest.NewRequest("GET", "/blog/a", nil))
	again := func() int {
		req := httptest.NewRequest("GET", "/blog/a", nil)
		req.Header.Set("If-None-Match", rec.Header().Get("ETag"))
		second := httptest.NewRecorder()
		server.ServeHTTP(second, req)
		return second.Code
	}
	if got := again(); got != http.StatusNotModified {
		t.Errorf("unchanged page: %d, want 304", got)
	}
	if err := os.WriteFile(filepath.Join(root, "blog/a/index.html"), []byte("a longer post"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := again(); got != http.StatusOK {
		t.Errorf("changed page: %d, want 200", got)
	}
}

func TestServer_MissingRoot(t *testing.T) {
	rec := httptest.NewRecorder()
	Server(filepath.Join(t.TempDir(), "not-yet")).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if rec.Code != http.StatusNotFound {
		t.Errorf("status %d, want 404", rec.Code)
	}
}

package nginx_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"rebake/daemon/nginx"
	"rebake/daemon/nginx/nginxtest"
	"rebake/storage"
)

const html = "text/html; charset=utf-8"

func TestPages(t *testing.T) {
	w := newWeb(t)
	w.put("/", html, "home")
	w.put("/blog/a", html, "a")
	w.put("/café", html, "café")
	w.put("/releases/v1.2", html, "notes")
	for path, body := range map[string]string{
		"/": "home", "/?utm_source=x": "home", "/blog/a": "a", "/blog/a/": "a", "/blog/a?x=1": "a",
		"/caf%C3%A9": "café", "/releases/v1.2": "notes", "/releases/v1.2/": "notes",
	} {
		a := w.ask("GET", path)
		w.want(a, http.StatusOK, body)
		w.wantHeaders(a, map[string]string{
			"Content-Type":           "text/html; charset=utf-8",
			"Cache-Control":          "public, max-age=0, must-revalidate",
			"Vary":                   "Accept-Encoding",
			"X-Content-Type-Options": "nosniff",
			"Location":               "",
		})
		if a.Header.Get("ETag") == "" {
			t.Errorf("%s has no ETag", path)
		}
	}
	w.want(w.ask("HEAD", "/blog/a"), http.StatusOK, "")
	if got := w.rebake.requests(); len(got) > 0 {
		t.Errorf("%s %s came to rebake", got[0].Method, got[0].URL)
	}
	w.wantMiss(w.ask("GET", "/blog")) // a folder, but no page
	w.wantMiss(w.ask("GET", "/blog/"))
}

func TestPagesThatAreNotHTMLHaveTheirType(t *testing.T) {
	w := newWeb(t)
	for path, mediaType := range map[string]string{"/feed": "application/xml", "/data": "application/json", "/llms": "text/plain"} {
		w.put(path, mediaType, "body")
		a := w.ask("GET", path)
		w.want(a, http.StatusOK, "body")
		if got, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";"); !strings.HasSuffix(got, mediaType[strings.Index(mediaType, "/"):]) {
			t.Errorf("%s has type %q, want %q", path, got, mediaType)
		}
	}
}

func TestFeedsHaveTheirType(t *testing.T) {
	w := newWebWith(t, nginx.Config{
		ServerName: "_", Site: "http://127.0.0.1", Origins: []nginx.Origin{{Name: "wp", Kind: "wordpress", URLs: []string{"http://127.0.0.1:1"}}},
		Feeds: []nginx.Feed{{Regexp: "^/news/?$", Type: "application/atom+xml"}},
	})
	for path, mediaType := range map[string]string{
		"/news": "application/atom+xml", "/feed": "application/rss+xml", "/a/feed/": "application/rss+xml",
		"/feed/atom": "application/atom+xml", "/feedback": "application/xml",
	} {
		w.put(strings.TrimSuffix(path, "/"), "application/xml", "body")
		a := w.ask("GET", path)
		w.want(a, http.StatusOK, "body")
		if got, charset, _ := strings.Cut(a.Header.Get("Content-Type"), "; "); got != mediaType || charset != "charset=utf-8" {
			t.Errorf("%s has type %q %q, want %q", path, got, charset, mediaType)
		}
	}
}

func TestFeed_refusesWhatCouldBreakOut(t *testing.T) {
	for _, f := range []nginx.Feed{
		{Regexp: "^/a$", Type: "text/html; x"}, {Regexp: `^/a"$`, Type: "application/rss+xml"}, {Regexp: "/a", Type: "application/rss+xml"},
	} {
		if _, err := nginx.Include(nginx.Config{Output: "/srv", Listen: "127.0.0.1:8600", Feeds: []nginx.Feed{f}}); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}

func TestTrailingSlash(t *testing.T) {
	for _, c := range []struct{ setting, ask, location string }{
		{"always", "/blog/a", "/blog/a/"},
		{"always", "/blog/a?x=1", "/blog/a/?x=1"},
		{"always", "/blog/a/", ""},
		{"always", "/", ""},
		{"always", "/feed.xml", ""},
		{"never", "/blog/a/", "/blog/a"},
		{"never", "/blog/a", ""},
		{"never", "/", ""},
		{"auto", "/blog/a/", ""},
	} {
		t.Run(c.setting+" "+c.ask, func(t *testing.T) {
			w := newWebWith(t, nginx.Config{ServerName: "_", TrailingSlash: c.setting})
			w.put("/", html, "page")
			w.put("/blog/a", html, "page")
			w.put("/feed.xml", "application/xml", "page")
			a := w.ask("GET", c.ask)
			if c.location == "" {
				w.want(a, http.StatusOK, "page")
				return
			}
			if got := a.Header.Get("Location"); a.StatusCode != http.StatusMovedPermanently || !strings.HasSuffix(got, c.location) || strings.HasSuffix(got, "/"+c.location) {
				t.Errorf("status %d, Location %q, want %q", a.StatusCode, got, c.location)
			}
		})
	}
}

func TestFileLikePagesHaveTheirType(t *testing.T) {
	w := newWeb(t)
	for _, ext := range []string{"html", "htm", "xml", "rss", "atom", "json", "webmanifest", "txt", "md", "csv", "ics", "css", "js", "svg", "xsl"} {
		p, err := storage.ParsePath("/x/feed." + ext)
		if err != nil {
			t.Fatal(err)
		}
		w.put(p.String(), p.FileType(), "body of "+ext)
		for _, path := range []string{p.String(), p.String() + "/"} {
			a := w.ask("GET", path)
			w.want(a, http.StatusOK, "body of "+ext)
			if got, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";"); got != p.FileType() {
				t.Errorf("%s has type %q, want %q", path, got, p.FileType())
			}
		}
	}
	w.wantMiss(w.ask("GET", "/missing.xml"))
}

func TestGzipIsNegotiated(t *testing.T) {
	w := newWeb(t)
	body := strings.Repeat("<p>some text</p>\n", 200)
	for path, mediaType := range map[string]string{"/a": html, "/feed.xml": "application/xml"} {
		w.put(path, mediaType, body)
		w.want(w.ask("GET", path), http.StatusOK, body)
		a := w.ask("GET", path, "Accept-Encoding", "gzip")
		w.wantHeaders(a, map[string]string{"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
		if !strings.HasPrefix(a.Header.Get("Content-Type"), strings.Split(mediaType, ";")[0]) {
			t.Errorf("%s zipped has type %q", path, a.Header.Get("Content-Type"))
		}
		r, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(r); string(plain) != body || err != nil {
			t.Errorf("%s zipped holds %d bytes, %v", path, len(plain), err)
		}
	}
}

func TestConditionalRequestAfterRepublishInOneSecond(t *testing.T) {
	w := newWeb(t)
	body := strings.Repeat("<p>some text</p>\n", 200)
	w.put("/a", html, body+"1")
	encodings := []string{"identity", "gzip"}
	var tags, dates []string
	for _, encoding := range encodings {
		a := w.ask("GET", "/a", "Accept-Encoding", encoding)
		tags, dates = append(tags, a.Header.Get("ETag")), append(dates, a.Header.Get("Last-Modified"))
		w.want(w.ask("GET", "/a", "Accept-Encoding", encoding, "If-None-Match", a.Header.Get("ETag")), http.StatusNotModified, "")
	}
	w.put("/a", html, body+"2")
	for i, encoding := range encodings {
		byTag := w.ask("GET", "/a", "Accept-Encoding", encoding, "If-None-Match", tags[i])
		byDate := w.ask("GET", "/a", "Accept-Encoding", encoding, "If-Modified-Since", dates[i])
		for _, a := range []answer{byTag, byDate} {
			if a.StatusCode != http.StatusOK || a.Header.Get("ETag") == tags[i] {
				t.Errorf("%s: %d with ETag %s after one with %s", encoding, a.StatusCode, a.Header.Get("ETag"), tags[i])
			}
		}
	}
}

// H13, H14, H29: dot files, and links out of the directory.
func TestNothingElseInTheDirectoryIsServed(t *testing.T) {
	w := newWeb(t)
	secret := filepath.Join(filepath.Dir(w.out.Path()), "secret")
	in := func(name string) string { return filepath.Join(w.out.Path(), name) }
	for _, dir := range []string{secret, in(".git"), in("a/.svn"), in(".well-known/acme")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{secret + "/index.html", in(".git/config"), in(".env"), in("a/.svn/x.xml"), in(".well-known/.x"), in(".well-known/acme/token"), in(".well-known/security.txt")} {
		if err := os.WriteFile(file, []byte("secret"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/.env", "/.git/config", "/.git", "/a/.svn/x.xml", "/.well-known/.x", "/%2egit/config", "/.well-known"} {
		if a := w.ask("GET", path); a.StatusCode != http.StatusNotFound || strings.Contains(a.body, "secret") || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q, Cache-Control %q", path, a.StatusCode, a.body, a.Header.Get("Cache-Control"))
		}
	}
	if got := w.rebake.requests(); len(got) > 0 {
		t.Errorf("%s came to rebake", got[0].URL)
	}
	w.want(w.ask("GET", "/.well-known/acme/token"), http.StatusOK, "secret")
	w.want(w.ask("GET", "/.well-known/security.txt"), http.StatusOK, "secret")

	for link, target := range map[string]string{"folder": secret, "file": secret + "/index.html", "file.txt": secret + "/index.html"} {
		if err := os.Symlink(target, in(link)); err != nil {
			t.Fatal(err)
		}
		w.wantMiss(w.ask("GET", "/"+link))
	}
	w.wantMiss(w.ask("GET", "/folder/index.html"))
}

func TestOtherMethods(t *testing.T) {
	w := newWeb(t)
	w.put("/a", html, "a")
	w.put("/feed.xml", "application/xml", "feed")
	for _, path := range []string{"/a", "/feed.xml", "/missing", "/missing.xml"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
			a := w.ask(method, path)
			if a.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, a.StatusCode)
			}
			w.wantHeaders(a, map[string]string{"Allow": "GET, HEAD", "Cache-Control": "no-store"})
		}
	}
	if got := w.rebake.requests(); len(got) > 0 {
		t.Errorf("%s %s came to rebake", got[0].Method, got[0].URL)
	}
}

func TestMissGoesToRebake(t *testing.T) {
	w := newWeb(t)
	a := w.ask("GET", "/missing/a%20b?x=1", "Cookie", "session=1", "Authorization", "Basic eA==", "X-Forwarded-For", "192.0.2.1", "X-Forwarded-Host", "evil.example")
	w.want(a, http.StatusNotFound, "stub")
	w.wantHeaders(a, map[string]string{"Cache-Control": "no-store", "Vary": "", "X-Content-Type-Options": ""})
	got := w.rebake.requests()
	if len(got) != 1 {
		t.Fatalf("%d requests came to rebake", len(got))
	}
	r := got[0]
	if r.Method != "GET" || r.RequestURI != "/missing/a%20b?x=1" || r.Host != "127.0.0.1" {
		t.Errorf("%s %s for host %s came to rebake", r.Method, r.RequestURI, r.Host)
	}
	for name, want := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "127.0.0.1", "X-Forwarded-Proto": "http",
		"Cookie": "", "Authorization": "",
	} {
		if got := strings.Join(r.Header.Values(name), " and "); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	w.wantMiss(w.ask("HEAD", "/missing").with("stub"))
}

// with gives the answer to HEAD the body that GET would have.
func (a answer) with(body string) answer { a.body = body; return a }

// H126: nginx serves what is there without asking rebake.
func TestRebakeIsDown(t *testing.T) {
	w := newWeb(t)
	w.put("/a", html, "a")
	w.rebake.Close()
	w.want(w.ask("GET", "/a"), http.StatusOK, "a")
	for _, path := range []string{"/missing", "/missing.xml", "/api/revalidate?secret=hush"} {
		a := w.ask("GET", path)
		if a.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
		w.wantHeaders(a, map[string]string{"Retry-After": "5", "Cache-Control": "no-store"})
	}
	w.want(w.ask("GET", "/a"), http.StatusOK, "a")
	wantNotLogged(t, w, "hush")
}

// H34: the secret is in the query.
func TestTriggersGoToRebakeAndIntoNoLog(t *testing.T) {
	w := newWeb(t)
	if err := os.MkdirAll(filepath.Join(w.out.Path(), "api/revalidate"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.put("/api/revalidate", html, "a page of this name")
	for _, request := range []string{"GET /api/revalidate?secret=hush", "POST /api/revalidate?secret=hush", "PUT /api/revalidate/?secret=hush", "POST /_rebake/webhooks/wp?secret=hush"} {
		method, uri, _ := strings.Cut(request, " ")
		w.want(w.ask(method, uri, "Authorization", "Bearer x"), http.StatusNotFound, "stub")
		got := w.rebake.requests()
		if len(got) != 1 || got[0].Method != method || got[0].RequestURI != uri || got[0].Header.Get("Authorization") != "Bearer x" {
			t.Errorf("%s did not come to rebake as it was", request)
		}
	}
	large := strings.NewReader(strings.Repeat("x", 1<<20+1))
	resp, err := http.Post(w.URL+"/api/revalidate?secret=hush", "text/plain", large)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge || resp.Header.Get("Cache-Control") != "no-store" { // H42
		t.Errorf("more than 1 MiB: %d, Cache-Control %q", resp.StatusCode, resp.Header.Get("Cache-Control"))
	}
	wantNotLogged(t, w, "hush")
}

// wantNotLogged stops nginx, so that everything is logged that will be.
func wantNotLogged(t *testing.T, w *web, secret string) {
	t.Helper()
	w.ask("GET", "/marker")
	w.Stop()
	if !strings.Contains(w.AccessLog(), "/marker") {
		t.Error("the access log does not hold what it should")
	}
	if strings.Contains(w.AccessLog()+w.ErrorLog(), secret) {
		t.Errorf("the secret is logged:\n%s\n%s", w.AccessLog(), w.ErrorLog())
	}
}

func TestReload(t *testing.T) {
	w := newWeb(t)
	w.put("/a", html, "a")
	w.want(w.ask("GET", "/a"), http.StatusOK, "a")
	other := t.TempDir()
	w.Reload(func(addr string) string {
		return serverConf(t, nginx.Config{ServerName: "_", Output: other, Listen: w.rebake.addr(), ServerListen: addr})
	})
	w.wantMiss(w.ask("GET", "/a"))
}

func TestInclude_InServerBlockOfTheUser(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("home"), 0o644); err != nil {
		t.Fatal(err)
	}
	include, err := nginx.Include(nginx.Config{Output: dir, Listen: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	w := &web{t: t}
	w.Server = nginxtest.Start(t, func(addr string) string {
		return "server {\n listen " + addr + ";\n location = /own { return 200 own; }\n" + include + "}\n"
	})
	w.want(w.ask("GET", "/"), http.StatusOK, "home")
	w.want(w.ask("GET", "/own"), http.StatusOK, "own")
}

package daemon

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// originSite is a site whose pages are an origin's, with a sitemap, links, a
// calendar without an end, and assets.
type originSite struct {
	*testSite

	mu    sync.Mutex
	pages map[string]string // guarded by mu; the body of each page
	asked map[string]int    // guarded by mu; requests by target
}

// testFont is binary, and would compress well.
var testFont = "wOF2\x00\xff" + strings.Repeat("\x00", 4096)

func newOriginSite(t *testing.T, origin string) *originSite {
	t.Helper()
	o := &originSite{asked: map[string]int{}, pages: map[string]string{
		"/": `<link rel="stylesheet" href="/style.css?ver=6"><img src="/img/a.png" srcset="/img/b.png 2x">
			<a href="/blog/a?utm_source=home">a</a> <a href="/blog/?page=2">2</a> <a href="/me">me</a> <a href="/account/orders">orders</a>
			<a href="/late#now">late</a> <a href="/cal/1">calendar</a> <a rel="nofollow" href="/cart/add">add</a> <a href="https://other.example.org/x">x</a>`,
		"/blog/a":       `<a href="/blog/b">b</a> <a href="/">home</a>`,
		"/blog/b":       `<a href="/blog/a">a</a> <p style="background: url(/img/c.png)"></p>`,
		"/hidden":       `<a href="/hidden/below">below</a>`,
		"/hidden/below": `nothing`,
		"/me":           `<p>hello Ann</p>`,
	}}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	o.testSite = newTestSite(t, "")
	o.write("rebake.yaml", fmt.Sprintf(`
site: https://www.example.com
output: ./public
listen: %s
admin: %s
secret: %s
origins:
  app: {urls: [%q], %s}
routes:
  - {path: /, origin: app}
  - {path: "/account/{rest...}", pass: app}
  - {path: "/{rest...}", origin: app}
`, o.listen, o.admin, testSecret, server.URL, origin))
	return o
}

func (o *originSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked[r.RequestURI]++
	answer := func(kind, text string) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(text))
	}
	text, isPage := o.pages[r.URL.Path]
	if month, ok := strings.CutPrefix(r.URL.Path, "/cal/"); ok {
		var n int
		_, _ = fmt.Sscan(month, &n)
		text, isPage = fmt.Sprintf(`<a href="/cal/%d">next month</a>`, n+1), true
	}
	switch name := r.URL.Path; {
	case isPage:
		if name == "/me" {
			w.Header().Set("Cache-Control", "private")
		}
		answer("text/html", "<!doctype html><html><body>"+text+"</body></html>")
	case name == "/robots.txt":
		answer("text/plain", "User-agent: *\nSitemap: https://www.example.com/index.xml\n")
	case name == "/index.xml":
		answer("application/xml", `<sitemapindex><sitemap><loc>https://www.example.com/pages.xml.gz</loc></sitemap></sitemapindex>`)
	case name == "/pages.xml.gz":
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(`<urlset><url><loc>https://www.example.com/hidden</loc></url><url><loc>https://www.example.com/</loc></url></urlset>`))
		_ = z.Close()
		answer("application/gzip", b.String())
	case name == "/style.css":
		answer("text/css", strings.Repeat(" ", 4096)+`@import "css/more.css"; body {background: url("img/d.png")} @font-face {src: url(/font.woff2)}`)
	case name == "/css/more.css":
		answer("text/css", `i {background: url(../img/missing.png)}`)
	case name == "/font.woff2":
		answer("font/woff2", testFont)
	case strings.HasPrefix(name, "/img/") && name != "/img/missing.png":
		answer("image/png", "\x89PNG\r\n\x1a\n\x00\x00"+name)
	default:
		http.NotFound(w, r)
	}
}

// files are all of the output, in order.
func (o *originSite) files() []string {
	o.t.Helper()
	var names []string
	root := filepath.Join(o.dir, "public")
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, err = filepath.Rel(root, name)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return names
}

// wantFiles compares the output with these files, and the calendar's, leaving
// out the sidecars.
func (o *originSite) wantFiles(want ...string) {
	o.t.Helper()
	for n := 1; n <= 32; n++ {
		want = append(want, fmt.Sprintf("cal/%d/index.html", n))
	}
	slices.Sort(want)
	got := slices.DeleteFunc(o.files(), func(name string) bool { return strings.HasSuffix(name, ".gz") })
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		o.t.Errorf("files (-want +got):\n%s", diff)
	}
}

func (o *originSite) stat(name string) os.FileInfo {
	o.t.Helper()
	info, err := os.Stat(filepath.Join(o.dir, "public", name))
	if err != nil {
		o.t.Fatal(err)
	}
	return info
}

// unlink takes a link from the home page. One that was refused is asked for
// again only 10 s later.
func (o *originSite) unlink(path string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pages["/"] = strings.ReplaceAll(o.pages["/"], `href="`+path+`"`, "")
}

func (o *originSite) requests(target string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[target]
}

func TestBuild_ofAnOrigin(t *testing.T) {
	pages := []string{"index.html", "blog/a/index.html", "blog/b/index.html", "hidden/index.html", "hidden/below/index.html"}
	assets := []string{"style.css", "css/more.css", "font.woff2", "img/a.png", "img/b.png", "img/c.png", "img/d.png"}

	t.Run("finds its pages in sitemaps and by links, and leaves its assets to it", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		o := newOriginSite(t, "")
		out, code := o.build()
		if code != 0 {
			t.Fatalf("exit code %d, said:\n%s", code, out)
		}
		o.wantFiles(pages...)
		for _, want := range []string{
			"37 pages in", "0 failed; 1 from sitemaps, 35 found by links, 1 left to the origin, 1 broken links",
			"broken link to /late on /: app GET /late: status 404: gone", "/me on / is left to the origin: app GET /me: refused by gate private: ",
			"links are followed for 32 clicks from the pages that the config, lists and sitemaps name, and the site has more: the first that was left out is /cal/33 on /cal/32",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("nothing of %q in:\n%s", want, out)
			}
		}
		for target, want := range map[string]int{"/": 1, "/blog/a": 1, "/cart/add": 0, "/account/orders": 0, "/cal/33": 0, "/style.css": 0} {
			if got := o.requests(target); got != want {
				t.Errorf("%d requests for %s, want %d", got, target, want)
			}
		}
	})

	t.Run("copies the assets that its pages and style sheets name", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		o := newOriginSite(t, "assets: copy")
		out, err := o.buildCommand("--json").Output() // the progress of a long build is on standard error
		var sum buildSummary
		if jsonErr := json.Unmarshal(out, &sum); jsonErr != nil || err != nil {
			t.Fatalf("%v, %v, said:\n%s", err, jsonErr, out)
		}
		if sum.Pages != 44 || sum.Sitemaps != 1 || sum.Linked != 35 || sum.Assets != 7 || len(sum.Left) != 1 || len(sum.Notes) != 1 {
			t.Errorf("summary %+v", sum)
		}
		if diff := cmp.Diff([]buildLink{
			{"/img/missing.png", "/css/more.css", "app GET /img/missing.png: status 404: gone"}, {"/late", "/", "app GET /late: status 404: gone"},
		}, sum.Broken); diff != "" {
			t.Error(diff)
		}
		o.wantFiles(slices.Concat(pages, assets)...)
		if got := read(t, o.testSite, "public/font.woff2"); got != testFont {
			t.Errorf("the font is %q", got)
		}
		if got := o.files(); slices.Contains(got, "font.woff2.gz") || !slices.Contains(got, "style.css.gz") {
			t.Errorf("text alone is compressed; got %q", got)
		}

		o.unlink("/me")
		before := o.stat("img/a.png")
		if out, code := o.build(); code != 0 || !os.SameFile(before, o.stat("img/a.png")) {
			t.Errorf("a second build, exit code %d, swapped an image that was the same; it said:\n%s", code, out)
		}
		if n := o.requests("/img/a.png"); n != 2 {
			t.Errorf("%d requests for an image, want one by each build", n)
		}
	})

	t.Run("with --missing follows the links of pages that it leaves alone", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		o := newOriginSite(t, "discover: [crawl]")
		o.unlink("/me")
		if out, code := o.build(); code != 0 {
			t.Fatalf("exit code %d, said:\n%s", code, out)
		}
		o.mu.Lock()
		o.pages["/late"] = `<a href="/later">later</a>`
		o.pages["/later"] = "nothing"
		o.mu.Unlock()
		out, code := o.build("--missing")
		if code != 0 || !strings.Contains(out, "2 pages in") {
			t.Errorf("exit code %d, said:\n%s", code, out)
		}
		o.wantFiles("index.html", "blog/a/index.html", "blog/b/index.html", "late/index.html", "later/index.html")
		if n := o.requests("/"); n != 1 {
			t.Errorf("%d requests for /, want none by the second build", n)
		}
	})

	t.Run("names the pages of sitemaps that are not there", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		o := newOriginSite(t, "")
		o.mu.Lock()
		o.pages["/"] = "home"
		delete(o.pages, "/hidden")
		o.mu.Unlock()
		out, code := o.build()
		for _, want := range []string{"! /hidden  a sitemap names it, and there is no such page", "0 failed; 1 from sitemaps, 1 not there"} {
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("exit code %d, nothing of %q in:\n%s", code, want, out)
			}
		}
	})

	t.Run("tells of sitemaps that cannot be read, and builds the rest", func(t *testing.T) {
		t.Parallel()
		needRedis(t)
		o := newOriginSite(t, "max_bytes: 200")
		o.mu.Lock()
		o.pages = map[string]string{"/": `<a href="/a">a</a>`, "/a": "a", "/index.xml": "no sitemap"}
		o.mu.Unlock()
		out, code := o.build()
		if code != 1 || !strings.Contains(out, "sitemaps of app: app GET /index.xml: it is no sitemap: it begins with <html>") || !strings.Contains(out, "2 pages in") {
			t.Errorf("exit code %d, said:\n%s", code, out)
		}
	})
}

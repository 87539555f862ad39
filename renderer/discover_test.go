package renderer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer/origin"
)

// discovered is a renderer of a template's home page and an origin's other
// pages.
func discovered(t *testing.T, handler http.HandlerFunc, change ...func(*origin.Config)) *Renderer {
	t.Helper()
	if handler == nil {
		handler = http.NotFound
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := origin.DefaultConfig()
	c.Kind, c.URLs = origin.WordPress, []string{server.URL}
	for _, f := range change {
		f(&c)
	}
	app, err := origin.New("app", c, "https://www.example.com", "auto")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	r, err := New(Config{
		Site:    "https://www.example.com",
		Origins: map[string]*origin.Origin{"app": app},
		Routes: []RouteConfig{
			{Path: "/", Template: "home.html"},
			{Path: "/account/{rest...}", Pass: "app"},
			{Path: "/news/{slug}", Template: "home.html"},
			{Path: "/{rest...}", Origin: "app"},
		},
		Templates: mustLoad(t, "home.html", "<html></html>"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func assetsCopied(c *origin.Config) { c.Assets = "copy" }
func discover(how ...string) func(*origin.Config) {
	return func(c *origin.Config) { c.Discover = how }
}

// mapped are the pages that the first origin's sitemaps name, and the batches
// that they came in.
func mapped(t *testing.T, r *Renderer) (paths []string, err error) {
	t.Helper()
	err = r.Sitemaps()[0].Each(t.Context(), nothing, func(_ context.Context, matches []Match) error {
		for _, m := range matches {
			if m.Route() != "/{rest...}" || m.Listed() {
				t.Errorf("%s: route %s, listed %v", m.Path, m.Route(), m.Listed())
			}
			paths = append(paths, m.Path.String())
		}
		return nil
	})
	return paths, err
}

func sitemapOf(locs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/sitemap.xml" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, "<urlset><url><loc>https://www.example.com%s</loc></url></urlset>",
			strings.Join(locs, "</loc></url><url><loc>https://www.example.com"))
	}
}

func TestSitemaps_namePagesOfTheOriginOnce(t *testing.T) {
	r := discovered(t, sitemapOf("/", "/a/", "/a", "/news/x", "/account/me", "/wp-admin/", "/b//c", "/a%2", "/caf%C3%A9"))
	got, err := mapped(t, r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/a", "/café"}, got); diff != "" {
		t.Error(diff)
	}
	if name := r.Sitemaps()[0].Name(); name != "sitemaps of app" {
		t.Errorf("name %q", name)
	}
}

func TestSitemaps_thatAreMissing(t *testing.T) {
	if _, err := mapped(t, discovered(t, nil)); err != nil {
		t.Errorf("got %v, want no error where links are followed", err)
	}
	if _, err := mapped(t, discovered(t, nil, discover("sitemap"))); !errors.Is(err, origin.ErrNoSitemap) {
		t.Errorf("got %v, want ErrNoSitemap", err)
	}
}

func TestSitemaps_ofNoOrigin(t *testing.T) {
	if list := discovered(t, nil, discover("crawl")).Sitemaps(); len(list) != 0 {
		t.Errorf("got %d, want none", len(list))
	}
}

func TestSitemaps_endWithTheErrorOfTheirCaller(t *testing.T) {
	mine := errors.New("mine")
	err := discovered(t, sitemapOf("/a")).Sitemaps()[0].Each(t.Context(), nothing, func(context.Context, []Match) error { return mine })
	if err != mine {
		t.Errorf("got %v", err)
	}
}

// links returns what a page leads to, assets with a + before them, sorted.
func links(t *testing.T, r *Renderer, path, kind, text string) []string {
	t.Helper()
	m, ok := r.Match(mustPath(t, path))
	if !ok {
		t.Fatalf("no route has %s", path)
	}
	found := map[string]bool{}
	err := r.Crawl([]string{"utm_*", "gclid"}).Links(m, kind, strings.NewReader(text), func(l Link) {
		name := l.Path.String()
		if l.Asset {
			name = "+" + name
		}
		found[name] = true
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(found))
}

func TestCrawl_links(t *testing.T) {
	const page = `<link rel=stylesheet href="/s.css?ver=6"><script src="/app.js"></script><img src="/img?id=1"><img src="/deep/a.png">
<a href="/a/">a</a><a href="b">b</a><a href="https://www.example.com/c?utm_source=x&gclid=1">c</a><a href="?page=2">2</a><a href="/d?utm_source=x&page=2">d</a>
<a href="/">home</a><a href="/news/x">news</a><a href="/account/me">me</a><a href="/wp-admin/">admin</a><a href="//other.org/e">e</a><a href="/f/?%zz">f</a>
<a href="/feed.xml">feed</a><a href="/brochure.pdf">pdf</a><a href="/g.html">g</a><a href="/.git">h</a>`
	pages := []string{"/a", "/c", "/deep/page/b", "/feed.xml", "/g.html"}
	for name, tc := range map[string]struct {
		change func(*origin.Config)
		want   []string
	}{
		"assets of the origin": {discover("sitemap", "crawl"), pages},
		"assets copied":        {assetsCopied, append([]string{"+/app.js", "+/brochure.pdf", "+/deep/a.png", "+/s.css"}, pages...)},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, links(t, discovered(t, nil, tc.change), "/deep/page", "text/html", page)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("assets alone", func(t *testing.T) {
		r := discovered(t, nil, assetsCopied, discover())
		if diff := cmp.Diff([]string{"+/s.css"}, links(t, r, "/a", "text/html", `<a href=/b><link rel=stylesheet href=/s.css>`)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("of a style sheet", func(t *testing.T) {
		if diff := cmp.Diff([]string{"+/css/a.png"}, links(t, discovered(t, nil, assetsCopied), "/css/s.css", "text/css", `url(a.png)`)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("of a template's page", func(t *testing.T) {
		if diff := cmp.Diff([]string{"/a", "/news/b/c"}, links(t, discovered(t, nil), "/news/b", "text/html", `<a href=/a><a href=b/c><a href=b>`)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCrawl_notesAssetsBelowAReservedPrefix(t *testing.T) {
	r := discovered(t, nil, assetsCopied)
	r.rules.Reserved = []string{"/assets", "/admin"}
	c := r.Crawl(nil)
	m, _ := r.Match(mustPath(t, "/a"))
	for _, tc := range []struct {
		text string
		want int
	}{
		{`<a href=/admin><img src=/a.png>`, 0},
		{`<script src=/assets/app.js></script><script src=/assets/more.js></script>`, 1},
	} {
		if err := c.Links(m, "text/html", strings.NewReader(tc.text), func(Link) {}); err != nil {
			t.Fatal(err)
		}
		notes := c.Notes()
		if len(notes) != tc.want || tc.want > 0 && !strings.Contains(notes[0], "such as /assets/app.js;") {
			t.Errorf("%s: notes %q", tc.text, notes)
		}
	}
}

func TestCrawl_isNilWithoutAnythingToFind(t *testing.T) {
	if c := discovered(t, nil, discover("sitemap")).Crawl(nil); c != nil {
		t.Errorf("got %+v", c)
	}
}

func TestCrawl_tellsThatAFileCannotBeRead(t *testing.T) {
	r, broken := discovered(t, nil), errors.New("broken disk")
	m, _ := r.Match(mustPath(t, "/a"))
	if err := r.Crawl(nil).Links(m, "text/html", iotest.ErrReader(broken), func(Link) {}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

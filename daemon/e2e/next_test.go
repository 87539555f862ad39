package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nextSite is Rebake in front of two instances of a real Next.js.
type nextSite struct {
	appSite
	instances []nextInstance
}

func newNextSite(t *testing.T) nextSite {
	t.Helper()
	need(t, "redis-server") // before npm takes its time
	source := newSource(t, "home", "news-one", "news-two", "post-one", "post-two", "stock", "prices")
	app := newNextApp(t, source)
	s := nextSite{instances: []nextInstance{startNext(t, app, source), startNext(t, app, source)}}
	s.source = source
	s.site = newSite(t, fmt.Sprintf(`
origins:
  app: {kind: next, urls: [%q, %q], build: %q}
routes:
  - {path: /, origin: app}
  - {path: /stock, origin: app, tags: [stock]}
  - {path: "/shop/{rest...}", origin: app, shared: true}
  - {path: "/news/{slug}", origin: app, tags: ["news:{slug}"]}
  - {path: "/posts/{slug}", origin: app}
  - {path: "/{rest...}", origin: app}
`, s.instances[0].url, s.instances[1].url, s.instances[0].build), nil)
	return s
}

func TestNext(t *testing.T) {
	s := newNextSite(t)
	s.run("build")
	t.Run("build publishes the pages that links lead to", func(t *testing.T) {
		want := []string{
			"index.html", "news/one/index.html", "news/two/index.html", "posts/one/index.html", "posts/two/index.html",
			"shop/prices/index.html", "stock/index.html",
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(s.published()))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("check finds a way past Next's cache", func(t *testing.T) {
		said := s.run("check")
		if n := strings.Count(said, "gets past Next's cache"); n != len(s.instances) {
			t.Errorf("it says so for %d instances:\n%s", n, said)
		}
	})
	s.serve()
	t.Run("an edit", s.testEdits)
	t.Run("what is not everybody's", s.testPrivate)
	t.Run("a page that goes", s.testRemoval)
	t.Run("what the browser asks for itself", s.testRouters)
	t.Run("in a browser", s.testBrowser)
	s.rebake.stop()
	t.Run("without Rebake", s.testWithoutRebake)
}

func (s nextSite) testRemoval(t *testing.T) {
	pages := map[string]string{"news-two": "/news/two", "post-two": "/posts/two"}
	for name, path := range pages {
		s.source.remove(name)
		revalidate(t, s.URL, url.Values{"path": {path}})
	}
	for name, path := range pages {
		t.Run("is gone, "+path, func(t *testing.T) {
			if _, in := await(goneSoon, func() bool { return s.published()[path[1:]+"/index.html"] == "" }); !in {
				t.Fatalf("it is still there after %s", goneSoon)
			}
			s.awaitPage(t, path, "Next's own answer", soon, isNextsNotFound)
			for _, i := range s.instances {
				if a := get(t, i.url+path); !isNextsNotFound(a) {
					t.Errorf("%s answers %.2000s", i.url, a)
				}
			}
		})
		t.Run("comes back, "+path, func(t *testing.T) {
			s.edit(t, name, "Back again", path)
			s.awaitFile(t, path, "Back again", soon)
		})
	}
	t.Run("an address that never was", func(t *testing.T) {
		for _, path := range []string{"/news/never", "/posts/never", "/never"} {
			if a := get(t, s.URL+path); !isNextsNotFound(a) {
				t.Errorf("%s: %.2000s", path, a)
			}
			s.unpublished(t, path)
		}
	})
}

func isNextsNotFound(a answer) bool {
	return a.status == http.StatusNotFound && strings.Contains(a.body, "There is no such page here")
}

// testWithoutRebake is about an hour in which Rebake is not there.
func (s nextSite) testWithoutRebake(t *testing.T) {
	s.source.set("news-four", "Made meanwhile")
	for _, tt := range []struct {
		path   string
		status int
		text   string
	}{
		{"/", 200, "Seen in a browser: home"},
		{"/news/three", 200, "The new news-three"},
		{"/news/four", 200, "Made meanwhile"},
		{"/account", 200, "Hello, stranger"},
		{"/never", 404, "There is no such page here"},
	} {
		if a := get(t, s.URL+tt.path); a.status != tt.status || !strings.Contains(a.body, tt.text) {
			t.Errorf("%s: want %d with %q, got %.2000s", tt.path, tt.status, tt.text, a)
		}
	}
	if a := routed(t, s.URL, "/news/three"); a.status != 200 || !strings.Contains(a.body, "The new news-three") {
		t.Errorf("the router gets %.2000s", a)
	}
}

package e2e

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nuxtSite is Rebake in front of a real Nuxt.
type nuxtSite struct {
	appSite
	url string // of the origin
}

func newNuxtSite(t *testing.T) nuxtSite {
	t.Helper()
	need(t, "redis-server") // before npm takes its time
	s := nuxtSite{}
	s.source = newSource(t, "home", "news-one", "news-two", "kept-one")
	app := &nodeApp{
		folder: "nuxt", script: "nuxt/bin/nuxt.mjs", made: ".output",
		fits: func(major, minor int) bool {
			return major == 22 && minor >= 19 || major == 24 && minor >= 11 || major >= 26
		}, // package.json of nuxt 4.5
	}
	app.prepare(t, s.source)
	addr := freePort(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + addr
	p := start(t, append(s.source.env(), "HOST="+host, "PORT="+port), app.node.program, filepath.Join(app.deploy(t), app.made, "server", "index.mjs"))
	p.awaitReady(func() bool { return answers(s.url + "/api/item/home") })
	s.site = newSite(t, fmt.Sprintf(`
origins:
  app: {kind: nuxt, urls: [%q]}
routes:
  - {path: /, origin: app}
  - {path: "/news/{slug}", origin: app, tags: ["news:{slug}"]}
  - {path: "/{rest...}", origin: app}
`, s.url), nil)
	return s
}

func TestNuxt(t *testing.T) {
	s := newNuxtSite(t)
	s.run("build")
	t.Run("build publishes the pages that links lead to", func(t *testing.T) {
		want := []string{"index.html", "kept/one/index.html", "news/one/index.html", "news/two/index.html"}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(s.published()))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	s.serve()

	t.Run("an edit", func(t *testing.T) {
		s.edit(t, "home", "Edited home", "/")
		s.awaitFile(t, "/", "Edited home", soon)
		s.source.set("news-one", "Edited news")
		revalidate(t, s.URL, url.Values{"tag": {"news:one"}})
		s.awaitFile(t, "/news/one", "Edited news", soon)
	})

	t.Run("a page that Nitro keeps is known by a header", func(t *testing.T) {
		for path, kept := range map[string]bool{"/kept/one": true, "/news/one": false} {
			if a := get(t, s.url+path); (a.header.Get("Last-Modified") != "") != kept {
				t.Errorf("%s: kept is %v, and Nuxt answers %.800s", path, kept, a)
			}
		}
	})

	t.Run("a page that sets a cookie", func(t *testing.T) {
		revalidate(t, s.URL, url.Values{"path": {"/account"}})
		s.awaitRefused(t, "/account", "cookies")
		req := newRequest(t, http.MethodGet, s.URL+"/account", "")
		req.Header.Set("Cookie", "name=Ann")
		if a := newVisitor(t).do(t, req); !strings.Contains(a.body, "Hello, Ann") {
			t.Errorf("Ann gets %.2000s", a)
		}
		s.unpublished(t, "/account")
	})

	t.Run("a page that goes", func(t *testing.T) {
		s.source.remove("news-two")
		revalidate(t, s.URL, url.Values{"path": {"/news/two"}})
		s.awaitPage(t, "/news/two", "Nuxt's own answer", goneSoon, isNuxtsNotFound)
		s.unpublished(t, "/news/two")
		if a := getHTML(t, s.URL+"/never"); !isNuxtsNotFound(a) {
			t.Errorf("an address that never was: %.2000s", a)
		}
		s.edit(t, "news-two", "Back again", "/news/two")
		s.awaitFile(t, "/news/two", "Back again", soon)
	})

	t.Run("links in a browser", func(t *testing.T) {
		for name, path := range map[string]string{"home": "/", "news-one": "/news/one", "news-two": "/news/two"} {
			s.edit(t, name, "Seen in a browser: "+name, path)
			s.awaitFile(t, path, "Seen in a browser: "+name, soon)
		}
		b := newBrowser(t)
		b.open(s.URL + "/")
		b.awaitHeading("Seen in a browser: home")
		b.follow("news", "Seen in a browser: news-one")
		b.follow("next", "Seen in a browser: news-two")
		if !b.marked() {
			t.Error("the next page was loaded as a whole")
		}
		b.checkConsole()
	})

	s.rebake.stop()
	t.Run("without Rebake", func(t *testing.T) {
		for path, want := range map[string]string{"/news/one": "Seen in a browser: news-one", "/account": "Hello, stranger", "/api/item/home": "Seen in a browser: home"} {
			if a := get(t, s.URL+path); a.status != 200 || !strings.Contains(a.body, want) {
				t.Errorf("%s: no %q in %.2000s", path, want, a)
			}
		}
	})
}

// getHTML asks as a browser does. Nuxt tells of errors in JSON otherwise.
func getHTML(t *testing.T, url string) answer {
	t.Helper()
	req := newRequest(t, http.MethodGet, url, "")
	req.Header.Set("Accept", "text/html,*/*;q=0.8")
	return newVisitor(t).do(t, req)
}

func isNuxtsNotFound(a answer) bool {
	return a.status == http.StatusNotFound && strings.Contains(a.body, "There is no such page here")
}

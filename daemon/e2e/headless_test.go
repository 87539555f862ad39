package e2e

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

//go:embed testdata/headless
var headlessFiles embed.FS

// testHeadless is a site of templates over WordPress' REST API.
func testHeadless(t *testing.T, server *server) {
	addr := freePort(t)
	s := newHeadlessSite(t, "http://"+addr)
	w := server.newWordPress(t, "headless", addr, "http://"+addr, s.URL)
	news := w.create(t, "categories", fields{"name": "News", "slug": "news"})
	first := w.newPost(t, "first", "The first one", news.ID)
	second := w.newPost(t, "second", "The second one")
	draft := w.create(t, "posts", fields{"slug": "a-draft", "title": "Not yet", "status": "draft"})
	var hello []item
	w.rest(t, "GET", "/posts?slug=hello-world", nil, &hello)

	s.run("build")
	t.Run("build publishes every page", func(t *testing.T) {
		want := []string{
			"index.html", "feed.xml", "category/news/index.html", "category/uncategorized/index.html",
			first.file(t), second.file(t), hello[0].file(t),
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(s.published()))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("nginx serves the pages, also without Rebake", func(t *testing.T) {
		for path, want := range map[string]string{
			first.path(t):     "<h1>The first one</h1>",
			"/category/news/": "<h2>The first one</h2>",
			"/":               "<h2>The second one</h2>",
			"/feed.xml":       "<title>The second one</title>",
		} {
			if a := get(t, s.URL+path); a.status != 200 || !strings.Contains(a.body, want) {
				t.Errorf("%s: no %q in:\n%s", path, want, a)
			}
		}
	})

	s.serve()
	t.Run("a post's edit reaches the pages that show it", func(t *testing.T) {
		w.edit(t, "posts", first.ID, fields{"title": "Seen from afar"})
		s.triggerItem(t, "post", first.ID)
		for _, path := range []string{first.path(t), "/category/news", "/"} {
			s.awaitFile(t, path, "Seen from afar", soon)
		}
	})
	gone := func(a answer) bool { return a.status == 404 }
	idsAlone := callers[2:3] // no address at all
	testEdits(t, s, w, callers[3:], idsAlone, gone, func(a answer, _ item) bool { return gone(a) })

	t.Run("a new post has a page for its first visitor", func(t *testing.T) {
		post := w.newPost(t, "never-triggered", "Never triggered")
		if a := get(t, s.URL+post.address(t)+"/"); a.status != 200 || !strings.Contains(a.body, "Never triggered") {
			t.Error(a)
		}
	})
	t.Run("a draft has no page", func(t *testing.T) {
		path := strings.Replace(first.path(t), "/first", "/a-draft", 1)
		s.triggerItem(t, "post", draft.ID)
		if a := get(t, s.URL+path); a.status != 404 || s.file(path) != "" {
			t.Errorf("a visitor gets %s", a)
		}
	})
}

// newHeadlessSite writes a site over the REST API of a CMS.
func newHeadlessSite(t *testing.T, cms string) *site {
	t.Helper()
	const dir = "testdata/headless/"
	read := func(name string) string {
		text, err := headlessFiles.ReadFile(dir + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	files := map[string]string{}
	for _, name := range []string{"home.html", "post.html", "category.html", "feed.xml"} {
		files["templates/"+name] = read(name)
	}
	return newSite(t, fmt.Sprintf(read("rebake.yaml"), cms+"/wp-json/wp/v2"), files)
}

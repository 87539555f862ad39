package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// originSite is a site whose pages a real WordPress makes with its own theme.
type originSite struct {
	*site
	wp    *wordPress
	news  item // a category
	first item // a post in it
}

// testOrigin is what somebody has who puts Rebake in front of WordPress.
func testOrigin(t *testing.T, server *server) {
	addr := freePort(t)
	s := originSite{site: newSite(t, fmt.Sprintf(`
origins:
  wp: {kind: wordpress, urls: ["http://%s"], reconcile: off}
routes:
  - {path: /, origin: wp}
  - {path: "/{rest...}", origin: wp}
`, addr), nil)}
	s.wp = server.newWordPress(t, "origin", addr, s.URL, s.URL)
	s.news = s.wp.create(t, "categories", fields{"name": "News", "slug": "news"})
	s.first = s.wp.publish(t, fields{
		"slug": "first", "title": "The first one", "categories": []int{s.news.ID},
		"content": fmt.Sprintf(`<p>See <a href="http://%s/sample-page/">the sample</a>.</p>`, addr), // as it was pasted
	})
	draft := s.wp.create(t, "posts", fields{"slug": "a-draft", "title": "Not yet", "content": "Nobody may see this.", "status": "draft"})
	guarded := s.wp.publish(t, fields{"slug": "guarded", "title": "Guarded", "content": "For friends.", "password": "sesame"})

	s.run("build")
	files := s.published()
	t.Run("build publishes every page", func(t *testing.T) {
		var missing []string
		for _, name := range []string{
			"index.html", s.first.file(t), guarded.file(t), "sample-page/index.html",
			"category/news/index.html", "category/uncategorized/index.html", "author/editor/index.html",
		} {
			if files[name] == "" {
				missing = append(missing, name)
			}
		}
		if diff := cmp.Diff([]string(nil), missing); diff != "" {
			t.Errorf("what is missing (-want +got):\n%s", diff)
		}
	})
	t.Run("no link leads to the origin itself", func(t *testing.T) {
		for name, text := range files {
			if strings.Contains(text, addr) {
				t.Errorf("%s names %s", name, addr)
			}
		}
		if want := fmt.Sprintf(`<a href="%s/sample-page/">`, s.URL); !strings.Contains(files[s.first.file(t)], want) {
			t.Errorf("no %s in:\n%s", want, files[s.first.file(t)])
		}
	})
	t.Run("nothing is published that is not everybody's", func(t *testing.T) {
		for name, text := range files {
			if strings.HasPrefix(name, "wp-admin") || strings.HasPrefix(name, "wp-json") || strings.HasSuffix(name, ".php") {
				t.Errorf("%s is published", name)
			}
			for _, private := range []string{"Nobody may see this.", "For friends."} {
				if strings.Contains(text, private) {
					t.Errorf("%s holds %q", name, private)
				}
			}
		}
	})
	t.Run("without Rebake the site works", s.testWithoutRebake)

	s.serve()
	s.testEdits(t)
	t.Run("a visitor", func(t *testing.T) { s.testVisitors(t, draft, guarded) })
}

// testWithoutRebake is about an hour in which Rebake is not there: what is
// published are files, and WordPress answers for all else.
func (s originSite) testWithoutRebake(t *testing.T) {
	unpublished := s.wp.newPost(t, "unpublished", "Made meanwhile")
	for _, tt := range []struct {
		path   string
		status int
		text   string
	}{
		{"/", 200, "The first one"},
		{s.first.path(t) + "/", 200, "The first one"},
		{unpublished.path(t) + "/", 200, "Made meanwhile"},
		{"/no-such-page/", 404, theme},
		{"/?s=first", 200, "Search results for"},
		{"/wp-login.php", 200, "Lost your password?"},
		{"/wp-includes/js/jquery/jquery.js", 200, "jQuery"},
	} {
		if a := get(t, s.URL+tt.path); a.status != tt.status || !strings.Contains(a.body, tt.text) {
			t.Errorf("%s: want %d with %q, got %.2000s", tt.path, tt.status, tt.text, a)
		}
	}
}

// theme is in every page that the theme has made.
const theme = `class="wp-site-blocks"`

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// testOriginHost is about a WordPress whose own addresses are not the site's,
// and cannot be.
func testOriginHost(t *testing.T, server *server) {
	const host = "cms.example.com"
	addr := freePort(t)
	s := newSite(t, fmt.Sprintf(`
origins:
  wp: {kind: wordpress, urls: ["http://%s"], host: %s}
routes:
  - {path: /, origin: wp}
  - {path: "/{rest...}", origin: wp}
trailing_slash: always
`, addr, host), nil)
	w := server.newWordPress(t, "host", addr, "http://"+host, s.URL)
	w.home = s.URL // where its REST API is asked
	post := w.newPost(t, "elsewhere", "From elsewhere")

	s.run("build")
	t.Run("no file names its host", func(t *testing.T) {
		files := s.published()
		if home := files["index.html"]; !strings.Contains(home, fmt.Sprintf(`href="%s%s/"`, s.URL, post.path(t))) {
			t.Errorf("the home page has no link to the post: %.2000s", home)
		}
		for name, text := range files {
			if strings.Contains(text, host) {
				t.Errorf("%s names %s", name, host)
			}
		}
	})

	s.serve()
	t.Run("a call may name its addresses", func(t *testing.T) {
		w.edit(t, "posts", post.ID, fields{"title": "Edited elsewhere"})
		send(t, secretInHeader(jsonRequest(t, http.MethodPost, s.URL+"/api/revalidate", fields{"paths": []string{post.Link}})))
		s.awaitFile(t, post.path(t), "Edited elsewhere", soon)
	})
	t.Run("its redirects and cookies are the site's", func(t *testing.T) {
		editor := newVisitor(t)
		a := editor.post(t, s.URL+"/wp-login.php", url.Values{"log": {editorName}, "pwd": {editorPassword}})
		if to := a.header.Get("Location"); a.status != http.StatusFound || to != s.URL+"/wp-admin/" {
			t.Fatalf("%.2000s", a)
		}
		if a := editor.get(t, s.URL+"/"); !strings.Contains(a.body, adminBar) {
			t.Errorf("the editor has no admin bar: %.2000s", a)
		}
	})
}

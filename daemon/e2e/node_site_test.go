package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// appSite is Rebake in front of an app that reads its texts from a source.
type appSite struct {
	*site
	source *source
}

// revalidate sends what the documentation of Next.js has its callers send.
func revalidate(t *testing.T, site string, named url.Values) {
	t.Helper()
	named.Set("secret", secret)
	send(t, newRequest(t, http.MethodGet, site+"/api/revalidate?"+named.Encode(), ""))
}

// edit changes a text and tells Rebake of a page that shows it.
func (s appSite) edit(t *testing.T, name, title, path string) {
	t.Helper()
	s.source.set(name, title)
	revalidate(t, s.URL, url.Values{"path": {path}})
}

// awaitFile waits until the file of a page holds a text, and looks whether it
// is what a visitor gets.
func (s appSite) awaitFile(t *testing.T, path, text string, atMost time.Duration) {
	t.Helper()
	name := strings.TrimPrefix(path+"/index.html", "/")
	if path == "/" {
		name = "index.html"
	}
	if _, in := await(atMost, func() bool { return strings.Contains(s.published()[name], text) }); !in {
		t.Fatalf("%s: no %q within %s in:\n%.2000s", name, text, atMost, s.published()[name])
	}
	if a := get(t, s.URL+path); a.status != 200 || a.body != s.published()[name] {
		t.Errorf("%s is not the file: %.2000s", path, a)
	}
}

// unpublished fails when there is a file of a page.
func (s appSite) unpublished(t *testing.T, path string) {
	t.Helper()
	for name := range s.published() {
		if strings.HasPrefix("/"+name, path+"/") || "/"+name == path {
			t.Errorf("%s is published", name)
		}
	}
}

// awaitRefused waits until a gate has refused a page.
func (s appSite) awaitRefused(t *testing.T, path, gate string) {
	t.Helper()
	var said string
	if _, in := await(soon, func() bool {
		if owed := s.explain(path).Owed; owed != nil {
			said = owed.Error
		}
		return strings.Contains(said, "refused by gate "+gate)
	}); !in {
		t.Errorf("%s: not refused by the gate %s, but %q", path, gate, said)
	}
}

package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// testRouters is about what Next's own scripts ask for when somebody follows a
// link: it comes from Next, and is as new as the files.
func (s nextSite) testRouters(t *testing.T) {
	t.Run("the app router", func(t *testing.T) {
		s.edit(t, "news-one", "Edited for the router", "/news/one")
		s.awaitFile(t, "/news/one", "Edited for the router", soon)
		for range 2 * len(s.instances) { // nginx asks one after the other
			a := routed(t, s.URL, "/news/one")
			if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/x-component") || !strings.Contains(a.body, "Edited for the router") {
				t.Errorf("%.2000s", a)
			}
		}
	})

	t.Run("the pages router", func(t *testing.T) {
		s.edit(t, "post-one", "Edited for the router", "/posts/one")
		s.awaitFile(t, "/posts/one", "Edited for the router", soon)
		for range 2 * len(s.instances) {
			a := get(t, s.URL+"/_next/data/"+s.instances[0].buildID(t)+"/posts/one.json")
			if a.status != 200 || dataTitle(t, a) != "Edited for the router" {
				t.Errorf("%.2000s", a)
			}
		}
	})

	t.Run("scripts", func(t *testing.T) {
		for _, path := range []string{"/news/one", "/posts/one"} {
			scripts := scriptSource.FindAllStringSubmatch(get(t, s.URL+path).body, -1)
			if len(scripts) == 0 {
				t.Errorf("%s has none", path)
			}
			for _, m := range scripts {
				a := get(t, s.URL+m[1])
				if a.status != 200 || !strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.body == "" {
					t.Errorf("%s: %.300s", m[1], a)
				}
			}
		}
	})

	t.Run("the handler that Rebake takes the place of", func(t *testing.T) {
		// The same call goes to Next's own handler when it is sent to Next.
		for _, site := range []string{s.instances[0].url, s.URL} {
			for query, status := range map[string]int{"secret=" + secret + "&path=/posts/one": 200, "secret=wrong&path=/posts/one": 401} {
				a := newVisitor(t).do(t, newRequest(t, http.MethodGet, site+"/api/revalidate?"+query, ""))
				if a.status != status || status == 200 && !strings.Contains(a.body, `"revalidated":true`) || status == 401 && !strings.Contains(a.body, `"message":"Invalid token"`) {
					t.Errorf("%s: want %d, got %s", site, status, a)
				}
			}
		}
	})
}

var scriptSource = regexp.MustCompile(`<script[^>]* src="(/_next/static/[^"]+)"`)

package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// testPrivate is about pages that differ from visitor to visitor: they are
// never files, and work nevertheless.
func (s nextSite) testPrivate(t *testing.T) {
	revalidate(t, s.URL, url.Values{"path": {"/account", "/shop/basket", "/draft"}})
	s.awaitRefused(t, "/account", "private")
	s.awaitRefused(t, "/shop/basket", "cookies")
	s.awaitRefused(t, "/draft", "redirect")

	t.Run("a page that reads a cookie", func(t *testing.T) {
		if a := get(t, s.URL+"/account"); !strings.Contains(a.body, "Hello, stranger") {
			t.Errorf("a stranger gets %.2000s", a)
		}
		req := newRequest(t, http.MethodGet, s.URL+"/account", "")
		req.Header.Set("Cookie", "name=Ann")
		if a := newVisitor(t).do(t, req); !strings.Contains(a.body, "Hello, Ann") {
			t.Errorf("Ann gets %.2000s", a)
		}
		s.unpublished(t, "/account")
	})

	t.Run("a page that sets a cookie, though its route says shared", func(t *testing.T) {
		v := newVisitor(t)
		if a := v.get(t, s.URL+"/shop/basket"); !strings.Contains(a.header.Get("Set-Cookie"), "basket=") {
			t.Errorf("no cookie in %.2000s", a)
		}
		req := newRequest(t, http.MethodGet, s.URL+"/shop/basket", "")
		req.Header.Set("Cookie", "basket=apples")
		if a := newVisitor(t).do(t, req); !strings.Contains(a.body, "Your basket: apples") {
			t.Errorf("who has apples gets %.2000s", a)
		}
		s.unpublished(t, "/shop/basket")
	})

	for _, tt := range []struct{ what, enter, name, path, says string }{
		{"a draft of the app router", "/draft", "news-one", "/news/one", "This is a draft"},
		{"a preview of the pages router", "/api/preview", "post-one", "/posts/one", "This is a preview"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			entered := get(t, s.URL+tt.enter)
			if location := entered.header.Get("Location"); entered.status != http.StatusTemporaryRedirect || location != tt.path {
				t.Fatalf("%s answers %s", tt.enter, entered)
			}
			public := s.published()[tt.path[1:]+"/index.html"]
			s.source.set(tt.name, "Not yet public")
			req := newRequest(t, http.MethodGet, s.URL+tt.path, "")
			for _, c := range (&http.Response{Header: entered.header}).Cookies() { // Secure, which http does not send by itself
				req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
			}
			if a := newVisitor(t).do(t, req); !strings.Contains(a.body, "Not yet public") || !strings.Contains(a.body, tt.says) {
				t.Errorf("the editor gets %.2000s", a)
			}
			if a := get(t, s.URL+tt.path); a.body != public {
				t.Errorf("all others get %.2000s", a)
			}
		})
	}
}

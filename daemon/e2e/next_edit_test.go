package e2e

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func (s nextSite) testEdits(t *testing.T) {
	for _, tt := range []struct{ what, name, path string }{
		{"of a page of the app router", "news-one", "/news/one"},
		{"of a page of the pages router", "post-one", "/posts/one"},
		{"of the home page", "home", "/"},
		{"of a page that Next keeps no copy of", "prices", "/shop/prices"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			s.edit(t, tt.name, "Edited "+tt.name, tt.path)
			s.awaitFile(t, tt.path, "Edited "+tt.name, soon)
		})
	}

	t.Run("reaches a page by its tag, past Next's copy of the fetch", func(t *testing.T) {
		s.source.set("stock", "Edited stock")
		for _, i := range s.instances {
			if a := get(t, i.url+"/stock"); !strings.Contains(a.body, "The first stock") {
				t.Fatalf("Next has no copy: %s", a)
			}
		}
		revalidate(t, s.URL, url.Values{"tag": {"stock"}})
		s.awaitFile(t, "/stock", "Edited stock", soon)
	})

	t.Run("reaches every instance", func(t *testing.T) {
		s.edit(t, "news-one", "Edited for all", "/news/one")
		s.awaitFile(t, "/news/one", "Edited for all", soon)
		s.awaitInstances(t, "/news/one", "Edited for all", 0)
	})

	t.Run("while Next renders the page is not lost", func(t *testing.T) {
		s.awaitCalm(t) // no second look, which would find it too, is to come
		asked, release := s.source.hold("post-one")
		defer release()
		edit := func(title string) {
			s.source.set("post-one", title)
			revalidate(t, s.URL, url.Values{"path": {"/posts/one"}, "recheck": {"0"}})
		}
		edit("Too early")
		awaitClosed(t, asked, "Next asks for the text")
		edit("In the middle")
		release()
		s.awaitFile(t, "/posts/one", "In the middle", soon)
	})

	t.Run("while Next renders the page for another comes with the second look", func(t *testing.T) {
		// Next has one answer for all who ask it to revalidate a page meanwhile:
		// what it had read before the edit.
		asked, release := s.source.hold("post-one")
		defer release()
		revalidated := make(chan struct{})
		go func() {
			defer close(revalidated)
			answers(s.instances[0].url + "/api/revalidate?path=/posts/one&secret=" + secret)
		}()
		awaitClosed(t, asked, "Next asks for the text")
		s.edit(t, "post-one", "Not for the other", "/posts/one")
		await(soon, func() bool { o := s.explain("/posts/one").Owed; return o == nil || o.Status == "running" })
		release()
		awaitClosed(t, revalidated, "Next's own handler answers")
		s.awaitFile(t, "/posts/one", "Not for the other", 2*goneSoon)
		s.awaitInstances(t, "/posts/one", "Not for the other", 2*goneSoon)
	})

	t.Run("that makes a page makes its file", func(t *testing.T) {
		for name, path := range map[string]string{"news-three": "/news/three", "post-three": "/posts/three"} {
			s.edit(t, name, "The new "+name, path)
			s.awaitFile(t, path, "The new "+name, soon)
		}
	})
}

// awaitInstances waits until every instance answers with a text.
func (s nextSite) awaitInstances(t *testing.T, path, text string, atMost time.Duration) {
	t.Helper()
	for _, i := range s.instances {
		var last answer
		if _, in := await(atMost, func() bool { last = get(t, i.url+path); return strings.Contains(last.body, text) }); !in {
			t.Errorf("%s answers %.2000s", i.url, last)
		}
	}
}

// awaitClosed waits for what happens in another process.
func awaitClosed(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(2 * goneSoon):
		t.Fatalf("it does not happen: %s", what)
	}
}

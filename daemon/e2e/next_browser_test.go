package e2e

import "testing"

// testBrowser follows links in a browser, after edits.
func (s nextSite) testBrowser(t *testing.T) {
	for name, path := range map[string]string{
		"home": "/", "news-one": "/news/one", "news-two": "/news/two", "post-one": "/posts/one", "post-two": "/posts/two",
	} {
		s.edit(t, name, "Seen in a browser: "+name, path)
		s.awaitFile(t, path, "Seen in a browser: "+name, soon)
	}
	b := newBrowser(t)
	for _, tt := range []struct {
		what, first, from, next, to string
		loads                       bool // it is another router's
	}{
		{"of the app router", "news", "news-one", "next", "news-two", false},
		{"of the pages router", "posts", "post-one", "next", "post-two", true},
	} {
		t.Run("links "+tt.what, func(t *testing.T) {
			b.open(s.URL + "/")
			b.awaitHeading("Seen in a browser: home")
			b.follow(tt.first, "Seen in a browser: "+tt.from)
			if b.marked() == tt.loads {
				t.Errorf("the page was loaded as a whole: %v, want %v", !tt.loads, tt.loads)
			}
			b.mark()
			b.follow(tt.next, "Seen in a browser: "+tt.to)
			if !b.marked() {
				t.Error("the next page was loaded as a whole")
			}
		})
	}
	b.checkConsole()
}

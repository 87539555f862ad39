package api

import (
	"strings"
	"testing"
)

func TestRevalidate_readsAddressesOfPages(t *testing.T) {
	for _, c := range []struct{ name, path, want string }{
		{"of the site", "https://www.example.com/blog/a/", "/blog/a"},
		{"of a source, with its port", "http://cms.example.com:8080/blog/a", "/blog/a"},
		{"without a path", "https://www.example.com", "/"},
		{"with a query", "https://www.example.com/blog/a?preview=1#top", "/blog/a"},
		{"of a draft", "https://www.example.com/?p=4", "/"},
		{"escaped in lower case", "https://www.example.com/caf%c3%a9/", "/café"},
		{"in upper case", "HTTPS://WWW.Example.COM/blog/A", "/blog/A"},
		{"in the trash", "https://www.example.com/blog/a__trashed/", "/blog/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", `{"path":"`+c.path+`"}`)
			f.triggered(c.want)
		})
	}
}

func TestRevalidate_refusesAddressesOfOthers(t *testing.T) {
	for _, path := range []string{
		"https://evil.example/blog/a", "https://www.example.com.evil.example/blog/a", "https://www.example.com:444/blog/a",
		"https://www.example.com@evil.example/blog/a", "ftp://www.example.com/blog/a", "https:/blog/a", "https://",
	} {
		t.Run(path, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", `{"path":"`+path+`"}`).wants(400, "not_absolute")
			f.idle()
		})
	}
}

func TestRevalidate_looksAtWhatWasThereBeforeTheTrash(t *testing.T) {
	for _, query := range []string{"path=/blog/a__trashed", "path=/blog/a__trashed/", "slug=/blog/a__trashed/"} {
		f := newFixture(t)
		f.revalidate("GET", query, "")
		f.triggered("/blog/a")
	}
}

func TestRevalidate_slug(t *testing.T) {
	for _, c := range []struct{ name, slug, want string }{
		{"escaped in lower case", "caf%c3%a9", "/blog/café /café"},
		{"that one route cannot have", "assets", "/blog/assets"},
		{"that is a path", "/shop/x/", "/shop/x"},
		{"in the trash", "a__trashed", "/blog/a /a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", `{"slug":"`+c.slug+`"}`)
			f.triggered(strings.Fields(c.want)...)
		})
	}
}

func TestRevalidate_refusesSlug(t *testing.T) {
	for _, c := range []struct{ slug, code string }{
		{"", "not_absolute"}, {"a/b", "not_absolute"}, {"a%2fb", "not_absolute"},
		{"..", "dot_segment"}, {"..%2F..%2Fetc", "dot_segment"}, {"/../x", "dot_segment"},
		{"a?x=1", "charset"}, {"%00", "control"}, {"%zz", "percent"},
	} {
		t.Run(c.slug, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", `{"slug":"`+c.slug+`"}`).wants(400, c.code)
			f.idle()
		})
	}
}

func TestRevalidate_slugOfNoRoute(t *testing.T) {
	f := newFixture(t)
	f.routes = fakeRoutes{}
	w := f.revalidate("GET", "slug=foo", "")
	if got := w.object(); w.Code != 200 || got["pages"] != 0.0 || got["message"] != "no page matches" {
		t.Errorf("answer is %d %s, want 200, no pages and a message", w.Code, w.Body)
	}
}

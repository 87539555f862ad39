package setup

import (
	"strings"
	"testing"
)

func samplePost(id int, slug, date, link string) item {
	p := item{ID: id, Slug: slug, Date: date, Link: link}
	p.Embedded.Terms = append(p.Embedded.Terms, []struct{ Slug string }{{"news"}})
	p.Embedded.Author = append(p.Embedded.Author, struct{ Slug string }{"ada"})
	return p
}

func TestPermalink(t *testing.T) {
	for _, tc := range []struct{ first, second, want string }{
		{"/2026/11/hello/", "/2025/01/caf%c3%a9/", "/{year}/{month}/{slug}"},
		{"/2026/11/11/hello/", "/2025/01/31/caf%c3%a9/", "/{year}/{month}/{day}/{slug}"},
		{"/hello", "/caf%c3%a9", "/{slug}"},
		{"/blog/hello/", "/blog/caf%c3%a9/", "/blog/{slug}"},
		{"/hello.html", "/caf%c3%a9.html", "/{slug}.html"},
		{"/archives/11", "/archives/31", "/archives/{id}"},
		{"/news/hello/", "/news/caf%c3%a9/", "/{category}/{slug}"},
		{"/ada/11/", "/ada/31/", "/{author}/{id}"},
	} {
		posts := []item{
			samplePost(11, "hello", "2026-11-11T08:00:00", "https://cms.example.com"+tc.first),
			samplePost(31, "caf%c3%a9", "2025-01-31T08:00:00", "https://cms.example.com"+tc.second),
		}
		if got, err := permalink(posts); got != tc.want || err != nil {
			t.Errorf("%s, %s: %q, %v; want %q", tc.first, tc.second, got, err, tc.want)
		}
	}
}

func TestPermalink_thatCannotBeLearnt(t *testing.T) {
	const base = "https://cms.example.com"
	a := func(link string) item { return samplePost(11, "hello", "2026-11-11T08:00:00", base+link) }
	b := func(link string) item { return samplePost(31, "other", "2025-01-31T08:00:00", base+link) }
	for _, tc := range []struct {
		posts []item
		want  string
	}{
		{nil, "there is no post"},
		{[]item{a("/?p=11")}, "which is no path"},
		{[]item{a("/news/hello/"), b("/news/deep/other/")}, "different depth"},
		{[]item{a("/x/hello/"), b("/y/other/")}, "part 1 of the posts' addresses"},
		{[]item{a("/2026/11/"), b("/2025/01/")}, "does not tell one post from another"},
	} {
		got, err := permalink(tc.posts)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q, %v; want an error with %q", got, err, tc.want)
		}
	}
}

func TestTellsPosts(t *testing.T) {
	pages := []item{{Link: "https://x.example/about/"}, {Link: "https://x.example/about/team/ada/"}, {Link: "https://x.example/"}}
	for pattern, want := range map[string]bool{
		"/blog/{slug}":           true,
		"/{slug}.html":           true,
		"/archives/{id}":         true,
		"/{year}/{month}":        true,
		"/{year}/{month}/{slug}": false, // the page of ada has three parts as well
		"/{slug}":                false,
		"/{category}/{slug}":     false,
	} {
		if got := tellsPosts(pattern, pages); got != want {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
}

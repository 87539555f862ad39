package renderer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
)

// routes is a renderer with a route for each pattern.
func routes(t testing.TB, patterns ...string) *Renderer {
	t.Helper()
	c := Config{Site: "https://www.example.com", Templates: mustLoad(t, "post.html", "<html></html>", "feed.xml", "<a/>")}
	for _, p := range patterns {
		template := "post.html"
		if path, err := ParsePattern(p); err == nil {
			if sample, err := path.sample(); err == nil && sample.FileType() == "application/xml" {
				template = "feed.xml"
			}
		}
		c.Routes = append(c.Routes, RouteConfig{Path: p, Template: template})
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSlugPaths(t *testing.T) {
	for _, c := range []struct {
		name     string
		patterns []string
		slug     string
		want     []string
	}{
		{"no route", nil, "a", nil},
		{"one route", []string{"/blog/{slug}"}, "a", []string{"/blog/a"}},
		{"every route of a slug, in their order", []string{"/blog/{slug}", "/", "/{slug}"}, "a", []string{"/blog/a", "/a"}},
		{"between texts", []string{"/posts/p-{slug}/print", "/feeds/{slug}.xml"}, "a", []string{"/posts/p-a/print", "/feeds/a.xml"}},
		{"many segments", []string{"/docs/{slug...}"}, "a", []string{"/docs/a"}},
		{"another name", []string{"/tag/{tag}"}, "a", nil},
		{"a second parameter", []string{"/{year}/{slug}"}, "a", nil},
		{"a second parameter behind it", []string{"/{slug}/{page}"}, "a", nil},
		{"no parameter", []string{"/slug"}, "a", nil},
		{"escaped slug as it is", []string{"/blog/{slug}"}, "caf%c3%a9", []string{"/blog/caf%c3%a9"}},
		{"slug that looks like a parameter", []string{"/blog/{slug}"}, "{slug}", []string{"/blog/{slug}"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, routes(t, c.patterns...).SlugPaths(c.slug)); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSlugPaths_areMatchedByTheirRoute(t *testing.T) {
	for _, pattern := range []string{"/{slug}", "/blog/{slug}", "/x-{slug}-y/z", "/feeds/{slug}.xml", "/docs/{slug...}"} {
		t.Run(pattern, func(t *testing.T) {
			r := routes(t, pattern)
			for _, s := range r.SlugPaths("hello") {
				p, err := storage.ParsePath(s)
				if err != nil {
					t.Fatal(err)
				}
				if m, ok := r.Match(p); !ok || m.Params["slug"] != "hello" {
					t.Errorf("%s: match %v with %v, want the slug", s, ok, m.Params)
				}
			}
		})
	}
}

package renderer

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer/source"
)

func TestRender_tagsOfListsAndOfThePageItself(t *testing.T) {
	w := newFakeWordPress(t)
	plain := cms(t, func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, `{"id": 5, "type": "post", "data": []}`)
	})
	for _, tt := range []struct {
		name, path string
		data       map[string]FetchConfig
		want       []string
	}{
		{"a list", "/", map[string]FetchConfig{"posts": {Source: "wp", Get: "/posts?per_page=10"}}, []string{"list:wp/posts"}},
		{"two lists", "/", map[string]FetchConfig{"posts": {Source: "wp", Get: "/posts?per_page=10"}, "tags": {Source: "wp", Get: "/tags"}}, []string{"list:wp/posts", "list:wp/tags"}},
		{"a post", "/a", map[string]FetchConfig{"post": {Source: "wp", Get: "/posts?include=42", One: true}}, []string{"self:post:42"}},
		{
			"a post beside a list", "/a", map[string]FetchConfig{"post": {Source: "wp", Get: "/posts?include=42", One: true}, "others": {Source: "wp", Get: "/posts?per_page=5"}},
			[]string{"list:wp/posts", "self:post:42"},
		},
		{"a term", "/a", map[string]FetchConfig{"category": {Source: "wp", Get: "/categories?include=4", One: true}}, nil},
		{"a user", "/a", map[string]FetchConfig{"user": {Source: "wp", Get: "/users?include=1", One: true}}, nil},
		{"plain JSON", "/a", map[string]FetchConfig{"post": {Source: "cms", Get: "/posts/5", One: true}, "list": {Source: "cms", Get: "/posts?page=1", Items: "data"}}, []string{"list:cms", "list:cms/posts"}},
		{"one of plain JSON", "/a", map[string]FetchConfig{"post": {Source: "cms", Get: "/posts/5", One: true}}, nil},
		{"a list that a parameter names", "/{base}", map[string]FetchConfig{"list": {Source: "wp", Get: "/{base}?per_page=10"}}, []string{"list:wp/posts"}},
		{"a question in an expression", "/{base}", map[string]FetchConfig{"list": {Source: "wp", Get: `/{base == "posts" ? "posts" : "pages"}`}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.withSources(t, plain, RouteConfig{Path: tt.path, Template: "post.html", Data: tt.data, Canonical: "none"})
			at := strings.Replace(tt.path, "{base}", "posts", 1)
			page, err := render(t, r, at)
			if err != nil {
				t.Fatal(err)
			}
			got := slices.DeleteFunc(page.Tags, func(tag string) bool { return !strings.HasPrefix(tag, listTag) && !strings.HasPrefix(tag, selfTag) })
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// withSources is a site over this WordPress, as wp, and over others.
func (w *fakeWordPress) withSources(t *testing.T, others map[string]*source.Source, routes ...RouteConfig) *Renderer {
	t.Helper()
	c := source.DefaultConfig()
	c.Kind, c.URL = "wordpress", w.URL+"/wp-json/wp/v2"
	s, err := source.New("wp", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	sources := map[string]*source.Source{"wp": s}
	for name, other := range others {
		sources[name] = other
	}
	return mustNew(t, Config{Site: "https://www.example.com", Sources: sources, Routes: routes, Templates: mustLoad(t, "post.html", "post")})
}

func TestListTagOf_GraphQL(t *testing.T) {
	text := listTagOf(FetchConfig{Source: "cms", Query: "{ posts { title } }", Get: "?x={slug}"}, []string{"slug"})
	if got, ok, err := text.Eval(map[string]any{"slug": "a"}); got != "list:cms/" || !ok || err != nil {
		t.Errorf("the tag is %q, %v, %v", got, ok, err)
	}
}

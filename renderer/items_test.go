package renderer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer/source"
)

// wordpressTags renders a page with the data entry x and returns the tags of
// its items.
func wordpressTags(t *testing.T, kind, get, answer string) []string {
	t.Helper()
	server := httptest.NewServer(answers(answer))
	t.Cleanup(server.Close)
	c := source.DefaultConfig()
	c.URL, c.Kind = server.URL, kind
	src, err := source.New("cms", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	r, err := New(Config{
		Site:    "https://www.example.com",
		Routes:  []RouteConfig{{Path: "/", Template: "home.html", Data: map[string]FetchConfig{"x": {Source: "cms", Get: get}}}},
		Sources: map[string]*source.Source{"cms": src}, Templates: mustLoad(t, "home.html", "home"),
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := render(t, r, "/")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(page.Tags, func(tag string) bool {
		return strings.HasPrefix(tag, "template:") || strings.HasPrefix(tag, "source:") || strings.HasPrefix(tag, listTag)
	})
}

func TestItemTags(t *testing.T) {
	const post = `{"id": 42, "type": "post", "slug": "a", "link": "https://x/a", "author": 1, "categories": [4], "_embedded": {
		"author": [{"id": 1, "name": "Marta", "slug": "marta", "link": "https://x/author/marta"}],
		"wp:term": [[{"id": 4, "slug": "breads", "link": "https://x/c", "taxonomy": "category"}], [{"id": 7, "taxonomy": "post_tag"}]],
		"wp:featuredmedia": [{"id": 12, "type": "attachment", "media_type": "image", "slug": "a-jpg"}]}}`
	tests := []struct {
		name, get, answer string
		want              []string
	}{
		{"a list with everything embedded", "/posts?_embed", "[" + post + "]", []string{"category:4", "media:12", "post:42", "post_tag:7", "user:1"}},
		{"a single item", "/posts/42", post, []string{"category:4", "media:12", "post:42", "post_tag:7", "user:1"}},
		{"pages and own types", "/pages", `[{"id": 7, "type": "page"}, {"id": 8, "type": "wp_product-2"}]`, []string{"page:7", "wp_product-2:8"}},
		{"terms", "/categories", `[{"id": 4, "slug": "b", "link": "https://x", "taxonomy": "category"}]`, []string{"category:4"}},
		{"media", "/media", `[{"id": 12, "type": "attachment"}]`, []string{"media:12"}},
		{"users", "/users?slug=marta", `[{"id": 1, "slug": "marta", "link": "https://x"}]`, []string{"user:1"}},
		{"what only looks like users", "/users-of/x", `[{"id": 1, "slug": "marta", "link": "https://x"}]`, nil},
		{"results of a search", "/search", `[{"id": 7, "type": "post", "subtype": "page"}, {"id": 4, "type": "term", "subtype": "category"}]`, []string{"category:4", "page:7"}},
		{"an author who may not be seen", "/posts", `[{"id": 3, "type": "post", "_embedded": {"author": [{"code": "rest_user_invalid_id"}]}}]`, []string{"post:3"}},
		{"ids that are none", "/posts", `[{"id": 0, "type": "post"}, {"id": "5", "type": "post"}, {"id": 1.5, "type": "post"}, {"type": "post"}]`, nil},
		{"types that are none", "/posts", `[{"id": 1, "type": "a b"}, {"id": 2, "type": ""}, {"id": 3, "type": 4}, {"id": 4, "type": "` + strings.Repeat("x", 33) + `"}]`, nil},
		{"no objects", "/posts", `[1, null, "post"]`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := wordpressTags(t, "wordpress", tt.get, tt.answer)
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("of plain JSON there are none", func(t *testing.T) {
		if got := wordpressTags(t, "", "/posts", "["+post+"]"); len(got) > 0 {
			t.Errorf("tags %v", got)
		}
	})
}

func TestItemTags_areBounded(t *testing.T) {
	list := func(n int) string {
		var items []string
		for i := range n {
			items = append(items, fmt.Sprintf(`{"id": %d, "type": "post", "_embedded": {"author": [{"id": %d, "slug": "x", "link": "y"}]}}`, i+1, i%5+1))
		}
		return "[" + strings.Join(items, ",") + "]"
	}

	t.Run("all of them when they have room", func(t *testing.T) {
		got := wordpressTags(t, "wordpress", "/posts", list(maxItemTags-5))
		if len(got) != maxItemTags || slices.Contains(got, manyItems) {
			t.Errorf("%d tags, items:many is %v", len(got), slices.Contains(got, manyItems))
		}
	})

	t.Run("the first ones and items:many when they have not, posts before their authors", func(t *testing.T) {
		got := wordpressTags(t, "wordpress", "/posts", list(maxItemTags))
		if len(got) != maxItemTags+1 || !slices.Contains(got, manyItems) || slices.Contains(got, "user:1") {
			t.Errorf("%d tags, items:many is %v, user:1 is %v", len(got), slices.Contains(got, manyItems), slices.Contains(got, "user:1"))
		}
	})
}

func TestRender_afterTheTemplatesWereLoadedAgain(t *testing.T) {
	requests := 0
	sources := cms(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.RequestURI, "slug=") {
			_, _ = io.WriteString(w, `[{"slug": "a", "title": "listed"}]`)
			return
		}
		requests++
		_, _ = io.WriteString(w, `[{"slug": "a", "title": "fetched"}]`)
	})
	load := func(pairs ...string) *Renderer {
		r, err := New(Config{
			Site: "https://www.example.com", Sources: sources, Templates: mustLoad(t, pairs...),
			Routes: []RouteConfig{{
				Path: "/blog/{slug}", Template: "post.html",
				Data: map[string]FetchConfig{"post": {Source: "cms", Get: "/posts?slug={slug}", One: true}},
				List: &ListConfig{Source: "cms", Get: "/posts", Path: "/blog/{slug}", As: "post"},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := load("post.html", "old {{.post.title}}")
	after := load("post.html", `{{template "partials/new.html" .}}`, "partials/new.html", "new {{.post.title}}")
	check := func(m Match, want string) {
		t.Helper()
		page, err := after.Render(t.Context(), m, false)
		if err != nil {
			t.Fatal(err)
		}
		if string(page.Body) != want || !slices.Contains(page.Tags, "template:partials/new.html") {
			t.Errorf("page %q with the tags %v, want %q with those of the new files", page.Body, page.Tags, want)
		}
	}

	m, _ := before.Match(mustPath(t, "/blog/a"))
	if m.Uses([]string{"partials/new.html"}) {
		t.Error("the old match uses a file that was not there")
	}
	check(m, "new fetched")
	err := before.Lists()[0].Each(t.Context(), nothing, func(_ context.Context, matches []Match) error {
		check(matches[0], "new listed")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if requests != 1 {
		t.Errorf("%d requests for single posts, want 1: the listed item was lost", requests)
	}
}

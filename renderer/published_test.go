package renderer

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer/source"
	"rebake/storage"
)

func TestEverybodys_keepsWhatAllMayRead(t *testing.T) {
	tests := []struct{ name, answer, want string }{
		{"published posts", `[{"id": 1, "status": "publish"}, {"id": 2, "status": "draft"}, {"id": 3, "status": "publish"}]`, `[{"id": 1, "status": "publish"}, {"id": 3, "status": "publish"}]`},
		{"no other status", `[{"id": 1, "status": "future"}, {"id": 2, "status": "private"}, {"id": 3, "status": "pending"}, {"id": 4, "status": "trash"}, {"id": 5, "status": "auto-draft"}, {"id": 6, "status": "of-a-plugin"}]`, `[]`},
		{"media, which are as their posts", `[{"id": 1, "type": "attachment", "status": "inherit"}, {"id": 2, "type": "revision", "status": "inherit"}]`, `[{"id": 1, "type": "attachment", "status": "inherit"}]`},
		{"approved comments", `[{"id": 1, "type": "comment", "status": "approved"}, {"id": 2, "type": "comment", "status": "hold"}, {"id": 3, "type": "post", "status": "approved"}]`, `[{"id": 1, "type": "comment", "status": "approved"}]`},
		{"pingbacks and trackbacks", `[{"id": 1, "type": "pingback", "status": "approved"}, {"id": 2, "type": "trackback", "status": "approved"}, {"id": 3, "type": "pingback", "status": "spam"}, {"id": 4, "type": "order_note", "status": "approved"}]`, `[{"id": 1, "type": "pingback", "status": "approved"}, {"id": 2, "type": "trackback", "status": "approved"}]`},
		{"no media and comments of other collections", `[{"id": 1, "status": "inherit"}, {"id": 2, "status": "approved"}]`, `[]`},
		{"what has no status", `[{"id": 4, "taxonomy": "category"}, {"id": 1, "slug": "marta"}, 7, null]`, `[{"id": 4, "taxonomy": "category"}, {"id": 1, "slug": "marta"}, 7, null]`},
		{"what is no item", `{"status": "ok", "count": 3}`, `{"status": "ok", "count": 3}`},
		{"embedded items", `[{"id": 7, "status": "publish", "_embedded": {"up": [{"id": 6, "status": "private"}], "author": [{"id": 1}], "wp:term": [[{"id": 4}], [{"id": 9, "status": "draft"}]]}}]`, `[{"id": 7, "status": "publish", "_embedded": {"up": [], "author": [{"id": 1}], "wp:term": [[{"id": 4}], []]}}]`},
		{"no text behind a password", `{"id": 1, "status": "publish", "content": {"protected": true, "raw": "T", "rendered": "T"}, "excerpt": {"protected": true, "rendered": "T"}, "title": {"rendered": "P"}}`, `{"id": 1, "status": "publish", "content": {"protected": true, "raw": "", "rendered": ""}, "excerpt": {"protected": true, "rendered": ""}, "title": {"rendered": "P"}}`},
		{"text without a password", `{"id": 1, "status": "publish", "content": {"protected": false, "rendered": "T"}}`, `{"id": 1, "status": "publish", "content": {"protected": false, "rendered": "T"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := everybodys(decoded(t, tt.answer), "posts")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decoded(t, tt.want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEverybodys_keepsWhatHasNoTypeByItsCollection(t *testing.T) {
	for collection, status := range map[string]string{"media": "inherit", "media/7": "inherit", "comments": "approved"} {
		if _, err := everybodys(map[string]any{"id": 7, "status": status}, collection); err != nil {
			t.Errorf("%s: %v", collection, err)
		}
		if _, err := everybodys(map[string]any{"id": 7, "status": status, "type": "of-a-plugin"}, collection); !errors.Is(err, storage.ErrGone) {
			t.Errorf("%s, of another type: %v, want it gone", collection, err)
		}
		if _, err := everybodys(map[string]any{"id": 7, "status": "trash"}, collection); !errors.Is(err, storage.ErrGone) {
			t.Errorf("%s, in the trash: %v, want it gone", collection, err)
		}
	}
}

func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEverybodys_aSingleDraftIsGone(t *testing.T) {
	_, err := everybodys(map[string]any{"id": 1, "status": "draft"}, "posts")
	if !errors.Is(err, storage.ErrGone) || !strings.Contains(err.Error(), "draft") {
		t.Errorf("%v, which is not that it is a draft", err)
	}
}

// ofWordPress is a renderer with a page for a post, one that lists posts, and
// one about a post that it may not be without, over a source of a kind.
func ofWordPress(t *testing.T, kind, answer string) *Renderer {
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
		Site: "https://www.example.com",
		Routes: []RouteConfig{
			{Path: "/all", Template: "x.html", Data: map[string]FetchConfig{"x": {Source: "cms", Get: "/posts?status=any"}}},
			{
				Path: "/blog/{id}", Template: "x.html", Data: map[string]FetchConfig{"x": {Source: "cms", Get: "/posts/{id}", One: true}},
				List: &ListConfig{Source: "cms", Get: "/posts?status=any", Path: "/blog/{id}", As: "x", Pagination: source.Pagination{Type: "none"}},
			},
		},
		Sources: map[string]*source.Source{"cms": src}, Templates: mustLoad(t, "x.html", "{{.x}}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRender_ofWordPressShowsNoDrafts(t *testing.T) {
	const posts = `[{"id": 1, "status": "publish", "is": "PUBLIC"}, {"id": 2, "status": "draft", "is": "HIDDEN"}]`
	t.Run("on a page with a list", func(t *testing.T) {
		page, err := render(t, ofWordPress(t, "wordpress", posts), "/all")
		if err != nil || !strings.Contains(string(page.Body), "PUBLIC") || strings.Contains(string(page.Body), "HIDDEN") {
			t.Errorf("%v, %s", err, page.Body)
		}
	})
	t.Run("on a page of its own", func(t *testing.T) {
		if page, err := render(t, ofWordPress(t, "wordpress", `{"id": 2, "status": "draft"}`), "/blog/2"); !errors.Is(err, storage.ErrGone) {
			t.Errorf("%v, %s; want it gone", err, page.Body)
		}
	})
	t.Run("as what a page without `one` is made of", func(t *testing.T) {
		page, err := render(t, ofWordPress(t, "wordpress", `{"id": 2, "status": "draft"}`), "/all")
		if err == nil || errors.Is(err, storage.ErrGone) || !strings.Contains(err.Error(), "its status is draft") {
			t.Errorf("%v, %s; want an error that keeps the page", err, page.Body)
		}
	})
	t.Run("listed", func(t *testing.T) {
		got := 0
		err := ofWordPress(t, "wordpress", posts).Lists()[0].Each(t.Context(), nothing, func(_ context.Context, matches []Match) error {
			got += len(matches)
			return nil
		})
		if err != nil || got != 1 {
			t.Errorf("%d pages, %v; want the published one alone", got, err)
		}
	})
	t.Run("but another API's status is its own", func(t *testing.T) {
		page, err := render(t, ofWordPress(t, "", posts), "/all")
		if err != nil || !strings.Contains(string(page.Body), "HIDDEN") {
			t.Errorf("%v, %s", err, page.Body)
		}
	})
}

package origin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func snapshotTags(t *testing.T, k Kind, contentType, body string, headers ...string) []string {
	t.Helper()
	o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Add(name, value)
		}
		_, _ = w.Write([]byte(body))
	}, kind(k))
	s, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.Tags)
	return s.Tags
}

func TestSnapshot_tagsOfHeaders(t *testing.T) {
	got := snapshotTags(t, Plain, "text/html", page,
		"Cache-Tag: post 1, nav", "Cache-Tag: footer", "Surrogate-Key: a b", "xkey: c,d  a", "X-Next-Cache-Tags: _N_T_/layout,_N_T_/a",
		"Surrogate-Key: "+strings.Repeat("x", 257))
	want := []string{"_N_T_/a", "_N_T_/layout", "a", "b", "c", "d", "footer", "nav", "origin:app", "post 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSnapshot_tagsAreBounded(t *testing.T) {
	var keys strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&keys, "k%d ", i)
	}
	got := snapshotTags(t, Plain, "text/html", page, "Surrogate-Key: "+keys.String())
	if len(got) != maxTags+2 || !slices.Contains(got, manyTags) || !slices.Contains(got, "origin:app") {
		t.Errorf("%d tags", len(got))
	}
}

func TestSnapshot_tagsOfAWordPressPost(t *testing.T) {
	body := `<html><body class="post-template-default single single-post postid-42 single-format-standard wp-embed-responsive">
<img class="wp-image-12 size-full"><li class="wp-block-post post-7 page type-page status-publish"></body></html>`
	got := snapshotTags(t, WordPress, "text/html", body,
		`Link: <https://www.example.com/wp-json/>; rel="https://api.w.org/"`,
		`Link: <https://www.example.com/wp-json/wp/v2/posts/42>; rel="alternate"; type="application/json"`)
	if diff := cmp.Diff([]string{"media:12", "origin:app", "page:7", "post:42", "self:post:42"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSnapshot_tagsOfAWordPressArchive(t *testing.T) {
	body := `<html><body class="archive category category-news category-4 logged-out author-3">
<article id="post-42" class="post-42 post type-post"></article><article class="post-43 book type-book"></article></body></html>`
	got := snapshotTags(t, WordPress, "text/html", body)
	if diff := cmp.Diff([]string{"archive:category:4", "archive:user:3", "book:43", "category:4", "origin:app", "post:42", "user:3"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSnapshot_tagsOfAWordPressFeed(t *testing.T) {
	body := `<rss><item><guid isPermaLink="false">https://www.example.com/?p=42</guid></item><item><guid isPermaLink="false">https://www.example.com/?p=7#comment-5</guid></item></rss>`
	got := snapshotTags(t, WordPress, "application/rss+xml", body)
	if diff := cmp.Diff([]string{"list:app/comments", "list:app/feed", "origin:app", "post:42", "post:7"}, got); diff != "" {
		t.Error(diff)
	}
}

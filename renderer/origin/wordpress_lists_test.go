package origin

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// listTags takes a page of a WordPress and returns those of its tags that do
// not name the origin, or an item.
func listTags(t *testing.T, at, contentType, body string, link ...string) []string {
	t.Helper()
	o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for _, l := range link {
			w.Header().Add("Link", l)
		}
		_, _ = w.Write([]byte(body))
	}, kind(WordPress))
	s, err := o.Snapshot(t.Context(), Request{Path: path(t, at)})
	if err != nil {
		t.Fatal(err)
	}
	tags := slices.DeleteFunc(s.Tags, func(tag string) bool {
		first, _, _ := strings.Cut(tag, ":")
		return !slices.Contains([]string{"list", "archive", "self", "near"}, first)
	})
	slices.Sort(tags)
	return tags
}

func TestSnapshot_tagsOfWhatAWordPressPageLists(t *testing.T) {
	html := func(classes, inner string) string {
		return `<html><body class="` + classes + `">` + inner + `</body></html>`
	}
	const (
		loop = `<div class="is-layout-flow wp-block-query alignwide"><article class="post-42 post type-post"></article></div>`
		rss  = `<rss><item><guid isPermaLink="false">https://x.com/?p=42</guid></item></rss>`
	)
	for _, tt := range []struct {
		name, path, kind, body string
		link                   []string
		want                   []string
	}{
		{name: "home", path: "/", body: html("home blog", loop), want: []string{"list:app/posts"}},
		{name: "the second part of home", path: "/page/2", body: html("home blog paged paged-2", loop), want: []string{"list:app/posts"}},
		{name: "a post without lists", path: "/a", body: html("single single-post postid-42", "text"), want: []string{"self:post:42"}},
		{name: "a book", path: "/a", body: html("single single-book postid-42", "text"), want: []string{"self:book:42"}},
		{name: "an attachment", path: "/a", body: html("attachment single single-attachment postid-12 attachmentid-12", ""), want: []string{"self:media:12"}},
		{name: "a post with more posts", path: "/a", body: html("single single-post postid-42", loop), want: []string{"list:app/posts", "self:post:42"}},
		{
			name: "a post with widgets", path: "/a",
			body: html("page-id-7", `<ul class="wp-block-latest-posts__list wp-block-latest-posts"></ul><ol class="wp-block-latest-comments"></ol><ul class="wp-block-page-list"></ul>`),
			want: []string{"list:app/comments", "list:app/pages", "list:app/posts", "self:page:7"},
		},
		{
			name: "a post below the menu of a theme that has none", path: "/a",
			body: html("single single-post postid-42", `<div class="menu"><ul><li class="page_item page-item-7"><a href="/about/">About</a></li></ul></div>`),
			want: []string{"list:app/pages", "self:post:42"},
		},
		{
			name: "a post between two others", path: "/b",
			body: html("single single-post postid-42", `<a href="https://www.example.com/2026/11/caf%c3%a9/" rel="prev">a</a><a rel="next" href="/c/">c</a>`),
			want: []string{"near:/2026/11/café", "near:/c", "self:post:42"},
		},
		{name: "a list whose parts lead to each other", path: "/", body: html("blog", `<a href="/page/2/" rel="next">older</a>`), want: []string{"list:app/posts"}},
		{name: "a category", path: "/category/news", body: html("archive category category-news category-4", loop), want: []string{"archive:category:4"}},
		{name: "the second part of a category", path: "/category/news/page/2", body: html("archive paged category category-news category-4 paged-2 category-paged-2", loop), want: []string{"archive:category:4"}},
		{name: "a category with a second list", path: "/category/news", body: html("archive category category-4", loop+loop), want: []string{"archive:category:4", "list:app/posts"}},
		{name: "a tag", path: "/tag/x", body: html("archive tag tag-x tag-9", loop), want: []string{"archive:post_tag:9"}},
		{name: "a term of a taxonomy of somebody's own", path: "/genre/x", body: html("archive tax-genre term-x term-12", loop), want: []string{"archive:genre:12"}},
		{name: "an author", path: "/author/a", body: html("archive author author-a author-1", loop), want: []string{"archive:user:1"}},
		{name: "a year", path: "/2026", body: html("archive date", loop), want: []string{"archive:date:2026"}},
		{name: "a part of a month", path: "/2026/3/page/2", body: html("archive date paged", loop), want: []string{"archive:date:2026-03"}},
		{name: "a day below a front", path: "/blog/2026/11/23", body: html("archive date", loop), want: []string{"archive:date:2026-11-23"}},
		{name: "a date that the path does not say", path: "/when", body: html("archive date", loop), want: []string{"list:app/posts"}},
		{name: "the archive of a type", path: "/books", body: html("archive post-type-archive post-type-archive-book", loop), want: []string{"list:app/book"}},
		{name: "the feed", path: "/feed", kind: "application/rss+xml", body: rss, want: []string{"list:app/feed", "list:app/posts"}},
		{
			name: "the feed of a category", path: "/category/news/feed", kind: "application/rss+xml", body: rss,
			link: []string{`<https://x.com/wp-json/wp/v2/categories/4>; rel="alternate"`}, want: []string{"archive:category:4", "list:app/feed"},
		},
		{
			name: "the feed of a post that nobody has commented on", path: "/a/feed", kind: "application/rss+xml", body: "<rss></rss>",
			link: []string{`<https://x.com/wp-json/wp/v2/posts/42>; rel="alternate"`}, want: []string{"self:post:42"},
		},
		{name: "a sitemap of posts", path: "/wp-sitemap-posts-post-2.xml", kind: "application/xml", body: "<urlset/>", want: []string{"list:app/posts"}},
		{name: "a sitemap of terms", path: "/wp-sitemap-taxonomies-post_tag-1.xml", kind: "application/xml", body: "<urlset/>", want: []string{"list:app/posts", "list:app/tags"}},
		{name: "a sitemap of users", path: "/wp-sitemap-users-1.xml", kind: "application/xml", body: "<urlset/>", want: []string{"list:app/users"}},
		{
			name: "a sitemap of a plugin", path: "/post-sitemap.xml", kind: "application/xml", body: "<urlset/>",
			want: []string{"list:app/categories", "list:app/pages", "list:app/posts", "list:app/tags", "list:app/users"},
		},
		{name: "what is no list", path: "/robots.txt", kind: "text/plain", body: "Allow: /"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.kind == "" {
				tt.kind = "text/html"
			}
			got := listTags(t, tt.path, tt.kind, tt.body, tt.link...)
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

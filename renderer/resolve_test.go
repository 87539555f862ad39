package renderer

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rebake/storage"
)

func TestResolve_aPostOfAnOrigin(t *testing.T) {
	resolve(t, newFakeWordPress(t).asOrigin(t), "post:42").check(t, resolvedTexts{
		Paths: []string{"/2026/11/p42", "/tag/hot"}, // the tag is new with it
		Known: []string{
			"/", "/2026", "/2026/11", "/2026/11/23", "/category/world", "/category/world/feed", "/category/world/news", "/category/world/news/feed",
			"/feed", "/tag/hot/feed", "/wp-sitemap-posts-post-1.xml", "/wp-sitemap-taxonomies-category-1.xml",
			"/wp-sitemap-taxonomies-post_tag-1.xml", "/wp-sitemap-users-1.xml", "/wp-sitemap.xml",
		},
		Tags: []string{
			"archive:category:3", "archive:category:4", "archive:date:2026", "archive:date:2026-11", "archive:date:2026-11-23",
			"archive:post_tag:9", "archive:user:1", "list:wp/post", "list:wp/posts", "list:wp/tags", "near:/2026/11/p42", "self:post:41", "self:post:43",
		},
	})
}

func TestResolve_whatIsNotPublicIsInListsAlone(t *testing.T) {
	lists := resolvedTexts{
		Known: []string{"/", "/feed", "/wp-sitemap-posts-post-1.xml", "/wp-sitemap.xml"},
		Tags:  []string{"book:42", "list:wp/categories", "list:wp/post", "list:wp/posts", "list:wp/tags", "media:42", "page:42"},
	}
	for _, status := range []string{"draft", "private", "future", "trash", "pending"} {
		t.Run(status, func(t *testing.T) {
			w := newFakeWordPress(t)
			w.change("posts", 42, obj{"status": status})
			resolve(t, w.asOrigin(t), "post:42").check(t, lists)
		})
	}
	t.Run("deleted", func(t *testing.T) {
		w := newFakeWordPress(t)
		w.items["posts"] = nil
		resolve(t, w.asOrigin(t), "post:42").check(t, lists)
	})
	for _, status := range []int{401, 403, 404, 400, 410} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			w := newFakeWordPress(t)
			w.answers("posts", status)
			resolve(t, w.asOrigin(t), "post:42").check(t, lists)
		})
	}
}

func TestResolve_whatAFirewallRefusesMayBeThere(t *testing.T) {
	for _, status := range []int{401, 403} {
		w := newFakeWordPress(t)
		w.add("books", obj{"id": 50, "type": "book", "status": "publish", "slug": "b", "date": "2026-11-23T10:00:00", "link": "/library/b/"})
		for name, r := range map[string]*Renderer{"origin": w.asOrigin(t), "source": w.asSource(t, postRoute())} {
			for _, item := range []string{"book:50", "post:42", "category:4", "user:1"} {
				w.behindWall(status)
				temporary := new(storage.TemporaryError)
				if _, err := r.Resolve(t.Context(), item, false); !errors.As(err, &temporary) {
					t.Errorf("%d, %s, %s: %v, want a temporary error", status, name, item, err)
				}
				w.behindWall(0)
			}
			if _, err := r.Resolve(t.Context(), "book:50", false); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestResolve_kindsThatAreNotToldAreAskedForAgain(t *testing.T) {
	for _, refused := range []string{"types", "taxonomies"} {
		t.Run(refused, func(t *testing.T) {
			w := newFakeWordPress(t)
			w.add("books", obj{"id": 50, "type": "book", "status": "publish", "slug": "b", "date": "2026-11-23T10:00:00", "link": "/library/b/"})
			r := w.asOrigin(t)
			w.answers(refused, http.StatusUnauthorized)
			resolve(t, r, "book:50")
			w.answers(refused, 0)
			if got := resolve(t, r, "book:50"); !slices.Contains(got.Paths, "/library/b") {
				t.Errorf("resolved to %+v", got)
			}
		})
	}
}

// A source may have credentials, by which WordPress tells it of drafts too.
func TestResolve_aDraftThatTheAPIShowsHasNoPage(t *testing.T) {
	w := newFakeWordPress(t)
	w.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/wp-json/wp/v2/posts") {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(rw, `[{"id":42,"type":"post","status":"draft","slug":"secret","link":"%s/2026/11/secret/","date":"2026-11-23T10:00:00"}]`, w.URL)
			return
		}
		w.ServeHTTP(rw, r)
	})
	for name, r := range map[string]*Renderer{"origin": w.asOrigin(t), "source": w.asSource(t, postRoute())} {
		t.Run(name, func(t *testing.T) {
			for _, item := range []string{"post:42", "path:/2026/11/secret", "path:/blog/secret"} {
				if got := resolve(t, r, item); len(got.Paths) > 0 || slices.ContainsFunc(got.Known, func(p string) bool { return strings.Contains(p, "secret") }) {
					t.Errorf("%s: resolved to %+v", item, got)
				}
			}
		})
	}
}

func TestResolve_linksThatAreNoPages(t *testing.T) {
	for name, link := range map[string]string{
		"without an address": "/?p=42", "on another server": "https://elsewhere.example.com/a/", "that is no URL": "http://%zz/", "that is none": "",
		"that is passed to the origin": "/wp-admin/a/", "that is not a path": "/a/../b/",
	} {
		t.Run(name, func(t *testing.T) {
			w := newFakeWordPress(t)
			if strings.HasPrefix(link, "/") {
				link = w.URL + link
			}
			w.change("posts", 42, obj{"link": link, "tags": []int{}})
			if got := resolve(t, w.asOrigin(t), "post:42"); len(got.Paths) > 0 {
				t.Errorf("paths %v, want none", got.Paths)
			}
		})
	}
}

func TestResolve_aPageMovesWhatLiesBelowIt(t *testing.T) {
	got := resolve(t, newFakeWordPress(t).asOrigin(t), "page:7")
	got.Known = nil
	got.check(t, resolvedTexts{
		Paths: []string{"/about", "/about/team", "/about/team/marta"},
		Tags: []string{
			"archive:date:2026", "archive:date:2026-01", "archive:date:2026-01-01", "list:wp/page", "list:wp/pages", "near:/about", "page:10", "page:8",
			"self:page:10", "self:page:8",
		},
	})
}

func TestResolve_aPageWithVeryManyChildren(t *testing.T) {
	w := newFakeWordPress(t)
	for id := range mostRelated + 5 {
		w.add("pages", obj{"id": 1000 + id, "type": "page", "status": "publish", "slug": "x", "link": fmt.Sprintf("/about/x%d/", id), "parent": 7})
	}
	got := resolve(t, w.asOrigin(t), "page:7")
	if !slices.Equal(got.Tags, []string{"origin:wp"}) || len(got.Paths) > mostRelated+atATime {
		t.Errorf("%d paths, and the tags %v; want all pages of the origin", len(got.Paths), got.Tags)
	}
}

func TestResolve_aTerm(t *testing.T) {
	got := resolve(t, newFakeWordPress(t).asOrigin(t), "category:4")
	got.check(t, resolvedTexts{
		Paths: []string{"/category/world/news", "/category/world/news/local"},
		Known: []string{
			"/category/world", "/category/world/feed", "/category/world/news/feed",
			"/wp-sitemap-taxonomies-category-1.xml", "/wp-sitemap.xml",
		},
		Tags: []string{
			"archive:category:3", "archive:category:4", "archive:category:5", "category:5", "list:wp/categories", "list:wp/category", "list:wp/feed",
			"post:41", "post:42", "post:43", "self:post:41", "self:post:42", "self:post:43",
		},
	})
}

func TestResolve_aTermInTheAddressesOfPosts(t *testing.T) {
	w := newFakeWordPress(t)
	w.change("posts", 42, obj{"link": w.URL + "/world/news/p42/"})
	if got := resolve(t, w.asOrigin(t), "category:4"); !slices.Contains(got.Paths, "/world/news/p42") || slices.Contains(got.Paths, "/2026/11/p41") {
		t.Errorf("paths %v, want that of the post whose address holds the category alone", got.Paths)
	}
}

func TestResolve_aTermThatIsDeleted(t *testing.T) {
	resolve(t, newFakeWordPress(t).asOrigin(t), "post_tag:77").check(t, resolvedTexts{
		Known: []string{"/wp-sitemap-taxonomies-post_tag-1.xml", "/wp-sitemap.xml"},
		Tags:  []string{"archive:post_tag:77", "list:wp/feed", "list:wp/post_tag", "list:wp/tags"},
	})
}

func TestResolve_aTermWithManyPosts(t *testing.T) {
	w := newFakeWordPress(t)
	for id := range fewPosts {
		w.add("posts", obj{"id": 1000 + id, "type": "post", "status": "publish", "slug": "x", "date": "2026-11-01T00:00:00", "link": fmt.Sprintf("/x%d/", id), "categories": []int{4}})
	}
	got := resolve(t, w.asOrigin(t), "category:4")
	if !slices.Contains(got.Tags, "self:post:42") || slices.Contains(got.Tags, "post:42") || !slices.Contains(got.Tags, "list:wp/posts") {
		t.Errorf("tags %.300v, want their own pages, and the lists", got.Tags)
	}
}

func TestResolve_aTermWithVeryManyPosts(t *testing.T) {
	w := newFakeWordPress(t)
	for id := range mostRelated + 50 {
		w.add("posts", obj{"id": 1000 + id, "type": "post", "status": "publish", "slug": "x", "date": "2026-11-01T00:00:00", "link": fmt.Sprintf("/x%d/", id), "categories": []int{4}})
	}
	if got := resolve(t, w.asOrigin(t), "category:4"); !slices.Equal(got.Tags, []string{"origin:wp"}) {
		t.Errorf("tags %.200v, want all pages of the origin", got.Tags)
	}
}

func TestResolve_aUser(t *testing.T) {
	resolve(t, newFakeWordPress(t).asOrigin(t), "user:1").check(t, resolvedTexts{
		Paths: []string{"/author/marta"},
		Known: []string{"/author/marta/feed", "/wp-sitemap-users-1.xml", "/wp-sitemap.xml"},
		Tags:  []string{"archive:user:1", "list:wp/feed", "list:wp/users", "post:41", "post:42", "post:43", "self:post:41", "self:post:42", "self:post:43"},
	})
}

func TestResolve_mediaAndComments(t *testing.T) {
	r := newFakeWordPress(t).asOrigin(t)
	resolve(t, r, "media:12").check(t, resolvedTexts{Tags: []string{"list:wp/media"}})
	resolve(t, r, "comment:5").check(t, resolvedTexts{Tags: []string{"list:wp/comments"}})
}

func TestResolve_aPostOfATypeOfItsOwn(t *testing.T) {
	w := newFakeWordPress(t)
	w.add("books", obj{"id": 60, "type": "book", "status": "publish", "slug": "b", "date": "2026-11-01T00:00:00", "link": "/library/b/"})
	got := resolve(t, w.asOrigin(t), "book:60")
	if !slices.Contains(got.Paths, "/library/b") || !slices.Contains(got.Known, "/library") || !slices.Contains(got.Tags, "list:wp/book") {
		t.Errorf("resolved to %+v, want its page, and the archive of the type", got)
	}
}

func TestResolve_aPageThatItsSenderCallsAPost(t *testing.T) {
	got := resolve(t, newFakeWordPress(t).asOrigin(t), "post:8")
	if !slices.Contains(got.Paths, "/about/team") || !slices.Contains(got.Tags, "page:8") || !slices.Contains(got.Tags, "page:10") {
		t.Errorf("resolved to %+v, want the page and what lies below it", got)
	}
}

func TestResolve_whatIsNoItem(t *testing.T) {
	r := newFakeWordPress(t).asOrigin(t)
	for _, item := range []string{"", "post", "post:", "post:0", "post:x", "post:42x", "node:5", "wp_block:3", "of_others:3", "Post:42", "post:99999999999999999999", "path:", "path:x", "path:/a%", "path:/", "path:/no-such-page", "path:/wp-admin/a"} {
		resolve(t, r, item).check(t, resolvedTexts{})
	}
}

func TestResolve_anAddressThatIsNew(t *testing.T) {
	w := newFakeWordPress(t)
	for name, r := range map[string]*Renderer{"origin": w.asOrigin(t), "source": w.asSource(t, postRoute())} {
		t.Run(name, func(t *testing.T) {
			at := map[string]string{"origin": "/2026/11/p42", "source": "/blog/p42"}[name]
			got := resolve(t, r, ItemAt(mustPath(t, at)))
			want := resolve(t, r, "post:42")
			want.Tags = append(want.Tags, "post:42", "self:post:42")
			slices.Sort(want.Tags)
			got.check(t, want)
		})
	}
	t.Run("of a term", func(t *testing.T) {
		if got := resolve(t, w.asOrigin(t), "path:/tag/hot"); !slices.Contains(got.Tags, "post_tag:9") || !slices.Contains(got.Tags, "post:42") {
			t.Errorf("resolved to %+v, want the tag and its posts", got)
		}
	})
	t.Run("with the slug of another's", func(t *testing.T) {
		resolve(t, w.asOrigin(t), "path:/elsewhere/p42").check(t, resolvedTexts{})
	})
}

func postRoute() RouteConfig {
	return RouteConfig{
		Path: "/blog/{slug}", Template: "post.html",
		Data: map[string]FetchConfig{"post": {Source: "cms", Get: "/posts?slug={slug}", One: true}},
	}
}

func TestResolve_ofASource(t *testing.T) {
	w := newFakeWordPress(t)
	listed := postRoute()
	listed.Path = "/articles/{slug}"
	listed.List = &ListConfig{Source: "cms", Get: "/posts?categories=4&per_page=100", Path: "/articles/{slug}", As: "post"}
	byLink := RouteConfig{
		Path: "/{year}/{month}/{slug}", Template: "post.html",
		Data: map[string]FetchConfig{"post": {Source: "cms", Get: "/posts?slug={slug}", One: true}},
	}
	lists := []string{"list:cms/post", "list:cms/posts"}
	for _, tt := range []struct {
		name   string
		routes []RouteConfig
		want   resolvedTexts
	}{
		{"by the list of its collection, whatever its link is", []RouteConfig{listed, byLink}, resolvedTexts{Paths: []string{"/articles/p42"}, Tags: lists}},
		{"by a route that reads it by its slug", []RouteConfig{postRoute()}, resolvedTexts{Paths: []string{"/blog/p42"}, Tags: lists}},
		{"by its link", []RouteConfig{byLink}, resolvedTexts{Paths: []string{"/2026/11/p42"}, Tags: lists}},
		{"without a page", []RouteConfig{{Path: "/", Template: "post.html"}}, resolvedTexts{Tags: lists}},
	} {
		t.Run(tt.name, func(t *testing.T) { resolve(t, w.asSource(t, tt.routes...), "post:42").check(t, tt.want) })
	}
	t.Run("that its list leaves out", func(t *testing.T) {
		w := newFakeWordPress(t)
		w.change("posts", 42, obj{"categories": []int{3}})
		resolve(t, w.asSource(t, listed, byLink), "post:42").check(t, resolvedTexts{Tags: lists})
	})
	t.Run("a term", func(t *testing.T) {
		r := w.asSource(t, RouteConfig{
			Path: "/c/{slug}", Template: "post.html",
			Data: map[string]FetchConfig{"c": {Source: "cms", Get: "/categories?slug={slug}", One: true}},
			List: &ListConfig{Source: "cms", Get: "/categories?per_page=100", Path: "/c/{slug}", As: "c"},
		})
		resolve(t, r, "category:4").check(t, resolvedTexts{
			Paths: []string{"/c/local", "/c/news"},
			Tags: []string{
				"archive:category:4", "archive:category:5", "category:5", "list:cms/categories", "list:cms/category",
			},
		})
	})
}

func TestResolve_whenTheServerFails(t *testing.T) {
	w := newFakeWordPress(t)
	w.answers("tags", http.StatusInternalServerError)
	got, err := w.asOrigin(t).Resolve(t.Context(), "post:42", false)
	var temporary *storage.TemporaryError
	if !errors.As(err, &temporary) {
		t.Errorf("got %v, want a temporary error", err)
	}
	if p := inTexts(got); !slices.Contains(p.Paths, "/2026/11/p42") || !slices.Contains(p.Tags, "list:wp/posts") {
		t.Errorf("resolved to %+v, want what was told before", p)
	}
}

func TestResolve_whereThereIsNoAPI(t *testing.T) {
	w := newFakeWordPress(t)
	w.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		_, _ = rw.Write([]byte("<html>a theme</html>"))
	})
	got := resolve(t, w.asOrigin(t), "post:42")
	if len(got.Paths) > 0 || !slices.Contains(got.Tags, "list:wp/posts") {
		t.Errorf("resolved to %+v, want the lists", got)
	}
}

func TestResolve_addressesThatAreNotPretty(t *testing.T) {
	w := newFakeWordPress(t)
	pretty := w.Config.Handler
	w.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		route := r.URL.Query().Get("rest_route")
		if route == "" {
			http.NotFound(rw, r)
			return
		}
		r.URL.Path = "/wp-json" + route
		pretty.ServeHTTP(rw, r)
	})
	if got := resolve(t, w.asOrigin(t), "post:42"); !slices.Contains(got.Paths, "/2026/11/p42") {
		t.Errorf("resolved to %+v, want its page", got)
	}
}

func TestResolve_readsTheKindsOnce(t *testing.T) {
	w := newFakeWordPress(t)
	r := w.asOrigin(t)
	now := r.now()
	r.now = func() time.Time { return now }
	for range 3 {
		resolve(t, r, "post:42")
		resolve(t, r, "nobody_knows:1")
	}
	if n := w.requests("/types"); n != 1 {
		t.Errorf("asked for the types %d times, want once", n)
	}
	now = now.Add(kindsAgain)
	resolve(t, r, "nobody_knows:1")
	resolve(t, r, "post:42")
	if n := w.requests("/types"); n != 2 {
		t.Errorf("asked for the types %d times, want once more for what is not known", n)
	}
	now = now.Add(kindsFor)
	resolve(t, r, "post:42")
	if n := w.requests("/types"); n != 3 {
		t.Errorf("asked for the types %d times, want once more when they are old", n)
	}
}

func TestResolve_ofASiteWithoutWordPress(t *testing.T) {
	r := mustNew(t, Config{Site: "https://www.example.com"})
	resolve(t, r, "post:42").check(t, resolvedTexts{})
	if r.Resolves() {
		t.Error("it says that it resolves items")
	}
}

func TestItemOf(t *testing.T) {
	for _, tt := range []struct {
		tags []string
		want string
	}{
		{nil, ""}, {[]string{"post:42", "list:wp/posts"}, ""}, {[]string{"post:41", "self:post:42"}, "post:42"}, {[]string{"self:post:42", "self:page:7"}, ""},
	} {
		if got := ItemOf(tt.tags); got != tt.want {
			t.Errorf("ItemOf(%v) is %q, want %q", tt.tags, got, tt.want)
		}
	}
}

func TestAround(t *testing.T) {
	got := Around(mustPath(t, "/a"), []string{"archive:category:4", "archive:user:1", "list:wp/posts", "post:42", "self:post:42"}, "post:42")
	if want := []string{"archive:category:4", "archive:user:1", "near:/a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Around(mustPath(t, "/a"), []string{"post:42", "self:post:41"}, "post:42"); len(got) > 0 {
		t.Errorf("got %v of another item's page, want none", got)
	}
}

func TestResolve_versionOfAPostOrAPage(t *testing.T) {
	const version = "2026-11-23T10:00:00"
	w := newFakeWordPress(t)
	w.change("posts", 42, obj{"modified_gmt": version})
	w.change("pages", 8, obj{"modified_gmt": version})
	w.change("posts", 43, obj{"modified_gmt": version, "status": "draft"})
	r := w.asOrigin(t)
	for item, want := range map[string]string{
		"post:42": version, "page:8": version, "post:8": version, // a page that its sender calls a post
		"post:41": "", "post:43": "", "category:4": "", "user:1": "",
	} {
		got, err := r.Resolve(t.Context(), item, false)
		if err != nil || got.Version != want {
			t.Errorf("%s: version %q, %v; want %q", item, got.Version, err, want)
		}
	}
}

func TestResolve_newerVersionOfTwo(t *testing.T) {
	const older, newer = "2026-11-23T10:00:00", "2026-11-23T11:00:00"
	for _, tt := range []struct{ a, b, want string }{
		{"", newer, newer}, {newer, "", newer}, {older, newer, newer}, {newer, older, newer}, {newer, "word", newer},
	} {
		if got := newerVersion(tt.a, tt.b); got != tt.want {
			t.Errorf("newerVersion(%q, %q) = %q, want %q", tt.a, tt.b, got, tt.want)
		}
	}
}

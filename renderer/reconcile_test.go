package renderer

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer/origin"
	"rebake/renderer/source"
	"rebake/renderer/upstream"
)

// watchedSite is a site over a WordPress that is a source and an origin, and a
// shop, which all answer with the texts of what they are asked for.
func watchedSite(t *testing.T, texts map[string]string) *Renderer {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := texts[r.URL.Path]
		if !ok {
			text, ok = texts[r.URL.Path+"?"+r.URL.RawQuery]
		}
		w.Header().Set("Content-Type", "application/json")
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		case text == "400" || text == "401":
			w.WriteHeader(int(text[0]-'0')*100 + int(text[2]-'0'))
		default:
			w.Header().Set("X-WP-Total", "120")
			_, _ = w.Write([]byte(text))
		}
	}))
	t.Cleanup(s.Close)
	sources := map[string]*source.Source{}
	for name, change := range map[string]func(*source.Config){
		"cms":   func(c *source.Config) { c.Kind, c.URL = "wordpress", s.URL+"/wp-json/wp/v2" },
		"shop":  func(c *source.Config) { c.Reconcile = upstream.Every(time.Hour) },
		"empty": func(*source.Config) {}, // nothing is listed
	} {
		c := source.DefaultConfig()
		c.URL = s.URL
		change(&c)
		var err error
		if sources[name], err = source.New(name, c); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(sources[name].Close)
	}
	oc := origin.DefaultConfig()
	oc.Kind, oc.URLs, oc.Reconcile = origin.WordPress, []string{s.URL}, upstream.Off
	wp, err := origin.New("wp", oc, "https://www.example.com", "auto")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(wp.Close)
	templates, err := LoadTemplates(fstest.MapFS{"page.html": {Data: []byte("<html></html>")}})
	if err != nil {
		t.Fatal(err)
	}
	one := func(source string) map[string]FetchConfig {
		return map[string]FetchConfig{"it": {Source: source, Get: "/{slug}", One: true}}
	}
	r, err := New(Config{Site: "https://www.example.com", Sources: sources, Origins: map[string]*origin.Origin{"wp": wp}, Templates: templates, Routes: []RouteConfig{
		{Path: "/blog/{slug}", Template: "page.html", Data: one("cms")},
		{Path: "/none/{slug}", Template: "page.html", Data: one("empty")},
		{Path: "/shop/{slug}", Template: "page.html", Data: one("shop"), Version: "{it.v}", List: &ListConfig{
			Source: "shop", Get: "/goods?all=1", Path: "/shop/{slug}", As: "it",
		}},
		{Path: "/wp/{rest...}", Origin: "wp"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Renderer) watchNamed(t *testing.T, name string) *Watch {
	t.Helper()
	for _, w := range r.Watches() {
		if w.Name() == name {
			return w
		}
	}
	t.Fatalf("no watch of %s", name)
	return nil
}

func TestWatches(t *testing.T) {
	got := map[string]time.Duration{}
	for _, w := range watchedSite(t, nil).Watches() {
		got[w.Name()] = w.Every()
	}
	want := map[string]time.Duration{"cms": 5 * time.Minute, "shop": time.Hour, "wp": 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const (
	someTypes = `{"attachment":{"rest_base":"media"},"post":{"rest_base":"posts","rest_namespace":"wp/v2"},"nav_menu_item":{"rest_base":"menu-items"},
		"wp_block":{"rest_base":"blocks"},"order":{"rest_base":"orders","rest_namespace":"shop/v1"},"odd":{"rest_base":"a/../b"},"none":{"rest_base":false}}`
	someTerms = `{"category":{"rest_base":"categories"},"nav_menu":{"rest_base":"menus"}}`
)

func TestCollections(t *testing.T) {
	for _, name := range []string{"cms", "wp"} {
		t.Run(name, func(t *testing.T) {
			r := watchedSite(t, map[string]string{"/wp-json/wp/v2/types": someTypes, "/wp-json/wp/v2/taxonomies": someTerms})
			all, err := r.watchNamed(t, name).Collections(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, c := range all {
				got[c.Name()] = c.Tag(7)
				if dated := c.Name() == "posts" || c.Name() == "media"; c.Dated() != dated {
					t.Errorf("%s is dated: %t", c.Name(), c.Dated())
				}
			}
			want := map[string]string{"media": "media:7", "posts": "post:7", "categories": "category:7", "users": "user:7"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCollections_ofNoWordPress(t *testing.T) {
	for name, text := range map[string]string{"an empty list": "[]", "no object": `"x"`} {
		t.Run(name, func(t *testing.T) {
			r := watchedSite(t, map[string]string{"/wp-json/wp/v2/types": text})
			if _, err := r.watchNamed(t, "cms").Collections(t.Context()); err == nil {
				t.Error("it is taken for one")
			}
		})
	}
}

func (r *Renderer) posts(t *testing.T, name string) Collection {
	t.Helper()
	all, err := r.watchNamed(t, name).Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name() == "posts" {
			return c
		}
	}
	t.Fatal("no posts")
	return Collection{}
}

func TestCollectionRead(t *testing.T) {
	const api = "/wp-json/wp/v2"
	for _, name := range []string{"cms", "wp"} {
		t.Run(name, func(t *testing.T) {
			const ask = api + "/posts?_fields=id,modified_gmt&per_page=100&orderby=id&order=asc&page="
			r := watchedSite(t, map[string]string{
				api + "/types": someTypes, api + "/taxonomies": someTerms,
				ask + "1": `[{"id":3,"modified_gmt":"2026-11-23T10:00:00"},{"id":0}]`, ask + "2": `[]`, ask + "3": "400", ask + "4": "401",
			})
			c := r.posts(t, name)
			for page, want := range map[int]Listing{
				1: {Items: []ListedItem{{3, "2026-11-23T10:00:00"}}, Total: 120},
				2: {Total: 120, End: true},
				3: {Total: -1, End: true},
			} {
				got, err := c.Read(t.Context(), ByID, page)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("page %d (-want +got):\n%s%v", page, diff, err)
				}
			}
			if _, err := c.Read(t.Context(), ByID, 4); !errors.Is(err, ErrNotShown) {
				t.Errorf("what needs a key is %v", err)
			}
		})
	}
}

func TestCollectionOnly(t *testing.T) {
	const api = "/wp-json/wp/v2"
	r := watchedSite(t, map[string]string{
		api + "/types": someTypes, api + "/taxonomies": someTerms,
		api + "/posts?_fields=id,modified_gmt&per_page=100&include=3%2C5": `[{"id":5,"modified_gmt":"a"}]`,
	})
	got, err := r.posts(t, "cms").Only(t.Context(), []int{3, 5})
	if diff := cmp.Diff([]ListedItem{{5, "a"}}, got); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
}

func TestWatchedList(t *testing.T) {
	r := watchedSite(t, map[string]string{"/goods": `[{"slug":"a","v":"7"},{"slug":"b","x":1},{"slug":"c","x":1},{"slug":"d","x":2}]`})
	lists := r.watchNamed(t, "shop").Lists()
	if len(lists) != 1 || lists[0].Tag() != "list:shop/goods" {
		t.Fatalf("lists: %v", lists)
	}
	got := map[string]ListedPage{}
	err := lists[0].EachPage(t.Context(), func(context.Context) error { return nil }, func(_ context.Context, pages []ListedPage) error {
		for _, p := range pages {
			got[p.Path.String()] = p
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := got["/shop/a"]; a.Version != "7" || !a.Own {
		t.Errorf("the version of its own is %q", a.Version)
	}
	versions := map[string]bool{}
	for _, path := range []string{"/shop/b", "/shop/c", "/shop/d"} {
		if p := got[path]; p.Version == "" || p.Own {
			t.Errorf("%s has the version %q", path, p.Version)
		}
		versions[got[path].Version] = true
	}
	if len(versions) != 3 {
		t.Errorf("different items have the same version: %v", got)
	}
}

func TestCollections_thatAreKeptFromStrangers(t *testing.T) {
	for _, name := range []string{"cms", "wp"} {
		t.Run(name, func(t *testing.T) {
			r := watchedSite(t, map[string]string{"/wp-json/wp/v2/types": "401"})
			all, err := r.watchNamed(t, name).Collections(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range all {
				got = append(got, c.Name())
			}
			if diff := cmp.Diff([]string{"media", "pages", "posts", "categories", "tags", "users"}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

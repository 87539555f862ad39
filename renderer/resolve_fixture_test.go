package renderer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/renderer/origin"
	"rebake/renderer/source"
	"rebake/storage"
)

// fakeWordPress is the REST API of a WordPress, as it answers nobody in
// particular. Safe for concurrent use.
type fakeWordPress struct {
	*httptest.Server
	mu     sync.Mutex
	items  map[string][]obj // by collection; guarded by mu
	status map[string]int   // in the place of a collection's answers; guarded by mu
	wall   int              // a firewall's status for everything, 0 for none; guarded by mu
	asked  []string         // guarded by mu
}

type obj = map[string]any

// newFakeWordPress has one post (42) in a category (4) within another (3) and
// with a tag, between two others, and a page with a child.
func newFakeWordPress(t *testing.T) *fakeWordPress {
	t.Helper()
	w := &fakeWordPress{items: map[string][]obj{}, status: map[string]int{}}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	w.add("categories", obj{"id": 3, "slug": "world", "link": "/category/world/", "taxonomy": "category", "parent": 0, "count": 9})
	w.add("categories", obj{"id": 4, "slug": "news", "link": "/category/world/news/", "taxonomy": "category", "parent": 3, "count": 2})
	w.add("categories", obj{"id": 5, "slug": "local", "link": "/category/world/news/local/", "taxonomy": "category", "parent": 4, "count": 0})
	w.add("tags", obj{"id": 9, "slug": "hot", "link": "/tag/hot/", "taxonomy": "post_tag", "count": 1})
	w.add("users", obj{"id": 1, "slug": "marta", "link": "/author/marta/"})
	for id, date := range map[int]string{41: "2026-11-22", 42: "2026-11-23", 43: "2026-11-24"} {
		post := obj{
			"id": id, "type": "post", "status": "publish", "slug": fmt.Sprintf("p%d", id), "date": date + "T10:00:00", "author": 1,
			"link": fmt.Sprintf("/2026/11/p%d/", id), "categories": []int{4}, "tags": []int{},
		}
		if id == 42 {
			post["tags"] = []int{9}
		}
		w.add("posts", post)
	}
	w.add("pages", obj{"id": 7, "type": "page", "status": "publish", "slug": "about", "date": "2026-01-01T00:00:00", "author": 2, "link": "/about/", "parent": 0})
	w.add("pages", obj{"id": 8, "type": "page", "status": "publish", "slug": "team", "date": "2026-01-01T00:00:00", "author": 2, "link": "/about/team/", "parent": 7})
	w.add("pages", obj{"id": 10, "type": "page", "status": "publish", "slug": "marta", "date": "2026-01-01T00:00:00", "author": 2, "link": "/about/team/marta/", "parent": 8})
	return w
}

func (w *fakeWordPress) add(base string, item obj) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if link, _ := item["link"].(string); strings.HasPrefix(link, "/") {
		item["link"] = w.URL + link
	}
	item["_links"] = obj{"self": []obj{{"href": fmt.Sprintf("%s/wp-json/wp/v2/%s/%d", w.URL, base, item["id"])}}}
	w.items[base] = append(w.items[base], item)
	slices.SortFunc(w.items[base], func(a, b obj) int { return cmp.Compare(a["id"].(int), b["id"].(int)) })
}

// change changes fields of an item.
func (w *fakeWordPress) change(base string, id int, fields obj) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, item := range w.items[base] {
		if item["id"] == id {
			for name, v := range fields {
				item[name] = v
			}
		}
	}
}

func (w *fakeWordPress) answers(base string, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status[base] = status
}

// behindWall has a firewall answer everything with a status, 0 for none.
func (w *fakeWordPress) behindWall(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wall = status
}

func (w *fakeWordPress) requests(prefix string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, uri := range w.asked {
		if strings.HasPrefix(uri, "/wp-json/wp/v2"+prefix) {
			n++
		}
	}
	return n
}

// ServeHTTP knows the parameters that are used here, and drops what is not
// public, as WordPress does.
func (w *fakeWordPress) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r.RequestURI)
	base := strings.TrimPrefix(r.URL.Path, "/wp-json/wp/v2/")
	if w.wall != 0 {
		rw.WriteHeader(w.wall)
		_, _ = rw.Write([]byte("<html><title>Attention required</title></html>"))
		return
	}
	rw.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if status := w.status[base]; status != 0 {
		rw.WriteHeader(status)
		_, _ = fmt.Fprintf(rw, `{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":%d}}`, status)
		return
	}
	switch base {
	case "types":
		_, _ = rw.Write([]byte(`{"post":{"hierarchical":false,"has_archive":false,"taxonomies":["category","post_tag"],"rest_base":"posts","rest_namespace":"wp/v2"},
			"page":{"hierarchical":true,"taxonomies":[],"rest_base":"pages","rest_namespace":"wp/v2"},"attachment":{"rest_base":"media"},
			"book":{"has_archive":"library","taxonomies":[],"rest_base":"books","rest_namespace":"wp/v2"},"wp_block":{"rest_base":"blocks"},"of_others":{"rest_base":"x","rest_namespace":"others/v1"}}`))
		return
	case "taxonomies":
		_, _ = rw.Write([]byte(`{"category":{"hierarchical":true,"types":["post"],"rest_base":"categories","rest_namespace":"wp/v2"},"post_tag":{"types":["post"],"rest_base":"tags"}}`))
		return
	}
	q := r.URL.Query()
	var found []obj
	for _, item := range w.items[base] {
		if matches(item, q) {
			found = append(found, item)
		}
	}
	if q.Get("order") == "desc" {
		slices.Reverse(found)
	}
	size, page := 10, 1
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
		size = n
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		page = n
	}
	if page > 1 && len(found) <= size*(page-1) {
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = rw.Write([]byte(`{"code":"rest_post_invalid_page_number"}`))
		return
	}
	found = found[min(len(found), size*(page-1)):]
	if found = found[:min(size, len(found))]; found == nil {
		found = []obj{}
	}
	_ = json.NewEncoder(rw).Encode(found)
}

func matches(item obj, q map[string][]string) bool {
	if status, has := item["status"]; has && status != "publish" {
		return false
	}
	for name, values := range q {
		value := values[0]
		switch name {
		case "include", "parent", "slug", "author":
			field := map[string]string{"include": "id"}[name]
			if !slices.Contains(strings.Split(value, ","), fmt.Sprint(item[cmp.Or(field, name)])) {
				return false
			}
		case "categories", "tags":
			ids, _ := item[name].([]int)
			id, _ := strconv.Atoi(value)
			if !slices.Contains(ids, id) {
				return false
			}
		case "before":
			if item["date"].(string) >= value {
				return false
			}
		case "after":
			if item["date"].(string) <= value {
				return false
			}
		}
	}
	return true
}

// asOrigin is a site whose pages this WordPress makes.
func (w *fakeWordPress) asOrigin(t *testing.T) *Renderer {
	t.Helper()
	c := origin.DefaultConfig()
	c.Kind, c.URLs = origin.WordPress, []string{w.URL}
	o, err := origin.New("wp", c, "https://www.example.com", "auto")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return mustNew(t, Config{
		Site: "https://www.example.com", Origins: map[string]*origin.Origin{"wp": o},
		Routes: []RouteConfig{{Path: "/", Origin: "wp"}, {Path: "/{rest...}", Origin: "wp"}},
	})
}

// asSource is a site of templates over this WordPress.
func (w *fakeWordPress) asSource(t *testing.T, routes ...RouteConfig) *Renderer {
	t.Helper()
	c := source.DefaultConfig()
	c.Kind, c.URL = "wordpress", w.URL+"/wp-json/wp/v2"
	s, err := source.New("cms", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return mustNew(t, Config{
		Site: "https://www.example.com", Sources: map[string]*source.Source{"cms": s}, Routes: routes,
		Templates: mustLoad(t, "post.html", "post"),
	})
}

func mustNew(t *testing.T, c Config) *Renderer {
	t.Helper()
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// texts are what was resolved, by which tests compare it.
type resolvedTexts struct{ Paths, Known, Tags []string }

func resolve(t *testing.T, r *Renderer, item string) resolvedTexts {
	t.Helper()
	got, err := r.Resolve(t.Context(), item, false)
	if err != nil {
		t.Fatal(err)
	}
	return inTexts(got)
}

func inTexts(r Resolved) resolvedTexts {
	list := func(paths []storage.Path) []string {
		var out []string
		for _, p := range paths {
			out = append(out, p.String())
		}
		return out
	}
	return resolvedTexts{list(r.Paths), list(r.Known), slices.DeleteFunc(slices.Clone(r.Tags), func(tag string) bool { return tag == manyItems })}
}

func (got resolvedTexts) check(t *testing.T, want resolvedTexts) {
	t.Helper()
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("resolved (-want +got):\n%s", diff)
	}
}

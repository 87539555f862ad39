package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
)

// call sends a request to a handler and returns the answer with its body.
func call(t *testing.T, h http.Handler, method, target, body string) (*http.Response, string) {
	t.Helper()
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	b, err := io.ReadAll(rec.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Result(), string(b)
}

// items decodes a list of the API.
func items(t *testing.T, h http.Handler, target string) []map[string]any {
	t.Helper()
	res, body := call(t, h, "GET", target, "")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %s", target, res.Status, body)
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func ids(list []map[string]any) string {
	var s []string
	for _, item := range list {
		s = append(s, fmt.Sprint(item["id"]))
	}
	return strings.Join(s, " ")
}

func TestCMS_Posts(t *testing.T) {
	t.Run("selects and orders", func(t *testing.T) {
		cms := NewCMS()
		cms.now = func() time.Time { return time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC) }
		title := "Salt goes in even later"
		if _, _, err := cms.Update(4, Edit{Title: &title}); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]string{
			"":                                       "8 7 6 5 4 3 2 1",
			"?order=asc":                             "1 2 3 4 5 6 7 8",
			"?orderby=id&order=asc&per_page=2":       "1 2",
			"?per_page=3&page=3":                     "2 1",
			"?slug=rye-that-keeps":                   "3",
			"?slug=rye-that-keeps,our-everyday-loaf": "8 3",
			"?slug=nobody":                           "",
			"?categories=3":                          "6 1",
			"?category_slug=bakehouse&_embed":        "6 1",
			"?category_slug=nobody":                  "",
			"?modified_after=2026-11-20T00:00:00":    "4",
			"?orderby=modified&per_page=2":           "4 8",
		} {
			if got := ids(items(t, cms, "/wp-json/wp/v2/posts"+query)); got != want {
				t.Errorf("%q: posts %q, want %q", query, got, want)
			}
		}
	})

	t.Run("has the fields of WordPress", func(t *testing.T) {
		cms := NewCMS()
		cms.Home = "https://www.example.com"
		post := items(t, cms, "/wp-json/wp/v2/posts?slug=butter-and-brioche&_embed")[0]
		content := post["content"].(map[string]any)
		if text := content["rendered"].(string); !strings.HasPrefix(text, "<p>There is no light brioche.") {
			t.Errorf("content %q", text)
		}
		delete(content, "rendered")
		delete(post, "excerpt")
		want := map[string]any{
			"id": 5.0, "slug": "butter-and-brioche", "status": "publish", "type": "post",
			"link": "https://www.example.com/blog/butter-and-brioche",
			"date": "2026-08-07T05:20:00", "date_gmt": "2026-08-07T05:20:00",
			"modified": "2026-08-07T05:20:00", "modified_gmt": "2026-08-07T05:20:00",
			"title":   map[string]any{"rendered": "Butter &amp; brioche"},
			"content": map[string]any{"protected": false},
			"author":  1.0, "featured_media": 0.0, "comment_status": "closed", "sticky": false,
			"template": "", "format": "standard", "categories": []any{1.0}, "tags": []any{},
			"_embedded": map[string]any{
				"author": []any{map[string]any{"id": 1.0, "name": "Marta Lind", "slug": "marta", "link": "https://www.example.com"}},
				"wp:term": []any{[]any{map[string]any{
					"id": 1.0, "slug": "breads", "name": "Breads", "taxonomy": "category",
					"link": "https://www.example.com/category/breads",
				}}, []any{}},
			},
		}
		if diff := cmp.Diff(want, post); diff != "" {
			t.Errorf("post (-want +got):\n%s", diff)
		}
	})

	t.Run("embeds only when asked", func(t *testing.T) {
		if post := items(t, NewCMS(), "/wp-json/wp/v2/posts?per_page=1")[0]; post["_embedded"] != nil {
			t.Errorf("embedded %v", post["_embedded"])
		}
	})
}

func TestCMS_Paging(t *testing.T) {
	res, _ := call(t, NewCMS(), "GET", "http://cms.test/wp-json/wp/v2/posts?per_page=3&page=2", "")
	got := []string{res.Header.Get("X-WP-Total"), res.Header.Get("X-WP-TotalPages"), res.Header.Get("Link")}
	want := []string{"8", "3", `<http://cms.test/wp-json/wp/v2/posts?page=1&per_page=3>; rel="prev", ` +
		`<http://cms.test/wp-json/wp/v2/posts?page=3&per_page=3>; rel="next"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestCMS_Refusals(t *testing.T) {
	for _, tc := range []struct{ method, target, body, want string }{
		{"GET", "/posts?per_page=101", "", "400 rest_invalid_param"},
		{"GET", "/posts?page=0", "", "400 rest_invalid_param"},
		{"GET", "/posts?orderby=rand", "", "400 rest_invalid_param"},
		{"GET", "/posts?modified_after=soon", "", "400 rest_invalid_param"},
		{"GET", "/posts?page=2", "", "400 rest_post_invalid_page_number"},
		{"GET", "/posts/99", "", "404 rest_post_invalid_id"},
		{"GET", "/posts/x", "", "404 rest_post_invalid_id"},
		{"GET", "/menus", "", "404 rest_no_route"},
		{"POST", "/posts/1", `{"title":" "}`, "400 rest_invalid_param"},
		{"POST", "/posts/1", `{"categories":[9]}`, "400 rest_invalid_param"},
		{"POST", "/posts/1", `{`, "400 rest_invalid_json"},
		{"POST", "/posts/99", `{"title":"x"}`, "404 rest_post_invalid_id"},
		{"POST", "/posts", `{"content":"no title"}`, "400 rest_invalid_param"},
		{"POST", "/posts/1", "", "415 rest_invalid_type"},
		{"DELETE", "/posts/99", "", "404 rest_post_invalid_id"},
	} {
		res, body := call(t, NewCMS(), tc.method, apiRoot+tc.target, tc.body)
		var got struct{ Code string }
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s %s: %v: %s", tc.method, tc.target, err, body)
		}
		if got := fmt.Sprint(res.StatusCode, " ", got.Code); got != tc.want {
			t.Errorf("%s %s %s: %s, want %s", tc.method, tc.target, tc.body, got, tc.want)
		}
	}
}

func TestCMS_Changed(t *testing.T) {
	t.Run("is called when readers see the change", func(t *testing.T) {
		cms := NewCMS()
		var seen string
		cms.Changed = func(c Change) {
			_, seen = call(t, cms, "GET", fmt.Sprintf("%s/posts/%d", apiRoot, c.PostID), "")
		}
		call(t, cms, "POST", apiRoot+"/posts/3", `{"title":{"raw":"Rye & time"}}`)
		if want := `"title":{"rendered":"Rye \u0026amp; time"}`; !strings.Contains(seen, want) {
			t.Errorf("read in Changed: %s\nwant %s", seen, want)
		}
	})

	for _, tc := range []struct {
		name, method, target, body string
		want                       Change
	}{
		{"an edit touches the page and its lists", "POST", "/posts/3", `{"content":"New."}`,
			Change{1, 3, []string{"/blog/rye-that-keeps", "/", "/feed.xml", "/category/breads"}}},
		{"a move touches old and new", "POST", "/posts/3", `{"slug":"Rye!","categories":[3]}`,
			Change{1, 3, []string{"/blog/rye-that-keeps", "/blog/rye", "/", "/feed.xml", "/category/breads", "/category/bakehouse"}}},
		{"a taken slug gets a number", "POST", "/posts", `{"title":"Our Everyday  Loaf","categories":[2,1,2]}`,
			Change{1, 9, []string{"/blog/our-everyday-loaf-2", "/", "/feed.xml", "/category/breads", "/category/flour-and-water"}}},
		{"a new post without a word in its title", "POST", "/posts", `{"title":"？"}`,
			Change{1, 9, []string{"/blog/post-9", "/", "/feed.xml", "/category/breads"}}},
		{"a deletion touches what showed it", "DELETE", "/posts/1", "",
			Change{1, 1, []string{"/blog/first-loaf-of-the-year", "/", "/feed.xml", "/category/bakehouse"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cms := NewCMS()
			var got Change
			cms.Changed = func(c Change) { got = c }
			call(t, cms, tc.method, apiRoot+tc.target, tc.body)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("is not called for a refused edit", func(t *testing.T) {
		cms := NewCMS()
		cms.Changed = func(c Change) { t.Errorf("called with %v", c) }
		call(t, cms, "POST", apiRoot+"/posts/3", `{"title":""}`)
	})
}

func TestCMS_ConcurrentEdits(t *testing.T) {
	cms := NewCMS()
	title := "The same title"
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, _, err := cms.Create(Edit{Title: &title}); err != nil {
				t.Error(err)
			}
			cms.Pages()
		})
	}
	wg.Wait()
	slugs := make(map[string]bool)
	for _, p := range cms.Posts() {
		slugs[p.Slug] = true
	}
	if len(slugs) != 28 {
		t.Errorf("%d different slugs of 28 posts", len(slugs))
	}
}

func TestCMS_Latency(t *testing.T) {
	cms := NewCMS()
	cms.Latency = 30 * time.Millisecond
	start := time.Now()
	call(t, cms, "GET", apiRoot+"/posts", "")
	if took := time.Since(start); took < cms.Latency {
		t.Errorf("answered after %v, want %v", took, cms.Latency)
	}
}

func TestSamples(t *testing.T) {
	t.Run("every page is a path", func(t *testing.T) {
		pages := NewCMS().Pages()
		if len(pages) != 13 {
			t.Errorf("%d pages, want 13: %v", len(pages), pages)
		}
		for _, page := range pages {
			if p, err := storage.ParsePath(page); err != nil || p.String() != page {
				t.Errorf("page %q: %v", page, err)
			}
		}
	})

	t.Run("every post is dated and survives the editor unchanged", func(t *testing.T) {
		for _, p := range NewCMS().Posts() {
			if p.Date.Year() != 2026 {
				t.Errorf("%s: date %v", p.Slug, p.Date)
			}
			if again := paragraphsHTML(paragraphsOf(p.Content)); again != p.Content {
				t.Errorf("%s: %s", p.Slug, cmp.Diff(p.Content, again))
			}
		}
	})
}

func TestSlugify(t *testing.T) {
	for title, want := range map[string]string{
		"Crème brûlée, twice": "creme-brulee-twice",
		"The baker's dozen":   "the-bakers-dozen",
		"../../etc/passwd":    "etc-passwd",
		"?":                   "",
	} {
		if got := slugify(title); got != want {
			t.Errorf("slugify(%q) = %q, want %q", title, got, want)
		}
	}
}

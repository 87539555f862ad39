package renderer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer/source"
	"rebake/storage"
)

func nothing(context.Context) error { return nil }

// listed is a renderer of a route /blog/{slug} with a list of /posts, behind
// some routes that come first.
func listed(t testing.TB, handler http.HandlerFunc, change ...func(*Config)) *Renderer {
	t.Helper()
	c := Config{
		Site: "https://www.example.com",
		Routes: []RouteConfig{
			{Path: "/blog/new", Template: "post.html"},
			{
				Path: "/blog/{slug}", Template: "post.html",
				Data: map[string]FetchConfig{"post": {Source: "cms", Get: "/posts?slug={slug}", One: true}},
				Tags: []string{"post:{post.id}"},
				List: &ListConfig{Source: "cms", Get: "/posts", Path: "/blog/{slug}", As: "post"},
			},
		},
		Sources: cms(t, handler), Templates: mustLoad(t, "post.html", "{{with .post}}{{.id}}{{end}}"),
	}
	for _, f := range change {
		f(&c)
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// paths reads the first list of r.
func paths(t testing.TB, r *Renderer) ([][]string, error) {
	t.Helper()
	var got [][]string
	err := r.Lists()[0].Each(t.Context(), nothing, func(_ context.Context, matches []Match) error {
		var batch []string
		for _, m := range matches {
			if !m.Listed() || m.Route() != r.Lists()[0].Route() {
				t.Errorf("%s: listed %v, by the route %s", m.Path, m.Listed(), m.Route())
			}
			batch = append(batch, m.Path.String())
		}
		got = append(got, batch)
		return nil
	})
	return got, err
}

// wordpress answers as WordPress does whose 25 posts are of one second: each
// query puts them into another order, so that items repeat from page to page.
func wordpress(w http.ResponseWriter, r *http.Request) {
	const total, size = 25, 10
	page, _ := strconv.Atoi(r.FormValue("page"))
	if from := (page - 1) * size; from < total {
		w.Header().Set("X-WP-Total", "25")
		w.Header().Set("X-WP-TotalPages", "3")
		var list []any
		for i := max(0, from-2*(page-1)); i < min(from+size, total); i++ {
			list = append(list, map[string]any{"id": i, "slug": fmt.Sprintf("p%d", i)})
		}
		_ = json.NewEncoder(w).Encode(list)
		return
	}
	w.WriteHeader(http.StatusBadRequest)
}

func TestList_namesEachPageOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(wordpress))
	t.Cleanup(server.Close)
	sc := source.DefaultConfig()
	sc.Kind, sc.URL = "wordpress", server.URL
	s, err := source.New("cms", sc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	r := listed(t, nil, func(c *Config) { c.Sources = map[string]*source.Source{"cms": s} })
	batches, err := paths(t, r)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, batch := range batches {
		for _, p := range batch {
			seen[p]++
		}
	}
	if len(batches) != 3 || len(seen) != 25 {
		t.Errorf("%d batches, %d pages", len(batches), len(seen))
	}
	for p, n := range seen {
		if n != 1 {
			t.Errorf("%s was named %d times", p, n)
		}
	}
}

func TestList_renderUsesTheListedItem(t *testing.T) {
	var asked atomic.Int32
	r := listed(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, `[{"id": 7, "slug": "a"}]`)
	})
	var page storage.Page
	err := r.Lists()[0].Each(t.Context(), nothing, func(ctx context.Context, matches []Match) (err error) {
		page, err = r.Render(ctx, matches[0], false)
		return err
	})
	if err != nil || string(page.Body) != "7" || page.Tags[0] != "post:7" || asked.Load() != 1 {
		t.Errorf("page %q %q after %d requests, %v", page.Body, page.Tags, asked.Load(), err)
	}
	if m, _ := r.Match(page.Path); m.Listed() {
		t.Error("a match of the path is listed too")
	}
}

func TestList_withoutAsRendersFetch(t *testing.T) {
	r := listed(t, answers(`[{"id": 7, "slug": "a"}]`), func(c *Config) { c.Routes[1].List.As = "" })
	err := r.Lists()[0].Each(t.Context(), nothing, func(ctx context.Context, matches []Match) error {
		m := matches[0]
		if !m.Listed() || m.item != nil {
			t.Errorf("listed %v, with the item %v", m.Listed(), m.item)
		}
		_, err := r.Render(ctx, m, false)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestList_itemsOfManyForms(t *testing.T) {
	for name, tc := range map[string]struct {
		answer, path string
		want         [][]string
		skipped      int
		problem      string
	}{
		"escaped slugs":         {`[{"slug": "caf%c3%a9"}, {"slug": "%E6%97%A5"}]`, "", [][]string{{"/blog/café", "/blog/日"}}, 0, ""},
		"null":                  {`[{"slug": null}, {"slug": "a"}]`, "", [][]string{{"/blog/a"}}, 0, ""},
		"all null":              {`[{"slug": null}]`, "", nil, 0, ""},
		"empty":                 {`[]`, "", nil, 0, ""},
		"on a condition":        {`[{"slug": "a", "type": "page"}, {"slug": "b", "type": "post"}]`, `/blog/{type == "post" ? slug : nil}`, [][]string{{"/blog/b"}}, 0, ""},
		"by its names":          {`[{"a b": "x", "slug": "y"}]`, `/blog/{item["a b"]}{post.slug}{slug}`, [][]string{{"/blog/xyy"}}, 0, ""},
		"with a slash":          {`[{"slug": "a"}]`, "/blog/{slug}/", [][]string{{"/blog/a"}}, 0, ""},
		"twice":                 {`[{"slug": "a"}, {"slug": "a"}]`, "", [][]string{{"/blog/a"}}, 0, ""},
		"no path":               {`[{"slug": "a?b"}, {"slug": "b"}]`, "", [][]string{{"/blog/b"}}, 1, `item 1: path "/blog/a?b": holds a character`},
		"climbing":              {`[{"slug": "%2e%2e/x"}]`, "", nil, 1, "dot_segment"},
		"reserved":              {`[{"slug": "private"}]`, "", nil, 1, "reserved_route"},
		"of the route before":   {`[{"slug": "b"}, {"slug": "new"}]`, "", [][]string{{"/blog/b"}}, 1, `item 2: the path "/blog/new" belongs to the route /blog/new, which comes first`},
		"of no route":           {`[{"slug": "b/c"}, {"slug": "b"}]`, "", [][]string{{"/blog/b"}}, 1, `item 1: no route has the path "/blog/b/c"`},
		"an expression's error": {`[{"slug": "b"}]`, "/blog/{slug.x.y}", nil, 1, "item 1: path: {slug.x.y}: "},
		"a map":                 {`[{"slug": {}}]`, "", nil, 1, "gives a map"},
		"no object":             {`["b", null, {"slug": "c"}]`, "", [][]string{{"/blog/c"}}, 2, "item 1: it is no object; item 2: it is no object"},
		"a misspelt name":       {`[{"slug": "b"}, {"slug": "c"}]`, "/blog/{slgu}", nil, 2, "no item has slgu, which their path /blog/{slgu} needs"},
		"an optional name":      {`[{"x": "b"}, {"slug": "c"}]`, "", [][]string{{"/blog/c"}}, 0, ""},
		"many problems":         {`[{"slug": "?"}, {"slug": "?1"}, {"slug": "?2"}, {"slug": "?3"}, {"slug": "?4"}, {"slug": "?5"}]`, "", nil, 6, "6 items are no pages: "},
	} {
		t.Run(name, func(t *testing.T) {
			r := listed(t, answers(tc.answer), func(c *Config) {
				c.Rules = storage.PathRules{Reserved: []string{"/blog/private"}}
				if tc.path != "" {
					c.Routes[1].List.Path = tc.path
				}
			})
			got, err := paths(t, r)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
			var problems *ListError
			switch {
			case tc.skipped == 0 && err != nil:
				t.Error(err)
			case tc.skipped == 0:
			case !errors.As(err, &problems) || problems.Skipped != tc.skipped || len(problems.Problems) > 5 ||
				!strings.HasPrefix(err.Error(), "list /blog/{slug}: ") || !strings.Contains(err.Error(), tc.problem):
				t.Errorf("error %v, want %d skipped, %q", err, tc.skipped, tc.problem)
			}
		})
	}
}

func TestList_ofStrings(t *testing.T) {
	r := listed(t, answers(`["a", "b"]`), func(c *Config) {
		c.Routes[1].List = &ListConfig{Source: "cms", Get: "/slugs", Path: "/blog/{item}"}
	})
	got, err := paths(t, r)
	if diff := cmp.Diff([][]string{{"/blog/a", "/blog/b"}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestList_belowWellKnown(t *testing.T) {
	r := listed(t, answers(`["a"]`), func(c *Config) {
		c.Routes = append(c.Routes, RouteConfig{
			Path: "/.well-known/x/{name}", Template: "post.html",
			List: &ListConfig{Source: "cms", Get: "/x", Path: "/.well-known/x/{item}"},
		})[2:]
	})
	got, err := paths(t, r)
	if diff := cmp.Diff([][]string{{"/.well-known/x/a"}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestList_graphQL(t *testing.T) {
	r := listed(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Variables map[string]any }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if diff := cmp.Diff(map[string]any{"first": 2.0, "in": []any{"x"}}, body.Variables); diff != "" {
			t.Errorf("variables (-want +got):\n%s", diff)
		}
		_, _ = io.WriteString(w, `{"data": {"posts": [{"slug": "a", "id": 1}]}}`)
	}, func(c *Config) {
		c.Routes[1].List = &ListConfig{
			Source: "cms", Query: "query { posts { slug } }", Variables: map[string]any{"first": "{1 + 1}", "in": []any{"x"}},
			Items: "posts", Path: "/blog/{slug}", As: "post",
		}
	})
	got, err := paths(t, r)
	if diff := cmp.Diff([][]string{{"/blog/a"}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestList_failedFetchIsNoListError(t *testing.T) {
	for _, status := range []int{404, 503} {
		_, err := paths(t, listed(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		var problems *ListError
		if err == nil || errors.As(err, &problems) || errors.Is(err, storage.ErrGone) {
			t.Errorf("status %d: error %v", status, err)
		}
	}
}

func TestList_errorOfTheCallerEndsIt(t *testing.T) {
	mine := errors.New("mine")
	r := listed(t, answers(`[{"slug": "a"}]`))
	err := r.Lists()[0].Each(t.Context(), nothing, func(context.Context, []Match) error { return mine })
	if err != mine {
		t.Errorf("error %v", err)
	}
}

func TestLists_inTheOrderOfTheRoutes(t *testing.T) {
	r := listed(t, answers(`[]`), func(c *Config) {
		c.Routes = append([]RouteConfig{{Path: "/a/{b}", Template: "post.html", List: &ListConfig{Source: "cms", Get: "/x", Path: "/a/{b}"}}}, c.Routes...)
	})
	var routes []string
	for _, l := range r.Lists() {
		routes = append(routes, l.Route())
	}
	if diff := cmp.Diff([]string{"/a/{b}", "/blog/{slug}"}, routes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNew_reportsTheProblemsOfALists(t *testing.T) {
	data := map[string]FetchConfig{"post": {Source: "cms", Get: "/x"}}
	route := func(path string, l ListConfig) RouteConfig {
		return RouteConfig{Path: path, Template: "a.html", Data: data, List: &l}
	}
	_, err := New(Config{
		Sources: cms(t, answers("[]")), Templates: mustLoad(t, "a.html", "x"),
		Routes: []RouteConfig{
			route("/{slug}", ListConfig{}),
			route("/{slug}", ListConfig{
				Source: "cms", Get: "/x?page=1", Path: "{", As: "pots", Pagination: source.Pagination{Type: "page", Cursor: "x", Start: &[]int{-1}[0]},
			}),
			route("/{slug}", ListConfig{Source: "cms", Get: "/{slug}", Path: "/{a.}", As: "post", Items: "a.", Variables: map[string]any{"a": 1}}),
			route("/", ListConfig{Source: "cms", Get: "/x?page=1", Path: "/", Pagination: source.Pagination{Type: "page"}}),
			route("/{slug}", ListConfig{Source: "cms", Query: "{x}", Path: "/{a}", Variables: map[string]any{"a": map[string]any{"b": []any{"{slug}"}}}}),
			route("/{slug}", ListConfig{Source: "cms", Get: "/x{nil}", Path: "/{a}"}),
			route("{", ListConfig{Source: "cms", Get: "/{x}", Path: "/{slug}"}),
		},
	})
	want := []string{
		`routes[0].list.path: is missing`,
		`routes[0].list.source: unknown source "" (known: cms)`,
		`routes[0].list.get: is missing`,
		`routes[1].list.as: unknown data entry "pots" (known: post)`,
		`routes[1].list.path: { without its }; write {{ for the character itself`,
		`routes[1].list.pagination.cursor: has no meaning for type page`,
		`routes[1].list.pagination.start: must be at least 0`,
		`routes[2].list.as: post must have one: true, since a listed item stands for it`,
		`routes[2].list.path: {a.}: unexpected end of expression`,
		`routes[2].list.get: {slug}: unknown name slug`,
		`routes[2].list.variables: are those of a query; there is none`,
		`routes[2].list.items: unexpected end of expression`,
		`routes[3].list: / is a single page; only a path with parameters has a list`,
		`routes[3].list.get: holds page, which the pagination sets`,
		`routes[4].list.variables.a: {slug}: unknown name slug`,
		`routes[5].list.get: an expression of /x{nil} gives null`,
		`routes[6].path: pattern "{": must start with /`,
		`routes[6].list.get: {x}: unknown name x`,
	}
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

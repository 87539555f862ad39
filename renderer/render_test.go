package renderer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rebake/renderer/source"
	"rebake/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// brokenFS is a folder that is not there.
type brokenFS struct{}

func (brokenFS) Open(string) (fs.File, error) { return nil, fs.ErrNotExist }

// cms is a source behind a handler.
func cms(t testing.TB, handler http.HandlerFunc) map[string]*source.Source {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := source.DefaultConfig()
	c.URL = server.URL + "/api"
	s, err := source.New("cms", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return map[string]*source.Source{"cms": s}
}

func answers(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// one is a renderer of a single route for /blog/{slug}.
func one(t testing.TB, handler http.HandlerFunc, template string, change ...func(*RouteConfig)) *Renderer {
	t.Helper()
	rc := RouteConfig{
		Path: "/blog/{slug}", Template: "post.html",
		Data: map[string]FetchConfig{"post": {Source: "cms", Get: "/posts?slug={slug}", One: true}},
	}
	for _, f := range change {
		f(&rc)
	}
	r, err := New(Config{
		Site: "https://www.example.com/", Routes: []RouteConfig{rc}, Sources: cms(t, handler),
		Templates: mustLoad(t, "post.html", template),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func render(t testing.TB, r *Renderer, path string) (storage.Page, error) {
	t.Helper()
	m, ok := r.Match(mustPath(t, path))
	if !ok {
		t.Fatalf("no route matches %s", path)
	}
	return r.Render(t.Context(), m, false)
}

func TestRender_wholePage(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"layouts/base.html": `<html>{{block "main" .}}{{end}}</html>`,
		"post.html": `{{template "layouts/base.html" .}}{{define "main"}}{{.post.title.rendered}} {{.post.n}} {{len .menu}} ` +
			`{{.path}} {{.params.slug}} {{.site}}{{.path}}{{end}}`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	templates, err := LoadTemplates(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	var asked sync.Map
	sources := cms(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.RequestURI, true)
		if r.URL.Path == "/api/menu" {
			_, _ = io.WriteString(w, `[1, 2]`)
			return
		}
		_, _ = io.WriteString(w, `[{"id": 12345678, "n": 3, "title": {"rendered": "A & B"}, "modified_gmt": "2026-05-01T09:08:07", "none": null}]`)
	})
	r, err := New(Config{
		Site: "https://www.example.com/",
		Routes: []RouteConfig{{
			Path: "/blog/{slug}", Template: "post.html",
			Data: map[string]FetchConfig{
				"post": {Source: "cms", Get: "/posts?slug={slug}&_embed", One: true},
				"menu": {Source: "cms", Get: "/menu"},
			},
			Tags:    []string{"post:{post.id}", "posts", "posts", "none:{post.none}", "{''}", "at:{path}:{params.slug}:{slug}:{site}", "menu:{len(menu)}"},
			Version: "{post.modified_gmt}",
		}},
		Sources: sources, Templates: templates,
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := render(t, r, "/blog/café")
	if err != nil {
		t.Fatal(err)
	}
	want := storage.Page{
		Path: mustPath(t, "/blog/café"), Type: "text/html; charset=utf-8",
		Body: []byte("<html>A &amp; B 3 2 /blog/café café https://www.example.com/blog/café</html>"),
		Tags: []string{
			"at:/blog/café:café:café:https://www.example.com", "list:cms", "list:cms/menu", "menu:2", "post:12345678", "posts",
			"source:cms", "template:layouts/base.html", "template:post.html",
		},
		Version: "2026-05-01T09:08:07", Route: "/blog/{slug}",
		Versions: map[string]string{
			"at:/blog/café:café:café:https://www.example.com": "2026-05-01T09:08:07", "menu:2": "2026-05-01T09:08:07",
			"post:12345678": "2026-05-01T09:08:07", "posts": "2026-05-01T09:08:07",
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b storage.Path) bool { return a == b })); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	if _, ok := asked.Load("/api/posts?slug=caf%C3%A9&_embed"); !ok {
		t.Error("the source was not asked for the slug")
	}
}

func TestRender_one(t *testing.T) {
	for _, tc := range []struct{ answer, want string }{
		{`{"id": 1}`, ""},
		{`[{"id": 1}]`, ""},
		{`{}`, ""},
		{`[]`, "gone"},
		{`null`, "gone"},
		{`[{"id": 1}, {"id": 2}]`, "ambiguous"},
		{`[null]`, "permanent"},
		{`[1]`, "permanent"},
		{`"x"`, "permanent"},
		{`1`, "permanent"},
		{`{`, "temporary"},
	} {
		_, err := render(t, one(t, answers(tc.answer), "x"), "/blog/a")
		if got := kind(err); got != tc.want {
			t.Errorf("%s: %q (%v), want %q", tc.answer, got, err, tc.want)
		}
	}
}

// kind names what the worker will see in err.
func kind(err error) string {
	var temporary *storage.TemporaryError
	var refused *storage.RefusedError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, storage.ErrGone):
		return "gone"
	case errors.As(err, &temporary):
		return "temporary"
	case errors.As(err, &refused):
		return refused.Gate
	}
	return "permanent"
}

func TestRender_status(t *testing.T) {
	for _, tc := range []struct {
		status int
		one    bool
		want   string
	}{
		{404, true, "gone"}, {410, true, "gone"}, {404, false, "permanent"}, {410, false, "permanent"},
		{401, true, "temporary"}, {403, true, "temporary"}, {503, true, "temporary"}, {503, false, "temporary"},
		{400, true, "permanent"}, {302, true, "permanent"},
	} {
		r := one(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tc.status) }, "x", func(rc *RouteConfig) {
			rc.Data = map[string]FetchConfig{"post": {Source: "cms", Get: "/posts?slug={slug}", One: tc.one}}
		})
		_, err := render(t, r, "/blog/a")
		if got := kind(err); got != tc.want {
			t.Errorf("status %d, one %v: %q (%v), want %q", tc.status, tc.one, got, err, tc.want)
		}
		if want := fmt.Sprintf("data post: cms GET /posts?slug=…: status %d", tc.status); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q first", err, want)
		}
	}
}

func TestRender_keepsRetryAfter(t *testing.T) {
	r := one(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "9")
		w.WriteHeader(429)
	}, "x")
	_, err := render(t, r, "/blog/a")
	var temporary *storage.TemporaryError
	if !errors.As(err, &temporary) || temporary.After != 9*time.Second {
		t.Errorf("error %v, want one that says 9s", err)
	}
}

func TestRender_firstFailureEndsTheOtherFetches(t *testing.T) {
	r := one(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/slow" {
			<-r.Context().Done() // for ever, if nobody cancels
			return
		}
		_, _ = io.WriteString(w, "[]")
	}, "x", func(rc *RouteConfig) { rc.Data["slow"] = FetchConfig{Source: "cms", Get: "/slow"} })
	if _, err := render(t, r, "/blog/a"); !errors.Is(err, storage.ErrGone) {
		t.Errorf("error %v, want gone", err)
	}
}

func TestRender_fetchesInParallel(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	r := one(t, func(w http.ResponseWriter, _ *http.Request) {
		both.Done()
		both.Wait() // for ever, if the second comes after the first
		_, _ = io.WriteString(w, "{}")
	}, "x", func(rc *RouteConfig) { rc.Data["menu"] = FetchConfig{Source: "cms", Get: "/menu"} })
	if _, err := render(t, r, "/blog/a"); err != nil {
		t.Error(err)
	}
}

func TestRender_errors(t *testing.T) {
	const post = `{"id": 1, "long": "` + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" +
		`", "map": {"a": 1}}`
	for name, tc := range map[string]struct {
		path, template string
		change         func(*RouteConfig)
		kind, want     string
	}{
		"missing key":   {"/blog/a", "\n{{.post.nope}}", nil, "permanent", "post.html:2:"},
		"map as tag":    {"/blog/a", "", func(rc *RouteConfig) { rc.Tags = []string{"ok", "{post.map}"} }, "permanent", "tags[1]: {post.map}: gives a map"},
		"long tag":      {"/blog/a", "", func(rc *RouteConfig) { rc.Tags = []string{"{post.long + post.long + post.long}"} }, "permanent", "gives 300 bytes"},
		"bad version":   {"/blog/a", "", func(rc *RouteConfig) { rc.Version = "{post.map}" }, "permanent", "version: {post.map}: gives a map"},
		"too large":     {"/blog/a", "123456", func(rc *RouteConfig) { rc.Gates.MaxBytes = 5 }, "too_large", "gates.max_bytes"},
		"null in get":   {"/blog/a", "", func(rc *RouteConfig) { rc.Data["post"] = FetchConfig{Source: "cms", Get: "/{nil}"} }, "permanent", "data post: get: an expression of /{nil} gives null"},
		"error in get":  {"/blog/a", "", func(rc *RouteConfig) { rc.Data["post"] = FetchConfig{Source: "cms", Get: "/{slug.x}"} }, "permanent", "data post: get: {slug.x}: "},
		"not HTML here": {"/blog/vue.js", "x", nil, "permanent", "/blog/vue.js is served as text/javascript"},
	} {
		var changes []func(*RouteConfig)
		if tc.change != nil {
			changes = append(changes, tc.change)
		}
		page, err := render(t, one(t, answers(post), tc.template, changes...), tc.path)
		if kind(err) != tc.kind || !strings.Contains(err.Error(), tc.want) || page.Body != nil {
			t.Errorf("%s: %s error %v with %d bytes, want %s, %q", name, kind(err), err, len(page.Body), tc.kind, tc.want)
		}
	}
}

func TestRender_isSafeForConcurrentUse(t *testing.T) {
	r := one(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `[{"slug": %q}]`, r.FormValue("slug"))
	}, `{{template "x" .post.slug}}{{define "x"}}<a href="/{{.}}">{{.}}</a>{{end}}`, func(rc *RouteConfig) {
		rc.Tags = []string{"{post.slug}"}
	})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			slug := fmt.Sprint("p", i)
			page, err := render(t, r, "/blog/"+slug)
			if want := `<a href="/` + slug + `">` + slug + `</a>`; err != nil || string(page.Body) != want || page.Tags[0] != slug {
				t.Errorf("%s: %q, %q, %v", slug, page.Body, page.Tags, err)
			}
		})
	}
	wg.Wait()
}

func TestRender_nullVersionIsNone(t *testing.T) {
	r := one(t, answers(`{"id": 1}`), "x", func(rc *RouteConfig) { rc.Version = "{post.modified}" })
	if page, err := render(t, r, "/blog/a"); err != nil || page.Version != "" {
		t.Errorf("version %q, %v", page.Version, err)
	}
}

func TestRender_zeroMatch(t *testing.T) {
	if _, err := (&Renderer{}).Render(t.Context(), Match{}, false); err == nil || (Match{}).Route() != "" {
		t.Errorf("error %v, route %q", err, (Match{}).Route())
	}
}

func TestRender_mediaTypes(t *testing.T) {
	templates := mustLoad(t, "a.html", "x", "a.xml", "<x/>", "a.json", "{}", "a.txt", "x", "a.svg", "<svg/>")
	for path, tc := range map[string]struct{ template, want string }{
		"/a":                        {"a.html", "text/html; charset=utf-8"},
		"/a.html":                   {"a.html", "text/html; charset=utf-8"},
		"/v1.2":                     {"a.html", "text/html; charset=utf-8"},
		"/feed.xml":                 {"a.xml", "application/xml; charset=utf-8"},
		"/feed.rss":                 {"a.xml", "application/rss+xml; charset=utf-8"},
		"/a.json":                   {"a.json", "application/json; charset=utf-8"},
		"/robots.txt":               {"a.txt", "text/plain; charset=utf-8"},
		"/a.svg":                    {"a.svg", "image/svg+xml; charset=utf-8"},
		"/.well-known/acme/x/a.txt": {"a.txt", "text/plain; charset=utf-8"},
	} {
		r, err := New(Config{Routes: []RouteConfig{{Path: path, Template: tc.template}}, Templates: templates})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if page, err := render(t, r, path); err != nil || page.Type != tc.want {
			t.Errorf("%s: type %q, %v; want %q", path, page.Type, err, tc.want)
		}
	}
}

func TestMatch_firstRouteWins(t *testing.T) {
	templates := mustLoad(t, "a.html", "x")
	no := false
	r, err := New(Config{Templates: templates, Routes: []RouteConfig{
		{Path: "/blog/new/", Template: "a.html", Gates: GatesConfig{MaxBytes: 7, Complete: &no}},
		{Path: "/blog/{slug}", Template: "a.html"},
		{Path: "/{rest...}", Template: "a.html"},
		{Path: "/.well-known/acme/{x}", Template: "a.html"},
		{Path: "/.well-known/acme/{x}/y", Template: "a.html"},
		{Path: "/.well-known/security", Template: "a.html"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/blog/new": "/blog/new", "/blog/x": "/blog/{slug}", "/a/b/c": "/{rest...}",
	} {
		m, ok := r.Match(mustPath(t, path))
		if !ok || m.Route() != want || m.Path.String() != path {
			t.Errorf("%s: %q, %v; want %q", path, m.Route(), ok, want)
		}
	}
	if _, ok := r.Match(mustPath(t, "/")); ok {
		t.Error("/ has a route")
	}
	m, _ := r.Match(mustPath(t, "/blog/new"))
	if diff := cmp.Diff(Gates{MaxBytes: 7}, m.Gates); diff != "" {
		t.Errorf("gates (-want +got):\n%s", diff)
	}
	m, _ = r.Match(mustPath(t, "/blog/x"))
	if diff := cmp.Diff(Gates{MaxBytes: 10 << 20, Complete: true}, m.Gates); diff != "" {
		t.Errorf("default gates (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"slug": "x"}, m.Params); diff != "" {
		t.Errorf("params (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/.well-known/acme", "/.well-known/security"}, r.WellKnown()); diff != "" {
		t.Errorf("well-known prefixes (-want +got):\n%s", diff)
	}
}

func TestNew_reportsEveryProblemByItsKey(t *testing.T) {
	sources := cms(t, answers("[]"))
	_, err := New(Config{
		Sources:   sources,
		Templates: mustLoad(t, "post.html", "x", "about.csv", "x", "layouts/base.html", "x"),
		Routes: []RouteConfig{
			{Path: "blog", Data: map[string]FetchConfig{"post": {Source: "cms", Get: "/{slug}"}}, Tags: []string{"{slug}"}},
			{
				Path: "/{slug}", Template: "psot.html",
				Data: map[string]FetchConfig{
					"post": {Source: "cmss", Get: "/posts?slug={sulg}"},
					"slug": {Source: "cms", Get: "/x"},
					"site": {Source: "cms", Get: "x"},
					"a-b":  {Source: "cms"},
				},
				Tags: []string{"ok", "{nope}", "{"}, Version: "{post.}", Gates: GatesConfig{MaxBytes: -1},
			},
			{Path: "/about", Template: "about.csv"},
			{Path: "/x", Template: "layouts/base.html"},
			{Path: "/x.css", Template: "post.html"},
		},
	})
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`routes[0].path: pattern "blog": must start with /`,
		`routes[0].template: is missing; a route has a template, an origin or pass`,
		`routes[1].template: unknown template "psot.html" (known: about.csv, post.html)`,
		`routes[1].gates.max_bytes: must be at least 1`,
		`routes[1].data.a-b: "a-b" is no name: use letters, digits and _, and no digit first`,
		`routes[1].data.a-b.get: is missing`,
		`routes[1].data.post.source: unknown source "cmss" (known: cms)`,
		`routes[1].data.post.get: {sulg}: unknown name sulg (known: slug)`,
		`routes[1].data.site: "site" has a meaning of its own in expressions and templates; take another name`,
		`routes[1].data.site.get: must start with / or ?; it is appended to the source's url`,
		`routes[1].data.slug: the path has a parameter {slug}; take another name`,
		`routes[1].tags[1]: {nope}: unknown name nope (known: params, path, post, site, slug)`,
		`routes[1].tags[2]: { without its }; write {{ for the character itself`,
		`routes[1].version: {post.}: unexpected end of expression`,
		`routes[2].template: about.csv is text/csv, which only a path with an extension can be; /about has none`,
		`routes[3].template: layouts/base.html is shared; a page's own template must be outside of layouts/ and partials/`,
		`routes[4].template: post.html is escaped as HTML, but /x.css is served as text/css; their extensions must say the same`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestNew_withoutTemplatesOrSources(t *testing.T) {
	_, err := New(Config{Routes: []RouteConfig{{Path: "/", Template: "a.html", Data: map[string]FetchConfig{"x": {Source: "cms", Get: "/"}}}}})
	want := "routes[0].template: unknown template \"a.html\" (there are none)\nroutes[0].data.x.source: unknown source \"cms\" (there are none)"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

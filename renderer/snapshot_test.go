package renderer

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer/origin"
)

func originFor(t *testing.T, k origin.Kind, handler http.HandlerFunc) map[string]*origin.Origin {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := origin.DefaultConfig()
	c.Kind, c.URLs = k, []string{server.URL}
	o, err := origin.New("app", c, "https://www.example.com", "auto")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return map[string]*origin.Origin{"app": o}
}

func TestRender_snapshot(t *testing.T) {
	r, err := New(Config{
		Site: "https://www.example.com",
		Origins: originFor(t, origin.Plain, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Surrogate-Key", "nav")
			w.Header().Set("Rebake-Items", "@2026-11-23T10:00:05Z, nav@7")
			_, _ = w.Write([]byte("<html></html>"))
		}),
		Routes: []RouteConfig{{Path: "/shop/{item}", Origin: "app", Tags: []string{"item:{item}"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, ok := r.Match(mustPath(t, "/shop/hat"))
	if !ok {
		t.Fatal("no match")
	}
	page, err := r.Render(t.Context(), m, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"item:hat", "nav", "origin:app"}, page.Tags); diff != "" {
		t.Error(diff)
	}
	if page.Route != "/shop/{item}" || string(page.Body) != "<html></html>" || page.Type != "text/html; charset=utf-8" {
		t.Errorf("page %+v", page)
	}
	if page.Versions["nav"] != "7" || page.Made != "2026-11-23T10:00:05Z" {
		t.Errorf("versions %v, made %q", page.Versions, page.Made)
	}
}

func TestMatch_pathsThatAreNoPages(t *testing.T) {
	r, err := New(Config{
		Site:    "https://www.example.com",
		Origins: originFor(t, origin.WordPress, nil),
		Routes: []RouteConfig{
			{Path: "/account/{rest...}", Pass: "app"},
			{Path: "/{rest...}", Origin: "app"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"/blog": true, "/wp-adminer": true, "/accounts": true,
		"/account/me": false, "/wp-admin": false, "/wp-admin/x": false, "/wp-login.php": false, "/wp-json/wp/v2/posts": false,
	} {
		if _, ok := r.Match(mustPath(t, path)); ok != want {
			t.Errorf("%s: a page %v, want %v", path, ok, want)
		}
		if to := r.PassedTo(mustPath(t, path)); (to == "") != want || !want && to != "app" {
			t.Errorf("%s: passed to %q", path, to)
		}
	}
}

func TestRoute_missesOfAnOriginAreOffForAllPaths(t *testing.T) {
	r, err := New(Config{
		Site:    "https://www.example.com",
		Origins: originFor(t, origin.Plain, nil),
		Routes: []RouteConfig{
			{Path: "/blog/{slug}", Origin: "app"},
			{Path: "/shop/{rest...}", Origin: "app", Misses: MissesAny},
			{Path: "/{rest...}", Origin: "app"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Misses{"/blog/a": MissesAny, "/shop/a": MissesAny, "/x/y": MissesOff} {
		if m, _ := r.Match(mustPath(t, path)); m.Misses() != want {
			t.Errorf("%s: misses %s, want %s", path, m.Misses(), want)
		}
	}
}

func TestNew_refusesKeysThatMeanNothingBesideAnOrigin(t *testing.T) {
	_, err := New(Config{
		Site:    "https://www.example.com",
		Origins: originFor(t, origin.Plain, nil),
		Routes: []RouteConfig{
			{Path: "/a", Origin: "app", Type: "text/plain", Version: "1", Canonical: "/a"},
			{Path: "/b", Pass: "app", Tags: []string{"t"}, Shared: true},
			{Path: "/c", Origin: "ap"},
			{Path: "/d", Template: "x.html", IgnoreCookies: []string{"a"}},
		},
	})
	for _, key := range []string{
		"routes[0].type: ", "routes[0].version: ", "routes[0].canonical: ", "routes[1].tags: ", "routes[1].shared: ",
		`routes[2].origin: unknown origin "ap" (known: app)`, "routes[3].ignore_cookies: ",
	} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("nothing about %s in:\n%v", key, err)
		}
	}
}

package renderer

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer/source"
)

// shownVersions renders a page with the data entry x, and returns the versions
// that it shows.
func shownVersions(t *testing.T, kind string, rc RouteConfig, answer string) map[string]string {
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
	rc.Path, rc.Template = "/", "home.html"
	r, err := New(Config{
		Site: "https://www.example.com", Routes: []RouteConfig{rc},
		Sources: map[string]*source.Source{"cms": src}, Templates: mustLoad(t, "home.html", "home"),
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := render(t, r, "/")
	if err != nil {
		t.Fatal(err)
	}
	return page.Versions
}

func TestRender_versions(t *testing.T) {
	const (
		old   = `{"id": 42, "type": "post", "modified_gmt": "2026-11-23T10:00:00"}`
		newer = `{"id": 42, "type": "post", "modified_gmt": "2026-11-23T11:00:00"}`
	)
	entry := func(get string) map[string]FetchConfig { return map[string]FetchConfig{"x": {Source: "cms", Get: get}} }
	one := map[string]FetchConfig{"x": {Source: "cms", Get: "/posts?slug=a", One: true}}
	for _, tt := range []struct {
		name, kind, answer string
		route              RouteConfig
		want               map[string]string
	}{
		{
			"items of WordPress, those that came with others too", "wordpress",
			`[{"id": 42, "type": "post", "modified_gmt": "2026-11-23T10:00:00", "_embedded": {"up": [{"id": 7, "type": "page", "modified_gmt": "2026-11-22T10:00:00"}]}}]`,
			RouteConfig{Data: entry("/posts?_embed")},
			map[string]string{"post:42": "2026-11-23T10:00:00", "page:7": "2026-11-22T10:00:00"},
		},
		{
			"the older one of an item that was read twice", "wordpress", "[" + newer + "," + old + "," + newer + "]",
			RouteConfig{Data: entry("/posts")}, map[string]string{"post:42": "2026-11-23T10:00:00"},
		},
		{
			"none of an item that does not say when it was modified", "wordpress", `[{"id": 4, "taxonomy": "category"}]`,
			RouteConfig{Data: entry("/categories")}, nil,
		},
		{
			"the route's version for the route's own tags alone", "", `[{"id": "a1", "rev": 7}]`,
			RouteConfig{Data: one, Tags: []string{"entry:{x.id}", "entries"}, Version: "{x.rev}"},
			map[string]string{"entry:a1": "7", "entries": "7"},
		},
		{
			"an item's own version before the route's", "wordpress", "[" + old + "]",
			RouteConfig{Data: one, Tags: []string{"post:{x.id}", "parent:{x.id}"}, Version: "{x.modified_gmt}Z"},
			map[string]string{"post:42": "2026-11-23T10:00:00", "parent:42": "2026-11-23T10:00:00Z"},
		},
		{
			"none of a route without a version, and of plain JSON", "", "[" + old + "]",
			RouteConfig{Data: one, Tags: []string{"post:{x.id}"}}, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, shownVersions(t, tt.kind, tt.route, tt.answer)); diff != "" {
				t.Errorf("versions (-want +got):\n%s", diff)
			}
		})
	}
}

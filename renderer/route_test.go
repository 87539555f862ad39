package renderer

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMatch_keysOfItsRoute(t *testing.T) {
	r := listed(t, answers("[]"), func(c *Config) {
		c.Routes[0].Revalidate, c.Routes[0].Misses = time.Hour, MissesOff
		c.Routes[1].Misses = MissesListed
		c.Routes = append(c.Routes, RouteConfig{Path: "/a", Template: "post.html"})
	})
	for path, want := range map[string]struct {
		Revalidate time.Duration
		Misses     Misses
	}{
		"/blog/new": {time.Hour, MissesOff}, "/blog/x": {0, MissesListed}, "/a": {0, MissesAny},
	} {
		if m, ok := r.Match(mustPath(t, path)); !ok || m.Revalidate() != want.Revalidate || m.Misses() != want.Misses || m.Listed() {
			t.Errorf("%s: %v, %q, listed %v; want %v", path, m.Revalidate(), m.Misses(), m.Listed(), want)
		}
	}
	if m := (Match{}); m.Revalidate() != 0 || m.Misses() != MissesOff || m.Listed() {
		t.Errorf("the zero match: %v, %q, listed %v", m.Revalidate(), m.Misses(), m.Listed())
	}
}

func TestFixedPaths(t *testing.T) {
	r, err := New(Config{Templates: mustLoad(t, "a.html", "x", "a.xml", "x"), Routes: []RouteConfig{
		{Path: "/", Template: "a.html"}, {Path: "/blog/{x}", Template: "a.html"}, {Path: "/blog/new", Template: "a.html"},
		{Path: "/feed.xml", Template: "a.xml"}, {Path: "/.well-known/x", Template: "a.html"}, {Path: "/feed.xml", Template: "a.xml"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range r.FixedPaths() {
		got = append(got, p.String())
	}
	if diff := cmp.Diff([]string{"/", "/feed.xml", "/.well-known/x"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRender_typeOfADirectoryPath(t *testing.T) {
	templates := mustLoad(t, "a.html", "x", "a.xml", "<x/>", "a.rss", "<x/>", "a.json", "{}", "a.txt", "x")
	for _, tc := range []struct{ path, template, kind, want, file string }{
		{"/feed", "a.xml", "", "application/xml; charset=utf-8", "feed/index.xml"},
		{"/feed", "a.rss", "", "application/rss+xml; charset=utf-8", "feed/index.xml"},
		{"/feed", "a.xml", "application/atom+xml", "application/atom+xml; charset=utf-8", "feed/index.xml"},
		{"/api/{x}", "a.json", "", "application/json; charset=utf-8", "api/x/index.json"},
		{"/", "a.txt", "", "text/plain; charset=utf-8", "index.txt"},
		{"/", "a.html", "text/html", "text/html; charset=utf-8", "index.html"},
		{"/feed.rss", "a.xml", "application/rss+xml", "application/rss+xml; charset=utf-8", "feed.rss"},
	} {
		r, err := New(Config{Routes: []RouteConfig{{Path: tc.path, Template: tc.template, Type: tc.kind}}, Templates: templates})
		if err != nil {
			t.Errorf("%s with %s as %q: %v", tc.path, tc.template, tc.kind, err)
			continue
		}
		page, err := render(t, r, strings.NewReplacer("{", "", "}", "").Replace(tc.path))
		if err != nil || page.Type != tc.want || page.Path.FileFor(page.Type) != tc.file {
			t.Errorf("%s with %s as %q: %q in %s, %v; want %q in %s", tc.path, tc.template, tc.kind,
				page.Type, page.Path.FileFor(page.Type), err, tc.want, tc.file)
		}
	}
}

func TestRender_fileOfADirectoryPath(t *testing.T) {
	templates := mustLoad(t, "a.html", "x", "a.rss", "<x/>", "a.svg", "<x/>", "a.md", "x", "a.webmanifest", "{}")
	for _, tc := range []struct{ template, kind, file, path, want, at string }{
		{"a.html", "", "index.html", "/x", "text/html; charset=utf-8", "x/index.html"},
		{"a.svg", "", "index.xml", "/x", "application/xml; charset=utf-8", "x/index.xml"},
		{"a.rss", "", "index.xml", "/x", "application/rss+xml; charset=utf-8", "x/index.xml"},
		{"a.svg", "application/atom+xml", "index.xml", "/x", "application/atom+xml; charset=utf-8", "x/index.xml"},
		{"a.webmanifest", "", "index.json", "/x", "application/json; charset=utf-8", "x/index.json"},
		{"a.md", "", "index.txt", "/x", "text/plain; charset=utf-8", "x/index.txt"},
		{"a.md", "", "index.txt", "/x.md", "text/markdown; charset=utf-8", "x.md"},
		{"a.svg", "", "index.xml", "/x.svg", "image/svg+xml; charset=utf-8", "x.svg"},
	} {
		r, err := New(Config{
			Routes:    []RouteConfig{{Path: "/{x}", Template: tc.template, Type: tc.kind, File: tc.file}},
			Templates: templates,
		})
		if err != nil {
			t.Errorf("%s in %s as %q: %v", tc.template, tc.file, tc.kind, err)
			continue
		}
		page, err := render(t, r, tc.path)
		if err != nil || page.Type != tc.want || page.Path.FileFor(page.Type) != tc.at {
			t.Errorf("%s in %s as %q: %q in %s, %v; want %q in %s", tc.template, tc.file, tc.kind,
				page.Type, page.Path.FileFor(page.Type), err, tc.want, tc.at)
		}
	}
}

func TestNew_fileThatContradictsTheRoute(t *testing.T) {
	for _, tc := range []struct {
		name  string
		route RouteConfig
		want  string
	}{
		{"unknown", RouteConfig{Path: "/a", Template: "a.html", File: "feed.xml"},
			`routes[0].file: unknown file "feed.xml" (known: index.html, index.xml, index.json, index.txt)`},
		{"type", RouteConfig{Path: "/a", Template: "a.xml", Type: "application/xml", File: "index.json"},
			`routes[0].file: index.json contradicts type application/xml, whose file is index.xml`},
		{"template", RouteConfig{Path: "/a", Template: "a.html", File: "index.xml"},
			`routes[0].template: a.html is escaped as HTML, but /a is served as application/xml; their extensions must say the same`},
		{"path", RouteConfig{Path: "/{x}.xml", Template: "a.xml", File: "index.xml"},
			`routes[0].file: is for paths without an extension; /{x}.xml is a file by its own name`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := New(Config{Templates: mustLoad(t, "a.html", "x", "a.xml", "x"), Routes: []RouteConfig{tc.route}})
			if err == nil || err.Error() != tc.want {
				t.Errorf("error %v, want %s", err, tc.want)
			}
		})
	}
}

func TestRender_typeThatThePathContradicts(t *testing.T) {
	r, err := New(Config{
		Routes:    []RouteConfig{{Path: "/{x}", Template: "a.xml", Type: "application/rss+xml"}},
		Templates: mustLoad(t, "a.xml", "<x/>"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := render(t, r, "/feed.xml"); kind(err) != "permanent" || !strings.Contains(err.Error(), "the route's type is application/rss+xml") {
		t.Errorf("error %v", err)
	}
}

func TestNew_reportsTheProblemsOfARoutesKeys(t *testing.T) {
	_, err := New(Config{
		Sources: cms(t, answers("[]")), Templates: mustLoad(t, "a.html", "x", "a.svg", "x", "a.xml", "x"),
		Routes: []RouteConfig{
			{Path: "/a", Template: "a.html", Type: "text/htm", Revalidate: time.Millisecond, Misses: "some"},
			{Path: "/a", Template: "a.html", Type: "application/xml", Revalidate: -time.Hour, Misses: MissesListed},
			{Path: "/a", Template: "a.svg"},
			{Path: "/a", Template: "a.svg", Type: "image/svg+xml"},
			{Path: "/a.xml", Template: "a.xml", Type: "application/rss+xml"},
			{Path: "/{a}", Template: "a.html", Canonical: "/{b}", PublishAt: "{", ExpireAt: "{post.date}"},
			{Path: "/{a}", Template: "a.html", Data: map[string]FetchConfig{
				"a1": {Source: "cms", Query: "{x}", One: true},
				"a2": {Source: "cms", Get: "x", Query: "{x}", Items: "a.", Variables: map[string]any{"z": []any{"{b} {c}"}}},
				"a3": {Source: "cms", Get: "/x", Variables: map[string]any{"z": 1}},
			}},
		},
	})
	const known = " (known: application/atom+xml, application/json, application/rss+xml, application/xml, text/html, text/plain)"
	want := []string{
		`routes[0].type: unknown type "text/htm"` + known,
		`routes[0].revalidate: must be at least 1s`,
		`routes[0].misses: unknown value "some" (known: any, listed, off)`,
		`routes[1].template: a.html is escaped as HTML, but /a is served as application/xml; their extensions must say the same`,
		`routes[1].revalidate: must be at least 1s`,
		`routes[1].misses: listed needs a list on this route`,
		`routes[2].template: a.svg is image/svg+xml, which only a path with an extension can be; /a has none`,
		`routes[3].type: unknown type "image/svg+xml"` + known,
		`routes[3].template: a.svg is image/svg+xml, which only a path with an extension can be; /a has none`,
		`routes[4].template: /a.xml is served as application/xml because of its extension, and the route's type is application/rss+xml`,
		`routes[5].publish_at: { without its }; write {{ for the character itself`,
		`routes[5].expire_at: {post.date}: unknown name post (known: a, params, path, site)`,
		`routes[5].canonical: {b}: unknown name b (known: a, params, path, site)`,
		`routes[6].data.a1.items: is missing; it says where in the data of the answer the one item is, such as items: post`,
		`routes[6].data.a2.get: must start with / or ?; it is appended to the source's url`,
		`routes[6].data.a2.variables.z: {b}: unknown name b (known: a)`,
		`routes[6].data.a2.variables.z: {c}: unknown name c (known: a)`,
		`routes[6].data.a2.items: unexpected end of expression`,
		`routes[6].data.a3.variables: are those of a query; there is none`,
	}
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestTemplates_Hashes(t *testing.T) {
	before := mustLoad(t, "layouts/base.html", "a", "partials/x.html", "", "post.html", "c", "README", "x").Hashes()
	after := mustLoad(t, "layouts/base.html", "b", "partials/x.html", "", "post.html", "c").Hashes()
	want := map[string]string{
		"layouts/base.html": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
		"partials/x.html":   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"post.html":         "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6",
	}
	if diff := cmp.Diff(want, before); diff != "" {
		t.Errorf("hashes (-want +got):\n%s", diff)
	}
	if after["layouts/base.html"] == before["layouts/base.html"] || after["post.html"] != before["post.html"] {
		t.Errorf("hashes %v, after an edit of the layout %v", before, after)
	}
}

package nginx_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"rebake/daemon/nginx"
	"rebake/renderer"
	"rebake/renderer/origin"
)

// originSite is a site whose pages are snapshots: Rebake and the origin are
// stubs.
type originSite struct {
	*web
	config nginx.Config
	origin *stub // unless the config names another
}

// route is a route of rebake.yaml.
func route(t *testing.T, path, origin string, pass bool) nginx.Route {
	t.Helper()
	p, err := renderer.ParsePattern(path)
	if err != nil {
		t.Fatal(err)
	}
	return nginx.Route{Pattern: p.String(), Regexp: p.Regexp(), Origin: origin, Pass: pass}
}

// siteConfig has one origin, app, with routes for all its pages.
func siteConfig(t *testing.T, kind origin.Kind) nginx.Config {
	t.Helper()
	return nginx.Config{
		ServerName: "_",
		Site:       "https://www.example.com",
		Origins:    []nginx.Origin{{Name: "app", Kind: string(kind), Passes: origin.Config{Kind: kind}.Passes()}},
		Routes: []nginx.Route{
			route(t, "/account/help", "app", false), route(t, "/account/{rest...}", "app", true),
			route(t, "/", "app", false), route(t, "/{rest...}", "app", false),
		},
		IgnoreQuery:   []string{"utm_*", "gclid", "_ga", "mc.id"},
		BypassCookies: []string{"wordpress_logged_in_*", "__prerender_bypass"},
	}
}

func newOriginSite(t *testing.T, c nginx.Config) *originSite {
	t.Helper()
	o := newStubOf(t, "origin", map[string]int{"/private": 200, "/moved": 301})
	c.Origins = slices.Clone(c.Origins)
	if c.Origins[0].URLs == nil {
		c.Origins[0].URLs = []string{o.URL}
	}
	s := &originSite{web: newWebWith(t, c), config: c, origin: o}
	s.rebake.answer(map[string]int{"/made": 200, "/sick": 503, "/broken": 500, "/odd": 410})
	return s
}

// who names the one that answered: file, stub (Rebake), an origin, or nginx.
func who(a answer) string {
	switch from := a.Header.Get("X-From"); {
	case from != "":
		return from
	case a.Header.Get("ETag") != "":
		return "file"
	}
	return fmt.Sprintf("nginx %d", a.StatusCode)
}

// row is a request, and who answers it. Headers follow after a bar:
// "GET /a | Cookie: a=b".
type row struct{ ask, want string }

func (w *web) rows(rows ...row) {
	w.t.Helper()
	for _, r := range rows {
		parts := strings.Split(r.ask, " | ")
		method, path, _ := strings.Cut(parts[0], " ")
		var headers []string
		for _, h := range parts[1:] {
			name, value, _ := strings.Cut(h, ": ")
			headers = append(headers, name, value)
		}
		if got := who(w.ask(method, path, headers...)); got != r.want {
			w.t.Errorf("%s is answered by %s, want %s", r.ask, got, r.want)
		}
	}
}

// everyKind are the rows that hold whatever the origin runs.
var everyKind = []row{
	// Pages.
	{"GET /", "file"},
	{"HEAD /", "file"},
	{"GET /about", "file"},
	{"GET /about/", "file"},
	{"HEAD /about", "file"},
	{"GET /about | Range: bytes=0-3", "file"},
	{"GET /about | Accept-Encoding: gzip", "file"},
	{"GET /about | Cookie: theme=dark", "file"},
	{"GET /about | Authorization: Basic eA==", "file"},
	{"GET /caf%C3%A9", "file"},
	{"GET //about", "file"},
	{"GET /x/../about", "file"},
	{"GET /feed", "file"},
	{"GET /feed/", "file"},
	{"GET /sitemap.xml", "file"},
	{"GET /account/help", "file"},
	{"GET /made", "stub"},
	{"HEAD /made", "stub"},
	{"GET /odd", "stub"},
	{"GET /made.html", "origin"}, // Rebake has it not

	// What Rebake has not, or cannot make now.
	{"GET /missing", "origin"},
	{"HEAD /missing", "origin"},
	{"GET /missing.xml", "origin"},
	{"GET /sick", "origin"},
	{"GET /broken", "origin"},
	{"GET /moved", "origin"},
	{"GET /download.zip", "origin"},
	{"GET /.well-known/assetlinks", "origin"},

	// Scripts, styles, images.
	{"GET /logo.svg", "file"},
	{"GET /photo.jpg", "origin"},
	{"GET /a/b/style.css", "origin"},

	// Other methods.
	{"POST /", "origin"},
	{"POST /about", "origin"},
	{"POST /about/", "origin"},
	{"PUT /about", "origin"},
	{"DELETE /about", "origin"},
	{"PATCH /about", "origin"},
	{"OPTIONS /about", "origin"},
	{"PROPFIND /about", "origin"},
	{"POST /made", "origin"},
	{"POST /missing", "origin"},
	{"POST /sitemap.xml", "origin"},
	{"POST /logo.svg", "origin"},
	{"POST /photo.jpg", "origin"},

	// Queries and cookies; more of them have tests of their own.
	{"GET /about?x=1", "origin"},
	{"HEAD /about?x=1", "origin"},
	{"GET /sitemap.xml?x=1", "origin"},
	{"GET /?s=word", "origin"},
	{"GET /?p=3", "origin"},
	{"GET /about?preview=true", "origin"},
	{"GET /about?utm_source=x", "file"},
	{"GET /made?utm_source=x", "stub"},
	{"GET /about | Cookie: wordpress_logged_in_1=ann", "origin"},
	{"GET /sitemap.xml | Cookie: wordpress_logged_in_1=ann", "origin"},

	// Routes with pass.
	{"GET /account/orders", "origin"},
	{"GET /account/page.html", "origin"},
	{"GET /%61ccount/orders", "origin"},
	{"GET /x/..%2faccount/orders", "origin"},
	{"POST /account/orders", "origin"},

	{"GET /live | Connection: Upgrade | Upgrade: websocket", "origin"},
	{"GET /about | Connection: Upgrade | Upgrade: h2c", "file"},

	// Rebake's own addresses.
	{"POST /api/revalidate", "stub"},
	{"GET /api/revalidate?secret=x&path=/", "stub"},
	{"POST /api/revalidate/ | Cookie: wordpress_logged_in_1=ann", "stub"},
	{"POST /_rebake/webhooks/cms?x=1", "stub"},

	// Nobody's.
	{"GET /.env", "nginx 404"},
	{"POST /.env?x=1", "nginx 404"},
	{"GET /a/.git/config", "nginx 404"},
	{"GET /../../etc/passwd", "nginx 400"},
	{"GET /..%2f..%2fetc/passwd", "nginx 400"},
	{"GET /a%00b", "nginx 400"},
}

var byKind = map[origin.Kind][]row{
	origin.Plain: {
		{"GET /api/users", "file"},
		{"GET /_next/static/a.js", "file"},
		{"GET /wp-admin", "file"},
		{"GET /about | RSC: 1", "file"},
	},
	origin.Next: {
		{"GET /api/users", "origin"},
		{"GET /api", "origin"},
		{"GET /apis", "file"},
		{"GET /_next/static/a.js", "origin"},
		{"GET /_next/data/build/about.json", "origin"},
		{"GET /_next/image", "origin"},
		{"GET /about | RSC: 1", "origin"},
		{"GET /about?_rsc=1abc", "origin"},
		{"GET /about | Next-Router-Prefetch: 1", "origin"},
		{"GET /about | Next-Router-State-Tree: x", "origin"},
		{"GET /about | Next-Router-Segment-Prefetch: /_tree", "origin"},
		{"GET /about | RSC: 0", "file"},
		{"GET /about | Cookie: a=b; __prerender_bypass=1", "origin"},
	},
	origin.Nuxt: {
		{"GET /api/users", "origin"},
		{"GET /_payload.json", "origin"},
		{"GET /about/_payload.json", "origin"},
		{"GET /about/a_payload.json", "file"},
		{"GET /_nuxt/a.js", "origin"},
		{"GET /_ipx/w_200/a.png", "origin"},
		{"GET /__nuxt_island/a.json", "origin"},
	},
	origin.WordPress: {
		{"GET /wp-admin", "origin"},
		{"GET /wp-admin/edit.php", "origin"},
		{"GET /wp-administrator", "file"},
		{"GET /wp-login.php", "origin"},
		{"GET /wp-json/wp/v2/posts", "origin"},
		{"GET /index.php", "origin"},
		{"GET /index.php/about", "origin"},
		{"GET /wp-content/plugins/a/b.php", "origin"},
		{"GET /news.php-tips", "file"},
		{"GET /wp-content/uploads/a.jpg", "file"},
		{"GET /wp-includes/a.js?ver=6.5", "origin"},
		{"GET /feed/", "file"},
		{"GET /comments/feed/", "origin"},
	},
}

func TestWhoAnswers(t *testing.T) {
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		t.Run(string(kind), func(t *testing.T) {
			s := newOriginSite(t, siteConfig(t, kind))
			for path, mediaType := range map[string]string{
				"/": html, "/about": html, "/café": html, "/feed": "application/rss+xml", "/sitemap.xml": "application/xml",
				"/logo.svg": "image/svg+xml", "/account/help": html, "/account/orders": html, "/account/page.html": html,
			} {
				s.put(path, mediaType, strings.Repeat("body ", 500))
			}
			for _, r := range byKind[kind] { // they have files too, which must not matter
				_, path, _ := strings.Cut(strings.Split(r.ask, " | ")[0], " ")
				path, _, _ = strings.Cut(path, "?")
				if path != "/" && !strings.HasSuffix(path, "/") && s.prev[path].MTime.IsZero() {
					s.put(path, html, "a file")
				}
			}
			s.rows(everyKind...)
			s.rows(byKind[kind]...)
		})
	}
}

func TestWhoAnswers_copiedAssets(t *testing.T) {
	c := siteConfig(t, origin.Next)
	c.Origins[0].Copied = true
	s := newOriginSite(t, c)
	s.put("/_next/static/a.js", "text/javascript", "a file")
	s.put("/_next/static/a.woff2", "font/woff2", "a file")
	s.rows(
		row{"GET /_next/static/a.js", "file"},
		row{"GET /_next/static/a.woff2", "file"},
		row{"GET /_next/static/b.js", "origin"},
		row{"GET /_next/static/a.js?dpl=1", "origin"},
		row{"GET /_next/data/build/about.json", "origin"},
		row{"GET /_next/image", "origin"},
	)
}

package api

import (
	"strings"
	"testing"
)

// TestSenders sends what the plugins and CMSs send that name paths. Requests
// are as their sources make them, the secret aside.
func TestSenders(t *testing.T) {
	const jsonType = "Content-Type: application/json"
	const formType = "Content-Type: application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, method, target string
		headers              []string
		body                 string
		want                 string // paths, in their order
	}{
		{
			name: "Dexerto on-demand-revalidation, post", method: "PUT", target: "/api/revalidate",
			headers: []string{jsonType, "Authorization: Bearer " + secret, "User-Agent: WordPress/6.1.9; https://cms.example.com"},
			body:    `{"postId":41,"paths":["\/","\/2026\/11\/dex-two","\/2026\/11\/dex-one"],"tags":["post-41"]}`,
			want:    "/ /2026/11/dex-two /2026/11/dex-one",
		},
		{
			name: "Dexerto on-demand-revalidation, term", method: "PUT", target: "/api/revalidate",
			headers: []string{jsonType, "Authorization: Bearer " + secret},
			body:    `{"paths":["\/category\/news"],"tags":["news"]}`,
			want:    "/category/news",
		},
		{
			name: "superhuit nextjs-revalidate", method: "GET",
			target: "/api/revalidate?path=/2026/11/sh-een/&secret=" + secret,
			want:   "/2026/11/sh-een",
		},
		{
			name: "superhuit nextjs-revalidate, permalink escaped in lower case", method: "GET",
			target: "/api/revalidate?path=/2026/11/caf%c3%a9/&secret=" + secret,
			want:   "/2026/11/café",
		},
		{
			name: "WebDevStudios wds-headless-core", method: "POST", target: "/api/revalidate",
			headers: []string{formType},
			body:    `{"secret":"` + secret + `","slug":"\/2026\/11\/wds-post\/"}`,
			want:    "/2026/11/wds-post",
		},
		{
			name: "gregrickaby nextjs-wordpress", method: "GET", target: "/api/revalidate?slug=foo",
			headers: []string{"x-revalidation-secret: " + secret},
			want:    "/blog/foo /foo",
		},
		{
			name: "10up HeadstartWP", method: "GET",
			target: "/api/revalidate?post_id=12&token=" + secret + "&path=%2F2026%2F11%2Fheadstart%2F&locale=",
			want:   "/2026/11/headstart",
		},
		{
			name: "Drupal next, path", method: "GET", target: "/api/revalidate?path=/node/1&secret=" + secret,
			want: "/node/1",
		},
		{
			name: "Next.js documentation", method: "GET", target: "/api/revalidate?secret=" + secret + "&path=/",
			want: "/",
		},
		{
			name: "hwptoolkit example", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"path":"/hello-world/","post_id":1,"_webhook_meta":{"event_type":"post_updated"}}`,
			want:    "/hello-world",
		},
		{
			name: "form", method: "POST", target: "/api/revalidate", headers: []string{formType},
			body: "secret=" + secret + "&path=%2Fblog%2Fa&path=/blog/b", want: "/blog/a /blog/b",
		},
		{
			name: "JSON sent as a form", method: "POST", target: "/api/revalidate", headers: []string{formType},
			body: `{"token":"` + secret + `","path":"/blog/a"}`, want: "/blog/a",
		},
		{
			name: "JSON of a type of its own", method: "POST", target: "/api/revalidate",
			headers: []string{"Content-Type: application/vnd.contentful.management.v1+json", "x-rebake-secret: " + secret},
			body:    ` {"paths":["/blog/a"]} `, want: "/blog/a",
		},
		{
			name: "JSON without a type", method: "POST", target: "/api/revalidate",
			body: `{"secret":"` + secret + `","path":"/blog/a"}`, want: "/blog/a",
		},
		{
			name: "paths with tags", method: "GET", target: "/api/revalidate?path=/blog/a&tag=x,y&secret=" + secret,
			want: "/blog/a",
		},
		{
			name: "one page under all its names", method: "POST", target: "/api/revalidate?path=/blog/a&secret=" + secret,
			headers: []string{jsonType},
			body:    `{"path":"/blog/a/","paths":["https://www.example.com/blog/a"]}`, want: "/blog/a",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			w := do(t, f.Public(), c.method, c.target, c.body, c.headers...)
			if w.Code != 200 || w.object()["revalidated"] != true {
				t.Fatalf("answer is %d %s, want 200 and revalidated", w.Code, w.Body)
			}
			f.triggered(strings.Fields(c.want)...)
		})
	}
}

func TestSenders_thatNameNoPath(t *testing.T) {
	for name, c := range map[string]struct{ query, body string }{
		"next-wp plugin":     {body: `{"contentType":"post","contentId":45}`},
		"next-wp wordpress":  {body: `{"type":"post","data":{"id":47,"slug":"nw3","type":"post","action":"status_change"},"timestamp":1795326289}`},
		"Drupal next, tags":  {query: "tags=node:1,node_list"},
		"Dexerto, no paths":  {body: `{"postId":41,"paths":[],"tags":["post-41"]}`},
		"prefix":             {query: "prefix=/blog"},
		"tag":                {query: "tag=posts"},
		"post id, in a form": {body: "postId=4"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", c.query, c.body, "Content-Type: application/x-www-form-urlencoded").wants(400, "unsupported")
			f.idle()
		})
	}
}

func TestRevalidate_readsAddressesOfPages(t *testing.T) {
	for _, c := range []struct{ name, path, want string }{
		{"of the site", "https://www.example.com/blog/a/", "/blog/a"},
		{"of a source, with its port", "http://cms.example.com:8080/blog/a", "/blog/a"},
		{"without a path", "https://www.example.com", "/"},
		{"with a query", "https://www.example.com/blog/a?preview=1#top", "/blog/a"},
		{"of a draft", "https://www.example.com/?p=4", "/"},
		{"escaped in lower case", "https://www.example.com/caf%c3%a9/", "/café"},
		{"in upper case", "HTTPS://WWW.Example.COM/blog/A", "/blog/A"},
		{"in the trash", "https://www.example.com/blog/a__trashed/", "/blog/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", `{"path":"`+c.path+`"}`)
			f.triggered(c.want)
		})
	}
}

func TestRevalidate_refusesAddressesOfOthers(t *testing.T) {
	for _, path := range []string{
		"https://evil.example/blog/a", "https://www.example.com.evil.example/blog/a", "https://www.example.com:444/blog/a",
		"https://www.example.com@evil.example/blog/a", "ftp://www.example.com/blog/a", "https:/blog/a", "https://",
	} {
		t.Run(path, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", `{"path":"`+path+`"}`).wants(400, "not_absolute")
			f.idle()
		})
	}
}

func TestRevalidate_looksAtWhatWasThereBeforeTheTrash(t *testing.T) {
	for _, query := range []string{"path=/blog/a__trashed", "path=/blog/a__trashed/", "slug=/blog/a__trashed/"} {
		f := newFixture(t)
		f.revalidate("GET", query, "")
		f.triggered("/blog/a")
	}
}

func TestRevalidate_slug(t *testing.T) {
	for _, c := range []struct{ name, slug, want string }{
		{"escaped in lower case", "caf%c3%a9", "/blog/café /café"},
		{"that one route cannot have", "assets", "/blog/assets"},
		{"that is a path", "/shop/x/", "/shop/x"},
		{"in the trash", "a__trashed", "/blog/a /a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", `{"slug":"`+c.slug+`"}`)
			f.triggered(strings.Fields(c.want)...)
		})
	}
}

func TestRevalidate_refusesSlug(t *testing.T) {
	for _, c := range []struct{ slug, code string }{
		{"", "not_absolute"}, {"a/b", "not_absolute"}, {"a%2fb", "not_absolute"},
		{"..", "dot_segment"}, {"..%2F..%2Fetc", "dot_segment"}, {"/../x", "dot_segment"},
		{"a?x=1", "charset"}, {"%00", "control"}, {"%zz", "percent"},
	} {
		t.Run(c.slug, func(t *testing.T) {
			f := newFixture(t)
			f.revalidate("POST", "", `{"slug":"`+c.slug+`"}`).wants(400, c.code)
			f.idle()
		})
	}
}

func TestRevalidate_slugOfNoRoute(t *testing.T) {
	f := newFixture(t)
	f.routes = fakeRoutes{}
	w := f.revalidate("GET", "slug=foo", "")
	if got := w.object(); w.Code != 200 || got["pages"] != 0.0 || got["message"] != "no page matches" {
		t.Errorf("answer is %d %s, want 200, no pages and a message", w.Code, w.Body)
	}
}

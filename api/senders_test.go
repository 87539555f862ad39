package api

import (
	"strings"
	"testing"
)

// TestSenders sends what the plugins and CMSs send that call a drop-in for
// Next.js. Requests are as their sources make them, the secret aside.
func TestSenders(t *testing.T) {
	for _, c := range []struct {
		name, method, target string
		headers              []string
		body                 string
		want                 string // paths, in their order
		labels               string // in their order
		items                string // in their order
	}{
		{
			name: "Dexerto on-demand-revalidation, post", method: "PUT", target: "/api/revalidate",
			headers: []string{jsonType, "Authorization: Bearer " + secret, "User-Agent: WordPress/6.1.9; https://cms.example.com"},
			body:    `{"postId":41,"paths":["\/","\/2026\/11\/dex-two","\/2026\/11\/dex-one"],"tags":["post-41"]}`,
			want:    "/ /2026/11/dex-two /2026/11/dex-one", labels: "tag:post-41", items: "post:41",
		},
		{
			name: "Dexerto on-demand-revalidation, term", method: "PUT", target: "/api/revalidate",
			headers: []string{jsonType, "Authorization: Bearer " + secret},
			body:    `{"paths":["\/category\/news"],"tags":["news"]}`,
			want:    "/category/news", labels: "tag:news",
		},
		{
			name: "Dexerto on-demand-revalidation, post without paths", method: "PUT", target: "/api/revalidate",
			headers: []string{jsonType, "Authorization: Bearer " + secret},
			body:    `{"postId":41,"paths":[],"tags":["post-41"]}`,
			labels:  "tag:post-41", items: "post:41",
		},
		{
			name: "Dexerto on-demand-revalidation, nothing but the post", method: "PUT", target: "/api/revalidate",
			headers: []string{jsonType, "Authorization: Bearer " + secret},
			body:    `{"postId":41}`,
			items:   "post:41",
		},
		{
			name: "Dexerto on-demand-revalidation, empty line in its settings", method: "PUT", target: "/api/revalidate",
			headers: []string{jsonType, "Authorization: Bearer " + secret},
			body:    `{"postId":41,"tags":["news","","post-41"]}`,
			labels:  "tag:news tag:post-41", items: "post:41",
		},
		{
			name: "next-wp plugin, post", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"contentType":"post","contentId":45}`,
			items:   "post:45",
		},
		{
			name: "next-wp plugin, category", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"contentType":"category","contentId":4}`,
			items:   "category:4",
		},
		{
			name: "next-wp plugin, tag, by the name that next-wp has for it", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"contentType":"tag","contentId":9}`,
			labels:  "tag:tag:9", items: "post_tag:9",
		},
		{
			name: "next-wp plugin, author", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"contentType":"author","contentId":1}`,
			labels:  "tag:author:1", items: "user:1",
		},
		{
			name: "next-wp plugin, media", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"contentType":"media","contentId":12}`,
			items:   "media:12",
		},
		{
			name: "next-wp plugin, menu", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"contentType":"menu","contentId":3}`,
			labels:  "site",
		},
		{
			name: "next-wp wordpress, menu item", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"type":"post","data":{"id":50,"slug":"home","type":"nav_menu_item","action":"update"},"timestamp":1795326289}`,
			want:    "/blog/home /home", labels: "site",
		},
		{
			name: "next-wp wordpress, post", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"type":"post","data":{"id":47,"slug":"nw3","type":"post","action":"status_change","old_status":"new","new_status":"publish"},"timestamp":1795326289}`,
			want:    "/blog/nw3 /nw3", items: "post:47",
		},
		{
			name: "next-wp wordpress, post of another type", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"type":"post","data":{"id":48,"slug":"about","type":"page","action":"update"},"timestamp":1795326289}`,
			want:    "/blog/about /about", items: "page:48",
		},
		{
			name: "next-wp wordpress, post in the trash", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"type":"post","data":{"id":47,"slug":"nw-3b__trashed","type":"post","action":"status_change","old_status":"publish","new_status":"trash"},"timestamp":1795326289}`,
			want:    "/blog/nw-3b /nw-3b", items: "post:47",
		},
		{
			name: "next-wp wordpress, term", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"type":"term","data":{"id":4,"slug":"sp4","taxonomy":"category","action":"edited_term"},"timestamp":1795326289}`,
			want:    "/blog/sp4 /sp4", items: "category:4",
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
			want:   "/2026/11/headstart", items: "post:12",
		},
		{
			name: "Drupal next, path", method: "GET", target: "/api/revalidate?path=/node/1&secret=" + secret,
			want: "/node/1",
		},
		{
			name: "Drupal next, tags", method: "GET", target: "/api/revalidate?tags=node:1,node_list&secret=" + secret,
			labels: "tag:node:1 tag:node_list",
		},
		{
			name: "Drupal next, tags with a bundle", method: "GET",
			target: "/api/revalidate?tags=node%3A1%2Cnode_list%2Cnode_list%3Aarticle&secret=" + secret,
			labels: "tag:node:1 tag:node_list tag:node_list:article",
		},
		{
			name: "Next.js documentation", method: "GET", target: "/api/revalidate?secret=" + secret + "&path=/",
			want: "/",
		},
		{
			name: "hwptoolkit example", method: "POST", target: "/api/revalidate",
			headers: []string{jsonType, "x-webhook-secret: " + secret},
			body:    `{"path":"/hello-world/","post_id":1,"_webhook_meta":{"event_type":"post_updated"}}`,
			want:    "/hello-world", items: "post:1",
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
			want: "/blog/a", labels: "tag:x tag:y",
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
			f.labelled(strings.Fields(c.labels)...)
			f.itemized(strings.Fields(c.items)...)
		})
	}
}

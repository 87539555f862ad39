package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// caller sends what a WordPress plugin that was written for Next.js sends when
// a post was saved.
type caller struct {
	plugin string
	// request is the one that the plugin makes; site is without a slash, and
	// before is the post as it was.
	request func(t *testing.T, site string, before, post item) *http.Request
	// onlyNew says that a request names the new address of a post and nothing
	// that leads to the old one.
	onlyNew bool
}

// callers are the plugins, by their sources. That of WebDevStudios calls
// /api/wordpress/revalidate, which a site has to send to /api/revalidate.
var callers = []caller{
	{plugin: "on-demand-revalidation 1.4", request: func(t *testing.T, site string, before, post item) *http.Request {
		paths := []string{"/", post.address(t)}
		if before.address(t) != post.address(t) {
			paths = append(paths, before.address(t))
		}
		req := jsonRequest(t, http.MethodPut, site+"/api/revalidate", fields{
			"postId": post.ID, "paths": paths, "tags": []string{fmt.Sprintf("post-%d", post.ID)},
		})
		req.Header.Set("Authorization", "Bearer "+secret)
		return req
	}},
	{plugin: "nextjs-revalidate 1.6", onlyNew: true, request: func(t *testing.T, site string, _, post item) *http.Request {
		return newRequest(t, http.MethodGet, site+"/api/revalidate?path="+post.address(t)+"/&secret="+secret, "")
	}},
	{plugin: "next-wp, ids alone", request: func(t *testing.T, site string, _, post item) *http.Request {
		return secretInHeader(jsonRequest(t, http.MethodPost, site+"/api/revalidate", fields{"contentType": "post", "contentId": post.ID}))
	}},
	{plugin: "next-wp, with data", request: func(t *testing.T, site string, _, post item) *http.Request {
		return secretInHeader(jsonRequest(t, http.MethodPost, site+"/api/revalidate", fields{
			"type": "post", "timestamp": 1795326289, "data": fields{
				"id": post.ID, "slug": post.Slug, "type": "post", "action": "status_change", "old_status": "publish", "new_status": post.Status,
			},
		}))
	}},
	{plugin: "wds-headless-core", onlyNew: true, request: func(t *testing.T, site string, _, post item) *http.Request {
		return jsonRequest(t, http.MethodPost, site+"/api/revalidate", fields{"secret": secret, "slug": post.address(t) + "/"})
	}},
}

// jsonRequest writes its body as PHP does.
func jsonRequest(t *testing.T, method, url string, body fields) *http.Request {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req := newRequest(t, method, url, strings.ReplaceAll(string(b), "/", `\/`))
	req.Header.Set("Content-Type", "application/json")
	return req
}

func secretInHeader(req *http.Request) *http.Request {
	req.Header.Set("x-webhook-secret", secret)
	return req
}

// send sends a request as WordPress does, and looks at the answer as the
// strictest of the plugins do.
func send(t *testing.T, req *http.Request) {
	t.Helper()
	req.Header.Set("User-Agent", "WordPress/6.1.9; http://www.example.com")
	a := newVisitor(t).do(t, req)
	var said struct{ Revalidated bool }
	if err := json.Unmarshal([]byte(a.body), &said); err != nil || a.status != http.StatusOK || !said.Revalidated {
		t.Fatalf("%s %s: %s", req.Method, req.URL.Path, a)
	}
}

// trigger names paths and tags in the plainest form, without the second look
// that could hide what the first one has missed.
func (s *site) trigger(t *testing.T, named url.Values) {
	t.Helper()
	named.Set("recheck", "0")
	req := newRequest(t, http.MethodPost, s.URL+"/api/revalidate?"+named.Encode(), "")
	req.Header.Set("Authorization", "Bearer "+secret)
	send(t, req)
}

// triggerItem names an item's tag: "post:42", "category:3".
func (s *site) triggerItem(t *testing.T, kind string, id int) {
	t.Helper()
	s.trigger(t, url.Values{"tag": {fmt.Sprintf("%s:%d", kind, id)}})
}

// mustPublish makes a post and has it published.
func (s *site) mustPublish(t *testing.T, w *wordPress, slug, title string, categories ...int) item {
	t.Helper()
	post := w.newPost(t, slug, title, categories...)
	s.trigger(t, url.Values{"path": {post.path(t)}})
	s.awaitFile(t, post.path(t), title, soon)
	return post
}

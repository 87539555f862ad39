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
// something was saved. None of them tells all: most forget an old address, or
// where a post was listed before.
type caller struct {
	plugin string
	// request is the one that the plugin makes when a post was saved; site is
	// without a slash, and before is the post as it was.
	request func(t *testing.T, site string, before, post item) *http.Request
	// deleted is the one for a post that goes: into the trash, or for ever where
	// that is said. nil is a plugin that says nothing then.
	deleted func(t *testing.T, site string, post item) *http.Request
	forEver bool
	// renamed is the one for a category with another name and slug, nil is none.
	renamed func(t *testing.T, site string, category item) *http.Request
}

// callers are the plugins, by their sources. That of WebDevStudios calls
// /api/wordpress/revalidate, which a site has to send to /api/revalidate, and
// that of 10up a token of its own in the place of the secret.
var callers = []caller{
	{
		plugin: "on-demand-revalidation 1.4",
		request: func(t *testing.T, site string, before, post item) *http.Request {
			paths := []string{"/", post.address(t)}
			if before.address(t) != post.address(t) {
				paths = append(paths, before.address(t))
			}
			return bearer(jsonRequest(t, http.MethodPut, site+"/api/revalidate", fields{
				"postId": post.ID, "paths": paths, "tags": []string{fmt.Sprintf("post-%d", post.ID)},
			}))
		},
		deleted: func(t *testing.T, site string, post item) *http.Request {
			return bearer(jsonRequest(t, http.MethodPut, site+"/api/revalidate", fields{
				"postId": post.ID, "paths": []string{"/", post.address(t)}, "tags": []string{fmt.Sprintf("post-%d", post.ID)},
			}))
		},
		renamed: func(t *testing.T, site string, category item) *http.Request {
			return bearer(jsonRequest(t, http.MethodPut, site+"/api/revalidate", fields{
				"paths": []string{category.address(t)}, "tags": []string{category.Slug},
			}))
		},
	},
	{
		plugin: "nextjs-revalidate 1.6",
		request: func(t *testing.T, site string, _, post item) *http.Request {
			return newRequest(t, http.MethodGet, site+"/api/revalidate?path="+post.address(t)+"/&secret="+secret, "")
		},
		deleted: func(t *testing.T, site string, post item) *http.Request {
			return newRequest(t, http.MethodGet, site+"/api/revalidate?path="+post.address(t)+"/&secret="+secret, "")
		},
	},
	{
		plugin: "next-wp, ids alone",
		request: func(t *testing.T, site string, _, post item) *http.Request {
			return secretInHeader(jsonRequest(t, http.MethodPost, site+"/api/revalidate", fields{"contentType": "post", "contentId": post.ID}))
		},
		deleted: func(t *testing.T, site string, post item) *http.Request {
			return secretInHeader(jsonRequest(t, http.MethodPost, site+"/api/revalidate", fields{"contentType": "post", "contentId": post.ID}))
		},
		forEver: true,
		renamed: func(t *testing.T, site string, category item) *http.Request {
			return secretInHeader(jsonRequest(t, http.MethodPost, site+"/api/revalidate", fields{"contentType": "category", "contentId": category.ID}))
		},
	},
	{
		plugin: "next-wp, with data",
		request: func(t *testing.T, site string, _, post item) *http.Request {
			return nextWP(t, site, fields{
				"id": post.ID, "slug": post.Slug, "type": "post", "action": "status_change", "old_status": "publish", "new_status": post.Status,
			}, "post")
		},
		deleted: func(t *testing.T, site string, post item) *http.Request {
			return nextWP(t, site, fields{"id": post.ID, "slug": post.Slug + "__trashed", "type": "post", "action": "delete"}, "post")
		},
		forEver: true,
		renamed: func(t *testing.T, site string, category item) *http.Request {
			return nextWP(t, site, fields{"id": category.ID, "slug": category.Slug, "taxonomy": "category", "action": "edited_term"}, "term")
		},
	},
	{
		plugin: "headless-wp (HeadstartWP)",
		request: func(t *testing.T, site string, _, post item) *http.Request {
			return newRequest(t, http.MethodGet, fmt.Sprintf("%s/api/revalidate?post_id=%d&token=%s&path=%s&locale=", site, post.ID, secret, url.QueryEscape(post.address(t)+"/")), "")
		},
	},
	{
		plugin: "wds-headless-core",
		request: func(t *testing.T, site string, _, post item) *http.Request {
			return jsonRequest(t, http.MethodPost, site+"/api/revalidate", fields{"secret": secret, "slug": post.address(t) + "/"})
		},
	},
}

func nextWP(t *testing.T, site string, data fields, kind string) *http.Request {
	t.Helper()
	return secretInHeader(jsonRequest(t, http.MethodPost, site+"/api/revalidate", fields{"type": kind, "data": data, "timestamp": 1795326289}))
}

func bearer(req *http.Request) *http.Request {
	req.Header.Set("Authorization", "Bearer "+secret)
	return req
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
	send(t, bearer(newRequest(t, http.MethodPost, s.URL+"/api/revalidate?"+named.Encode(), "")))
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
	s.renderNow(t, post.path(t))
	return post
}

// renderNow has pages published, and waits for that: however long it takes, and
// also where Redis was so slow that the trigger was spooled.
func (s *site) renderNow(t *testing.T, paths ...string) {
	t.Helper()
	s.trigger(t, url.Values{"path": paths})
	for _, path := range paths {
		if _, in := await(2*soon, func() bool { e := s.explain(path); return e.Page != nil && e.Owed == nil }); !in {
			t.Fatalf("%s is not published: %+v", path, s.explain(path))
		}
	}
}

// foundSoon is how long it may take to find what a plugin forgot: WordPress is
// asked for it first, one page leads to the next, and this machine may have two
// other WordPresses to run.
const foundSoon = 2 * soon

// testForgetful is about what the plugins do not tell. Pages that go are looked
// at twice, so the changes of all plugins are made before their ends are awaited.
func testForgetful(t *testing.T, s *site, w *wordPress, forgetful []caller, gone func(answer) bool, moved func(answer, item) bool) {
	t.Run("of a post with another slug in another category", func(t *testing.T) {
		type move struct {
			caller
			before, after, from, to item
		}
		var moves []move
		var paths []string
		for i, c := range forgetful {
			m := move{caller: c}
			m.from = w.create(t, "categories", fields{"name": fmt.Sprintf("Left %d", i), "slug": fmt.Sprintf("left-%d", i)})
			m.to = w.create(t, "categories", fields{"name": fmt.Sprintf("Entered %d", i), "slug": fmt.Sprintf("entered-%d", i)})
			w.newPost(t, fmt.Sprintf("stays-%d", i), fmt.Sprintf("Stays %d", i), m.from.ID)
			w.newPost(t, fmt.Sprintf("awaits-%d", i), fmt.Sprintf("Awaits %d", i), m.to.ID)
			m.before = w.newPost(t, fmt.Sprintf("%d-wandering", i), fmt.Sprintf("Wanders %d", i), m.from.ID)
			moves, paths = append(moves, m), append(paths, m.from.path(t), m.to.path(t), m.before.path(t))
		}
		s.renderNow(t, paths...)
		for i, m := range moves {
			moves[i].after = w.edit(t, "posts", m.before.ID, fields{"slug": fmt.Sprintf("%d-settled", i), "categories": []int{m.to.ID}})
			send(t, m.request(t, s.URL, m.before, moves[i].after))
		}
		for i, m := range moves {
			t.Run(m.plugin, func(t *testing.T) {
				title := fmt.Sprintf("Wanders %d", i)
				s.awaitFile(t, m.after.path(t), title, foundSoon)
				s.awaitFile(t, m.to.path(t), title, foundSoon)
				s.awaitWithout(t, m.from.path(t)+"/", title, foundSoon)
				s.awaitPage(t, m.before.path(t)+"/", "it is gone", foundSoon, func(a answer) bool { return moved(a, m.after) })
			})
		}
	})

	t.Run("of a post that goes", func(t *testing.T) {
		type going struct {
			caller
			post, category item
		}
		var all []going
		paths := []string{"/"}
		for i, c := range forgetful {
			if c.deleted == nil {
				continue
			}
			g := going{caller: c, category: w.create(t, "categories", fields{"name": fmt.Sprintf("Of those who go %d", i), "slug": fmt.Sprintf("going-%d", i)})}
			w.newPost(t, fmt.Sprintf("remains-%d", i), fmt.Sprintf("Remains %d", i), g.category.ID)
			g.post = w.newPost(t, fmt.Sprintf("%d-leaving", i), fmt.Sprintf("Leaves %d", i), g.category.ID)
			all, paths = append(all, g), append(paths, g.category.path(t), g.post.path(t))
		}
		s.renderNow(t, paths...)
		for _, g := range all {
			force := ""
			if g.forEver {
				force = "?force=true"
			}
			w.rest(t, http.MethodDelete, fmt.Sprintf("/posts/%d%s", g.post.ID, force), nil, nil)
			send(t, g.deleted(t, s.URL, g.post))
		}
		for _, g := range all {
			t.Run(g.plugin, func(t *testing.T) {
				title := strings.Replace(g.post.Slug, "-leaving", "", 1)
				s.awaitPage(t, g.post.path(t)+"/", "it is gone", foundSoon, gone)
				s.awaitWithout(t, g.category.path(t)+"/", "Leaves "+title, foundSoon)
				s.awaitWithout(t, "/", "Leaves "+title, foundSoon)
			})
		}
	})

	t.Run("of a category with another slug", func(t *testing.T) {
		type renaming struct {
			caller
			name                string
			before, after, post item
		}
		var all []renaming
		var paths []string
		for i, c := range forgetful {
			if c.renamed == nil {
				continue
			}
			r := renaming{caller: c, name: fmt.Sprintf("Renamed for the %d. plugin", i)}
			r.before = w.create(t, "categories", fields{"name": fmt.Sprintf("Before %d", i), "slug": fmt.Sprintf("%d-before", i)})
			r.post = w.newPost(t, fmt.Sprintf("in-renamed-%d", i), fmt.Sprintf("In renamed %d", i), r.before.ID)
			all, paths = append(all, r), append(paths, r.before.path(t), r.post.path(t))
		}
		s.renderNow(t, paths...)
		for i, r := range all {
			all[i].after = w.edit(t, "categories", r.before.ID, fields{"name": r.name, "slug": strings.Replace(r.before.Slug, "before", "after", 1)})
			send(t, r.renamed(t, s.URL, all[i].after))
		}
		for _, r := range all {
			t.Run(r.plugin, func(t *testing.T) {
				s.awaitFile(t, r.after.path(t), r.name, foundSoon)
				s.awaitFile(t, r.post.path(t), r.name, foundSoon)
				s.awaitPage(t, r.before.path(t)+"/", "it is gone", foundSoon, gone)
			})
		}
	})
}

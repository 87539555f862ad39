package setuptest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// WordPress is a small blog of WordPress, with its theme's pages and its API.
// Set its fields before it serves.
type WordPress struct {
	// Home is the Site Address of its settings, without a slash at the end.
	// Empty means that it takes any host for its own.
	Home string
	// Post is the form of the posts' addresses, of {year}, {month}, {slug} and
	// {id}. Empty means /{year}/{month}/{slug}/.
	Post string
	// Front says that the page About is the home page.
	Front bool
	// Unbelieving says that it redirects to its Site Address whatever it is
	// told of the visitor's scheme.
	Unbelieving bool
	// Header is added to each answer.
	Header http.Header
}

type post struct {
	id         int
	slug, date string
	title      string
	category   int
}

var posts = []post{
	{7, "fresh-bread", "2026-11-02T09:00:00", "Fresh bread &amp; butter", 3},
	{5, "rye", "2026-10-21T18:30:00", "Rye", 3},
	{1, "hello-world", "2025-01-31T10:00:00", "Hello world!", 1},
}

var pages = []struct {
	id, parent        int
	slug, path, title string
}{{2, 0, "about", "/about/", "About"}, {9, 2, "team", "/about/team/", "The team"}}

var categories = []struct {
	id         int
	slug, name string
}{{1, "uncategorized", "Uncategorized"}, {3, "loaves", "Loaves &amp; rolls"}}

func (wp WordPress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	home := wp.Home
	if home == "" {
		home = "http://" + r.Host
	}
	for name, values := range wp.Header {
		w.Header()[name] = values
	}
	if rest, found := strings.CutPrefix(r.URL.Path, "/wp-json/"); found {
		wp.api(w, r, home, strings.TrimSuffix(rest, "/"))
		return
	}
	wp.page(w, r, home)
}

// page is a page of the theme. A request for another host or form is sent to
// the one that there is.
func (wp WordPress) page(w http.ResponseWriter, r *http.Request, home string) {
	path := r.URL.Path
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	if path != r.URL.Path || home != "http://"+r.Host && home != "https://"+r.Host || wp.Unbelieving {
		w.Header().Set("X-Redirect-By", "WordPress")
		http.Redirect(w, r, home+path, http.StatusMovedPermanently)
		return
	}
	if path == "/feed/" {
		w.Header().Set("Content-Type", "application/rss+xml; charset=UTF-8")
		_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><rss version="2.0"><channel><link>%s</link></channel></rss>`, home)
		return
	}
	w.Header().Set("Link", fmt.Sprintf(`<%s/wp-json/>; rel="https://api.w.org/"`, home))
	html(w, fmt.Sprintf(`<!DOCTYPE html><html lang="en-GB"><head><title>The Slow Loaf</title>
<link rel="alternate" type="application/rss+xml" title="Feed" href="%[1]s/feed/" />
<link rel="alternate" type="application/rss+xml" title="Comments" href="%[1]s/comments/feed/" />
<meta name="generator" content="WordPress 6.7.1" />
<link rel='stylesheet' href='%[1]s/wp-content/themes/loaf/style.css' /></head>
<body class="home blog"><a href="%[1]s/wp-login.php">Log in</a><a href="%[1]s/about/">About</a><a href="%[2]s">Fresh bread</a></body></html>`,
		home, wp.link(home, posts[0])))
}

func (wp WordPress) link(home string, p post) string {
	form := wp.Post
	if form == "" {
		form = "/{year}/{month}/{slug}/"
	}
	return home + strings.NewReplacer("{year}", p.date[:4], "{month}", p.date[5:7], "{slug}", p.slug, "{id}", strconv.Itoa(p.id)).Replace(form)
}

// api answers GET requests of anybody.
func (wp WordPress) api(w http.ResponseWriter, r *http.Request, home, path string) {
	var list []map[string]any
	slug := r.URL.Query().Get("slug")
	named := func(_ int, s string) bool { return slug == "" || s == slug }
	switch path {
	case "":
		send(w, map[string]any{"name": "The Slow Loaf", "description": "Bread &amp; more", "home": home, "url": home, "namespaces": []string{"oembed/1.0", "wp/v2"}})
		return
	case "wp/v2/posts":
		list = wp.posts(home, named)
	case "wp/v2/pages":
		list = wp.pages(home, named)
	case "wp/v2/categories":
		list = wp.categories(home, named)
	case "wp/v2/search":
		every := func(int, string) bool { return true }
		for _, item := range slices.Concat(wp.posts(home, every), wp.pages(home, every)) {
			list = append(list, map[string]any{"id": item["id"], "url": item["link"], "type": "post", "subtype": item["type"]})
		}
	default:
		kind, id, _ := strings.Cut(strings.TrimPrefix(path, "wp/v2/"), "/")
		numbered := func(n int, _ string) bool { return strconv.Itoa(n) == id }
		if kind == "posts" {
			list = wp.posts(home, numbered)
		} else if kind == "pages" {
			list = wp.pages(home, numbered)
		}
		if len(list) == 0 {
			w.WriteHeader(http.StatusNotFound)
			send(w, map[string]any{"code": "rest_no_route"})
			return
		}
		send(w, list[0])
		return
	}
	w.Header().Set("X-WP-Total", strconv.Itoa(len(list)))
	w.Header().Set("X-WP-TotalPages", "1")
	if list == nil {
		list = []map[string]any{}
	}
	send(w, list)
}

func send(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(v)
}

func (wp WordPress) categories(home string, wanted func(id int, slug string) bool) []map[string]any {
	var list []map[string]any
	for _, c := range categories {
		if wanted(c.id, c.slug) {
			list = append(list, term(home, c.id, c.slug, c.name))
		}
	}
	return list
}

func term(home string, id int, slug, name string) map[string]any {
	return map[string]any{
		"id": id, "slug": slug, "name": name, "description": "", "parent": 0, "taxonomy": "category", "link": home + "/category/" + slug + "/",
	}
}

func (wp WordPress) posts(home string, wanted func(id int, slug string) bool) []map[string]any {
	var list []map[string]any
	for _, p := range posts {
		if !wanted(p.id, p.slug) {
			continue
		}
		item := content(p.id, "post", p.slug, p.title, p.date, wp.link(home, p))
		item["categories"] = []int{p.category}
		for _, c := range categories {
			if c.id == p.category {
				item["_embedded"] = map[string]any{
					"author":  []any{map[string]any{"id": 1, "name": "Ada", "slug": "ada"}},
					"wp:term": []any{[]any{term(home, c.id, c.slug, c.name)}, []any{}},
				}
			}
		}
		list = append(list, item)
	}
	return list
}

func (wp WordPress) pages(home string, wanted func(id int, slug string) bool) []map[string]any {
	var list []map[string]any
	for _, p := range pages {
		if !wanted(p.id, p.slug) {
			continue
		}
		path := p.path
		if wp.Front && p.parent == 0 {
			path = "/"
		}
		item := content(p.id, "page", p.slug, p.title, "2025-01-01T00:00:00", home+path)
		item["parent"] = p.parent
		list = append(list, item)
	}
	return list
}

func content(id int, kind, slug, title, date, link string) map[string]any {
	rendered := func(s string) map[string]any { return map[string]any{"rendered": s} }
	return map[string]any{
		"id": id, "type": kind, "slug": slug, "link": link, "date": date, "date_gmt": date, "modified_gmt": date,
		"guid": rendered(fmt.Sprintf("https://loaf.example/?p=%d", id)), "title": rendered(title), "excerpt": rendered("<p>About " + title + "</p>"),
		"content": map[string]any{"rendered": "<p>The text of " + title + "</p>", "protected": false},
	}
}

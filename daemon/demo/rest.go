package demo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// apiRoot is where WordPress has its API.
const apiRoot = "/wp-json/wp/v2"

func (c *CMS) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /wp-json/{$}", c.getIndex)
	mux.HandleFunc("GET "+apiRoot+"/posts", c.getPosts)
	mux.HandleFunc("POST "+apiRoot+"/posts", c.postPosts)
	mux.HandleFunc("GET "+apiRoot+"/posts/{id}", c.getPost)
	mux.HandleFunc("POST "+apiRoot+"/posts/{id}", c.postPost)
	mux.HandleFunc("PUT "+apiRoot+"/posts/{id}", c.postPost)
	mux.HandleFunc("DELETE "+apiRoot+"/posts/{id}", c.deletePost)
	mux.HandleFunc("GET "+apiRoot+"/categories", c.getCategories)
	mux.HandleFunc("GET "+apiRoot+"/categories/{id}", c.getCategory)
	mux.HandleFunc("GET "+apiRoot+"/tags", c.getTags)
	mux.HandleFunc("/wp-json/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "rest_no_route", "No route was found matching the URL and request method.")
	})
	return mux
}

// ServeHTTP answers the REST API below /wp-json/.
func (c *CMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.Latency <= 0 || r.Method != http.MethodGet {
		c.mux.ServeHTTP(w, r)
		return
	}
	answer := heldAnswer{header: make(http.Header), status: http.StatusOK}
	c.mux.ServeHTTP(&answer, r)
	timer := time.NewTimer(c.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		answer.send(w)
	case <-r.Context().Done():
	}
}

// heldAnswer is an answer that is ready and on its way for a while: what is
// edited meanwhile is not in it.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *heldAnswer) Header() http.Header         { return a.header }
func (a *heldAnswer) WriteHeader(status int)      { a.status = status }
func (a *heldAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }

func (a *heldAnswer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes())
}

func (c *CMS) getIndex(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"name": "The Slow Loaf", "description": "Notes from a small bakery", "url": c.Home, "home": c.Home,
		"gmt_offset": 0, "timezone_string": "UTC", "namespaces": []string{"wp/v2"},
	})
}

func (c *CMS) getPosts(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p, err := parsePaging(q)
	if err != nil {
		refuse(w, http.StatusBadRequest, "rest_invalid_param", err.Error())
		return
	}
	posts, err := c.find(q)
	if err != nil {
		refuse(w, http.StatusBadRequest, "rest_invalid_param", err.Error())
		return
	}
	if p.past(len(posts)) {
		refuse(w, http.StatusBadRequest, "rest_post_invalid_page_number",
			"The page number requested is larger than the number of pages available.")
		return
	}
	p.writeHeaders(w, r, len(posts))
	items := []any{}
	for _, post := range cut(posts, p) {
		items = append(items, c.item(post, q.Has("_embed")))
	}
	reply(w, http.StatusOK, items)
}

// find returns the posts that a query asks for, in its order.
func (c *CMS) find(q url.Values) ([]Post, error) {
	var after time.Time
	if s := q.Get("modified_after"); s != "" {
		var err error
		if after, err = parseTime(s); err != nil {
			return nil, errors.New("invalid parameter(s): modified_after")
		}
	}
	slugs, ids := list(q, "slug"), list(q, "categories")
	for _, slug := range list(q, "category_slug") { // not WordPress: saves a lookup
		ids = append(ids, "0") // a slug that nobody has asks for no post, not for all
		for _, category := range c.categories {
			if category.Slug == slug {
				ids = append(ids, strconv.Itoa(category.ID))
			}
		}
	}
	posts := slices.DeleteFunc(c.Posts(), func(p Post) bool {
		return len(slugs) > 0 && !slices.Contains(slugs, p.Slug) ||
			len(ids) > 0 && !slices.ContainsFunc(p.Categories, func(id int) bool {
				return slices.Contains(ids, strconv.Itoa(id))
			}) ||
			!after.IsZero() && !p.Modified.After(after)
	})
	switch q.Get("orderby") {
	case "", "date":
	case "id":
		slices.SortFunc(posts, func(a, b Post) int { return cmp.Compare(b.ID, a.ID) })
	case "modified":
		slices.SortFunc(posts, func(a, b Post) int {
			return cmp.Or(b.Modified.Compare(a.Modified), cmp.Compare(b.ID, a.ID))
		})
	default:
		return nil, errors.New("invalid parameter(s): orderby")
	}
	switch q.Get("order") {
	case "", "desc":
	case "asc":
		slices.Reverse(posts)
	default:
		return nil, errors.New("invalid parameter(s): order")
	}
	return posts, nil
}

func (c *CMS) getPost(w http.ResponseWriter, r *http.Request) {
	post, err := c.Post(postID(r))
	if err != nil {
		refuseError(w, err)
		return
	}
	reply(w, http.StatusOK, c.item(post, r.URL.Query().Has("_embed")))
}

func (c *CMS) postPosts(w http.ResponseWriter, r *http.Request) {
	edit, ok := readEdit(w, r)
	if !ok {
		return
	}
	post, _, err := c.Create(edit)
	if err != nil {
		refuseError(w, err)
		return
	}
	w.Header().Set("Location", fmt.Sprintf("http://%s%s/posts/%d", r.Host, apiRoot, post.ID))
	reply(w, http.StatusCreated, c.item(post, false))
}

func (c *CMS) postPost(w http.ResponseWriter, r *http.Request) {
	edit, ok := readEdit(w, r)
	if !ok {
		return
	}
	post, _, err := c.Update(postID(r), edit)
	if err != nil {
		refuseError(w, err)
		return
	}
	reply(w, http.StatusOK, c.item(post, false))
}

func (c *CMS) deletePost(w http.ResponseWriter, r *http.Request) {
	post, _, err := c.Delete(postID(r))
	if err != nil {
		refuseError(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]any{"deleted": true, "previous": c.item(post, false)})
}

func (c *CMS) getCategories(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p, err := parsePaging(q)
	if err != nil {
		refuse(w, http.StatusBadRequest, "rest_invalid_param", err.Error())
		return
	}
	slugs := list(q, "slug")
	found := slices.DeleteFunc(c.Categories(), func(category Category) bool {
		return len(slugs) > 0 && !slices.Contains(slugs, category.Slug)
	})
	p.writeHeaders(w, r, len(found))
	items := []any{}
	for _, category := range cut(found, p) {
		items = append(items, c.categoryItem(category))
	}
	reply(w, http.StatusOK, items)
}

func (c *CMS) getCategory(w http.ResponseWriter, r *http.Request) {
	category, ok := c.category(postID(r))
	if !ok {
		refuse(w, http.StatusNotFound, "rest_term_invalid", "Term does not exist.")
		return
	}
	reply(w, http.StatusOK, c.categoryItem(category))
}

// getTags is there for programs that ask; the sample posts have no tags.
func (c *CMS) getTags(w http.ResponseWriter, r *http.Request) {
	paging{}.writeHeaders(w, r, 0)
	reply(w, http.StatusOK, []any{})
}

// postID is the id in the URL; 0, which no post has, when it is no number.
func postID(r *http.Request) int {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return 0
	}
	return id
}

// list reads a parameter given as a,b or as name[]=a&name[]=b.
func list(q url.Values, name string) []string {
	var items []string
	for _, value := range slices.Concat(q[name], q[name+"[]"]) {
		items = append(items, strings.Split(value, ",")...)
	}
	return items
}

func refuseError(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrNoPost) {
		refuse(w, http.StatusNotFound, "rest_post_invalid_id", "Invalid post ID.")
		return
	}
	refuse(w, http.StatusBadRequest, "rest_invalid_param", err.Error())
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, map[string]any{"code": code, "message": message, "data": map[string]any{"status": status}})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The reader has gone away when this fails, and there is nobody to tell.
	_ = json.NewEncoder(w).Encode(body)
}

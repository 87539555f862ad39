package demo

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The ways in which a change is refused.
var (
	// ErrNoPost says that no post has the id.
	ErrNoPost = errors.New("no post has this id")
	// ErrInvalid says that a field of an edit cannot be stored; the text
	// around it says which.
	ErrInvalid = errors.New("invalid post")
)

// Change says which pages of the site a change of a post touches.
type Change struct {
	ID     int // counts the changes, from 1
	PostID int
	// Paths are the post's page, under its old and its new slug, and every
	// list that the post was or is in.
	Paths []string
}

// Edit says what to change of a post; what is nil stays as it is.
type Edit struct {
	Title, Content, Excerpt, Slug *string
	Categories                    []int
}

// CMS is a sample content management system in memory, and the http.Handler of
// its REST API. It is safe for concurrent use; set its fields before it serves.
type CMS struct {
	// Latency holds back every answer to a GET, after its content was read, to
	// show a site over a slow source.
	Latency time.Duration
	// Changed is called after each change, when readers of the API see it
	// already, and before the one who made it gets an answer. Nil is nobody.
	Changed func(Change)
	// Home is the public URL of the site that the posts' links lead to.
	Home string

	mux        *http.ServeMux
	now        func() time.Time
	categories []Category // never change

	mu         sync.RWMutex // guards the rest
	posts      map[int]Post
	lastPost   int
	lastChange int
}

// NewCMS returns a CMS with the sample posts.
func NewCMS() *CMS {
	c := &CMS{now: time.Now, posts: make(map[int]Post), categories: sampleCategories()}
	for _, p := range samplePosts() {
		c.lastPost++
		p.ID = c.lastPost
		c.posts[p.ID] = p
	}
	c.mux = c.routes()
	return c
}

// Categories returns all categories in the order of their ids.
func (c *CMS) Categories() []Category { return slices.Clone(c.categories) }

// Posts returns all posts, the newest first.
func (c *CMS) Posts() []Post {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.SortedFunc(maps.Values(c.posts), newestFirst)
}

// Post returns a post, or ErrNoPost.
func (c *CMS) Post(id int) (Post, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, ok := c.posts[id]
	if !ok {
		return Post{}, fmt.Errorf("read post %d: %w", id, ErrNoPost)
	}
	return p, nil
}

// Pages returns the paths of all pages of the site, for its first build.
func (c *CMS) Pages() []string {
	pages := []string{"/", feedPath}
	for _, category := range c.categories {
		pages = append(pages, category.Path())
	}
	for _, p := range c.Posts() {
		pages = append(pages, p.Path())
	}
	return pages
}

// feedPath is the site's feed.
const feedPath = "/feed.xml"

// Create publishes a new post. It needs a title; errors are ErrInvalid.
func (c *CMS) Create(e Edit) (Post, Change, error) {
	c.mu.Lock()
	p := Post{ID: c.lastPost + 1, Categories: []int{c.categories[0].ID}, Date: c.moment()}
	p, err := c.apply(p, e)
	if err != nil {
		c.mu.Unlock()
		return Post{}, Change{}, fmt.Errorf("create post: %w", err)
	}
	c.lastPost = p.ID
	c.posts[p.ID] = p
	change := c.change(p)
	c.mu.Unlock()

	c.tell(change)
	return p, change, nil
}

// Update changes a post. Errors are ErrNoPost and ErrInvalid.
func (c *CMS) Update(id int, e Edit) (Post, Change, error) {
	c.mu.Lock()
	old, ok := c.posts[id]
	if !ok {
		c.mu.Unlock()
		return Post{}, Change{}, fmt.Errorf("update post %d: %w", id, ErrNoPost)
	}
	p, err := c.apply(old, e)
	if err != nil {
		c.mu.Unlock()
		return Post{}, Change{}, fmt.Errorf("update post %d: %w", id, err)
	}
	c.posts[id] = p
	change := c.change(old, p)
	c.mu.Unlock()

	c.tell(change)
	return p, change, nil
}

// Delete removes a post, or returns ErrNoPost.
func (c *CMS) Delete(id int) (Post, Change, error) {
	c.mu.Lock()
	old, ok := c.posts[id]
	if !ok {
		c.mu.Unlock()
		return Post{}, Change{}, fmt.Errorf("delete post %d: %w", id, ErrNoPost)
	}
	delete(c.posts, id)
	change := c.change(old)
	c.mu.Unlock()

	c.tell(change)
	return old, change, nil
}

// tell runs without the lock: who is told will read the API.
func (c *CMS) tell(change Change) {
	if c.Changed != nil {
		c.Changed(change)
	}
}

// apply returns the post with the edit made. It needs the lock.
func (c *CMS) apply(p Post, e Edit) (Post, error) {
	if e.Title != nil {
		p.Title = strings.Join(strings.Fields(*e.Title), " ")
	}
	if e.Content != nil {
		p.Content = autoParagraphs(*e.Content)
	}
	if e.Excerpt != nil {
		p.Excerpt = plainText(*e.Excerpt)
	}
	if len(e.Categories) > 0 {
		p.Categories = slices.Compact(slices.Sorted(slices.Values(e.Categories)))
	}
	switch {
	case p.Title == "":
		return Post{}, fmt.Errorf("%w: the title is empty", ErrInvalid)
	case len(p.Title) > maxTitle:
		return Post{}, fmt.Errorf("%w: the title is longer than %d bytes", ErrInvalid, maxTitle)
	case len(p.Content) > maxContent:
		return Post{}, fmt.Errorf("%w: the content is longer than %d bytes", ErrInvalid, maxContent)
	}
	for _, id := range p.Categories {
		if _, ok := c.category(id); !ok {
			return Post{}, fmt.Errorf("%w: there is no category %d", ErrInvalid, id)
		}
	}
	if e.Slug != nil || p.Slug == "" {
		wish := p.Title
		if e.Slug != nil && *e.Slug != "" {
			wish = *e.Slug
		}
		p.Slug = c.freeSlug(wish, p.ID)
	}
	p.Modified = c.moment()
	return p, nil
}

// freeSlug makes a slug that no other post has. It needs the lock.
func (c *CMS) freeSlug(wish string, id int) string {
	base := cmp.Or(slugify(wish), fmt.Sprintf("post-%d", id))
	slug := base
	for n := 2; c.slugTaken(slug, id); n++ {
		slug = fmt.Sprintf("%s-%d", base, n)
	}
	return slug
}

func (c *CMS) slugTaken(slug string, id int) bool {
	for _, p := range c.posts {
		if p.Slug == slug && p.ID != id {
			return true
		}
	}
	return false
}

// change numbers a change and collects the pages of the post's versions. It
// needs the lock.
func (c *CMS) change(versions ...Post) Change {
	c.lastChange++
	var own, lists []string
	for _, p := range versions {
		own = append(own, p.Path())
		for _, id := range p.Categories {
			if category, ok := c.category(id); ok {
				lists = append(lists, category.Path())
			}
		}
	}
	var paths []string
	for _, path := range slices.Concat(own, []string{"/", feedPath}, lists) {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return Change{ID: c.lastChange, PostID: versions[0].ID, Paths: paths}
}

func (c *CMS) category(id int) (Category, bool) {
	for _, category := range c.categories {
		if category.ID == id {
			return category, true
		}
	}
	return Category{}, false
}

func (c *CMS) moment() time.Time { return c.now().UTC().Truncate(time.Second) }

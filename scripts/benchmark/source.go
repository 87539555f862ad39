package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// cms answers as the REST API of WordPress does, as far as a site of posts
// needs: /posts as a list with pages, and with ?slug= the one post. Each post
// has a version, which stands in its text. Safe for concurrent use.
type cms struct {
	mu       sync.Mutex
	versions []int         // guarded by mu; of post-1, post-2 …
	latency  time.Duration // guarded by mu; between reading a post and answering
	reads    chan string   // guarded by mu; told the slug of each post that was read, unless nil
}

// posts is a cms with n posts.
func posts(n int) *cms { return &cms{versions: slices.Repeat([]int{1}, n)} }

// edit gives a post its next version, and returns a text that the page of this
// version has and no other.
func (c *cms) edit(n int) (text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.versions[n-1]++
	return versionText(n, c.versions[n-1])
}

// editAll edits every post.
func (c *cms) editAll() {
	for n := range c.versions {
		c.edit(n + 1)
	}
}

// article returns a post as it is now.
func (c *cms) article(n int) article {
	c.mu.Lock()
	defer c.mu.Unlock()
	return makeArticle(n, c.versions[n-1])
}

// text returns what edit returned last.
func (c *cms) text(n int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return versionText(n, c.versions[n-1])
}

func (c *cms) len() int { return len(c.versions) }

// slow makes every answer about one post come so much later than its content
// was read, and tells of each read; 0 and nil end that.
func (c *cms) slow(latency time.Duration, reads chan string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latency, c.reads = latency, reads
}

func (c *cms) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if query := r.URL.Query(); query.Has("slug") {
		c.serveOne(w, r, query.Get("slug"))
	} else {
		page, _ := strconv.Atoi(query.Get("page"))
		c.serveList(w, max(page, 1))
	}
}

func (c *cms) serveOne(w http.ResponseWriter, r *http.Request, slug string) {
	list := []article{}
	c.mu.Lock()
	if n, _ := strconv.Atoi(strings.TrimPrefix(slug, "post-")); n > 0 && n <= len(c.versions) {
		list = append(list, makeArticle(n, c.versions[n-1]))
	}
	latency, reads := c.latency, c.reads
	c.mu.Unlock()
	if reads != nil {
		select {
		case reads <- slug:
		default: // nobody waits for this one
		}
	}
	select {
	case <-time.After(latency):
	case <-r.Context().Done():
	}
	_ = json.NewEncoder(w).Encode(list)
}

func (c *cms) serveList(w http.ResponseWriter, page int) {
	const size = 100
	list := []article{}
	c.mu.Lock()
	n := len(c.versions)
	for i := (page-1)*size + 1; i <= min(page*size, n); i++ {
		list = append(list, makeArticle(i, c.versions[i-1]))
	}
	c.mu.Unlock()
	w.Header().Set("X-WP-Total", strconv.Itoa(n))
	w.Header().Set("X-WP-TotalPages", strconv.Itoa((n+size-1)/size))
	_ = json.NewEncoder(w).Encode(list)
}

type article struct {
	ID          int      `json:"id"`
	Slug        string   `json:"slug"`
	Type        string   `json:"type"`
	ModifiedGMT string   `json:"modified_gmt"`
	Title       rendered `json:"title"`
	Content     rendered `json:"content"`
}

type rendered struct {
	Rendered string `json:"rendered"`
}

// makeArticle makes a post of about 4 KB.
func makeArticle(n, version int) article {
	began := time.Date(2026, 11, 22, 9, 14, 3, 0, time.UTC)
	paragraph := fmt.Sprintf("<p>Paragraph of post %d, as long as such paragraphs are.</p>\n", n)
	return article{
		ID: n, Slug: slug(n), Type: "post",
		ModifiedGMT: began.Add(time.Duration(version) * time.Second).Format("2006-01-02T15:04:05"),
		Title:       rendered{fmt.Sprintf("Post number %d", n)},
		Content:     rendered{"<p>" + versionText(n, version) + "</p>\n" + strings.Repeat(paragraph, 60)},
	}
}

func slug(n int) string { return fmt.Sprintf("post-%d", n) }

func versionText(n, version int) string { return fmt.Sprintf("Version %d of post %d.", version, n) }

package demo

import (
	"cmp"
	"html"
	"strings"
	"time"
)

// Most bytes of a post's fields, so that a slip of the paste key stays small.
const (
	maxTitle   = 200
	maxContent = 256 << 10
)

// Post is one published post.
type Post struct {
	ID         int
	Slug       string
	Title      string    // plain text
	Content    string    // HTML
	Excerpt    string    // plain text; "" takes the beginning of the content
	Categories []int     // ids, at least one
	Date       time.Time // of publication, UTC
	Modified   time.Time // of the last change, UTC, whole seconds as in WordPress
}

// Path is where the site shows the post.
func (p Post) Path() string { return "/blog/" + p.Slug }

// Category is a group of posts. Categories do not change.
type Category struct {
	ID          int
	Slug        string
	Name        string
	Description string
}

// Path is where the site shows the category.
func (c Category) Path() string { return "/category/" + c.Slug }

// newestFirst orders by date, then by id: an order with ties would repeat and
// miss posts between two pages of a list.
func newestFirst(a, b Post) int {
	return cmp.Or(b.Date.Compare(a.Date), cmp.Compare(b.ID, a.ID))
}

// summary is the post's excerpt in plain text, made from the content when
// nobody wrote one.
func (p Post) summary() string {
	if p.Excerpt != "" {
		return p.Excerpt
	}
	const most = 45 // words
	first, _, _ := strings.Cut(paragraphsOf(p.Content), "\n\n")
	words := strings.Fields(first)
	if len(words) > most {
		return strings.Join(words[:most], " ") + " …"
	}
	return strings.Join(words, " ")
}

// titleHTML is the title as WordPress renders it.
func (p Post) titleHTML() string { return html.EscapeString(p.Title) }

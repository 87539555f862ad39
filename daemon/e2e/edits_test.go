package e2e

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

const (
	// soon is how long a test waits for the new text after a trigger, beside other
	// tests. The 3 s that are allowed are measured by TestWordPress_EditsTable.
	soon = 90 * time.Second
	// goneSoon is the same for a page that goes away, which is looked at twice.
	goneSoon = 2*time.Second + soon
	// recheckedSoon is the same for what WordPress has saved after its call: a
	// page is rendered once more after 3 s.
	recheckedSoon = 3*time.Second + soon
)

// testEdits changes a WordPress, calls as its plugins do, and looks what
// becomes of the site. Those of forgetful are asked for all that they forget:
// how requests are read does not depend on what makes the pages, and is in
// api/senders_test.go for every plugin. gone reports whether an answer is right for an address
// that is no page any more; moved is the same for an old address of a post.
func testEdits(t *testing.T, s *site, w *wordPress, callers, forgetful []caller, gone func(answer) bool, moved func(answer, item) bool) {
	t.Run("an edit shows after the call", func(t *testing.T) {
		post := s.mustPublish(t, w, "größe", "Not edited")
		for _, c := range callers {
			t.Run("of "+c.plugin, func(t *testing.T) {
				title := "Edited for " + c.plugin
				edited := w.edit(t, "posts", post.ID, fields{"title": title})
				send(t, c.request(t, s.URL, post, edited))
				s.awaitFile(t, post.path(t), title, soon)
			})
		}
	})

	t.Run("a call from within the save shows all of it in the end", func(t *testing.T) {
		testCallWithinSave(t, s, w, "Calls with paths")
	})

	// A page that goes is looked at twice; those of all calls go at once.
	t.Run("a new slug is a new page, and the old one goes, after the call", func(t *testing.T) {
		type rename struct {
			caller
			before, after item
		}
		var renames []rename
		for i, c := range callers {
			r := rename{caller: c, before: s.mustPublish(t, w, fmt.Sprintf("%d-was-its-name", i), "Has two names")}
			r.after = w.edit(t, "posts", r.before.ID, fields{"slug": fmt.Sprintf("%d-is-its-name", i)})
			send(t, c.request(t, s.URL, r.before, r.after))
			renames = append(renames, r)
		}
		for _, r := range renames {
			t.Run("of "+r.plugin, func(t *testing.T) {
				s.awaitFile(t, r.after.path(t), "Has two names", soon)
				s.awaitPage(t, r.before.path(t)+"/", "it is gone", goneSoon, func(a answer) bool { return moved(a, r.after) })
			})
		}
	})

	t.Run("a post that is not public any more goes, and comes back", func(t *testing.T) {
		// WordPress guesses which post was meant: these slugs have nothing in common.
		posts := map[string]item{"trash": {}, "draft": {}, "private": {}}
		for status := range posts {
			posts[status] = s.mustPublish(t, w, status, "It will be "+status)
		}
		s.trigger(t, url.Values{"path": {"/"}})
		for status, post := range posts {
			s.awaitFile(t, "/", "It will be "+status, soon)
			if status == "trash" {
				w.trash(t, "posts", post.ID)
			} else {
				w.edit(t, "posts", post.ID, fields{"status": status})
			}
			s.triggerItem(t, "post", post.ID)
		}
		for status, post := range posts {
			t.Run(status, func(t *testing.T) {
				s.awaitPage(t, post.path(t)+"/", "it is gone", goneSoon, gone)
				s.awaitWithout(t, "/", "It will be "+status, soon)
				w.edit(t, "posts", post.ID, fields{"status": "publish", "slug": post.Slug})
				s.trigger(t, url.Values{"path": {post.path(t), "/"}})
				s.awaitFile(t, post.path(t), "It will be "+status, soon)
				s.awaitFile(t, "/", "It will be "+status, soon)
			})
		}
	})

	t.Run("a category that is renamed shows on its pages", func(t *testing.T) {
		news := w.create(t, "categories", fields{"name": "News", "slug": "renamed"})
		post := s.mustPublish(t, w, "in-the-news", "In the news", news.ID)
		s.trigger(t, url.Values{"path": {"/category/renamed"}})
		s.awaitFile(t, "/category/renamed", "In the news", soon)
		w.edit(t, "categories", news.ID, fields{"name": "Announcements", "slug": "announcements"})
		send(t, secretInHeader(jsonRequest(t, "POST", s.URL+"/api/revalidate", fields{"contentType": "category", "contentId": news.ID})))
		s.awaitPage(t, "/category/renamed", "it is gone", goneSoon, gone)
		s.trigger(t, url.Values{"path": {post.path(t), "/category/announcements"}})
		s.awaitFile(t, "/category/announcements", "Announcements", soon)
		s.awaitFile(t, post.path(t), "Announcements", soon)
	})

	t.Run("a post that moves shows in the archives of both categories", func(t *testing.T) {
		from := w.create(t, "categories", fields{"name": "From", "slug": "from"})
		to := w.create(t, "categories", fields{"name": "To", "slug": "to"})
		w.newPost(t, "was-there", "Was there", to.ID)
		w.newPost(t, "stays-there", "Stays there", from.ID)
		moves := w.newPost(t, "moves", "Moves", from.ID)
		s.trigger(t, url.Values{"path": {"/category/from", "/category/to"}})
		s.awaitFile(t, "/category/from", "Moves", soon)
		s.awaitFile(t, "/category/to", "Was there", soon)
		w.edit(t, "posts", moves.ID, fields{"categories": []int{to.ID}})
		s.triggerItem(t, "category", from.ID)
		s.triggerItem(t, "category", to.ID)
		s.awaitFile(t, "/category/to", "Moves", soon)
		s.awaitWithout(t, "/category/from", "Moves", soon)
	})

	t.Run("what a plugin forgets is found", func(t *testing.T) { testForgetful(t, s, w, forgetful, gone, moved) })

	t.Run("a new post shows on the home page that is named", func(t *testing.T) {
		w.newPost(t, "brand-new", "Brand new")
		s.trigger(t, url.Values{"path": {"/"}})
		s.awaitFile(t, "/", "Brand new", soon)
	})
}

// testCallWithinSave gives a post one of the titles that have WordPress call
// while it is saving: it waits for the answer before it saves the categories.
func testCallWithinSave(t *testing.T, s *site, w *wordPress, title string) {
	post := s.mustPublish(t, w, "calls-by-itself", "Before")
	other := w.create(t, "categories", fields{"name": "Of another kind"})
	w.edit(t, "posts", post.ID, fields{"title": title, "categories": []int{other.ID}})
	s.awaitFile(t, post.path(t), title, soon)
	s.awaitFile(t, post.path(t), "Of another kind", recheckedSoon)
}

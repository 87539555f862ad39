package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// testEdits changes WordPress, calls Rebake, and looks what visitors get.
func (s originSite) testEdits(t *testing.T) {
	t.Run("what a page shows is its tags", func(t *testing.T) {
		post := fmt.Sprintf("post:%d", s.first.ID)
		category := fmt.Sprintf("category:%d", s.news.ID)
		for path, want := range map[string][]string{
			"/":                   {post, "origin:wp"},
			s.first.path(t):       {post},
			"/category/news":      {post, category},
			"/sample-page":        {"page:2"},
			"/author/editor":      {post, "user:1"},
			"/feed":               {post},
			"/category/news/feed": {post, category},
		} {
			e := s.explain(path)
			if e.Page == nil {
				t.Errorf("%s is not published", path)
				continue
			}
			for _, tag := range want {
				if !slices.Contains(e.Page.Tags, tag) {
					t.Errorf("%s has no tag %s but %v", path, tag, e.Page.Tags)
				}
			}
		}
	})

	t.Run("a post's edit reaches the pages that show it", func(t *testing.T) {
		s.wp.edit(t, "posts", s.first.ID, fields{"title": "Seen from afar"})
		s.triggerItem(t, "post", s.first.ID)
		for _, path := range []string{"/", s.first.path(t), "/category/news", "/author/editor", "/feed"} {
			s.awaitFile(t, path, "Seen from afar", soon)
		}
	})

	gone := func(a answer) bool { return a.status == 404 && strings.Contains(a.body, theme) }
	moved := func(a answer, to item) bool { return a.status == 301 && a.header.Get("Location") == to.Link }
	// These say least, each in its own way: some of the paths, one path, an id.
	forgetful := callers[:3]
	testEdits(t, s.site, s.wp, forgetful, forgetful, gone, moved)

	t.Run("an edit during an update of WordPress shows soon after it", func(t *testing.T) {
		s.wp.edit(t, "posts", s.first.ID, fields{"title": "Edited in between"})
		s.wp.maintain(t, true)
		s.triggerItem(t, "post", s.first.ID)
		if _, in := await(soon, func() bool {
			owed := s.explain(s.first.path(t)).Owed
			return owed != nil && strings.Contains(owed.Error, "status 503")
		}); !in {
			t.Fatalf("Rebake does not tell of the update: %+v", s.explain(s.first.path(t)))
		}
		if a := get(t, s.first.Link); a.status != 200 || !strings.Contains(a.body, "Seen from afar") {
			t.Errorf("the last good page does not stay, but %.2000s", a)
		}
		s.wp.maintain(t, false)
		s.awaitFile(t, s.first.path(t), "Edited in between", 3*soon) // tried again after 1, 2 and 4 s
	})

	t.Run("nobody but a trigger makes files", func(t *testing.T) {
		s.awaitCalm(t)
		before := len(s.published())
		unknown := s.wp.newPost(t, "nobody-knows", "Nobody knows")
		for _, path := range []string{unknown.address(t) + "/", "/no-such-page/", "/?p=999", "/page/99/"} {
			get(t, s.URL+path)
		}
		if after := len(s.published()); after != before {
			t.Errorf("%d files, and then %d", before, after)
		}
	})
}

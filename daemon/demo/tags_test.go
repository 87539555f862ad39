package demo

import (
	"slices"
	"testing"
)

func TestSite_PagesCarryTheTagsOfWhatTheyShow(t *testing.T) {
	b := newBlog(t)
	post, err := b.cms.Post(3)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"/":                {"post:1", "post:3", "category:1", "user:1"},
		feedPath:           {"post:1", "post:3"},
		"/category/breads": {"post:3", "category:1"},
		post.Path():        {"post:3", "category:1", "user:1", "template:post.html"},
	} {
		page, err := b.render(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range want {
			if !slices.Contains(page.Tags, tag) {
				t.Errorf("%s has the tags %v, without %s", path, page.Tags, tag)
			}
		}
		if path == post.Path() && slices.Contains(page.Tags, "post:1") {
			t.Errorf("%s has the tag of another post: %v", path, page.Tags)
		}
	}
}

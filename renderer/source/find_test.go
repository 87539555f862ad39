package source

import "testing"

func TestCollection(t *testing.T) {
	for get, want := range map[string]string{
		"/posts?slug=a": "posts", "/posts": "posts", "/posts/": "posts", "?rest_route=/wp/v2/posts": "", "/menus/v1/main?x=1": "menus/v1/main", "": "",
	} {
		if got := Collection(get); got != want {
			t.Errorf("Collection(%q) is %q, want %q", get, got, want)
		}
	}
}

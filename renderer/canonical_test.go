package renderer

import (
	"context"
	"errors"
	"strings"
	"testing"

	"rebake/storage"
)

func TestCanonical(t *testing.T) {
	list := func(path string) func(*RouteConfig) {
		return func(rc *RouteConfig) { rc.List = &ListConfig{Source: "cms", Get: "/posts", Path: path, As: "post"} }
	}
	canonical := func(text string) func(*RouteConfig) {
		return func(rc *RouteConfig) { rc.Canonical = text }
	}
	both := func(path, text string) func(*RouteConfig) {
		return func(rc *RouteConfig) { list(path)(rc); canonical(text)(rc) }
	}
	for name, tc := range map[string]struct {
		change     func(*RouteConfig)
		slug, path string
		kind, want string
	}{
		"same":                {list("/blog/{slug}"), `"a"`, "/blog/a", "", ""},
		"same, with a slash":  {list("/blog/{slug}/"), `"a"`, "/blog/a", "", ""},
		"same, escaped":       {list("/blog/{slug}"), `"caf%c3%a9"`, "/blog/café", "", ""},
		"another case":        {list("/blog/{slug}"), `"a"`, "/blog/A", "gone", `canonical: what was asked for as /blog/A belongs to "/blog/a": gone`},
		"another slug":        {list("/blog/{slug}"), `"b"`, "/blog/a,b", "gone", `belongs to "/blog/b"`},
		"no path":             {list("/blog/{slug}"), `"a?b"`, "/blog/a", "gone", `belongs to "/blog/a?b"`},
		"null":                {list("/blog/{slug}"), `null`, "/blog/a", "gone", "has no path"},
		"a map":               {list("/blog/{slug}"), `{}`, "/blog/a", "permanent", "canonical: {slug}: gives a map"},
		"field that is not":   {list("/blog/{name}"), `"a"`, "/blog/a", "permanent", "canonical: /blog/{name} needs name, which the data does not have"},
		"by the entry's name": {list("/blog/{post.slug}"), `"b"`, "/blog/a", "gone", `belongs to "/blog/b"`},
		"by the item":         {list("/blog/{item.slug}"), `"b"`, "/blog/a", "gone", `belongs to "/blog/b"`},
		"its own":             {canonical("/blog/{post.slug}"), `"b"`, "/blog/a", "gone", `belongs to "/blog/b"`},
		"its own, same":       {canonical("/blog/{post.slug}{slug == 'a' ? '' : 'x'}"), `"a"`, "/blog/a", "", ""},
		"its own, null":       {canonical("/blog/{post.slug}"), `null`, "/blog/a", "gone", "has no path"},
		"its own comes first": {both("/blog/{slug}x", "/blog/{post.slug}"), `"a"`, "/blog/a", "", ""},
		"none":                {both("/blog/{slug}", "none"), `"b"`, "/blog/a", "", ""},
		"no list":             {func(*RouteConfig) {}, `"b"`, "/blog/a", "", ""},
		"list without as": {func(rc *RouteConfig) {
			rc.List = &ListConfig{Source: "cms", Get: "/posts", Path: "/blog/{slug}"}
		}, `"b"`, "/blog/a", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, one(t, answers(`[{"slug": `+tc.slug+`}]`), "x", tc.change), tc.path)
			if kind(err) != tc.kind || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s error %v, want %s, %q", kind(err), err, tc.kind, tc.want)
			}
		})
	}
}

func TestCanonical_ofAListedItem(t *testing.T) {
	r := one(t, answers(`[{"slug": "a", "home": "b"}]`), "x", func(rc *RouteConfig) {
		rc.List = &ListConfig{Source: "cms", Get: "/posts", Path: "/blog/{slug}", As: "post"}
		rc.Canonical = "/blog/{post.home}"
	})
	err := r.Lists()[0].Each(t.Context(), nothing, func(ctx context.Context, matches []Match) error {
		_, err := r.Render(ctx, matches[0], false)
		return err
	})
	if !errors.Is(err, storage.ErrGone) {
		t.Errorf("error %v, want gone", err)
	}
}

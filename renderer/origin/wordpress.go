package origin

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// wordPressTags names the items that a page of WordPress shows, in the same
// words as a source of kind wordpress does: post:42, page:7, category:4,
// post_tag:9, user:1, media:12. They stand in the classes that body_class()
// and post_class() write, which themes are required to use, and in the links
// that the core sends in headers and feeds.
func wordPressTags(t *tagSet, h http.Header, kind string, body []byte) {
	for _, line := range h.Values("Link") {
		if m := restLink.FindStringSubmatch(line); m != nil {
			t.add(restTypes[m[1]] + ":" + m[2])
		}
	}
	if kind != "text/html" {
		for _, m := range guid.FindAllSubmatch(body, -1) {
			t.add("post:" + string(m[1]))
		}
		return
	}
	z := html.NewTokenizer(bytes.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			name, hasAttr := z.TagName()
			isBody := string(name) == "body"
			for hasAttr {
				var key, value []byte
				key, value, hasAttr = z.TagAttr()
				if string(key) == "class" {
					classTags(t, isBody, strings.Fields(string(value)))
				}
			}
		}
	}
}

var (
	// restLink is the core's link to the REST object that a page is about.
	restLink = regexp.MustCompile(`/wp/v2/(posts|pages|categories|tags|users|media)/([0-9]+)>`)
	// guid is how feeds name a post, whatever its address is now.
	guid = regexp.MustCompile(`<guid isPermaLink="false">[^<]*[?&;]p=([0-9]+)(?:#comment-[0-9]+)?</guid>`)
	// numbered is a class that ends in the number of an item.
	numbered = regexp.MustCompile(`^(.+)-([0-9]+)$`)
)

var restTypes = map[string]string{
	"posts": "post", "pages": "page", "categories": "category", "tags": "post_tag", "users": "user", "media": "media",
}

// bodyClasses are the classes of the body that end in the number of the item
// that a page is about.
var bodyClasses = map[string]string{"page-id": "page", "category": "category", "tag": "post_tag", "author": "user", "attachmentid": "media"}

func classTags(t *tagSet, isBody bool, classes []string) {
	kind := "post" // of an element that stands for a post of some type
	for _, class := range classes {
		if rest, ok := strings.CutPrefix(class, "type-"); ok && wpKey.MatchString(rest) {
			kind = rest
		}
		if rest, ok := strings.CutPrefix(class, "single-"); ok && isBody && wpKey.MatchString(rest) && !strings.HasPrefix(rest, "format-") {
			kind = rest
		}
	}
	for _, class := range classes {
		m := numbered.FindStringSubmatch(class)
		switch {
		case m == nil:
		case isBody && m[1] == "postid":
			t.add(kind + ":" + m[2])
		case isBody && bodyClasses[m[1]] != "":
			t.add(bodyClasses[m[1]] + ":" + m[2])
		case !isBody && m[1] == "post":
			t.add(kind + ":" + m[2])
		case m[1] == "wp-image":
			t.add("media:" + m[2])
		}
	}
}

// wpKey is what WordPress allows as the name of a post type.
var wpKey = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

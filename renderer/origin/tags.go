package origin

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rebake/storage"
)

const (
	// maxTags is the most tags that a page gets from its origin's answer.
	maxTags = 500
	// manyTags is the tag of a page that has more; see renderer's items:many.
	manyTags = "items:many"
	// maxTag is the longest tag in bytes, as in a route's tags.
	maxTag = 256
)

// tagHeaders are where servers name what a page shows, for caches: those of
// Cloudflare, Fastly and Varnish, and Next.js' own.
var tagHeaders = []string{"Cache-Tag", "Surrogate-Key", "xkey", "X-Next-Cache-Tags"}

// tags are those of an answer: the origin itself, what its headers name, and
// for WordPress what the page shows.
func (o *Origin) tags(p storage.Path, h http.Header, kind string, body []byte) []string {
	t := tagSet{seen: map[string]bool{}}
	for _, name := range tagHeaders {
		for _, line := range h.Values(name) {
			for _, tag := range strings.FieldsFunc(line, separator(name)) {
				t.add(strings.TrimSpace(tag))
			}
		}
	}
	if o.config.Kind == WordPress {
		shown := wordPressPage{path: p, name: o.name, tagSet: &t}
		shown.read(h, kind, body)
	}
	return append(t.tags, "origin:"+o.name)
}

// separator says what stands between the tags of a header: Cache-Tag has
// commas, and so may have spaces in a tag; the others have either.
func separator(header string) func(rune) bool {
	if header == "Cache-Tag" || header == "X-Next-Cache-Tags" {
		return func(r rune) bool { return r == ',' }
	}
	return func(r rune) bool { return r == ',' || unicode.IsSpace(r) }
}

// tagSet keeps tags in the order of their coming, each once, and no more than
// a page may have.
type tagSet struct {
	tags []string
	seen map[string]bool
}

func (t *tagSet) add(tag string) {
	if tag == "" || len(tag) > maxTag || t.seen[tag] || !utf8.ValidString(tag) || strings.ContainsFunc(tag, unicode.IsControl) {
		return
	}
	if len(t.tags) >= maxTags {
		if !slices.Contains(t.tags, manyTags) {
			t.tags = append(t.tags, manyTags)
		}
		return
	}
	t.seen[tag] = true
	t.tags = append(t.tags, tag)
}

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

// label gives a snapshot its tags, with the versions of those that have one:
// the origin itself, what the headers of its answer name, and for WordPress what
// the page shows.
func (o *Origin) label(page *Snapshot, p storage.Path, h http.Header, kind string, of head) {
	t := tagSet{seen: map[string]bool{}}
	for _, name := range tagHeaders {
		for _, line := range h.Values(name) {
			for _, tag := range strings.FieldsFunc(line, separator(name)) {
				t.add(strings.TrimSpace(tag))
			}
		}
	}
	s := shown{tagSet: &t}
	s.items(h, of)
	if o.config.Kind == WordPress {
		wp := wordPressPage{path: p, name: o.name, tagSet: &t}
		wp.read(h, kind, page.Body)
	}
	page.Tags = append(t.tags, "origin:"+o.name)
	page.Versions, page.Made = s.versions, s.made
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
	if !isLabel(tag) || t.seen[tag] {
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

// isLabel reports whether a text can be a tag or a version.
func isLabel(s string) bool {
	return s != "" && len(s) <= maxTag && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

package origin

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"rebake/storage"
)

// itemsHeader is where an origin says which items an answer shows, and in which
// versions: "post:42@2026-11-23T10:00:00Z, post:41@2026-11-22T09:30:00Z". What
// stands before the last @ is the item's tag, and what follows is a version as
// storage.CompareVersions knows them. A member without a tag,
// "@2026-11-23T10:00:05Z", says when the answer was made. Our plugin for
// WordPress sends it; any origin may.
//
// A cache that keeps a page with its headers gives away by it how old the page
// is. For those that keep the text alone the same may stand in the head of the
// page, as <meta name="rebake-items" content="…">, which is not published.
const itemsHeader = "Rebake-Items"

// shown is what an answer shows, in which versions.
type shown struct {
	*tagSet
	versions map[string]string // by tag
	made     string
}

// items adds what the header and the head of the page say.
func (s *shown) items(h http.Header, of head) {
	for _, line := range slices.Concat(h.Values(itemsHeader), of.items) {
		for member := range strings.SplitSeq(line, ",") {
			s.item(strings.TrimSpace(member))
		}
	}
}

func (s *shown) item(member string) {
	tag, version := member, ""
	if at := strings.LastIndexByte(member, '@'); at >= 0 {
		tag, version = member[:at], member[at+1:]
	}
	if tag == "" {
		if _, err := time.Parse(time.RFC3339, version); err == nil {
			s.made = older(s.made, version)
		}
		return
	}
	if s.add(tag); s.seen[tag] && isLabel(version) {
		if s.versions == nil {
			s.versions = make(map[string]string)
		}
		s.versions[tag] = older(s.versions[tag], version)
	}
}

// older returns the older one of two versions of something: where header and
// page differ, the page may show either. A first one that is "" is none.
func older(known, version string) string {
	if order, ok := storage.CompareVersions(known, version); known == "" || ok && order > 0 {
		return version
	}
	return known
}

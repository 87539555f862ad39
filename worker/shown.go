package worker

import (
	"maps"
	"strings"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// mostShown is of how many items it is noted what a page shows of them.
const mostShown = 100

// shownBy returns what a page shows, by the names under which something newer
// may be announced.
func shownBy(page *storage.Page) map[string]string {
	shown := make(map[string]string)
	maps.Copy(shown, page.Versions)
	if page.Made != "" {
		for _, name := range mustBeMade(page) {
			shown[name] = page.Made
		}
	}
	return shown
}

// toCompare returns what is noted of a page that is published, to tell later
// whether another shows more: when it was made, and what it shows of its own item
// and of those of which something was announced. All of it would be too much for
// sites with long lists.
func toCompare(page *storage.Page, announced map[string]ledger.Announced) map[string]string {
	own := renderer.ItemOf(page.Tags)
	noted := make(map[string]string)
	for item, version := range page.Versions {
		_, is := announced[item]
		if (is || item == own || len(page.Versions) == 1) && len(noted) < mostShown {
			noted[item] = version
		}
	}
	if page.Made != "" {
		noted[madeAt] = page.Made
	}
	return noted
}

// showsLess reports whether something is older than on the public page, of what is
// noted of both.
func showsLess(shown, was map[string]string) bool {
	for item, before := range was {
		if order, ok := storage.CompareVersions(shown[item], before); ok && order < 0 {
			return true
		}
	}
	return false
}

// showsMore reports whether a page shows something newer than the public one,
// which showed was, and nothing older. What is behind the announced, and was
// shown nobody knows how, may be older.
func showsMore(shown, was map[string]string, announced map[string]ledger.Announced) (more bool) {
	for item, a := range announced {
		before, known := was[item]
		if strings.HasPrefix(item, madeAt) {
			before, known = was[madeAt]
		}
		if !known {
			if order, ok := storage.CompareVersions(shown[item], a.Version); ok && order < 0 {
				return false
			}
			continue
		}
		order, ok := storage.CompareVersions(shown[item], before)
		if !ok || order < 0 {
			return false
		}
		more = more || order > 0
	}
	return more
}

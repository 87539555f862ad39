package worker

import (
	"sync"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

const (
	// mostCatching is the most pages of which it is known what they showed.
	mostCatching = 10_000
	// renderSpread is how much longer one render of a page may take than another.
	renderSpread = 5 * time.Second
)

// catching knows what the pages that wait for their CMS showed when they began
// to, so that it can tell when they show more. Each process knows of its own
// renders. Safe for concurrent use.
type catching struct {
	mu    sync.Mutex
	first map[storage.Path]showed // guarded by mu
}

// showed is what a page showed of the items that are announced.
type showed struct {
	versions map[string]string
	at       time.Time
}

func newCatching() *catching { return &catching{first: make(map[storage.Path]showed)} }

// more reports whether a page shows something newer than when it began to wait,
// and nothing older. waited is since when it does: what is known from before that
// is of another time, and the page was published since.
func (c *catching) more(p storage.Path, waited time.Duration, shown map[string]string, announced map[string]ledger.Announced) (more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, ok := c.first[p]
	if !ok || time.Since(first.at) > waited+renderSpread {
		if len(c.first) >= mostCatching {
			clear(c.first)
		}
		first = showed{versions: make(map[string]string), at: time.Now()}
		c.first[p] = first
	}
	for item := range announced {
		was, ok := first.versions[item]
		if !ok {
			first.versions[item] = shown[item]
			continue
		}
		order, same := storage.CompareVersions(shown[item], was)
		if !same || order < 0 {
			return false
		}
		more = more || order > 0
	}
	return more
}

// forget is for a page that is published.
func (c *catching) forget(p storage.Path) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.first, p)
}

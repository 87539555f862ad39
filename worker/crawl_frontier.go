package worker

import (
	"fmt"
	"hash/maphash"
	"sync"

	"rebake/renderer"
	"rebake/storage"
)

// What bounds the pages that a build finds by links, where a site has links
// without an end.
const (
	// mostClicks is how far from the pages that are named a link is followed.
	mostClicks = 32
	// mostLinked is how many pages are visited, and as many assets.
	mostLinked = 100_000
	// mostWaiting is how many links are kept for later.
	mostWaiting = 500_000
)

// frontier is the edge of what a build has seen of the site. Safe for
// concurrent use.
type frontier struct {
	clicks, linked, waiting int // the bounds
	seed                    maphash.Seed

	mu     sync.Mutex
	seen   map[uint64]bool // guarded by mu; hashes of paths, true when they were taken
	queue  []buildPage     // guarded by mu; in the order of their finding
	known  []buildPage     // guarded by mu; that were visited, and need no more of that
	visits map[bool]int    // guarded by mu; of pages, and of assets
	left   [4]buildPage    // guarded by mu; the first page that each bound has kept out
}

// The bounds in frontier.left.
const (
	boundClicks = iota
	boundPages
	boundAssets
	boundWaiting
)

func newFrontier() *frontier {
	return &frontier{
		clicks: mostClicks, linked: mostLinked, waiting: mostWaiting,
		seed: maphash.MakeSeed(), seen: make(map[uint64]bool), visits: make(map[bool]int),
	}
}

func (f *frontier) hash(p storage.Path) uint64 { return maphash.String(f.seed, p.String()) }

// take marks a page as one that needs no link; false when it was taken before.
func (f *frontier) take(p storage.Path) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	hash := f.hash(p)
	if f.seen[hash] {
		return false
	}
	f.seen[hash] = true
	return true
}

// add puts a link on a page into the queue, if it leads to something new.
func (f *frontier) add(on buildPage, l renderer.Link) {
	if on.deadEnd && !l.Asset {
		return
	}
	p := buildPage{path: l.Path, asset: l.Asset, on: on.path, clicks: on.clicks + 1, deadEnd: on.deadEnd}
	if l.Asset && !on.asset {
		p.clicks = on.clicks // it comes with the page
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	hash := f.hash(p.path)
	if _, again := f.seen[hash]; again {
		return
	}
	switch {
	case p.clicks > f.clicks:
		f.keepOut(boundClicks, p)
	case len(f.queue) >= f.waiting:
		f.keepOut(boundWaiting, p)
	default:
		f.seen[hash] = false
		f.queue = append(f.queue, p)
	}
}

// answerFor puts a page that was visited back, since the ledger knows it.
func (f *frontier) answerFor(p buildPage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p.known = true
	f.known = append(f.known, p)
}

// next returns a page that is known, or else the one that waits the longest,
// and takes it; false when none does.
func (f *frontier) next() (buildPage, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.known); n > 0 {
		p := f.known[n-1]
		f.known = f.known[:n-1]
		return p, true
	}
	for len(f.queue) > 0 {
		p := f.queue[0]
		f.queue[0] = buildPage{}
		f.queue = f.queue[1:]
		hash := f.hash(p.path)
		if f.seen[hash] {
			continue // it was named after the link to it was found
		}
		if f.visits[p.asset] >= f.linked {
			bound := boundPages
			if p.asset {
				bound = boundAssets
			}
			f.keepOut(bound, p)
			continue
		}
		f.visits[p.asset]++
		f.seen[hash] = true
		return p, true
	}
	return buildPage{}, false
}

// keepOut remembers that a bound was met; mu is held.
func (f *frontier) keepOut(bound int, p buildPage) {
	if !f.left[bound].linked() {
		f.left[bound] = p
	}
}

// notes say which bounds were met.
func (f *frontier) notes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	texts := [len(f.left)]string{
		boundClicks:  fmt.Sprintf("links are followed for %d clicks from the pages that the config, lists and sitemaps name", f.clicks),
		boundPages:   fmt.Sprintf("links are followed to %d pages", f.linked),
		boundAssets:  fmt.Sprintf("%d assets are copied", f.linked),
		boundWaiting: fmt.Sprintf("%d links are kept to be followed later", f.waiting),
	}
	var notes []string
	for bound, p := range f.left {
		if p.linked() {
			notes = append(notes, fmt.Sprintf("%s, and the site has more: the first that was left out is %s on %s", texts[bound], p.path, p.on))
		}
	}
	return notes
}

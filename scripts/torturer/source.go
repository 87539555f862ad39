package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// Source is the CMS: an HTTP JSON API with an item for each page. An item has a
// version that only grows; at each version it is there or deleted. Safe for
// concurrent use.
type Source struct {
	URL string

	server *httptest.Server
	mu     sync.Mutex
	pages  map[string]*content // guarded by mu
	order  []string
	mood   Mood         // guarded by mu
	served int          // guarded by mu; answers about one page
	failed int          // guarded by mu; of these, errors
	onRead func(string) // guarded by mu
}

// content is one item.
type content struct {
	group   string
	version int
	gone    map[int]bool // the versions at which it was deleted
	since   []time.Time  // when each version came, from the second on
	failed  int          // in a row
}

// Mood is how a source answers about single pages.
type Mood struct {
	// Latency is the longest between reading an item and answering; each
	// answer takes between none and all of it.
	Latency time.Duration
	// Failing is which share of the answers is an error, none to 1; never more
	// than MostFailures in a row about one page.
	Failing      float64
	MostFailures int
	// Lag is how old what it answers is: an edit is not seen for that long, as
	// behind a cache.
	Lag time.Duration
	// Size is how many bytes a page has, at least; 0 is 8 KB.
	Size int
}

// NewSource serves items for n pages, all at version 1. The lab closes it.
func (l *Lab) NewSource(n int) *Source {
	s := &Source{pages: make(map[string]*content)}
	for i := range n {
		path := PagePath(i)
		s.order = append(s.order, path)
		s.pages[path] = &content{group: GroupOf(i), version: 1, gone: make(map[int]bool)}
	}
	s.server = httptest.NewServer(s)
	s.URL = s.server.URL
	l.OnClose(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

// Sections is how many sections (path prefixes) the pages are spread over, and
// Groups how many groups (tags).
const (
	Sections = 4
	Groups   = 3
)

// PagePath is the path of a page by its number: "/s1/p5".
func PagePath(n int) string { return fmt.Sprintf("/s%d/p%d", n%Sections, n) }

// GroupOf is the group of a page by its number. Its pages have the tag
// "group:g1".
func GroupOf(n int) string { return fmt.Sprintf("g%d", n%Groups) }

// Paths are all pages, by their numbers.
func (s *Source) Paths() []string { return slices.Clone(s.order) }

// Set changes how the source answers from now on.
func (s *Source) Set(m Mood) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mood = m
}

// OnRead has f called with each page whose item was read, before the answer:
// as long as f takes, a render waits with what it will show.
func (s *Source) OnRead(f func(path string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRead = f
}

// Renders is how many answers about single pages were given.
func (s *Source) Renders() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served
}

// Failures is how many of them were errors.
func (s *Source) Failures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Bump edits an item, which is there then, and returns its new version.
func (s *Source) Bump(path string) int { return s.change(path, false) }

// Delete deletes an item, and returns the version of that.
func (s *Source) Delete(path string) int { return s.change(path, true) }

func (s *Source) change(path string, gone bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pages[path].next(gone)
}

// Touch gives an item its next version, at which it is there if it was before.
func (s *Source) Touch(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.pages[path]
	return c.next(c.gone[c.version])
}

func (c *content) next(gone bool) int {
	c.version++
	c.since = append(c.since, time.Now())
	c.gone[c.version] = gone
	return c.version
}

// seen is the newest version that is older than lag.
func (c *content) seen(lag time.Duration) int {
	v := c.version
	for lag > 0 && v > 1 && time.Since(c.since[v-2]) < lag {
		v--
	}
	return v
}

// Version is the newest version of an item.
func (s *Source) Version(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pages[path].version
}

// GoneSince reports whether the item was deleted at a version from v on.
func (s *Source) GoneSince(path string, v int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.pages[path]
	for ; v <= c.version; v++ {
		if c.gone[v] {
			return true
		}
	}
	return false
}

// read returns what is there now, how late that will be told, and whether it
// will be an error instead.
func (s *Source) read(path string) (list []item, late time.Duration, fail bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	c := s.pages[path]
	if c != nil {
		list = s.items(path)
		if fail = c.failed < s.mood.MostFailures && rand.Float64() < s.mood.Failing; fail {
			c.failed++
			s.failed++
		} else {
			c.failed = 0
		}
	}
	if s.mood.Latency > 0 {
		late = rand.N(s.mood.Latency)
	}
	return list, late, fail
}

// items has the item of a path, unless it is deleted; mu is held.
func (s *Source) items(path string) []item {
	c := s.pages[path]
	version := c.seen(s.mood.Lag)
	if c.gone[version] {
		return []item{}
	}
	size := s.mood.Size
	if size == 0 {
		size = 8 << 10
	}
	return []item{makeItem(path, c.group, version, size)}
}

func (s *Source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("path")
	if path == "" {
		s.serveAll(w)
		return
	}
	list, late, fail := s.read(path)
	s.mu.Lock()
	told := s.onRead
	s.mu.Unlock()
	if told != nil {
		told(path)
	}
	if Sleep(r.Context(), late) != nil {
		return
	}
	if fail {
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	if list == nil {
		list = []item{}
	}
	_ = json.NewEncoder(w).Encode(list)
}

func (s *Source) serveAll(w http.ResponseWriter) {
	list := []item{}
	s.mu.Lock()
	for _, path := range s.order {
		list = append(list, s.items(path)...)
	}
	s.mu.Unlock()
	_ = json.NewEncoder(w).Encode(list)
}

package renderer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"rebake/renderer/origin"
	"rebake/renderer/source"
	"rebake/renderer/upstream"
	"rebake/storage"
)

// wordPress is a WordPress that can be asked for its items: a source, or an
// origin. Safe for concurrent use.
type wordPress struct {
	name string // by which tags name its lists
	all  string // the tag of every page that is made from it
	// get reads what stands at ref below its API.
	get    func(ctx context.Context, ref string, urgent bool) (any, error)
	source *source.Source // nil for an origin
	origin *origin.Origin // nil for a source

	mu    sync.Mutex
	kinds wpKinds // guarded by mu
}

// wordPressesOf returns those that the routes can be made from: sources first,
// each in the order of the names.
func wordPressesOf(c Config) []*wordPress {
	var list []*wordPress
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if s := c.Sources[name]; s.WordPress() {
			list = append(list, &wordPress{
				name: name, all: "source:" + name, source: s,
				get: s.Get,
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Origins)) {
		if o := c.Origins[name]; o.Config().Kind == origin.WordPress {
			list = append(list, &wordPress{
				name: name, all: "origin:" + name, origin: o,
				get: func(ctx context.Context, ref string, urgent bool) (any, error) {
					resp, err := o.REST(ctx, ref, urgent)
					if err != nil {
						return nil, err
					}
					return source.Decode(ctx, resp.Body)
				},
			})
		}
	}
	return list
}

// ask reads a list. What nobody may see, or is not there, is an empty one:
// WordPress answers 401 for the draft of somebody, 400 for a page past the end,
// and 404 where the API knows no such collection. Whose words a refusal has not,
// such as a firewall, says nothing of what there is: that is an error.
func (s *resolving) ask(ctx context.Context, ref string) ([]map[string]any, error) {
	v, err := s.get(ctx, ref, s.urgent)
	if notThere(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var items []map[string]any
	if list, ok := v.([]any); ok {
		objects(list, func(item map[string]any) { items = append(items, item) })
	}
	return items, nil
}

func notThere(err error) bool {
	var status *upstream.StatusError
	if errors.As(err, &status) {
		switch status.Status {
		case http.StatusUnauthorized, http.StatusForbidden:
			return strings.HasPrefix(status.Code, "rest_")
		case http.StatusBadRequest, http.StatusNotFound, http.StatusGone:
			return true
		}
	}
	return errors.Is(err, storage.ErrGone)
}

// wpKinds are the types of posts and the taxonomies that a WordPress shows in
// its API.
type wpKinds struct {
	types, taxonomies map[string]wpKind
	read              time.Time
}

// wpKind is a type of posts, or a taxonomy.
type wpKind struct {
	base         string // of its collection: "posts"
	hierarchical bool
	archive      string   // of a type: the slug of its archive, "" without one
	of           []string // the taxonomies of a type, or the types of a taxonomy
}

const (
	// kindsFor is how long is believed what kinds there are, and kindsAgain
	// after how long they are asked for again when one is missing.
	kindsFor, kindsAgain = 10 * time.Minute, 30 * time.Second
	// mostTypes bounds what is remembered of one WordPress.
	mostTypes = 200
)

// builtIn are the kinds of a WordPress that does not tell. They are not kept: it
// may tell a moment later.
var builtIn = wpKinds{
	types: map[string]wpKind{
		"post": {base: "posts", of: []string{"category", "post_tag"}},
		"page": {base: "pages", hierarchical: true},
	},
	taxonomies: map[string]wpKind{
		"category": {base: "categories", hierarchical: true, of: []string{"post"}},
		"post_tag": {base: "tags", of: []string{"post"}},
	},
}

// kindsWith returns the kinds, read anew when they are old, or when they do not
// have the one that is wanted and are not new.
func (s *resolving) kindsWith(ctx context.Context, wanted string) (wpKinds, error) {
	w, now := s.wordPress, s.renderer.now()
	w.mu.Lock()
	kinds := w.kinds
	w.mu.Unlock()
	_, isType := kinds.types[wanted]
	_, isTaxonomy := kinds.taxonomies[wanted]
	age := now.Sub(kinds.read)
	if kinds.types != nil && age < kindsFor && (isType || isTaxonomy || age < kindsAgain) {
		return kinds, nil
	}
	types, err := s.readKinds(ctx, "types", "taxonomies")
	if err != nil {
		return wpKinds{}, err
	}
	taxonomies, err := s.readKinds(ctx, "taxonomies", "types")
	if err != nil {
		return wpKinds{}, err
	}
	kinds = wpKinds{types: types, taxonomies: taxonomies, read: now}
	if len(types) == 0 || len(taxonomies) == 0 {
		return builtIn, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kinds = kinds
	return kinds, nil
}

// readKinds reads one of the two maps. What is not of the core's API, or of the
// looks of the site alone, is left out.
func (s *resolving) readKinds(ctx context.Context, what, of string) (map[string]wpKind, error) {
	v, err := s.get(ctx, "/"+what, s.urgent)
	if notThere(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	fields, _ := v.(map[string]any)
	kinds := make(map[string]wpKind, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		item, _ := fields[name].(map[string]any)
		base, _ := item["rest_base"].(string)
		namespace, _ := item["rest_namespace"].(string)
		if len(kinds) == mostTypes || !wpKey.MatchString(name) || base == "" || strings.ContainsAny(base, "/?#%") ||
			namespace != "" && namespace != "wp/v2" || strings.HasPrefix(name, "wp_") || name == "nav_menu_item" || name == "attachment" {
			continue
		}
		k := wpKind{base: base, of: texts(item[of])}
		k.hierarchical, _ = item["hierarchical"].(bool)
		k.archive, _ = item["has_archive"].(string)
		kinds[name] = k
	}
	return kinds, nil
}

func texts(v any) []string {
	var list []string
	items, _ := v.([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			list = append(list, s)
		}
	}
	return list
}

// linked returns the page that an item's link leads to: false for a link that
// leads to another server, or that is none for visitors ("/?p=42").
func (s *resolving) linked(item map[string]any) (Match, bool) {
	link, _ := item["link"].(string)
	u, err := url.Parse(link)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.Host == "" || !s.isOwn(u.Host, item) {
		return Match{}, false
	}
	p, err := parsePath(s.renderer.rules, orRoot(u.EscapedPath()))
	if err != nil {
		return Match{}, false
	}
	m, ok := s.renderer.Match(p)
	return m, ok && s.makes(m)
}

func orRoot(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// isOwn reports whether links to the host lead to this WordPress: it is the one
// that its API has in the links to itself, too.
func (s *resolving) isOwn(host string, item map[string]any) bool {
	if s.source != nil && s.source.Host() == host {
		return true
	}
	if u, err := url.Parse(s.renderer.site); err == nil && u.Host == host {
		return true
	}
	own := false
	links, _ := item["_links"].(map[string]any)
	objects(links["self"], func(self map[string]any) {
		href, _ := self["href"].(string)
		u, err := url.Parse(href)
		own = own || err == nil && u.Host == host
	})
	return own
}

// makes reports whether the page of a match can be made from this WordPress: by
// itself, by a template over it, or by another origin, which may read it.
func (s *resolving) makes(m Match) bool {
	if snap := m.route.snapshot; snap != nil {
		return snap.origin == s.origin || s.origin == nil && snap.origin.Config().Kind != origin.WordPress
	}
	return s.source != nil && slices.ContainsFunc(m.route.fetches, func(f fetch) bool { return f.source == s.source })
}

// resolving is what one WordPress tells of one item.
type resolving struct {
	*wordPress
	renderer     *Renderer
	urgent       bool
	paths, known distinct[storage.Path]
	tags         distinct[string]
	version      string // of the item, as WordPress writes it
}

// distinct keeps each value once, in the order of their coming.
type distinct[V comparable] struct {
	list []V
	seen map[V]bool
}

func (s *distinct[V]) add(v V) {
	if s.seen == nil {
		s.seen = make(map[V]bool)
	}
	if !s.seen[v] {
		s.seen[v] = true
		s.list = append(s.list, v)
	}
}

// tag names all pages that have a tag.
func (s *resolving) tag(format string, args ...any) { s.tags.add(fmt.Sprintf(format, args...)) }

// list names the pages that list a collection.
func (s *resolving) list(base string) { s.tag(listTag+"%s/%s", s.name, base) }

// knownAt names pages of the origin by their paths: archives, feeds.
func (s *resolving) knownAt(paths ...string) {
	if s.origin == nil {
		return // a template's page says by its tags what it was made of
	}
	for _, path := range paths {
		if p, err := parsePath(s.renderer.rules, path); err == nil {
			if m, ok := s.renderer.Match(p); ok && s.makes(m) {
				s.known.add(p)
			}
		}
	}
}

package renderer

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rebake/storage"
)

const (
	atATime = 100 // items of one answer; more WordPress does not give
	// mostRelated is how many items are named that change with another one:
	// the posts of a category, the children of a page. Where there are more,
	// everything that is made from this WordPress is.
	mostRelated = 500
	mostLevels  = 20 // of children and of parents
)

// itemFields are what is wanted of an item, besides its terms.
const itemFields = "id,type,taxonomy,status,link,slug,date,author,parent,count,_links.self"

// post is about an item of a post type. It reports whether there is one that is
// public.
func (s *resolving) post(ctx context.Context, kinds wpKinds, typ string, k wpKind, id int) (found bool, err error) {
	s.list(k.base)
	if k.base != typ {
		s.list(typ) // an origin's pages name the type, and not its base
	}
	s.knownAt("/", "/feed", "/wp-sitemap.xml", "/wp-sitemap-posts-"+typ+"-1.xml")
	if k.archive != "" {
		s.knownAt("/"+k.archive, "/"+k.archive+"/feed")
	}
	fields := itemFields + ",modified_gmt"
	for _, name := range k.of {
		if t, ok := kinds.taxonomies[name]; ok {
			fields += "," + url.QueryEscape(t.base)
		}
	}
	item, err := s.one(ctx, k.base, id, fields)
	if err != nil || item == nil {
		for _, name := range k.of { // a term that it was alone in is in no list now
			if t, ok := kinds.taxonomies[name]; ok && err == nil {
				s.list(t.base)
			}
		}
		return false, err // not public, or not there: nothing but lists could show it
	}
	s.version, _ = item["modified_gmt"].(string)
	if err := s.own(ctx, k.base, item); err != nil {
		return true, err
	}
	if s.origin != nil {
		if err := s.neighbours(ctx, k, item); err != nil {
			return true, err
		}
		s.dates(item)
		if author, ok := item["author"].(int); ok && author > 0 && typ == "post" {
			s.tag(archiveTag+"user:%d", author)
			s.knownAt("/wp-sitemap-users-1.xml")
		}
		if err := s.terms(ctx, kinds, k, item); err != nil {
			return true, err
		}
	}
	if k.hierarchical {
		return true, s.descend(ctx, typ, k.base, id, false)
	}
	return true, nil
}

// neighbours names the pages of the posts before and after this one, which may
// lead to it, and those that lead to it already.
func (s *resolving) neighbours(ctx context.Context, k wpKind, item map[string]any) error {
	for _, p := range s.paths.list {
		s.tags.add(nearTag + p.String())
	}
	date, _ := item["date"].(string)
	if date == "" || k.hierarchical {
		return nil
	}
	for _, side := range []string{"before=%s&order=desc", "after=%s&order=asc"} {
		items, err := s.ask(ctx, fmt.Sprintf("/%s?"+side+"&orderby=date&per_page=1&_fields=id,type,status", k.base, url.QueryEscape(date)))
		if err != nil {
			return err
		}
		for _, next := range items {
			if tag, ok := itemTag(next, false); ok {
				s.tags.add(selfTag + tag)
			}
		}
	}
	return nil
}

// one reads an item of a collection, nil when it is not public.
func (s *resolving) one(ctx context.Context, base string, id int, fields string) (map[string]any, error) {
	items, err := s.ask(ctx, fmt.Sprintf("/%s?include=%d&_fields=%s", base, id, fields))
	for _, item := range items {
		if item["id"] == id && isEverybodys(item) {
			return item, nil
		}
	}
	return nil, err
}

// isEverybodys reports whether an item is public. Terms and users have no
// status.
func isEverybodys(item map[string]any) bool {
	status, has := item["status"].(string)
	return !has || status == "publish"
}

// own names the pages that items of one collection make: where lists of routes
// name them, those; else where their links lead.
func (s *resolving) own(ctx context.Context, base string, items ...map[string]any) error {
	var ids []string
	for _, item := range items {
		if id, ok := item["id"].(int); ok {
			ids = append(ids, strconv.Itoa(id))
		}
	}
	listed := false
	for _, l := range s.renderer.Lists() {
		if len(ids) == 0 || l.lister.Source() != s.source || l.lister.Collection() != base {
			continue
		}
		listed = true
		for some := range slices.Chunk(ids, atATime) {
			if err := s.find(ctx, l, some); err != nil {
				return err
			}
		}
	}
	if listed {
		return nil
	}
	for _, item := range items {
		if m, ok := s.linked(item); ok {
			s.paths.add(m.Path)
		}
		s.bySlug(base, item)
	}
	return nil
}

// find names the pages that a list has for some items.
func (s *resolving) find(ctx context.Context, l *List, ids []string) error {
	items, err := l.lister.Find(ctx, "include", strings.Join(ids, ","), s.urgent)
	if notThere(err) {
		return nil
	}
	if err != nil {
		return err
	}
	w := listing{List: l, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	for _, item := range items {
		fields, _ := item.(map[string]any)
		if id, ok := fields["id"].(int); !ok || !slices.Contains(ids, strconv.Itoa(id)) {
			continue // the list's own get says otherwise
		}
		if m, ok, err := w.match(item); ok && err == nil {
			s.paths.add(m.Path)
		}
	}
	return nil
}

// bySlug names the pages of routes that read the one item of their data by the
// slug in their path.
func (s *resolving) bySlug(base string, item map[string]any) {
	slug, _ := item["slug"].(string)
	if slug == "" || s.source == nil {
		return
	}
	for _, path := range s.renderer.SlugPaths(slug) {
		p, err := parsePath(s.renderer.rules, path)
		if err != nil {
			continue
		}
		m, ok := s.renderer.Match(p)
		if ok && slices.ContainsFunc(m.route.fetches, func(f fetch) bool {
			return f.one && f.source == s.source && f.collection == base
		}) {
			s.paths.add(p)
		}
	}
}

// dates names the archives of the item's day.
func (s *resolving) dates(item map[string]any) {
	date, _ := item["date"].(string)
	date, _, _ = strings.Cut(date, "T")
	parts := strings.Split(date, "-")
	if len(parts) != 3 {
		return
	}
	for i := range parts {
		s.tag(archiveTag+"date:%s", strings.Join(parts[:i+1], "-"))
		s.knownAt("/" + strings.Join(parts[:i+1], "/"))
	}
}

// at finds the item that a page would be about, and resolves that.
func (s *resolving) at(ctx context.Context, p storage.Path) error {
	m, ok := s.renderer.Match(p)
	segments := p.Segments()
	if !ok || len(segments) == 0 || !s.makes(m) {
		return nil
	}
	kinds, err := s.kindsWith(ctx, "post")
	if err != nil {
		return err
	}
	for _, group := range []map[string]wpKind{kinds.types, kinds.taxonomies} {
		for _, kind := range slices.Sorted(maps.Keys(group)) {
			id, err := s.idAt(ctx, group[kind].base, p, segments[len(segments)-1])
			if err != nil {
				return err
			}
			if id > 0 {
				s.tag(selfTag+"%s:%d", kind, id) // at its address of before
				s.tag("%s:%d", kind, id)
				return s.item(ctx, kind, id)
			}
		}
	}
	return nil
}

// idAt returns the number of the item of a collection whose page is at p, 0 for
// none.
func (s *resolving) idAt(ctx context.Context, base string, p storage.Path, slug string) (int, error) {
	items, err := s.ask(ctx, fmt.Sprintf("/%s?slug=%s&per_page=%d&_fields=%s", base, url.QueryEscape(slug), atATime, itemFields))
	if err != nil {
		return 0, err
	}
	for _, item := range items {
		if !isEverybodys(item) {
			continue
		}
		here := &resolving{wordPress: s.wordPress, renderer: s.renderer, urgent: s.urgent}
		if err := here.own(ctx, base, item); err != nil {
			return 0, err
		}
		if id, ok := item["id"].(int); ok && here.paths.seen[p] {
			return id, nil
		}
	}
	return 0, nil
}

package renderer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// terms names the archives of the terms that a post has, and of those that
// they lie in. One that shows nothing but this post is new.
func (s *resolving) terms(ctx context.Context, kinds wpKinds, k wpKind, item map[string]any) error {
	for _, name := range k.of {
		t, known := kinds.taxonomies[name]
		if !known {
			continue
		}
		s.knownAt("/wp-sitemap-taxonomies-" + name + "-1.xml")
		if err := s.ancestry(ctx, name, t, numbersOf(item[t.base])); err != nil {
			return err
		}
	}
	return nil
}

// ancestry names the archives of terms and of all terms that they lie in.
func (s *resolving) ancestry(ctx context.Context, taxonomy string, t wpKind, ids []int) error {
	seen := map[int]bool{}
	for level := 0; len(ids) > 0 && level < mostLevels; level++ {
		for _, id := range ids {
			seen[id] = true
			s.tag(archiveTag+"%s:%d", taxonomy, id)
		}
		terms, err := s.ask(ctx, fmt.Sprintf("/%s?include=%s&per_page=%d&_fields=%s", t.base, joined(ids), atATime, itemFields))
		if err != nil {
			return err
		}
		ids = nil
		for _, term := range terms {
			if m, ok := s.linked(term); ok {
				if count, _ := term["count"].(int); count == 1 {
					s.paths.add(m.Path)
					s.list(t.base) // of terms that have posts
				}
				s.known.add(m.Path)
				s.knownAt(m.Path.String() + "/feed")
			}
			if parent, _ := term["parent"].(int); parent > 0 && !seen[parent] {
				ids = append(ids, parent)
			}
		}
	}
	return nil
}

// numbersOf reads a list of ids, no more than one answer can be about.
func numbersOf(v any) []int {
	var ids []int
	list, _ := v.([]any)
	for _, item := range list {
		if id, ok := item.(int); ok && id > 0 && len(ids) < atATime {
			ids = append(ids, id)
		}
	}
	return ids
}

func joined(ids []int) string {
	var texts []string
	for _, id := range ids {
		texts = append(texts, strconv.Itoa(id))
	}
	return strings.Join(texts, ",")
}

// descend names everything below a page, or a term: its address holds that of
// what it lies in.
func (s *resolving) descend(ctx context.Context, kind, base string, id int, archives bool) error {
	parents, seen := []int{id}, map[int]bool{id: true}
	for level := 0; len(parents) > 0 && level < mostLevels; level++ {
		var next []int
		for some := range slices.Chunk(parents, atATime) {
			err := s.each(ctx, base, "parent="+joined(some), "", func(items []map[string]any) (bool, error) {
				// An API that does not know the parameter tells everything.
				children := slices.DeleteFunc(items, func(item map[string]any) bool {
					parent, _ := item["parent"].(int)
					id, _ := item["id"].(int)
					return id < 1 || seen[id] || !slices.Contains(some, parent)
				})
				for _, child := range children {
					id, _ := child["id"].(int)
					seen[id] = true
					next = append(next, id)
					s.tag("%s:%d", kind, id)
					if archives {
						s.tag(archiveTag+"%s:%d", kind, id)
					} else {
						s.tag(selfTag+"%s:%d", kind, id)
					}
				}
				return len(seen) <= mostRelated, s.own(ctx, base, children...)
			})
			if err != nil {
				return err
			}
			if len(seen) > mostRelated {
				s.everything()
				return nil
			}
		}
		parents = next
	}
	return nil
}

// everything names all that is made from this WordPress.
func (s *resolving) everything() { s.tags.add(s.all) }

// each reads what is public of a collection, answer by answer, until it ends or
// somebody has had enough.
func (s *resolving) each(ctx context.Context, base, query, fields string, answer func([]map[string]any) (more bool, err error)) error {
	for page := 1; page <= mostRelated/atATime+1; page++ {
		items, err := s.ask(ctx, fmt.Sprintf("/%s?%s&per_page=%d&page=%d&orderby=id&order=asc&_fields=%s%s", base, query, atATime, page, itemFields, fields))
		if err != nil {
			return err
		}
		last := len(items) < atATime
		items = slices.DeleteFunc(items, func(item map[string]any) bool { return !isEverybodys(item) })
		if more, err := answer(items); err != nil || !more || last {
			return err
		}
	}
	return nil
}

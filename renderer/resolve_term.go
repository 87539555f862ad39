package renderer

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// term is about a category, a tag, or a term of another taxonomy.
func (s *resolving) term(ctx context.Context, kinds wpKinds, taxonomy string, k wpKind, id int) error {
	s.list(k.base)
	if k.base != taxonomy {
		s.list(taxonomy)
	}
	s.knownAt("/wp-sitemap.xml", "/wp-sitemap-taxonomies-"+taxonomy+"-1.xml")
	s.tag(archiveTag+"%s:%d", taxonomy, id)
	s.feeds()
	term, err := s.one(ctx, k.base, id, itemFields)
	if err != nil || term == nil {
		return err // what it was is known by its tag
	}
	if err := s.archive(ctx, k.base, term); err != nil {
		return err
	}
	if s.origin != nil {
		parent, _ := term["parent"].(int)
		if err := s.ancestry(ctx, taxonomy, k, numbersOf([]any{parent})); err != nil {
			return err
		}
	}
	if k.hierarchical {
		if err := s.descend(ctx, taxonomy, k.base, id, true); err != nil {
			return err
		}
	}
	slug, _ := term["slug"].(string)
	return s.having(ctx, kinds, k.of, k.base, id, slug)
}

// user is about an author.
func (s *resolving) user(ctx context.Context, id int) error {
	s.list("users")
	s.knownAt("/wp-sitemap.xml", "/wp-sitemap-users-1.xml")
	s.tag(archiveTag+"user:%d", id)
	s.feeds()
	user, err := s.one(ctx, "users", id, itemFields)
	if err != nil || user == nil {
		return err // who has published nothing is nobody to visitors
	}
	if err := s.archive(ctx, "users", user); err != nil {
		return err
	}
	kinds, err := s.kindsWith(ctx, "post")
	if err != nil {
		return err
	}
	slug, _ := user["slug"].(string)
	return s.having(ctx, kinds, []string{"post", "page"}, "author", id, slug)
}

// feeds names all feeds: those that show the name of a term, or of an author,
// do not say so.
func (s *resolving) feeds() {
	if s.origin != nil {
		s.list("feed")
	}
}

// archive names the page of a term or of an author. One that shows no post yet
// is no page that anybody would find.
func (s *resolving) archive(ctx context.Context, base string, item map[string]any) error {
	if m, ok := s.linked(item); ok && s.origin != nil {
		if count, has := item["count"].(int); has && count == 0 {
			s.known.add(m.Path)
		} else {
			s.paths.add(m.Path)
		}
		s.knownAt(m.Path.String() + "/feed")
		return nil
	}
	return s.own(ctx, base, item)
}

// fewPosts is up to how many posts of a term or an author are named with all
// that shows them. Of more, their own pages are, and the lists.
const fewPosts = 50

// having names the posts that have a term, or an author: their pages show its
// name, and their addresses may hold its slug. A template that shows the name
// has read it, and has its tag for that.
func (s *resolving) having(ctx context.Context, kinds wpKinds, types []string, field string, id int, slug string) error {
	var found []string
	for _, typ := range types {
		k, known := kinds.types[typ]
		if !known {
			continue
		}
		query, extra := fmt.Sprintf("%s=%d", url.QueryEscape(field), id), ","+url.QueryEscape(field)
		err := s.each(ctx, k.base, query, extra, func(posts []map[string]any) (bool, error) {
			var moved []map[string]any
			for _, post := range posts {
				number, ok := post["id"].(int)
				if !ok || post[field] != id && !slices.Contains(numbersOf(post[field]), id) {
					continue // an API that does not know the parameter tells everything
				}
				found = append(found, fmt.Sprintf("%s:%d", typ, number))
				if link, _ := post["link"].(string); slug != "" && strings.Contains(link+"/", "/"+slug+"/") {
					moved = append(moved, post)
				}
			}
			if len(moved) == 0 {
				return len(found) <= mostRelated, nil
			}
			return len(found) <= mostRelated, s.own(ctx, k.base, moved...)
		})
		if err != nil {
			return err
		}
		if len(found) > mostRelated {
			s.everything()
			return nil
		}
		if len(found) > fewPosts {
			s.list(k.base)
		}
	}
	if s.origin == nil {
		return nil
	}
	for _, tag := range found {
		s.tags.add(selfTag + tag)
		if len(found) <= fewPosts {
			s.tags.add(tag)
		}
	}
	return nil
}

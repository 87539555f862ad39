package renderer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rebake/storage"
)

// Resolved is what a CMS says of an item now: where it ought to show. What
// showed it before is found by its own tag, and not in here.
type Resolved struct {
	// Paths are pages that the item makes, whether they are there or not.
	Paths []storage.Path
	// Known are pages that it belongs to, if they are pages of this site.
	Known []storage.Path
	// Tags are those of all other pages: of lists (see IsList), and of items
	// that show this one.
	Tags []string
	// Version is what the item is at the CMS that was asked, "" when that does
	// not tell: an older one than was announced is still where it was.
	Version string
}

// IsList reports whether a tag is that of a list or an archive, or of a part of
// one: of pages that change, by being made longer, shorter or sorted anew, when
// an item comes or goes that they never showed themselves.
func IsList(tag string) bool {
	return strings.HasPrefix(tag, listTag) || strings.HasPrefix(tag, archiveTag)
}

const (
	// listTag leads the tag of a page that shows a list: "list:cms/posts", the
	// source and what it was asked for, and "list:cms" for any list of it.
	listTag = "list:"
	// archiveTag leads the tag of every part of an archive of WordPress:
	// "archive:category:4", "archive:user:1", "archive:date:2026-11".
	archiveTag = "archive:"
	// nearTag leads the tag of a page that leads to a post as to the one before or
	// after it, by the path of that.
	nearTag = "near:"
	// pathItem leads the name of an item of which only an address is known:
	// "path:/2026/11/a".
	pathItem = "path:"
	// selfTag leads the tag of the pages that are about an item, and do not just
	// show it: "self:post:42".
	selfTag = "self:"
)

// IsOwn reports whether a tag is that of the pages that are about one item, of
// which there are as many as it has addresses: who waits for the item waits for
// them.
func IsOwn(tag string) bool { return strings.HasPrefix(tag, selfTag) }

// Around returns the tags of pages that change when an item goes from a page that
// shows it, by its path and its tags: of the archives that it is a part of, and
// of the pages that lead to it where it is the item's own.
func Around(p storage.Path, tags []string, item string) []string {
	var around []string
	for _, tag := range tags {
		switch {
		case strings.HasPrefix(tag, archiveTag):
			around = append(around, tag)
		case tag == selfTag+item:
			around = append(around, nearTag+p.String())
		}
	}
	return around
}

// ItemAt names the item that a page would be about, of which nothing else is
// known, for Resolve.
func ItemAt(p storage.Path) string { return pathItem + p.String() }

// ItemOf returns the item that a page with these tags is about: "post:42"; ""
// when it is about none, or about more than one.
func ItemOf(tags []string) string {
	item := ""
	for _, tag := range tags {
		if of, ok := strings.CutPrefix(tag, selfTag); ok {
			if item != "" {
				return ""
			}
			item = of
		}
	}
	return item
}

// Resolves reports whether there is a CMS that Resolve can ask.
func (r *Renderer) Resolves() bool { return len(r.wordPresses) > 0 }

// Resolve asks every CMS of the site that can tell what an item is now:
// "post:42", "page:7", "category:4", "user:1", "media:12", or an ItemAt. One
// that is not public, or not there at all, is in the lists of its kind alone.
// What is no item of any of them is resolved to nothing.
//
// It asks within the limits of the sources and origins; urgent calls may use the
// slot that these keep free. Errors are those of Render, less ErrGone; what the
// others have told is returned with them.
func (r *Renderer) Resolve(ctx context.Context, item string, urgent bool) (Resolved, error) {
	var out Resolved
	var errs []error
	for _, w := range r.wordPresses {
		s := &resolving{renderer: r, wordPress: w, urgent: urgent}
		err := storage.Contain(func() error { return s.resolve(ctx, item) })
		if err != nil {
			errs = append(errs, fmt.Errorf("resolve %s: %w", item, err))
		}
		out.Paths = append(out.Paths, s.paths.list...)
		out.Known = append(out.Known, s.known.list...)
		out.Version = newerVersion(out.Version, s.version)
		if s.tags.seen[s.all] {
			out.Tags = append(out.Tags, s.all) // the others are among them
		} else {
			out.Tags = append(out.Tags, s.tags.list...)
		}
	}
	slices.SortFunc(out.Paths, comparePaths)
	out.Paths = slices.Compact(out.Paths)
	slices.SortFunc(out.Known, comparePaths)
	out.Known = slices.DeleteFunc(slices.Compact(out.Known), func(p storage.Path) bool { return slices.Contains(out.Paths, p) })
	slices.Sort(out.Tags)
	out.Tags = slices.Compact(out.Tags)
	return out, errors.Join(errs...)
}

// newerVersion returns the newer one of two versions that several CMSs tell of
// an item: only one of them has announced it.
func newerVersion(a, b string) string {
	if order, ok := storage.CompareVersions(a, b); a == "" || ok && order < 0 {
		return b
	}
	return a
}

func comparePaths(a, b storage.Path) int { return strings.Compare(a.String(), b.String()) }

// resolve takes the item for what its name says.
func (s *resolving) resolve(ctx context.Context, item string) error {
	if path, ok := strings.CutPrefix(item, pathItem); ok {
		p, err := s.renderer.rules.Parse(path)
		if err != nil {
			return nil // no page can be there
		}
		return s.at(ctx, p)
	}
	kind, id, ok := splitItem(item)
	if !ok {
		return nil
	}
	return s.item(ctx, kind, id)
}

// item looks what kinds there are, and asks for the item.
func (s *resolving) item(ctx context.Context, kind string, id int) error {
	switch kind {
	case "user":
		s.tags.add(manyItems)
		return s.user(ctx, id)
	case "comment":
		s.list("comments")
		return nil
	case "media":
		s.tags.add(manyItems)
		s.list("media")
		return nil // whatever shows it is tagged with it
	}
	kinds, err := s.kindsWith(ctx, kind)
	if err != nil {
		return err
	}
	if k, ok := kinds.types[kind]; ok {
		s.tags.add(manyItems)
		found, err := s.post(ctx, kinds, kind, k, id)
		if kind == "post" && !found && err == nil {
			return s.ofAnyType(ctx, kinds, id)
		}
		return err
	}
	if k, ok := kinds.taxonomies[kind]; ok {
		s.tags.add(manyItems)
		return s.term(ctx, kinds, kind, k, id)
	}
	return nil
}

// ofAnyType looks for a number that is no post's among the other types, which
// share their numbers with posts: some senders call everything a post. What is
// not public now may have been of any of them.
func (s *resolving) ofAnyType(ctx context.Context, kinds wpKinds, id int) error {
	tags := []string{fmt.Sprintf("media:%d", id)}
	for _, kind := range slices.Sorted(maps.Keys(kinds.types)) {
		if kind == "post" {
			continue
		}
		item, err := s.one(ctx, kinds.types[kind].base, id, itemFields)
		if err != nil {
			return err
		}
		if item != nil {
			s.tag(selfTag+"%s:%d", kind, id)
			s.tag("%s:%d", kind, id)
			_, err := s.post(ctx, kinds, kind, kinds.types[kind], id)
			return err
		}
		tags = append(tags, fmt.Sprintf("%s:%d", kind, id))
	}
	for _, tag := range tags {
		s.tags.add(tag)
	}
	return nil
}

var numberedItem = regexp.MustCompile(`^([a-z0-9_-]{1,32}):([1-9][0-9]{0,17})$`)

func splitItem(item string) (kind string, id int, ok bool) {
	m := numberedItem.FindStringSubmatch(item)
	if m == nil {
		return "", 0, false
	}
	id, err := strconv.Atoi(m[2])
	return m[1], id, err == nil
}

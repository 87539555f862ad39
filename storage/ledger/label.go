package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rebake/storage"
)

// Label names a set of pages that one trigger can be about. On the wire:
// "tag:post:42", "prefix:/blog", "route:/blog/{slug}", "item:post:42", "site".
type Label string

// Site is the label of every page.
const Site Label = "site"

// Tag is the label of the pages that have a tag.
func Tag(name string) Label { return Label("tag:" + name) }

// Prefix is the label of the page at p and all below it, by whole segments:
// /blog covers /blog and /blog/a, and not /blog-2.
func Prefix(p storage.Path) Label { return Label("prefix:" + p.String()) }

// Route is the label of the pages that a route has rendered.
func Route(pattern string) Label { return Label("route:" + pattern) }

// Item is the label of an item of a CMS by its tag, "post:42": of the pages
// that have the tag, and of those that ought to show the item now, which a
// worker finds out by asking the CMS.
func Item(tag string) Label { return Label("item:" + tag) }

// ParseLabel reads a label back.
func ParseLabel(s string) (Label, error) {
	kind, of, _ := strings.Cut(s, ":")
	if s == string(Site) || (of != "" && slices.Contains([]string{"tag", "prefix", "route", "item"}, kind)) {
		return Label(s), nil
	}
	return "", errors.New("no label: " + s)
}

// IsTag reports whether the label is of the pages that have a tag: a tag, or an
// item.
func (l Label) IsTag() bool {
	kind, _ := l.split()
	return kind == "tag" || kind == "item"
}

// split returns the kind and what is behind it.
func (l Label) split() (kind, of string) {
	kind, of, _ = strings.Cut(string(l), ":")
	return kind, of
}

// index returns the sorted set that holds the label's pages, perhaps with
// others, and the bounds of a search in it.
func (l Label) index() (name, low, high string) {
	switch kind, of := l.split(); kind {
	case "tag":
		return string(l), "-", "+"
	case "item":
		return string(Tag(of)), "-", "+"
	case "prefix":
		if of == "/" {
			return "paths", "-", "+"
		}
		return "paths", "[" + of, "(" + of + "0" // '0' follows '/'
	}
	return "paths", "-", "+"
}

// holds tells a prefix's own pages from those that only sort beside them.
func (l Label) holds(path string) bool {
	kind, of := l.split()
	return kind != "prefix" || of == "/" || path == of || strings.HasPrefix(path, of+"/")
}

// OfRoute reports whether a page of this route can have the label: only a
// route's label leaves others out.
func (l Label) OfRoute(pattern string) bool {
	kind, of := l.split()
	return kind != "route" || of == pattern
}

// LabelsOf returns every label that a page has.
func LabelsOf(p storage.Path, route string, tags []string) (labels []Label) {
	for _, l := range labelsOf(p.String(), route, tags) {
		labels = append(labels, Label(l))
	}
	return labels
}

// labelsOf returns them as they are on the wire.
func labelsOf(path, route string, tags []string) []string {
	labels := []string{string(Site), string(Route(route)), "prefix:/"}
	for i := range path {
		if i > 0 && path[i] == '/' {
			labels = append(labels, "prefix:"+path[:i])
		}
	}
	if path != "/" {
		labels = append(labels, "prefix:"+path)
	}
	for _, tag := range tags {
		labels = append(labels, string(Tag(tag)), string(Item(tag)))
	}
	return labels
}

// TriggerLabel records that every page with the label is owed a render. When
// it returns without an error the trigger is accepted, for the pages that have
// the label now and for those whose run is under way.
func (l *Ledger) TriggerLabel(ctx context.Context, label Label, req Request) (Receipt, error) {
	return l.triggerLabel(ctx, label, req, l.nonce())
}

func (l *Ledger) triggerLabel(ctx context.Context, label Label, req Request, nonce string) (Receipt, error) {
	settle, most := req.settle()
	return l.askLabel(ctx, label, int(req.Priority), nonce, req.Reason, "", ms(req.Recheck), settle, most, req.PartOf)
}

// askLabel runs the script that triggers a label. The arguments are its own.
func (l *Ledger) askLabel(ctx context.Context, label Label, args ...any) (Receipt, error) {
	r, err := l.runWalk(ctx, l.scripts.label, label, args...)
	if err != nil {
		return Receipt{}, err
	}
	rec, err := receipt(r, storage.Path{})
	if rec.Token != nil {
		rec.Token.Label = label
	}
	return rec, err
}

// Pages returns how many pages have the label now. For a route, which has no
// index of its own, that is the number of all pages.
func (l *Ledger) Pages(ctx context.Context, label Label) (int64, error) {
	index, low, high := label.index()
	n, err := l.rdb.ZLexCount(ctx, l.key(index), low, high).Result()
	if err != nil {
		return 0, storage.Temporary(fmt.Errorf("count pages: %w", err))
	}
	if kind, of := label.split(); kind == "prefix" && of != "/" {
		// The bounds let through what sorts between /blog and /blog/.
		others, err := l.rdb.ZLexCount(ctx, l.key(index), "("+of, "("+of+"/").Result()
		if err != nil {
			return 0, storage.Temporary(fmt.Errorf("count pages: %w", err))
		}
		n -= others
	}
	return n, nil
}

package renderer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"rebake/renderer/expression"
	"rebake/renderer/source"
	"rebake/storage"
)

// itemName is a listed item in the expressions over it.
const itemName = "item"

// List names all pages of one route, from a list that its source has. Safe for
// concurrent use.
type List struct {
	renderer *Renderer // set when all routes are known
	route    *route
	lister   *source.Lister
	path     *expression.Text
	as       string   // the data entry that an item stands for, "" for none
	checked  bool     // WordPress may list what is not public, see everybodys
	names    []string // of an item in path
}

// ListError tells of listed items that are no pages; all others were used.
type ListError struct {
	Route    string
	Problems []string // of the first few
	Skipped  int      // items, all in all
}

func (e *ListError) Error() string {
	text := fmt.Sprintf("list %s: %d items are no pages: %s", e.Route, e.Skipped, strings.Join(e.Problems, "; "))
	if e.Skipped > len(e.Problems) {
		text += "; …"
	}
	return text
}

func newList(p *problems, rt *route, c RouteConfig, sources map[string]*source.Source) *List {
	lc := c.List
	l := &List{route: rt, as: lc.As, names: []string{itemName}}
	if l.as != "" {
		l.names = append(l.names, l.as)
	}
	if !p.blind && len(rt.pattern.Params()) == 0 {
		p.add("list", fmt.Errorf("%s is a single page; only a path with parameters has a list", rt.pattern))
	}
	if entry, known := c.Data[lc.As]; lc.As != "" && !known {
		p.add("list.as", unknown("data entry", lc.As, slices.Sorted(maps.Keys(c.Data))))
	} else if lc.As != "" && !entry.One {
		p.add("list.as", fmt.Errorf("%s must have one: true, since a listed item stands for it", lc.As))
	}
	var err error
	if lc.Path == "" {
		p.add("list.path", errors.New("is missing"))
	} else if l.path, err = expression.ParseOpen(lc.Path); err != nil {
		p.add("list.path", err)
	}
	l.lister = newLister(p, lc, sources)
	src := sources[lc.Source]
	l.checked = src != nil && src.WordPress()
	return l
}

func newLister(p *problems, lc *ListConfig, sources map[string]*source.Source) *source.Lister {
	q := &problems{prefix: p.prefix} // a list has no parameters, known or not
	defer func() { p.errs = append(p.errs, q.errs...) }()
	src := sources[lc.Source]
	if src == nil {
		q.add("list.source", unknown("source", lc.Source, slices.Sorted(maps.Keys(sources))))
	}
	a := newAsk(q, "list", lc.Get, lc.Query, lc.Variables, nil)
	items, err := source.ParseItems(lc.Items)
	if err != nil {
		q.add("list.items", err)
	}
	if len(q.errs) > 0 {
		return nil
	}
	request, err := a.request(nil)
	if err != nil {
		q.addKeyed("list", err)
		return nil
	}
	lister, err := src.Lister(request, items, lc.Pagination)
	if err != nil {
		q.addKeyed("list", err)
	}
	return lister
}

// Lists returns the lists of the routes that have one, in their order.
func (r *Renderer) Lists() []*List {
	var lists []*List
	for _, rt := range r.routes {
		if rt.list != nil {
			lists = append(lists, rt.list)
		}
	}
	return lists
}

// FixedPaths returns the pages of the routes without parameters, in the order
// of the routes: with Lists, all pages that are known beforehand.
func (r *Renderer) FixedPaths() []storage.Path {
	var paths []storage.Path
	for _, rt := range r.routes {
		p, err := rt.pattern.sample()
		if err != nil || len(rt.pattern.Params()) > 0 {
			continue
		}
		if m, _ := r.Match(p); m.route == rt { // and not an earlier one's
			paths = append(paths, p)
		}
	}
	return paths
}

// Route returns the pattern of the list's route, see Match.Route.
func (l *List) Route() string { return l.route.pattern.String() }

// Name says for people what it is: "list of /blog/{slug}".
func (l *List) Name() string { return "list of " + l.Route() }

// Each reads the list, answer by answer: it calls before, fetches, and calls
// batch with the pages of the answer, each once in the whole list. A listed
// item may be used for no page that is owed what came after before: the
// caller notes there how far that is. The items in a batch are held by its
// matches alone.
//
// The errors of before and batch end it and come back as they are; so do those
// of a fetch, which are those of Render, less ErrGone. An item without a path
// is left out. Items whose path is none, or another route's, do not end it: at
// the end, when all else is done, they are a *ListError.
func (l *List) Each(ctx context.Context, before func(context.Context) error, batch func(context.Context, []Match) error) error {
	w := listing{List: l, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	err := l.lister.Each(ctx, before, func(ctx context.Context, items []any) error {
		if matches := w.matches(items); len(matches) > 0 {
			return batch(ctx, matches)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.err()
}

// listing is one way through a list.
type listing struct {
	*List
	items, pages int
	missing      string // a name that the path of an item without one uses
	problems     []string
	skipped      int
	// seen are hashes of the paths so far. A list may name a page twice:
	// WordPress does, when items of the same date lie on the border of two
	// answers.
	seen map[uint64]struct{}
	seed maphash.Seed
}

func (w *listing) matches(items []any) []Match {
	var matches []Match
	for _, item := range items {
		w.items++
		m, ok, err := w.match(item)
		switch {
		case err != nil:
			w.skip(fmt.Sprintf("item %d: %v", w.items, err))
		case ok:
			matches = append(matches, m)
			w.pages++
		}
	}
	return matches
}

// match finds the page of an item, false when it has none, or had its turn.
func (w *listing) match(item any) (Match, bool, error) {
	if _, isObject := item.(map[string]any); item == nil || w.as != "" && !isObject {
		return Match{}, false, errors.New("it is no object")
	}
	if w.checked {
		var err error
		if item, err = everybodys(item, w.lister.Collection()); err != nil {
			return Match{}, false, nil // it is no page
		}
	}
	env := expression.Open(item, w.names...)
	s, ok, err := w.path.Eval(env)
	if err != nil {
		return Match{}, false, fmt.Errorf("path: %w", err)
	}
	if !ok {
		w.missing = w.path.Missing(env)
		return Match{}, false, nil
	}
	p, err := parsePath(w.renderer.rules, s)
	if err != nil {
		return Match{}, false, err
	}
	hash := maphash.String(w.seed, p.String())
	if _, again := w.seen[hash]; again {
		return Match{}, false, nil
	}
	w.seen[hash] = struct{}{}
	m, ok := w.renderer.Match(p)
	switch {
	case !ok:
		return Match{}, false, fmt.Errorf("no route has the path %q", p)
	case m.route != w.route:
		return Match{}, false, fmt.Errorf("the path %q belongs to the route %s, which comes first", p, m.Route())
	}
	m.listed = true
	if w.as != "" {
		m.item = item
	}
	return m, true, nil
}

func (w *listing) skip(problem string) {
	const most = 5
	if w.skipped++; w.skipped <= most {
		w.problems = append(w.problems, problem)
	}
}

func (w *listing) err() error {
	if w.missing != "" && w.pages == 0 && w.skipped == 0 {
		// Nobody lists pages to have none: the name is misspelt.
		w.skipped = w.items
		w.problems = []string{fmt.Sprintf("no item has %s, which their path %s needs", w.missing, w.path)}
	}
	if w.skipped == 0 {
		return nil
	}
	return &ListError{Route: w.Route(), Problems: w.problems, Skipped: w.skipped}
}

package renderer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"rebake/renderer/source"
	"rebake/renderer/upstream"
	"rebake/storage"
)

// Watch is a source or an origin that can be asked what is there, so that a
// change is found of which nobody told. Safe for concurrent use.
type Watch struct {
	name  string
	every time.Duration
	press *press  // of a WordPress
	lists []*List // of any other source
	down  func() []upstream.State
}

// Watches returns what pages are made from and can be asked so, whether or not
// the config has that done by itself, sorted by name.
func (r *Renderer) Watches() []*Watch {
	byName := make(map[string]*Watch)
	use := func(s *source.Source, l *List) {
		w := byName[s.Name()]
		if w == nil {
			w = &Watch{name: s.Name(), every: s.Reconcile(), down: s.Down}
			byName[s.Name()] = w
		}
		switch {
		case s.WordPress():
			w.press = &press{asker: dataOf{s}}
		case l != nil:
			w.lists = append(w.lists, l)
		}
	}
	for _, rt := range r.routes {
		for _, f := range rt.fetches {
			use(f.source, nil)
		}
		if rt.list != nil {
			use(rt.list.lister.Source(), rt.list)
		}
	}
	for _, o := range r.origins() {
		w := &Watch{name: o.Name(), every: o.Reconcile(), down: o.Down}
		if o.WordPress() {
			w.press = &press{asker: pageMaker{o}}
		}
		byName[w.name] = w
	}
	maps.DeleteFunc(byName, func(_ string, w *Watch) bool { return w.press == nil && len(w.lists) == 0 })
	return slices.SortedFunc(maps.Values(byName), func(a, b *Watch) int { return strings.Compare(a.name, b.name) })
}

// Name is that of the source or the origin.
func (w *Watch) Name() string { return w.name }

// WordPress reports whether it is one, whose items are called "post:42". Those of
// another have the same names.
func (w *Watch) WordPress() bool { return w.press != nil }

// Every is how often the config has it asked; 0 for never.
func (w *Watch) Every() time.Duration { return w.every }

// Down returns until when it is better left alone, since its server is down;
// zero when it is not.
func (w *Watch) Down() (until time.Time) {
	for _, s := range w.down() {
		if s.Next.After(until) {
			until = s.Next
		}
	}
	return until
}

// WatchedList is the list of a route, which says what pages there are, and
// their versions.
type WatchedList struct{ *List }

// Lists returns the lists of a source that is no WordPress.
func (w *Watch) Lists() []WatchedList {
	var lists []WatchedList
	for _, l := range w.lists {
		lists = append(lists, WatchedList{l})
	}
	return lists
}

// Tag is that of the pages that show items of what the list is about.
func (l WatchedList) Tag() string {
	return "list:" + l.lister.Source().Name() + "/" + l.lister.Collection()
}

// ListedPage is a page that a list names.
type ListedPage struct {
	Path storage.Path
	// Version is that of the listed item.
	Version string
	// Own says that it is what the route calls its version, and no hash.
	Own bool
}

// EachPage is Each, for the versions of the pages.
func (l WatchedList) EachPage(ctx context.Context, before func(context.Context) error, batch func(context.Context, []ListedPage) error) error {
	w := listing{List: l.List, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	err := l.lister.Each(ctx, before, func(ctx context.Context, items []any) error {
		var pages []ListedPage
		for _, item := range items {
			for _, m := range w.matches([]any{item}) {
				page := ListedPage{Path: m.Path}
				page.Version, page.Own = l.version(m, item)
				pages = append(pages, page)
			}
		}
		return batch(ctx, pages)
	})
	if err != nil {
		return err
	}
	return w.err()
}

// version is what the route's version says of a listed item, if it needs no
// other data than that; else a hash of the whole item.
func (l WatchedList) version(m Match, item any) (version string, own bool) {
	if text := l.route.version; text != nil && l.as != "" {
		env := map[string]any{"path": m.Path.String(), "params": m.Params, "site": l.renderer.site}
		for _, f := range l.route.fetches {
			env[f.name] = nil
		}
		for name, value := range m.Params {
			env[name] = value
		}
		env[l.as] = item
		if v, ok, err := label(text, env); err == nil && ok && v != "" {
			return v, true
		}
	}
	return hashOf(item), false
}

// hashOf names a decoded JSON value.
func hashOf(v any) string {
	b, err := json.Marshal(v) // it writes the keys of an object in their order
	if err != nil {
		return "" // it came from JSON
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// ErrNotShown says that a CMS does not show a kind of items to everybody.
var ErrNotShown = errors.New("it is not shown to everybody")

// notShown tells an answer that means just that from a failure.
func notShown(err error) error {
	var status *upstream.StatusError
	switch {
	case errors.As(err, &status) && (status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden):
		return fmt.Errorf("%w: %w", ErrNotShown, status)
	case errors.Is(err, storage.ErrGone):
		return fmt.Errorf("%w: %w", ErrNotShown, err)
	}
	return err
}

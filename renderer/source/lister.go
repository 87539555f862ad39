package source

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rebake/renderer/expression"
	"rebake/renderer/upstream"
	"rebake/storage"
)

// Lister reads a list that spans several answers. Safe for concurrent use.
type Lister struct {
	source *Source
	first  Request // as configured, with the size
	items  *Items
	paging paging
}

// Lister makes a lister that starts with r. The keys of over come before those
// of the source's own pagination. It returns every problem, joined, each led
// by its key below a `list`.
func (s *Source) Lister(r Request, items *Items, over Pagination) (*Lister, error) {
	var errs []error
	var err error
	l := &Lister{source: s, first: r, items: items}
	if l.paging, err = s.config.Pagination.over(over, s.config.Kind).compile(s.config.Kind); err != nil {
		return nil, keyed("pagination", err)
	}
	p := l.paging
	if r.Query != "" {
		if p.Type == byLink || p.Type == byURL {
			errs = append(errs, fmt.Errorf("pagination.type: %s leads to another URL; a query needs cursor, page or offset", p.Type))
		}
	} else if name := cmp.Or(p.PageParam, p.CursorParam); name != "" && hasParam(r.Ref, name) {
		errs = append(errs, fmt.Errorf("get: holds %s, which the pagination sets", name))
	}
	if p.SizeParam != "" {
		l.first = withParam(r, p.SizeParam, p.Size, false)
	}
	return l, errors.Join(errs...)
}

// keyed puts key in front of each of several joined errors.
func keyed(key string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s.%w", key, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, fmt.Errorf("%s.%w", key, e))
	}
	return errors.Join(errs...)
}

// Each calls before, fetches the next answer, and calls page with its items,
// over and over until the list ends; an answer without items ends it. It holds
// one answer at a time and keeps no item.
//
// The errors of before and page end it and come back as they are. A failed
// fetch ends it too: nothing here retries. No error is a storage.ErrGone.
func (l *Lister) Each(ctx context.Context, before func(context.Context) error, page func(context.Context, []any) error) error {
	w := walk{Lister: l, offset: *l.paging.Start, seen: map[uint64]bool{}, seed: maphash.MakeSeed()}
	for r, more := w.start(), true; more; {
		if w.pages == l.paging.MaxPages {
			return l.failed(fmt.Errorf("the list goes on after %d answers; if it should, raise max_pages", w.pages))
		}
		if err := before(ctx); err != nil {
			return err
		}
		answer, err := l.source.Fetch(ctx, r)
		if err != nil {
			if w.pages > 0 && l.stops(err) {
				return nil
			}
			if errors.Is(err, storage.ErrGone) {
				err = fmt.Errorf("%v; the list itself is not there", err)
			}
			return err
		}
		items, err := l.items.In(answer)
		if err != nil {
			return l.failed(err)
		}
		if len(items) == 0 {
			return nil
		}
		if err := w.moved(items); err != nil {
			return l.failed(err)
		}
		if err := page(ctx, items); err != nil {
			return err
		}
		if r, more, err = w.next(r, answer, len(items)); err != nil {
			return l.failed(err)
		}
	}
	return nil
}

func (l *Lister) failed(err error) error {
	return fmt.Errorf("%s: list: %w", l.source.name, err)
}

// stops reports whether an error is how this API says that there is no more.
func (l *Lister) stops(err error) bool {
	var status *upstream.StatusError
	return errors.As(err, &status) && slices.Contains(l.paging.StopOnStatus, status.Status)
}

// walk is one way through a list.
type walk struct {
	*Lister
	pages  int // answers so far
	offset int // of the next item, counted as the API counts
	seen   map[uint64]bool
	ends   uint64 // of the last answer, see moved
	seed   maphash.Seed
}

func (w *walk) start() Request {
	switch w.paging.Type {
	case byPage, byOffset:
		return withParam(w.first, w.paging.PageParam, *w.paging.Start, true)
	}
	return w.first
}

// moved refuses an answer that is the one before it again: the API does not
// know the parameter, and would say the same for ever.
func (w *walk) moved(items []any) error {
	if w.paging.Type != byPage && w.paging.Type != byOffset || len(items) < 2 {
		return nil
	}
	// First, last and number tell answers apart well enough, and cheaply.
	ends, err := json.Marshal([]any{items[0], items[len(items)-1], len(items)})
	if err != nil {
		return err
	}
	h := maphash.Bytes(w.seed, ends)
	if w.pages > 0 && h == w.ends {
		return fmt.Errorf("the API gives the same answer again; does it know %s?", w.paging.PageParam)
	}
	w.ends = h
	return nil
}

// next returns the request after r, false when the list has ended.
func (w *walk) next(r Request, a Answer, items int) (Request, bool, error) {
	w.pages++
	w.offset += items // not what was asked for: an API may give less at once
	switch p := w.paging; p.Type {
	case byPage:
		end, known, err := p.totalPages.reached(w.pages, "total_pages", a)
		if err == nil && !known {
			end, _, err = p.total.reached(w.offset-*p.Start, "total", a)
		}
		return withParam(w.first, p.PageParam, *p.Start+w.pages, true), !end, err
	case byOffset:
		end, _, err := p.total.reached(w.offset, "total", a)
		return withParam(w.first, p.PageParam, w.offset, true), !end, err
	case byCursor:
		return w.nextCursor(a)
	case byURL:
		v, err := w.paging.next.Eval(a.env())
		if err != nil || v == nil {
			return r, false, err
		}
		link, ok := v.(string)
		if !ok {
			return r, false, fmt.Errorf("next: %s gives a %T, not a URL", w.paging.next, v)
		}
		return w.nextURL(r, link)
	case byLink:
		return w.nextURL(r, nextLink(a.Header))
	}
	if nextLink(a.Header) != "" {
		return r, false, errors.New("the answer says that there is a next page; say in pagination how to ask for it")
	}
	return r, false, nil
}

func (w *walk) nextCursor(a Answer) (Request, bool, error) {
	v, err := w.paging.cursor.Eval(a.env())
	if err != nil || v == nil || v == "" || v == false {
		return Request{}, false, err
	}
	switch v.(type) {
	case string, int, float64, json.Number:
	default:
		return Request{}, false, fmt.Errorf("cursor: %s gives a %T, not a text or number", w.paging.cursor, v)
	}
	if w.again(fmt.Sprint(v)) {
		return Request{}, false, errors.New("the API gives a cursor for the second time")
	}
	return withParam(w.first, w.paging.CursorParam, v, true), true, nil
}

func (w *walk) nextURL(r Request, link string) (Request, bool, error) {
	if link == "" {
		return r, false, nil
	}
	if w.pages == 1 {
		w.again(r.Ref)
	}
	ref, err := w.source.follow(r.Ref, link)
	if err != nil {
		return r, false, err
	}
	if w.again(ref) {
		return r, false, errors.New("the API names a next page for the second time")
	}
	r.Ref = ref
	return r, true, nil
}

// again reports whether the walk was at a place before, and remembers it.
func (w *walk) again(place string) bool {
	h := maphash.String(w.seed, place)
	was := w.seen[h]
	w.seen[h] = true
	return was
}

// reached reports whether done is all that the answer says there is, and
// whether it says so.
func (c counter) reached(done int, key string, a Answer) (end, known bool, err error) {
	var v any
	switch {
	case c.header != "" && a.Header.Get(c.header) != "":
		v = a.Header.Get(c.header)
	case c.value != nil:
		if v, err = c.value.Eval(a.env()); err != nil {
			return false, false, fmt.Errorf("%s: %w", key, err)
		}
	}
	n := 0
	switch v := v.(type) {
	case nil:
		return false, false, nil
	case int:
		n = v
	case float64:
		n = int(v)
	case string:
		if n, err = strconv.Atoi(strings.TrimSpace(v)); err != nil {
			return false, false, fmt.Errorf("%s: %.40q is no number", key, v)
		}
	default:
		return false, false, fmt.Errorf("%s: a %T is no number", key, v)
	}
	return done >= n, true, nil
}

// env is what expressions over an answer may name.
func (a Answer) env() map[string]any { return expression.Open(a.Value, "answer") }

// withParam returns r with a parameter of its query, or of its GraphQL
// variables. One that is there already stays unless it must be replaced.
func withParam(r Request, name string, value any, replace bool) Request {
	if r.Query != "" {
		vars := maps.Clone(r.Variables)
		if vars == nil {
			vars = map[string]any{}
		}
		if _, has := vars[name]; !has || replace {
			vars[name] = value
		}
		r.Variables = vars
		return r
	}
	if hasParam(r.Ref, name) {
		return r
	}
	separator := "?"
	if strings.Contains(r.Ref, "?") {
		separator = "&"
	}
	r.Ref += separator + url.QueryEscape(name) + "=" + url.QueryEscape(fmt.Sprint(value))
	return r
}

// hasParam reports whether a Ref sets a parameter of its query.
func hasParam(ref, name string) bool {
	_, query, _ := strings.Cut(ref, "?")
	values, _ := url.ParseQuery(query) // what can be read of it
	return values.Has(name)
}

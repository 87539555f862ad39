package renderer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"rebake/renderer/expression"
	"rebake/renderer/source"
	"rebake/storage"
)

// Config is what a Renderer is made of.
type Config struct {
	Site      string // the site's public URL
	Routes    []RouteConfig
	Sources   map[string]*source.Source // by the name that routes use; the caller closes them
	Templates *Templates
}

// Renderer makes the pages of one site. It never changes; a new configuration
// is a new Renderer. Safe for concurrent use.
type Renderer struct {
	site   string
	routes []*route
	// templates is shared with nobody who changes it.
	templates *Templates
}

// New checks the routes. It returns every problem, joined, each led by its
// key: "routes[1].data.post.source: unknown source …".
func New(c Config) (*Renderer, error) {
	r := &Renderer{site: strings.TrimRight(c.Site, "/"), templates: c.Templates}
	if r.templates == nil {
		r.templates = &Templates{}
	}
	var errs []error
	for i, rc := range c.Routes {
		rt, err := newRoute(fmt.Sprintf("routes[%d]", i), rc, c.Sources, r.templates)
		if err != nil {
			errs = append(errs, err)
		}
		r.routes = append(r.routes, rt)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

// Match is a path together with the route that renders it.
type Match struct {
	Path   storage.Path
	Params map[string]string // decoded
	Gates  Gates
	route  *route
}

// Route returns the pattern of the route, the name that it has in the ledger.
func (m Match) Route() string {
	if m.route == nil {
		return ""
	}
	return m.route.pattern.String()
}

// Match finds the first route whose pattern p has.
func (r *Renderer) Match(p storage.Path) (Match, bool) {
	segments := p.Segments()
	for _, rt := range r.routes {
		if params, ok := rt.pattern.match(p, segments); ok {
			return Match{Path: p, Params: params, Gates: rt.gates, route: rt}, true
		}
	}
	return Match{}, false
}

// WellKnown returns the prefixes below /.well-known that routes name, for
// storage.PathRules.
func (r *Renderer) WellKnown() []string {
	var prefixes []string
	for _, rt := range r.routes {
		if p := rt.pattern.wellKnown(); p != "" && !slices.Contains(prefixes, p) {
			prefixes = append(prefixes, p)
		}
	}
	return prefixes
}

// Render makes the page of m, which must come from Match. Everything is read
// after the call, nothing is kept between calls. An urgent render may use the
// slot that sources keep free.
//
// Errors: storage.ErrGone (wrapped) when an entry with `one` is not there,
// *storage.TemporaryError, *storage.RefusedError of the gates too_large and
// ambiguous; all others are permanent.
func (r *Renderer) Render(ctx context.Context, m Match, urgent bool) (storage.Page, error) {
	if m.route == nil {
		return storage.Page{}, fmt.Errorf("render %s: no route", m.Path)
	}
	data, err := m.fetch(ctx, urgent)
	if err != nil {
		return storage.Page{}, err
	}
	// The pattern alone does not tell: /blog/{slug} is HTML, /blog/vue.js is not.
	if err := r.templates.pages[m.route.template].checkType(m.route.template, m.Path); err != nil {
		return storage.Page{}, fmt.Errorf("template %w", err)
	}
	data["path"], data["params"], data["site"] = m.Path.String(), m.Params, r.site
	body, err := r.templates.execute(ctx, m.route.template, m.Gates.MaxBytes, data)
	if err != nil {
		return storage.Page{}, err
	}
	for name, value := range m.Params { // the same map serves the expressions
		data[name] = value
	}
	tags, err := m.route.pageTags(data)
	if err != nil {
		return storage.Page{}, err
	}
	page := storage.Page{Path: m.Path, Type: mediaType(m.Path), Body: body, Tags: tags, Route: m.Route()}
	if m.route.version != nil {
		if page.Version, _, err = label(m.route.version, data); err != nil {
			return storage.Page{}, fmt.Errorf("version: %w", err)
		}
	}
	return page, nil
}

// fetch reads all data of the route at once. The first failure ends the
// others.
func (m Match) fetch(ctx context.Context, urgent bool) (map[string]any, error) {
	params := make(map[string]any, len(m.Params))
	for name, value := range m.Params {
		params[name] = value
	}
	values := make([]any, len(m.route.fetches))
	group, ctx := errgroup.WithContext(ctx)
	for i, f := range m.route.fetches {
		group.Go(func() (err error) {
			if values[i], err = f.do(ctx, params, urgent); err != nil {
				return fmt.Errorf("data %s: %w", f.name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	data := make(map[string]any, len(values)+len(params)+len(reservedNames))
	for i, f := range m.route.fetches {
		data[f.name] = values[i]
	}
	return data, nil
}

func (f fetch) do(ctx context.Context, params map[string]any, urgent bool) (any, error) {
	ref, ok, err := f.get.EvalURL(params)
	if err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("get: an expression of %s gives null", f.get)
	}
	v, err := f.source.Get(ctx, ref, urgent)
	switch {
	case err == nil && f.one:
		return only(v)
	case errors.Is(err, storage.ErrGone) && !f.one:
		// Only what the page is about may take the page away: the chain ends
		// here, so that nobody finds ErrGone in it.
		return nil, fmt.Errorf("%v; only an entry with `one: true` may be gone", err)
	}
	return v, err
}

// only takes the one item that an answer is about.
func only(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, fmt.Errorf("the answer is null: %w", storage.ErrGone)
	case map[string]any:
		return v, nil
	case []any:
		switch len(v) {
		case 0:
			return nil, fmt.Errorf("the answer is an empty list: %w", storage.ErrGone)
		case 1:
			if item, ok := v[0].(map[string]any); ok {
				return item, nil
			}
			return nil, errors.New("one: the only item of the answer is no object")
		}
		// WordPress answers ?slug=a,b with both, and the page /a,b is neither.
		return nil, &storage.RefusedError{
			Gate:   "ambiguous",
			Reason: fmt.Sprintf("one: the answer has %d items; make get name exactly one", len(v)),
		}
	}
	return nil, errors.New("one: the answer is neither an object nor a list")
}

// pageTags returns the tags of the route, with the values of this page, and
// those of everything that the page was made of; sorted, each once.
func (rt *route) pageTags(env map[string]any) ([]string, error) {
	tags := slices.Clone(rt.fixed)
	for i, text := range rt.tags {
		tag, ok, err := label(text, env)
		if err != nil {
			return nil, fmt.Errorf("tags[%d]: %w", i, err)
		}
		if ok && tag != "" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags), nil
}

// maxLabel is the longest tag or version, in bytes. They are kept for every
// page; a longer one is somebody's article in the wrong place.
const maxLabel = 256

func label(text *expression.Text, env map[string]any) (string, bool, error) {
	s, ok, err := text.Eval(env)
	if len(s) > maxLabel {
		return "", false, fmt.Errorf("%s gives %d bytes; %d are the most", text, len(s), maxLabel)
	}
	return s, ok, err
}

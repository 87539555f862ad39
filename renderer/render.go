package renderer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rebake/renderer/expression"
	"rebake/renderer/origin"
	"rebake/renderer/source"
	"rebake/storage"
)

// Config is what a Renderer is made of.
type Config struct {
	Site      string // the site's public URL
	Routes    []RouteConfig
	Sources   map[string]*source.Source // by the name that routes use; the caller closes them
	Origins   map[string]*origin.Origin // the same
	Templates *Templates
	// Rules are the site's rules for paths, by which listed ones are parsed.
	// What routes name below /.well-known need not be among them.
	Rules storage.PathRules
}

// Renderer makes the pages of one site. It never changes; a new configuration
// is a new Renderer. Safe for concurrent use.
type Renderer struct {
	site   string
	routes []*route
	// templates is shared with nobody who changes it.
	templates *Templates
	rules     storage.PathRules
	now       func() time.Time
	// wordPresses are those that Resolve asks.
	wordPresses []*wordPress
}

// New checks the routes. It returns every problem, joined, each led by its
// key: "routes[1].data.post.source: unknown source …".
func New(c Config) (*Renderer, error) {
	r := &Renderer{site: strings.TrimRight(c.Site, "/"), templates: c.Templates, rules: c.Rules, now: time.Now, wordPresses: wordPressesOf(c)}
	if r.templates == nil {
		r.templates = &Templates{}
	}
	var errs []error
	for i, rc := range c.Routes {
		rt, err := newRoute(fmt.Sprintf("routes[%d]", i), rc, c.Sources, c.Origins, r.templates)
		if err != nil {
			errs = append(errs, err)
		}
		if rt.list != nil {
			rt.list.renderer = r
		}
		r.routes = append(r.routes, rt)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r.rules.WellKnown = append(slices.Clone(r.rules.WellKnown), r.WellKnown()...)
	return r, nil
}

// TemplateHashes returns Templates.Hashes of the templates that r renders with.
func (r *Renderer) TemplateHashes() map[string]string { return r.templates.Hashes() }

// Match is a path together with the route that renders it.
type Match struct {
	Path   storage.Path
	Params map[string]string // decoded
	Gates  Gates
	route  *route
	listed bool
	item   any // of the list, in the place of the entry that it stands for; nil without one
}

// Route returns the pattern of the route, the name that it has in the ledger.
func (m Match) Route() string {
	if m.route == nil {
		return ""
	}
	return m.route.pattern.String()
}

// Uses reports whether the page is made with one of these template files, by
// their names in Templates.Hashes.
func (m Match) Uses(files []string) bool {
	return m.route != nil && slices.ContainsFunc(files, func(file string) bool {
		return slices.Contains(m.route.fixed, templateTag(file))
	})
}

// Listed reports whether m comes from the route's list. Such a match may hold
// the item as it was then: it is for one render, soon.
func (m Match) Listed() bool { return m.listed }

// Revalidate returns after how long the page is rendered again without a
// trigger, zero for never.
func (m Match) Revalidate() time.Duration {
	if m.route == nil {
		return 0
	}
	return m.route.revalidate
}

// Misses says whether a request for an unknown path of the route may render it.
func (m Match) Misses() Misses {
	if m.route == nil {
		return MissesOff
	}
	return m.route.misses
}

// Match finds the first route whose pattern p has. A route with pass has no
// pages, and neither have the paths that a kind of origin always keeps for
// itself: nothing is found then.
func (r *Renderer) Match(p storage.Path) (Match, bool) {
	rt, params := r.routeOf(p)
	if rt == nil || rt.passedTo(p) != "" {
		return Match{}, false
	}
	return Match{Path: p, Params: params, Gates: rt.gates, route: rt}, true
}

// PassedTo returns the name of the origin that always answers a path itself,
// since its route or the origin's kind says so; "" when none does.
func (r *Renderer) PassedTo(p storage.Path) string {
	if rt, _ := r.routeOf(p); rt != nil {
		return rt.passedTo(p)
	}
	return ""
}

// routeOf returns the first route that has the path, nil if none has.
func (r *Renderer) routeOf(p storage.Path) (*route, map[string]string) {
	segments := p.Segments()
	for _, rt := range r.routes {
		if params, ok := rt.pattern.match(p, segments); ok {
			return rt, params
		}
	}
	return nil, nil
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

// Render makes the page of m, which must come from Match or from a List, of r
// or of the renderer whose place r took. Everything is read after the call, but for what the list has read; nothing is
// kept between calls. An urgent render may use the slot that sources keep free.
//
// Errors: storage.ErrGone (wrapped) when an entry with `one` is not there, or
// belongs to another path; *storage.GoneError, which is one too, before and
// after the time that the content sets; *storage.TemporaryError,
// *storage.RefusedError of the gates too_large and ambiguous, and for snapshots
// of those that origin.Origin.Snapshot names; all others are permanent.
func (r *Renderer) Render(ctx context.Context, m Match, urgent bool) (storage.Page, error) {
	if m = r.own(m); m.route == nil {
		return storage.Page{}, fmt.Errorf("render %s: no route", m.Path)
	}
	if m.route.snapshot != nil {
		return m.snapshot(ctx, r.site, urgent)
	}
	data, err := m.fetch(ctx, urgent)
	if err != nil {
		return storage.Page{}, err
	}
	items := m.route.itemTags(data)
	data["path"], data["params"], data["site"] = m.Path.String(), m.Params, r.site
	env := maps.Clone(data)
	for name, value := range m.Params {
		env[name] = value
	}
	if err := m.route.canonical.check(m, r.rules, env); err != nil {
		return storage.Page{}, err
	}
	wake, err := m.route.period.check(env, r.now())
	if err != nil {
		return storage.Page{}, err
	}
	// The pattern alone does not tell: /blog/{slug} is HTML, /blog/vue.js is not.
	kind, err := m.route.mediaType(r.templates.pages[m.route.template], m.Path)
	if err != nil {
		return storage.Page{}, fmt.Errorf("template %w", err)
	}
	body, err := r.templates.execute(ctx, m.route.template, m.Gates.MaxBytes, data)
	if err != nil {
		return storage.Page{}, m.route.unopened(data, err)
	}
	page := storage.Page{Path: m.Path, Type: kind + charset, Body: body, Route: m.Route(), Wake: wake, Revalidate: m.Revalidate()}
	if page.Tags, err = m.route.pageTags(env, slices.Concat(items.tags(), m.route.selfTags(data), m.route.listTags(env))); err != nil {
		return storage.Page{}, err
	}
	if m.route.version != nil {
		if page.Version, _, err = label(m.route.version, env); err != nil {
			return storage.Page{}, fmt.Errorf("version: %w", err)
		}
	}
	page.Versions, err = m.route.versions(page, items, env)
	return page, err
}

// own makes a match of the renderer that was in r's place into one of r: the
// templates may be loaded again while a page waits for its render, and its
// tags have to be those of the files that it is made with.
func (r *Renderer) own(m Match) Match {
	if m.route == nil || slices.Contains(r.routes, m.route) {
		return m
	}
	now, ok := r.Match(m.Path)
	if !ok || now.Route() != m.Route() {
		return now
	}
	now.listed = m.listed
	if m.item != nil && now.route.list != nil && now.route.list.as == m.route.list.as {
		now.item = m.item
	}
	return now
}

// itemTags returns the tags of the items in the data of a page.
func (rt *route) itemTags(data map[string]any) itemTags {
	var t itemTags
	for _, f := range rt.fetches {
		if f.source.WordPress() {
			t.add(data[f.name], f.users)
		}
	}
	return t
}

// pageTags returns the tags of the route, with the values of this page, and
// those of everything that the page was made of; sorted, each once.
func (rt *route) pageTags(env map[string]any, items []string) ([]string, error) {
	own, err := rt.ownTags(env)
	if err != nil {
		return nil, err
	}
	tags := slices.Concat(rt.fixed, items, own)
	slices.Sort(tags)
	return slices.Compact(tags), nil
}

// ownTags returns the tags that the config gives a page.
func (rt *route) ownTags(env map[string]any) (tags []string, err error) {
	for i, text := range rt.tags {
		tag, ok, err := label(text, env)
		if err != nil {
			return nil, fmt.Errorf("tags[%d]: %w", i, err)
		}
		if ok && tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

// versions returns the versions of the items that a page shows: what WordPress
// says of each, and the page's own for the tags of its route, which are about
// the same item.
func (rt *route) versions(page storage.Page, items itemTags, env map[string]any) (map[string]string, error) {
	versions := items.versions
	if page.Version == "" {
		return versions, nil
	}
	own, err := rt.ownTags(env)
	if err != nil {
		return nil, err
	}
	for _, tag := range own {
		if _, ok := versions[tag]; ok {
			continue // it has one of its own
		}
		if versions == nil {
			versions = make(map[string]string)
		}
		versions[tag] = page.Version
	}
	return versions, nil
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

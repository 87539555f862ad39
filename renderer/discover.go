package renderer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"rebake/renderer/origin"
	"rebake/storage"
)

// What an origin's discover and assets may hold.
const (
	discoverSitemap = "sitemap"
	discoverCrawl   = "crawl"
	assetsCopy      = "copy"
)

// origins are those whose pages the routes take, each once.
func (r *Renderer) origins() []*origin.Origin {
	var list []*origin.Origin
	for _, rt := range r.routes {
		if rt.snapshot != nil && !slices.Contains(list, rt.snapshot.origin) {
			list = append(list, rt.snapshot.origin)
		}
	}
	return list
}

// HasOrigins reports whether there are pages that are those of an origin.
func (r *Renderer) HasOrigins() bool { return len(r.origins()) > 0 }

// ofOrigin finds the page of an origin at an escaped path, false when it is
// none, or none of this origin.
func (r *Renderer) ofOrigin(o *origin.Origin, escaped string) (Match, bool) {
	p, err := r.rules.ParseEscaped(escaped)
	if err != nil {
		return Match{}, false
	}
	m, ok := r.Match(p)
	return m, ok && m.route.snapshot != nil && m.route.snapshot.origin == o
}

// Sitemaps names pages of an origin, as its sitemaps do. Safe for concurrent
// use.
type Sitemaps struct {
	renderer *Renderer
	origin   *origin.Origin
}

// Sitemaps returns those of the origins that are to be searched in this way.
func (r *Renderer) Sitemaps() []*Sitemaps {
	var list []*Sitemaps
	for _, o := range r.origins() {
		if slices.Contains(o.Config().Discover, discoverSitemap) {
			list = append(list, &Sitemaps{renderer: r, origin: o})
		}
	}
	return list
}

// Name says for people what they are: "sitemaps of app".
func (s *Sitemaps) Name() string { return "sitemaps of " + s.origin.Name() }

// Each reads the sitemaps, and calls batch with pages of the origin, each once
// in all. What they name besides is passed over: it is a template's page, or
// the origin's own to serve. before is not needed, since nothing of a page is
// read.
//
// An error of batch ends it, and comes back as it is; all others are those of
// origin.Origin.EachInSitemaps, at the end. That there is no sitemap is none
// where links are followed as well.
func (s *Sitemaps) Each(ctx context.Context, _ func(context.Context) error, batch func(context.Context, []Match) error) error {
	seen, seed := map[uint64]struct{}{}, maphash.MakeSeed()
	err := s.origin.EachInSitemaps(ctx, func(ctx context.Context, targets []string) error {
		var matches []Match
		for _, target := range targets {
			m, ok := s.renderer.ofOrigin(s.origin, target)
			hash := maphash.String(seed, m.Path.String())
			if _, again := seen[hash]; !ok || again {
				continue
			}
			seen[hash] = struct{}{}
			matches = append(matches, m)
		}
		if len(matches) == 0 {
			return nil
		}
		return batch(ctx, matches)
	})
	if errors.Is(err, origin.ErrNoSitemap) && slices.Contains(s.origin.Config().Discover, discoverCrawl) {
		return nil
	}
	return err
}

// Link is a page that a published file leads to; a route with an origin has it.
type Link struct {
	Path storage.Path
	// Asset says that the file is not to be seen without it: a style sheet, a
	// script, an image.
	Asset bool
}

// Crawl finds pages of origins by what published files name. Safe for
// concurrent use.
type Crawl struct {
	renderer *Renderer
	site     *url.URL
	origins  []*origin.Origin
	followed []*origin.Origin // their pages are found by links
	copied   []*origin.Origin // their assets are pages, too
	ignored  []string

	reserved atomic.Pointer[storage.PathError] // of the first asset that is kept out by it
}

// Crawl returns nil when no origin is to be searched in this way, and no
// assets are copied. ignoreQuery are the query parameters that change nothing
// about a page; a name may end in *.
func (r *Renderer) Crawl(ignoreQuery []string) *Crawl {
	c := &Crawl{renderer: r, origins: r.origins(), ignored: ignoreQuery}
	for _, o := range c.origins {
		if slices.Contains(o.Config().Discover, discoverCrawl) {
			c.followed = append(c.followed, o)
		}
		if o.Config().Assets == assetsCopy {
			c.copied = append(c.copied, o)
		}
	}
	site, err := url.Parse(r.site)
	if err != nil || len(c.followed)+len(c.copied) == 0 {
		return nil
	}
	c.site = site
	return c
}

// Links calls found for every page that the file of m names, whether or not it
// is there; one that is named twice comes twice. kind is the file's media type,
// without parameters; only text/html and text/css name any. The error is that
// of reading the file.
func (c *Crawl) Links(m Match, kind string, file io.Reader, found func(Link)) error {
	return origin.References(file, kind, c.address(m), func(ref origin.Reference) {
		if l, ok := c.link(ref); ok {
			found(l)
		}
	})
}

// address is the public one of a page, for links that are relative to it.
func (c *Crawl) address(m Match) *url.URL {
	if m.route != nil && m.route.snapshot != nil {
		return m.route.snapshot.origin.Address(m.Path)
	}
	return c.site.JoinPath(m.Path.Escaped())
}

// link finds the page that is meant.
func (c *Crawl) link(ref origin.Reference) (Link, bool) {
	if !ref.Asset && !c.ignorable(ref.URL.RawQuery) {
		return Link{}, false
	}
	for _, o := range c.origins {
		target, own := o.PathOf(ref.URL)
		if !own {
			continue
		}
		path, _, _ := strings.Cut(target, "?")
		m, ok := c.renderer.ofOrigin(o, path)
		if !ok {
			c.noteReserved(o, ref, path)
			continue
		}
		l := Link{Path: m.Path, Asset: ref.Asset || origin.IsAsset(m.Path)}
		return l, c.wants(o, l)
	}
	return Link{}, false
}

// wants reports whether the config has a build follow a link. What pages load
// and has no extension may be the answer of a program, and stays the origin's.
func (c *Crawl) wants(o *origin.Origin, l Link) bool {
	if l.Asset {
		return l.Path.FileType() != "" && slices.Contains(c.copied, o)
	}
	return slices.Contains(c.followed, o)
}

// noteReserved remembers an asset that is not copied since its path may be no
// page's, where nobody would expect that.
func (c *Crawl) noteReserved(o *origin.Origin, ref origin.Reference, path string) {
	var refused *storage.PathError
	_, err := c.renderer.rules.ParseEscaped(path)
	if ref.Asset && slices.Contains(c.copied, o) && errors.As(err, &refused) && refused.Code == "reserved_route" {
		c.reserved.CompareAndSwap(nil, refused)
	}
}

// Notes tell people what was not found, and why, after Links was called.
func (c *Crawl) Notes() []string {
	if refused := c.reserved.Load(); refused != nil {
		return []string{fmt.Sprintf("assets below a prefix in reserved are not copied, such as %s; take the prefix out of reserved in rebake.yaml if no other program answers there", refused.Path)}
	}
	return nil
}

// ignorable reports whether a query changes nothing about a page. A query that
// only tells versions of an asset apart does not come here.
func (c *Crawl) ignorable(rawQuery string) bool {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return false
	}
	for name := range query {
		if !slices.ContainsFunc(c.ignored, func(pattern string) bool { return isNamed(pattern, name) }) {
			return false
		}
	}
	return true
}

func isNamed(pattern, name string) bool {
	prefix, open := strings.CutSuffix(pattern, "*")
	return pattern == name || open && strings.HasPrefix(name, prefix)
}

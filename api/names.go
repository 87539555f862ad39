package api

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rebake/storage"
	"rebake/storage/ledger"
)

// paths are the pages that an input names, each once.
func (a *API) paths(in input) ([]storage.Path, error) {
	if n := len(in.paths) + len(in.escapedPaths) + len(in.slugs) + len(in.itemSlugs); n > a.cfg.MaxPaths {
		return nil, bad("too_many", fmt.Sprintf("%d paths; at most %d in one request", n, a.cfg.MaxPaths))
	}
	var list []storage.Path
	add := func(p storage.Path, err error) error {
		if err == nil && !slices.Contains(list, p) {
			list = append(list, p)
		}
		return err
	}
	for _, s := range in.paths {
		if err := add(a.parse(s, a.cfg.Rules.Parse)); err != nil {
			return nil, err
		}
	}
	for _, s := range in.escapedPaths {
		if err := add(a.parse(s, a.cfg.Rules.ParseEscaped)); err != nil {
			return nil, err
		}
	}
	for _, slug := range in.slugs {
		pages, err := a.slugPages(slug)
		if err != nil {
			return nil, err
		}
		for _, p := range pages {
			_ = add(p, nil)
		}
	}
	for _, slug := range in.itemSlugs {
		pages, _ := a.slugPages(slug) // else the tag has to do
		for _, p := range pages {
			_ = add(p, nil)
		}
	}
	return list, nil
}

// maxTag is the longest tag in bytes; the renderer makes none that is longer.
const maxTag = 256

// labels are the tags and prefixes of an input.
func (a *API) labels(in input) ([]ledger.Label, error) {
	if n := len(in.tags) + len(in.items) + len(in.prefixes) + len(in.escapedPrefix); n > a.cfg.MaxPaths {
		return nil, bad("too_many", fmt.Sprintf("%d tags, items and prefixes; at most %d in one request", n, a.cfg.MaxPaths))
	}
	var list []ledger.Label
	add := func(l ledger.Label) {
		if !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	for _, tag := range in.tags {
		switch {
		case len(tag) > maxTag:
			return nil, bad("bad_tag", fmt.Sprintf("a tag is longer than %d bytes", maxTag))
		case !utf8.ValidString(tag) || strings.ContainsFunc(tag, unicode.IsControl):
			return nil, bad("bad_tag", fmt.Sprintf("the tag %.40q is no text", tag))
		}
		add(ledger.Tag(tag))
	}
	for _, prefix := range in.prefixes {
		p, err := a.parse(prefix, a.cfg.Rules.Parse)
		if err != nil {
			return nil, err
		}
		add(ledger.Prefix(p))
	}
	for _, prefix := range in.escapedPrefix {
		p, err := a.parse(prefix, a.cfg.Rules.ParseEscaped)
		if err != nil {
			return nil, err
		}
		add(ledger.Prefix(p))
	}
	return list, nil
}

// slugPages returns the pages that a slug may stand for. A slug is one segment
// of a path; whatever has a slash is a path, or the URL of one. When a slug
// makes a page of one route and nothing of another, the page counts.
func (a *API) slugPages(slug string) ([]storage.Path, error) {
	candidates := []string{slug}
	if slug != "" && !strings.Contains(slug, "/") && !strings.Contains(strings.ToLower(slug), "%2f") {
		candidates = a.routes.SlugPaths(slug)
	}
	var pages []storage.Path
	var refused error
	for _, s := range candidates {
		p, err := a.parse(s, a.cfg.Rules.ParseEscaped)
		if err != nil {
			refused = err
			continue
		}
		pages = append(pages, p)
	}
	if len(pages) > 0 {
		return pages, nil
	}
	return nil, refused
}

// parse reads what a CMS calls a path: one, or the URL of a page on a host
// that is known to show this site. The query of a URL says how the CMS finds
// the page, and not which page it is. WordPress renames what it puts into the
// trash; the page to look at is the one before.
func (a *API) parse(s string, parse func(string) (storage.Path, error)) (storage.Path, error) {
	return a.cfg.parse(s, parse)
}

func (c *Config) parse(s string, parse func(string) (storage.Path, error)) (storage.Path, error) {
	if u, err := url.Parse(s); err == nil && (u.Scheme == "http" || u.Scheme == "https") && c.knowsHost(u.Host) {
		s, parse = u.EscapedPath(), c.Rules.ParseEscaped
		if s == "" {
			s = "/"
		}
	}
	if rest, ok := strings.CutSuffix(strings.TrimSuffix(s, "/"), "__trashed"); ok {
		s = rest
	}
	return parse(s)
}

// Pages returns the pages that an event means by paths and URLs, each once. Left
// says of each of the others why it is left out. Of the config, only Hosts and
// Rules matter.
func (c *Config) Pages(texts []string) (pages []storage.Path, left []string) {
	seen := make(map[storage.Path]bool, len(texts))
	for _, s := range texts {
		p, err := c.parse(s, c.Rules.ParseEscaped)
		switch {
		case err != nil && strings.Contains(s, "://"):
			left = append(left, fmt.Sprintf("%.100q is no page of this site", s))
		case err != nil:
			left = append(left, err.Error())
		case !seen[p]:
			seen[p] = true
			pages = append(pages, p)
		}
	}
	return pages, left
}

// pageNamed reads what a person calls a page: its path, or its URL on a host
// that is known to show this site. Why that is no page is told.
func (a *API) pageNamed(s string) (storage.Path, error) {
	if err := a.noPage(s); err != nil {
		return storage.Path{}, err
	}
	return a.parse(s, a.cfg.Rules.Parse)
}

// noPage returns what is wrong with an address that a person may have copied
// from a browser: it is of another site, or has a query.
func (a *API) noPage(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return nil // the rules for paths say what is wrong
	}
	if absolute := u.Scheme == "http" || u.Scheme == "https"; absolute && !a.knowsHost(u.Host) {
		return bad("other_host", fmt.Sprintf("%.200q: %s is no host of this site (known: %s); name the page by its path, such as %s",
			s, u.Host, strings.Join(unique(a.cfg.Hosts), ", "), cmp.Or(u.Path, "/")))
	} else if u.RawQuery != "" && (absolute || strings.HasPrefix(s, "/")) {
		return bad("query", fmt.Sprintf("%.200q: a page has no query; name %s. With a query, nginx asks the route's origin; where there is none, or ignore_query names the query, it answers with that page",
			s, cmp.Or(u.Path, "/")))
	}
	return nil
}

func unique(list []string) []string {
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func (a *API) knowsHost(host string) bool { return a.cfg.knowsHost(host) }

func (c *Config) knowsHost(host string) bool {
	return host != "" && slices.ContainsFunc(c.Hosts, func(known string) bool { return strings.EqualFold(known, host) })
}

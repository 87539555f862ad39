// Package origin takes snapshots of pages that another server renders: Next.js,
// Nuxt, WordPress with its theme, or anything else that answers with HTML.
//
// It guarantees that a snapshot is everybody's page: the request carries a fixed
// set of headers and nothing of a visitor or a trigger but the path, and an
// answer that says that it is private, or that differs from visitor to visitor,
// is refused. Absolute links to the origin are turned into links to the site,
// and the tags that the origin names come with the page.
//
// It also knows where an origin's pages are found: in its sitemaps, and in what
// its pages and style sheets name.
//
// It does not retry, and follows no redirect but the one that adds or takes
// away the slash at the end of the same page.
package origin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"rebake/renderer/upstream"
	"rebake/storage"
)

// Origin is one site's server. Safe for concurrent use.
type Origin struct {
	name    string
	config  Config
	site    *url.URL
	bases   []*url.URL
	next    atomic.Uint32 // counts the requests, to take another base each time
	slash   bool          // the origin's pages end in a slash
	client  *upstream.Client
	links   *links
	preview *previewID // nil unless the origin's cache is got past by Next's own means
}

// New makes the origin called name of a public site. slash says which form
// the site's addresses have: always, never, or auto for the kind's own.
func New(name string, c Config, site, slash string) (*Origin, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	public, err := url.Parse(strings.TrimRight(site, "/"))
	if err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	o := &Origin{name: name, config: c, site: public, client: upstream.New(c.limits())}
	hosts := []string{c.Host}
	for _, s := range c.URLs {
		base, err := url.Parse(strings.TrimRight(s, "/"))
		if err != nil {
			return nil, fmt.Errorf("urls: %w", err)
		}
		o.bases = append(o.bases, base)
		hosts = append(hosts, base.Host)
	}
	o.slash = slash == "always" || slash != "never" && c.Kind == WordPress
	o.links = newLinks(public, hosts)
	if c.Build != "" {
		o.preview = newPreviewID(c.Build)
	}
	return o, nil
}

// Name returns the name that routes use.
func (o *Origin) Name() string { return o.name }

// Config returns what the origin was made of.
func (o *Origin) Config() Config { return o.config }

// Close closes the connections that no request is using.
func (o *Origin) Close() { o.client.Close() }

// Down returns the instances that are down now.
func (o *Origin) Down() []upstream.State { return o.client.Down() }

// base picks the instance to ask: another one each time, so that a try again
// does not meet the one that has just failed, and none that is down while
// there are others.
func (o *Origin) base(urgent bool) int {
	first := int(o.next.Add(1)) % len(o.bases)
	for i := range o.bases {
		if next := (first + i) % len(o.bases); !o.client.Refuses(o.bases[next].Host, urgent) {
			return next
		}
	}
	return first
}

// request builds the one kind of request that an origin gets: nothing in it
// comes from a visitor or a trigger but the path. target is an escaped path,
// maybe with a query.
func (o *Origin) request(ctx context.Context, base *url.URL, method, target string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, base.Scheme+"://"+base.Host+target, nil)
	if err != nil {
		return nil, fmt.Errorf("make the request for %s: the address cannot be parsed", target)
	}
	req.Host = o.host()
	req.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Set("User-Agent", "rebake")
	// What nginx would say in front of it: WordPress, for one, redirects what
	// did not come by its own scheme and host.
	req.Header.Set("X-Forwarded-Proto", o.site.Scheme)
	req.Header.Set("X-Forwarded-Host", req.Host)
	return req, nil
}

// host is what the origin takes itself for.
func (o *Origin) host() string {
	if o.config.Host != "" {
		return o.config.Host
	}
	return o.site.Host
}

// target is the address of a page in the origin's form.
func (o *Origin) target(p storage.Path) string {
	s := p.Escaped()
	if o.endsInSlash(p) {
		s += "/"
	}
	return s
}

func (o *Origin) endsInSlash(p storage.Path) bool {
	return o.slash && p.String() != "/" && p.FileType() == ""
}

// failed puts the name of the request before err: "app GET /blog/a".
func (o *Origin) failed(target string, err error) error {
	target, _, _ = strings.Cut(target, "?")
	return fmt.Errorf("%s GET %s: %w", o.name, target, err)
}

// mostRedirects is how often Get goes on where it is sent.
const mostRedirects = 3

// Get reads what no page is made of, such as a sitemap or robots.txt: target is
// an escaped path with or without a query. Redirects are followed as long as
// they stay within the origin. The body is as the origin sent it, decompressed.
// Errors are those of Snapshot, less the refusals.
func (o *Origin) Get(ctx context.Context, target string) (upstream.Response, error) {
	asked := target
	for range mostRedirects + 1 {
		req, err := o.request(ctx, o.bases[o.base(false)], http.MethodGet, target)
		if err != nil {
			return upstream.Response{}, err
		}
		moved := ""
		resp, err := o.client.Do(ctx, req, false, func(resp *http.Response) error {
			if location, err := resp.Location(); err == nil && resp.StatusCode >= 300 && resp.StatusCode < 400 {
				moved, _ = o.PathOf(location)
			}
			return upstream.CheckStatus(resp)
		})
		switch {
		case err == nil:
			return resp, nil
		case moved == "" || moved == target:
			return upstream.Response{}, o.failed(target, err)
		}
		target = moved
	}
	return upstream.Response{}, o.failed(asked, fmt.Errorf("more than %d redirects", mostRedirects))
}

// Address returns the public address of a page, in the form of the origin.
func (o *Origin) Address(p storage.Path) *url.URL {
	s := p.String()
	if o.endsInSlash(p) {
		s += "/"
	}
	return &url.URL{Scheme: o.site.Scheme, Host: o.site.Host, Path: s}
}

// PathOf returns the escaped path and query of a URL that the origin calls its
// own: relative, or absolute on the site's host or one of the origin's; false
// for all others.
func (o *Origin) PathOf(u *url.URL) (string, bool) {
	if u.Opaque != "" || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	if u.Host != "" && u.Host != o.site.Host && u.Host != o.config.Host &&
		!slices.ContainsFunc(o.bases, func(b *url.URL) bool { return b.Host == u.Host }) {
		return "", false
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path, strings.HasPrefix(path, "/")
}

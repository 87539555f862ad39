package nginx

import (
	"net/url"
	"slices"
	"strings"
)

// plan is what the templates write: the config, and who answers what.
type plan struct {
	Config
	// Asked are the origins that answer something, none without origins.
	Asked []asked
	// Default answers what no route names.
	Default asked
	// Lines are the routes that say something else than the default, from the
	// last to the first: of those that match, the last one nginx reads wins.
	Lines []line
	// Mixed says that there are paths of other origins, or of templates.
	Mixed bool
	// Templates says that there are paths of templates.
	Templates bool
}

// asked is an origin in nginx's words.
type asked struct {
	Origin
	Location string   // that asks it, "@origin_app"
	Upstream string   // name of the block with all its URLs, "" for none
	Servers  []string // of that block, host and port
	Proxy    string   // where it answers: its first URL, or the upstream's
	Own      []string // regular expressions, see Origin.own
	Moved    []string // beginnings of redirects that mean the site
	Visited  string   // the site's host for the origin, "$host"
	Proto    string   // the site's scheme
	site     string   // the site's host
}

// line is a route in nginx's words.
type line struct {
	Route
	Location string // of its origin, "" for a template
}

// newPlan decides who answers what. balanced says that there is a place for an
// upstream.
func newPlan(c Config, balanced bool) plan {
	p := plan{Config: c}
	p.Feeds = c.feeds()
	if len(c.Origins) == 0 {
		return p
	}
	last := c.Origins[len(c.Origins)-1].Name
	for _, r := range c.Routes {
		if r.Origin != "" {
			last = r.Origin
		}
	}
	for _, r := range slices.Backward(c.Routes) {
		if len(p.Lines) == 0 && r.Origin == last && !r.Pass {
			continue
		}
		l := line{Route: r}
		if r.Origin != "" {
			l.Location = location(r.Origin)
		}
		p.Lines = append(p.Lines, l)
		p.Mixed = p.Mixed || r.Origin != last
		p.Templates = p.Templates || r.Origin == ""
	}
	for _, o := range c.Origins {
		if o.Name != last && !slices.ContainsFunc(p.Lines, func(l line) bool { return l.Origin == o.Name }) {
			continue
		}
		a := newAsked(c, o, balanced)
		if a.Own = o.own(""); p.Mixed {
			a.Own = o.own(a.Location)
		}
		p.Asked = append(p.Asked, a)
		if o.Name == last {
			p.Default = a
		}
	}
	return p
}

// Ask is the location of the origin whose the request's path is.
func (p plan) Ask() string {
	if p.Mixed {
		return "$rebake_origin"
	}
	return p.Default.Location
}

// Miss is the location for a page without a file.
func (p plan) Miss() string {
	if p.Templates {
		return "$rebake_miss"
	}
	return "@rebake"
}

// Asset is the location for a script, style or image without a file.
func (p plan) Asset() string {
	if p.Templates {
		return "$rebake_asset"
	}
	return p.Ask()
}

// OtherMethods says that a request with another method than GET and HEAD may
// find no origin that takes it.
func (p plan) OtherMethods() bool { return len(p.Asked) == 0 || p.Templates }

// Owns says that an origin has paths that are always its own.
func (p plan) Owns() bool { return p.any(func(a asked) bool { return len(a.Own) > 0 }) }

// Next says that an origin is Next.js.
func (p plan) Next() bool { return p.any(func(a asked) bool { return a.Kind == "next" }) }

// Copied says that there may be files of an origin's scripts, styles and images.
func (p plan) Copied() bool { return p.any(func(a asked) bool { return a.Origin.Copied }) }

func (p plan) any(f func(asked) bool) bool { return slices.ContainsFunc(p.Asked, f) }

// WithoutSlash is a regular expression over the paths that get a slash at their
// end. An origin may have files with other extensions than Rebake's.
func (p plan) WithoutSlash() string {
	if len(p.Asked) == 0 {
		return `^(?!/\.well-known/)(.*[^/])$`
	}
	return `^(?!/\.well-known/)(.*/[^/.]+)$`
}

func location(origin string) string { return "@origin_" + origin }

func newAsked(c Config, o Origin, balanced bool) asked {
	a := asked{Origin: o, Location: location(o.Name), Proxy: o.URLs[0], Visited: "$host", Proto: c.site.Scheme, site: c.site.Host}
	if c.site.Port() != "" {
		a.Visited += ":" + c.site.Port()
	}
	for _, u := range o.bases {
		a.Moved = append(a.Moved, u.String()+"/")
		a.Servers = append(a.Servers, server(u))
	}
	if a.CookieHost() != "" {
		a.Moved = append(a.Moved, "http://"+o.Host+"/", "https://"+o.Host+"/")
	}
	if balanced && len(o.bases) > 1 {
		// All sites of an nginx share the names of upstreams.
		a.Upstream = "rebake_" + strings.Map(nameRune, c.site.Host) + "_" + o.Name
		a.Proxy = o.bases[0].Scheme + "://" + a.Upstream
	}
	return a
}

// server is a URL's host and port: an upstream knows no scheme.
func server(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Host
	case u.Scheme == "https":
		return u.Host + ":443"
	}
	return u.Host + ":80"
}

func nameRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
		return r
	}
	return '_'
}

// CertifiedName is what the origin's certificate is for, "" without TLS.
func (a asked) CertifiedName() string {
	if u := a.bases[0]; u.Scheme == "https" {
		return u.Hostname()
	}
	return ""
}

// Streams says that the origin's pages come in parts.
func (a asked) Streams() bool { return a.Kind == "next" || a.Kind == "nuxt" }

// AskedAs is the Host that the origin sees.
func (a asked) AskedAs() string {
	if a.Host != "" {
		return a.Host
	}
	return a.Visited
}

// CookieHost is the host that the origin's cookies may name, when it takes
// itself for another than the site's.
func (a asked) CookieHost() string {
	if a.Host == a.site {
		return ""
	}
	return withoutPort(a.Host)
}

package nginx

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Origin is a server that answers what is not everybody's, and what Rebake has
// no page for.
type Origin struct {
	// Name is made of letters, digits, _ and -.
	Name string
	// Kind is next, nuxt, wordpress or plain.
	Kind string
	// URLs are where it answers, scheme and host alone. Include has a place for
	// the first of them; Server shares the requests among all.
	URLs []string
	// Host is what it is asked as, maybe with a port. Empty means the host that
	// the visitor asks for.
	Host string
	// Passes are prefixes of paths, in whole segments, that are always its own.
	Passes []string
	// Copied says that there may be files of its scripts, styles and images.
	Copied bool

	bases []*url.URL // the URLs, when they have been checked
}

// Route says whose the paths of one form are.
type Route struct {
	// Pattern is how the route is written in rebake.yaml, for people.
	Pattern string
	// Regexp finds its paths, see renderer.Pattern.Regexp.
	Regexp string
	// Origin is a name, or empty when Rebake makes the pages from templates.
	Origin string
	// Pass says that the paths are no pages, and always the origin's.
	Pass bool
}

// originName is also what a name in nginx can be made of.
var originName = regexp.MustCompile(`^[A-Za-z0-9][\w-]*$`)

// passForm is what stands for itself in a regular expression, but for the dot.
var passForm = regexp.MustCompile(`^(?:/[A-Za-z0-9_.-]+)+$`)

// checked returns the origin with its URLs as nginx takes them.
func (o Origin) checked() (Origin, error) {
	if !originName.MatchString(o.Name) {
		return o, fmt.Errorf("name must be made of letters, digits, _ and -")
	}
	if _, ok := kinds[o.Kind]; !ok {
		return o, fmt.Errorf("unknown kind %q", o.Kind)
	}
	if len(o.URLs) == 0 {
		return o, fmt.Errorf("urls: is empty")
	}
	o.URLs, o.bases = slices.Clone(o.URLs), nil
	for i, s := range o.URLs {
		u, err := base(s)
		if err != nil {
			return o, fmt.Errorf("url %q: %w", s, err)
		}
		o.URLs[i], o.bases = u.String(), append(o.bases, u)
		if u.Scheme != o.bases[0].Scheme {
			return o, fmt.Errorf("url %q: nginx cannot share requests between http and https", s)
		}
	}
	if o.Host != "" && !isHostPort(o.Host) {
		return o, fmt.Errorf("host %q: not a host name", o.Host)
	}
	for _, prefix := range o.Passes {
		if !passForm.MatchString(prefix) {
			return o, fmt.Errorf("pass %q: must be a prefix of paths, such as /api", prefix)
		}
	}
	return o, nil
}

// base parses a URL of scheme and host.
func base(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(s, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.String() != u.Scheme+"://"+u.Host || !isHostPort(u.Host) {
		return nil, fmt.Errorf("must be scheme and host alone, such as http://127.0.0.1:3000")
	}
	return u, nil
}

func isHostPort(s string) bool {
	host := withoutPort(s)
	return isHost(host) && (host == s || isPort(s[len(host)+1:]))
}

// withoutPort leaves an IPv6 address its brackets.
func withoutPort(s string) string {
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		return s[:i]
	}
	return s
}

// checkRegexp refuses what is no regular expression over whole paths, or could
// break out of its quotes.
func checkRegexp(s string) error {
	if strings.ContainsAny(s, "\"\\{}") || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("the regular expression %q holds what nginx would read", s)
	}
	if _, err := regexp.Compile(s); err != nil || !strings.HasPrefix(s, "^") || !strings.HasSuffix(s, "$") {
		return fmt.Errorf("%q is no regular expression of whole paths", s)
	}
	return nil
}

func (r Route) check(origins []Origin) error {
	if strings.ContainsFunc(r.Pattern, unicode.IsControl) {
		return fmt.Errorf("the pattern holds a control character")
	}
	if err := checkRegexp(r.Regexp); err != nil {
		return err
	}
	if r.Origin == "" && r.Pass {
		return fmt.Errorf("passes to no origin")
	}
	if r.Origin != "" && !slices.ContainsFunc(origins, func(o Origin) bool { return o.Name == r.Origin }) {
		return fmt.Errorf("unknown origin %q", r.Origin)
	}
	return nil
}

// requestName is a query parameter or a cookie, or with * the beginning of one.
var requestName = regexp.MustCompile(`^[A-Za-z0-9_.-]+\*?$`)

// checkedOrigins checks what a site with origins has besides.
func (c Config) checkedOrigins() (Config, error) {
	if len(c.Origins) == 0 {
		return c, nil
	}
	var err error
	if c.site, err = base(c.Site); err != nil {
		return c, fmt.Errorf("site %q: %w", c.Site, err)
	}
	c.Origins = slices.Clone(c.Origins)
	for i, o := range c.Origins {
		if c.Origins[i], err = o.checked(); err != nil {
			return c, fmt.Errorf("origin %q: %w", o.Name, err)
		}
		if slices.ContainsFunc(c.Origins[:i], func(other Origin) bool { return other.Name == o.Name }) {
			return c, fmt.Errorf("origin %q: stands there twice", o.Name)
		}
	}
	for _, r := range c.Routes {
		if err := r.check(c.Origins); err != nil {
			return c, fmt.Errorf("route %q: %w", r.Pattern, err)
		}
	}
	for _, list := range []struct {
		field string
		names []string
	}{{"ignored query", c.IgnoreQuery}, {"bypass cookie", c.BypassCookies}} {
		for _, name := range list.names {
			if !requestName.MatchString(name) {
				return c, fmt.Errorf("%s %q: must be a name of letters, digits, _, . and -, maybe with * at its end", list.field, name)
			}
		}
	}
	return c, nil
}

package setup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rebake/renderer/origin"
	"rebake/renderer/upstream"
	"rebake/storage"
)

// mostHops is how many redirects are followed, as browsers count.
const mostHops = 10

// Look asks the site what it is, and tells what it finds. An error says what
// was asked, what came, and what to do about it.
func Look(ctx context.Context, w Wish, tell Tell) (*Site, error) {
	l, err := newLooker(w, tell)
	if err != nil {
		return nil, err
	}
	defer l.client.Close()
	if w.Headless {
		return l.headless(ctx)
	}
	home, err := l.readAs(ctx, "/", l.site.Host, l.base.Host)
	if err != nil {
		return nil, l.elsewhere(err, "its own server", "http://127.0.0.1:8080")
	}
	if home.status != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d; rebake has to see the page that visitors see", home.url, home.status)
	}
	p := readPage(home.url, home.body)
	l.tell("asked", "%s: %d, %q", home.url, home.status, p.title)
	s := &Site{Title: p.title, Slash: "auto", Private: private(home.header)}
	var why []string
	s.Kind, why = kindOf(home.header, p, l.own)
	l.tell("kind", "%s%s", kindNames[s.Kind], because(why))
	if target := home.url.RequestURI(); target != "/" {
		s.Start = target
		l.tell("start", "/ leads to %s, so it is no page", target)
	}
	for _, c := range (&http.Response{Header: home.header}).Cookies() {
		s.Cookies = append(s.Cookies, c.Name)
	}
	s.Shop = s.Kind == origin.WordPress && p.shop()
	if err := l.named(ctx, s, p); err != nil {
		return nil, err
	}
	l.feeds(ctx, s, p)
	l.slash(ctx, s, p)
	l.place(ctx, s)
	s.URL = l.site.String()
	return s, nil
}

func because(why []string) string {
	if len(why) == 0 {
		return ""
	}
	return ": " + strings.Join(why, ", ")
}

// looker looks at one site.
type looker struct {
	visitor
	tell Tell
	site *url.URL // as visitors use it
	// separate says that the server is asked at an address of its own.
	separate bool
	hosts    []string // that the server has been asked for
	// usual are the places to look for the server, see usualPlaces.
	usual map[origin.Kind][]string
}

func newLooker(w Wish, tell Tell) (*looker, error) {
	site, err := parseBase("the site", w.URL, "https://www.example.com")
	if err != nil {
		return nil, err
	}
	l := &looker{usual: usualPlaces, site: site, visitor: visitor{client: upstream.New(limits), base: site, scheme: site.Scheme, host: site.Host}}
	if w.Origin != "" {
		if l.base, err = parseBase("--origin", w.Origin, "http://127.0.0.1:8080"); err != nil {
			return nil, err
		}
		l.separate = l.base.String() != site.String()
	}
	l.tell = func(name, format string, args ...any) {
		tell(name, "%s", line(fmt.Sprintf(format, args...))) // what a site says may hold anything
	}
	return l, nil
}

// parseBase reads scheme and host alone.
func parseBase(name, s, example string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, fmt.Errorf("%s: %q is no address; write it whole, such as %s", name, s, example)
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: %q is more than scheme and host, such as %s; a site in a folder of another cannot be served", name, s, example)
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// readAs reads a path from a server that may know the site by another host than
// visitors do: it asks for one host after the other, until there is something.
// On a machine of our own only the site's will do, since a server of many sites
// answers with any of them when it is asked for none that it knows.
func (l *looker) readAs(ctx context.Context, target string, hosts ...string) (a answer, err error) {
	if !l.separate || isPrivate(l.base) {
		hosts = []string{l.site.Host}
	}
	for _, host := range hosts {
		if l.separate {
			l.host = host
		}
		l.hosts = []string{host}
		if a, err = l.read(ctx, target); err == nil && a.status == http.StatusOK {
			break
		}
	}
	return a, err
}

// elsewhere adds to the error of a server that cannot be asked that another
// address can be named.
func (l *looker) elsewhere(err error, who, example string) error {
	if temporary := new(storage.TemporaryError); l.separate || !errors.As(err, &temporary) {
		return err
	}
	return fmt.Errorf("%w; if %s answers elsewhere, name that place: --origin %s", err, who, example)
}

// read asks for a path and follows redirects within the site. On the way the
// site may turn out to have another scheme or host than was said.
func (l *looker) read(ctx context.Context, target string) (answer, error) {
	for range mostHops {
		a, err := l.get(ctx, target)
		if err != nil {
			return answer{}, err
		}
		to := a.location()
		if to == nil {
			return a, nil
		}
		l.tell("asked", "%s: %d, on to %s", a.url, a.status, to)
		if target, err = l.follow(a.url, to); err != nil {
			return answer{}, err
		}
	}
	return answer{}, fmt.Errorf("%s redirects more than %d times", l.site, mostHops)
}

// follow returns what to ask next, and takes over what the redirect says about
// the site.
func (l *looker) follow(from, to *url.URL) (string, error) {
	target := to.RequestURI()
	switch {
	case *to == *from && l.separate && l.scheme == "https":
		return "", l.unbelieved(from)
	case *to == *from && from.Port() != "":
		return "", portless(from)
	case *to == *from:
		return "", fmt.Errorf("%s redirects to itself", from)
	case !l.separate && sameSite(to.Hostname(), l.site.Hostname()):
		l.site = &url.URL{Scheme: to.Scheme, Host: strings.ToLower(to.Host)}
		l.base, l.scheme, l.host = l.site, l.site.Scheme, l.site.Host
	case !l.separate:
		return "", fmt.Errorf("%s redirects to another site, %s://%s; if that is the one, name it", from, to.Scheme, to.Host)
	case sameSite(to.Hostname(), l.site.Hostname()) && to.Port() == "" && !slices.Contains(l.hosts, to.Host):
		l.site = &url.URL{Scheme: l.site.Scheme, Host: to.Host}
		l.host = to.Host
		l.hosts = append(l.hosts, to.Host)
	case to.Host == l.host && target == from.RequestURI():
		return "", fmt.Errorf("%s redirects %s to %s: the two have to agree about %s; change the site's address in its own settings, or name the other one here", l.base, from, to, to.Scheme)
	case to.Host == l.host:
	case slices.Contains(l.hosts, to.Host):
		return "", fmt.Errorf("%s redirects %s to %s, and from there back; it has no host of its own", l.base, from, to)
	default:
		l.host = to.Host
		l.hosts = append(l.hosts, to.Host)
	}
	return target, nil
}

// unbelieved is the redirect of a server that visitors reach by https through
// another one, and that does not believe it.
func (l *looker) unbelieved(from *url.URL) error {
	return fmt.Errorf("%s redirects %s to itself, though it is told X-Forwarded-Proto: https; have it believe that: "+
		"in nginx write `fastcgi_param HTTPS on;` beside fastcgi_pass, in Apache `SetEnv HTTPS on`", l.base, from)
}

// portless is the redirect of a server that most likely is not told the port.
func portless(from *url.URL) error {
	return fmt.Errorf("%s redirects to itself, as a site does that is not told its port: Debian's fastcgi_params has HTTP_HOST $host, without it; "+
		"in nginx write `fastcgi_param HTTP_HOST $host:%[2]s;` below `include fastcgi_params;`, or `proxy_set_header Host $host:%[2]s;` for a proxy", from, from.Port())
}

// sameSite reports whether two hosts differ in nothing but "www.".
func sameSite(a, b string) bool {
	return strings.EqualFold(strings.TrimPrefix(strings.ToLower(a), "www."), strings.TrimPrefix(strings.ToLower(b), "www."))
}

// own reports whether a URL is the site's, by any of its names.
func (l *looker) own(u *url.URL) bool {
	return u.Host == l.site.Host || u.Host == l.host || u.Host == l.base.Host
}

// named finds out what the server takes itself for, where that is not the
// site: WordPress says it in its API, others in the canonical link.
func (l *looker) named(ctx context.Context, s *Site, p page) error {
	name := ""
	if p.canonical != nil && (p.canonical.Scheme == "http" || p.canonical.Scheme == "https") && !l.own(p.canonical) {
		name = p.canonical.Host
	}
	if s.Kind == origin.WordPress {
		index, err := l.index(ctx)
		switch {
		case errors.Is(err, errNoAPI):
		case err != nil:
			return err
		default:
			name = index.home.Host
		}
	}
	if name == "" || name == l.host {
		if l.host != l.site.Host {
			s.Host = l.host
			l.tell("host", "it takes itself for %s", l.host)
		}
		return nil
	}
	if name == l.site.Host {
		return nil
	}
	if !l.separate && isPrivate(l.site) {
		s.Notes = append(s.Notes, fmt.Sprintf("the pages call themselves https://%s: if that is what visitors use, run `rebake init https://%s --origin %s`", name, name, l.site))
	}
	asked := l.visitor
	asked.host = name
	a, err := asked.get(ctx, "/")
	if err != nil || a.status != http.StatusOK || readPage(a.url, a.body).title != s.Title {
		s.Notes = append(s.Notes, fmt.Sprintf("the pages name %s, but %s has no such site under that host: their links to it stay as they are", name, l.base))
		return nil
	}
	s.Host = name
	l.tell("host", "it takes itself for %s", name)
	return nil
}

// private returns what keeps an answer from being everybody's.
func private(h http.Header) string {
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
			if name == "private" || name == "no-store" {
				return "Cache-Control: " + name
			}
		}
	}
	return ""
}

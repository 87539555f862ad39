package setup

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"rebake/renderer/origin"
)

// usualPlaces are where a server is put behind nginx, the first being the one to
// use where nothing answers yet.
var usualPlaces = map[origin.Kind][]string{
	origin.WordPress: {"http://127.0.0.1:8080"},
	origin.Plain:     {"http://127.0.0.1:8080"},
	origin.Next:      {"http://127.0.0.1:3000", "http://127.0.0.1:8080"},
	origin.Nuxt:      {"http://127.0.0.1:3000", "http://127.0.0.1:8080"},
}

// place finds out where the site's own server answers. The public address is
// no place for an origin: nginx will answer there, and would ask itself.
func (l *looker) place(ctx context.Context, s *Site) {
	if l.separate || isPrivate(l.site) {
		s.Origin, s.Found = l.base.String(), true
		return
	}
	usual := l.usual[s.Kind]
	for _, address := range usual {
		if l.answersAt(ctx, address, s) {
			s.Origin, s.Found = address, true
			l.tell("origin", "%s answers with the same page", address)
			return
		}
	}
	s.Origin = usual[0]
	l.tell("origin", "nothing answers at %s yet", s.Origin)
}

// answersAt reports whether the same site answers at an address of this
// machine.
func (l *looker) answersAt(ctx context.Context, address string, s *Site) bool {
	base, err := url.Parse(address)
	if err != nil {
		return false
	}
	there := l.visitor
	there.base = base
	if s.Host != "" {
		there.host = s.Host
	}
	if s.Headless != nil {
		index, err := (&looker{visitor: there}).index(ctx)
		return err == nil && index.base() == s.Headless.Home
	}
	target := "/"
	if s.Start != "" {
		target = s.Start
	}
	a, err := there.get(ctx, target)
	if err != nil || a.status != http.StatusOK {
		return false
	}
	p := readPage(a.url, a.body)
	kind, _ := kindOf(a.header, p, func(u *url.URL) bool { return u.Host == base.Host || l.own(u) })
	return kind == s.Kind && p.title == s.Title
}

// isPrivate reports whether a site's address is one of this machine or of a
// network that the public does not reach.
func isPrivate(site *url.URL) bool {
	name := site.Hostname()
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && (addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast())
}

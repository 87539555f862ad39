package setup

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rebake/renderer/origin"
	"rebake/storage"
)

// mostFeeds is how many feeds get a route: those of comments, authors and so
// on come after the site's own.
const mostFeeds = 1

// feeds keeps the feeds of the home page that answer.
func (l *looker) feeds(ctx context.Context, s *Site, p page) {
	for _, u := range p.feeds {
		if len(s.Feeds) == mostFeeds {
			return
		}
		path, ok := pagePath(u)
		if !ok || !l.own(u) && u.Host != s.Host {
			if s.Kind == origin.WordPress && u.Query().Has("feed") {
				s.Notes = append(s.Notes, "WordPress uses plain permalinks (/?p=12), which are not paths: choose another structure under Settings, Permalinks, or no post becomes a file")
			}
			continue
		}
		a, err := l.get(ctx, u.EscapedPath())
		if err != nil || a.status != http.StatusOK || slices.Contains(s.Feeds, path.String()) {
			continue
		}
		kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
		if err == nil && strings.Contains(kind, "xml") {
			s.Feeds = append(s.Feeds, path.String())
			l.tell("feed", "%s", path)
		}
	}
}

// slash finds out whether the site redirects to one form of its addresses: it
// asks for a page in the form that no link has.
func (l *looker) slash(ctx context.Context, s *Site, p page) {
	const most = 3
	tried := 0
	for _, u := range p.links {
		path, ok := pagePath(u)
		if !ok || !l.own(u) && u.Host != s.Host || path.String() == "/" || path.FileType() != "" || path.String() == s.Start || passed(s.Kind, path) {
			continue
		}
		if tried++; tried > most {
			return
		}
		linked := u.EscapedPath()
		other, found := strings.CutSuffix(linked, "/")
		if !found {
			other += "/"
		}
		a, err := l.get(ctx, other)
		if err != nil {
			return
		}
		if to := a.location(); to == nil || to.EscapedPath() != linked {
			continue
		}
		s.Slash = map[bool]string{true: "always", false: "never"}[found]
		l.tell("slash", "%s is redirected to %s", other, linked)
		return
	}
}

// pagePath is the path of a URL that could be a page.
func pagePath(u *url.URL) (storage.Path, bool) {
	if u.RawQuery != "" || u.Scheme != "http" && u.Scheme != "https" {
		return storage.Path{}, false
	}
	path, err := storage.PathRules{}.ParseEscaped(u.EscapedPath())
	return path, err == nil
}

// passed reports whether a path is always the origin's own.
func passed(kind origin.Kind, p storage.Path) bool {
	return slices.ContainsFunc(origin.Config{Kind: kind}.Passes(), func(prefix string) bool {
		rest, found := strings.CutPrefix(p.String(), prefix)
		return found && (rest == "" || rest[0] == '/')
	})
}

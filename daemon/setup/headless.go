package setup

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"

	"rebake/renderer/origin"
)

// Headless is what a site of templates over WordPress starts from.
type Headless struct {
	Name, Description string
	Lang              string // of the pages, such as en-US
	// Home is WordPress' Site Address, which its links begin with.
	Home string
	// Own says that Home is the site itself, so that links can stay as they are.
	Own bool
	// AskAs is the Host header that the API wants, "" when any will do.
	AskAs string
	// Scheme is that of visitors.
	Scheme string
	// Post is the pattern of the posts' addresses, "" when nothing tells them
	// from those of pages.
	Post string
	// Category is what the addresses of categories begin with, "" for none.
	Category string
	// Front is the page that is the home page, 0 when that lists the posts.
	Front int
	// Slash says that the addresses end in one.
	Slash bool
	// Menu leads to the pages on top.
	Menu []Link
}

// Href is what a template writes for the path of an item.
func (h *Headless) Href() string {
	return fmt.Sprintf("{{slice .link (len %q)}}", h.Home)
}

// Link is an entry of a menu.
type Link struct{ Text, Path string }

// mostMenu is how many pages the menu has room for.
const mostMenu = 6

// headless looks at the API instead of the pages.
func (l *looker) headless(ctx context.Context) (*Site, error) {
	a, err := l.readAs(ctx, apiRoot, l.base.Host, l.site.Host)
	if err != nil {
		return nil, l.elsewhere(err, "WordPress", "https://cms.example.com")
	}
	about, err := readIndex(a)
	if errors.Is(err, errNoAPI) {
		return nil, l.noAPI(ctx, a)
	}
	if err != nil {
		return nil, err
	}
	l.tell("asked", "%s: %d, %q", a.url, a.status, about.Name)
	l.tell("kind", "WordPress, for its API")
	if strings.Trim(about.home.Path, "/") != "" {
		return nil, fmt.Errorf("WordPress' Site Address is %s, a folder; a site has a host of its own", about.home)
	}
	h := &Headless{
		Name: about.Name, Description: about.Description, Lang: "en", Scheme: l.site.Scheme,
		Home: about.base(), Own: about.home.Host == l.site.Host,
	}
	s := &Site{Kind: origin.WordPress, Title: about.Name, Headless: h}
	if home, err := l.get(ctx, "/"); err == nil {
		if lang := readPage(home.url, home.body).lang; lang != "" {
			h.Lang = lang
		}
	}
	if err := l.content(ctx, s, h); err != nil {
		return nil, err
	}
	s.Slash = map[bool]string{true: "always", false: "never"}[h.Slash]
	if !h.Own {
		s.Notes = append(s.Notes, fmt.Sprintf("links in the posts lead to %s: set WordPress' Site Address (Settings, General) to %s, and they lead to the site", h.Home, l.site))
	}
	l.place(ctx, s)
	h.AskAs = l.askAs(ctx, s)
	s.URL = l.site.String()
	return s, nil
}

// noAPI says what is missing.
func (l *looker) noAPI(ctx context.Context, a answer) error {
	if plain, err := l.get(ctx, "/?rest_route=/"); err == nil {
		if _, err := readIndex(plain); err == nil {
			return fmt.Errorf("%s uses plain permalinks (/?p=12), which are not paths: choose another structure under Settings, Permalinks", l.site)
		}
	}
	what := ""
	if home, err := l.get(ctx, "/"); err == nil && home.status == http.StatusOK {
		if kind, _ := kindOf(home.header, readPage(home.url, home.body), l.own); kind != origin.Plain {
			what = fmt.Sprintf(" (the site runs %s)", kindNames[kind])
		}
	}
	return fmt.Errorf("%s answers %d and is no API of WordPress%s: --headless can begin with that one alone. "+
		"For another API, write sources, routes and templates by rebake.example.yaml; or leave --headless out, and the pages stay as they are", a.url, a.status, what)
}

// content learns the forms of addresses from what is published.
func (l *looker) content(ctx context.Context, s *Site, h *Headless) error {
	const fields = "&_fields=id,slug,link,date,parent,title,name,_links,_embedded"
	posts, err := l.items(ctx, "posts?per_page=20&_embed=author,wp:term"+fields)
	if err != nil {
		return err
	}
	pages, err := l.items(ctx, "pages?per_page=100&orderby=menu_order&order=asc"+fields)
	if err != nil {
		return err
	}
	categories, err := l.items(ctx, "categories?per_page=20&orderby=count&order=desc&hide_empty=true"+fields)
	if err != nil {
		return err
	}
	h.Slash = len(posts) == 0 || strings.HasSuffix(posts[0].Link, "/")
	pattern, err := permalink(posts)
	switch {
	case err != nil:
		s.Notes = append(s.Notes, fmt.Sprintf("permalinks: %v; one route looks for posts and pages", err))
	case !tellsPosts(pattern, pages) && !strings.Contains(pattern, "{slug}"):
		s.Notes = append(s.Notes, fmt.Sprintf("permalinks: posts have %s, which pages may have too, and no name in it to find them by: choose another structure, or write their route", pattern))
	case !tellsPosts(pattern, pages):
		l.tell("posts", "%s, as pages; one route looks for both", pattern)
	default:
		h.Post = pattern
		l.tell("posts", "%s", pattern)
	}
	for _, page := range pages {
		path, ok := page.path()
		if path == "/" {
			h.Front = page.ID
			l.tell("home", "the page %q", plain(page.Title.Rendered))
		} else if ok && page.Parent == 0 && len(h.Menu) < mostMenu {
			h.Menu = append(h.Menu, Link{plain(page.Title.Rendered), path})
		}
	}
	for _, c := range categories {
		path, _ := c.path()
		before, found := strings.CutSuffix(path, "/"+decoded(c.Slug))
		if found && before != "" && c.Parent == 0 {
			h.Category = before
			l.tell("categories", "%s/…", before)
			break
		}
	}
	if len(categories) > 0 && h.Category == "" {
		s.Notes = append(s.Notes, "the addresses of categories begin with nothing of their own, so they have no route")
	}
	return nil
}

// askAs returns the Host header that the API must be asked with, "" when the
// one of its address will do.
func (l *looker) askAs(ctx context.Context, s *Site) string {
	if l.host == l.base.Host && s.Origin == l.base.String() {
		return ""
	}
	base, err := url.Parse(s.Origin)
	if err != nil || !s.Found {
		return l.host
	}
	there := l.visitor
	there.base, there.host = base, base.Host
	if about, err := (&looker{visitor: there}).index(ctx); err == nil && about.base() == s.Headless.Home {
		return ""
	}
	return l.host
}

// plain makes one line of text of what WordPress has escaped for HTML.
func plain(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(s)), " ")
}

package origin

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"rebake/storage"
)

// wordPressPage names what a page of WordPress shows, in the same words as a
// source of kind wordpress does: post:42, page:7, category:4, post_tag:9,
// user:1, media:12. The items stand in the classes that body_class() and
// post_class() write, which themes are required to use, and in the links that
// the core sends in headers and feeds.
//
// A page that lists posts has a tag for that besides, since one may come that
// it does not show yet: list:wp/posts, or archive:category:4 where it is a part
// of that archive. And what a page is about, and does not just show, it says
// with self:post:42.
type wordPressPage struct {
	*tagSet
	name string // of the origin
	path storage.Path
	// narrow says that the page's own list is an archive's, which has a tag;
	// single that the page is about a post.
	narrow, single bool
	loops          int // query loops so far
}

func (p *wordPressPage) read(h http.Header, kind string, body []byte) {
	for _, line := range h.Values("Link") {
		if m := restLink.FindStringSubmatch(line); m != nil {
			p.about(restTypes[m[1]], m[2])
		}
	}
	if kind != "text/html" {
		if strings.HasSuffix(kind, "xml") {
			p.feed(body)
		}
		return
	}
	z := html.NewTokenizer(bytes.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			name, hasAttr := z.TagName()
			isBody, isLink := string(name) == "body", string(name) == "a"
			href, rel := "", ""
			for hasAttr {
				var key, value []byte
				key, value, hasAttr = z.TagAttr()
				switch {
				case string(key) == "class":
					p.classes(isBody, strings.Fields(string(value)))
				case isLink && string(key) == "href":
					href = string(value)
				case isLink && string(key) == "rel":
					rel = string(value)
				}
			}
			if p.single && (rel == "prev" || rel == "next") {
				p.near(href)
			}
		}
	}
}

func (p *wordPressPage) classes(isBody bool, classes []string) {
	p.items(isBody, classes)
	if isBody {
		p.archive(classes)
	} else {
		p.blocks(classes)
	}
}

// near names the post before or after this one, by the page that the core's
// link leads to.
func (p *wordPressPage) near(href string) {
	u, err := url.Parse(href)
	if err != nil || u.RawQuery != "" {
		return
	}
	var rules storage.PathRules
	if to, err := rules.ParseEscaped(u.EscapedPath()); err == nil {
		p.add("near:" + to.String())
	}
}

var (
	// restLink is the core's link to the REST object that a page is about.
	restLink = regexp.MustCompile(`/wp/v2/(posts|pages|categories|tags|users|media)/([0-9]+)>`)
	// guid is how feeds name a post, whatever its address is now.
	guid = regexp.MustCompile(`<guid isPermaLink="false">[^<]*[?&;]p=([0-9]+)(#comment-[0-9]+)?</guid>`)
	// numbered is a class that ends in the number of an item.
	numbered = regexp.MustCompile(`^(.+)-([0-9]+)$`)
	// sitemapName is the path of one of the core's sitemaps.
	sitemapName = regexp.MustCompile(`^/wp-sitemap(?:-(posts|taxonomies|users)(?:-([a-z0-9_-]+))?-[0-9]+)?\.xml$`)
	// datePath is an archive of a year, a month or a day, or a part of it.
	datePath = regexp.MustCompile(`/([0-9]{4})(?:/([0-9]{1,2}))?(?:/([0-9]{1,2}))?(?:/page/[0-9]+|/feed)?$`)
)

var restTypes = map[string]string{
	"posts": "post", "pages": "page", "categories": "category", "tags": "post_tag", "users": "user", "media": "media",
}

// bodyClasses are the classes of the body that end in the number of the item
// that a page is about.
var bodyClasses = map[string]string{"page-id": "page", "category": "category", "tag": "post_tag", "author": "user", "attachmentid": "media"}

// about names the item that the page is about: what has no archive is a post.
func (p *wordPressPage) about(kind, id string) {
	switch kind {
	case "attachment":
		kind = "media"
	case "category", "post_tag", "user":
		p.aboutTerm(kind, id)
		return
	}
	p.add(kind + ":" + id)
	p.add("self:" + kind + ":" + id)
	p.single = true
}

// aboutTerm is about for what has an archive: a term, or an author.
func (p *wordPressPage) aboutTerm(taxonomy, id string) {
	p.add(taxonomy + ":" + id)
	p.add("archive:" + taxonomy + ":" + id)
	p.narrow = true
}

func (p *wordPressPage) list(base string) { p.add("list:" + p.name + "/" + base) }

// feed names what a feed or a sitemap lists: with the tag of its archive, which
// the Link header has told, or with that of all posts. A feed names authors and
// terms, by their names, of posts that it does not always name: a post that was
// published without having been a draft has its address for a guid.
func (p *wordPressPage) feed(body []byte) {
	comments := false
	isFeed := bytes.Contains(body, []byte("<rss")) || bytes.Contains(body, []byte("<feed")) || bytes.Contains(body, []byte("<rdf:RDF"))
	if isFeed && !p.single {
		p.list("feed")
	}
	for _, m := range guid.FindAllSubmatch(body, -1) {
		p.add("post:" + string(m[1]))
		comments = comments || len(m[2]) > 0
	}
	switch m := sitemapName.FindStringSubmatch(p.path.String()); {
	case m != nil && m[1] == "":
		p.everything() // it names a sitemap for each collection that is not empty
	case m != nil && m[1] == "users":
		p.list("users")
	case m != nil:
		p.list(baseOf(m[2]))
		if m[1] == "taxonomies" {
			p.list("posts") // a term without posts is not in it
		}
	case p.single, p.narrow:
	case comments:
		p.list("comments")
	case isFeed:
		p.list("posts")
	default:
		p.everything() // a plugin's sitemap
	}
}

func (p *wordPressPage) everything() {
	for _, base := range []string{"posts", "pages", "categories", "tags", "users"} {
		p.list(base)
	}
}

// baseOf is how the core's API calls a collection of a kind.
func baseOf(kind string) string {
	for base, k := range restTypes {
		if k == kind {
			return base
		}
	}
	return kind
}

func (p *wordPressPage) items(isBody bool, classes []string) {
	kind := "post" // of an element that stands for a post of some type
	for _, class := range classes {
		if rest, ok := strings.CutPrefix(class, "type-"); ok && wpKey.MatchString(rest) {
			kind = rest
		}
		if rest, ok := strings.CutPrefix(class, "single-"); ok && isBody && wpKey.MatchString(rest) && !strings.HasPrefix(rest, "format-") {
			kind = rest
		}
	}
	term := "" // of another taxonomy
	for _, class := range classes {
		if rest, ok := strings.CutPrefix(class, "tax-"); ok && isBody && wpKey.MatchString(rest) {
			term = rest
		}
	}
	for _, class := range classes {
		m := numbered.FindStringSubmatch(class)
		switch {
		case m == nil:
		case isBody && m[1] == "postid":
			p.about(kind, m[2])
		case isBody && m[1] == "term" && term != "":
			p.aboutTerm(term, m[2])
		case isBody && bodyClasses[m[1]] != "":
			p.about(bodyClasses[m[1]], m[2])
		case !isBody && m[1] == "post":
			p.add(kind + ":" + m[2])
		case m[1] == "wp-image":
			p.add("media:" + m[2])
		}
	}
}

// archive names what a page lists by its kind, which the classes of its body
// say.
func (p *wordPressPage) archive(classes []string) {
	posts := false
	for _, class := range classes {
		date := datePath.FindStringSubmatch(p.path.String())
		rest, ofType := strings.CutPrefix(class, "post-type-archive-")
		switch {
		case class == "date" && date != nil:
			p.narrow = true
			p.add("archive:date:" + joinDate(date[1:]))
		case ofType && wpKey.MatchString(rest):
			p.narrow = true
			p.list(rest)
		case class == "blog" || class == "archive" || class == "search":
			posts = true
		}
	}
	if posts && !p.narrow {
		p.list("posts")
	}
}

// joinDate writes the numbers of an archive's path as WordPress writes dates.
func joinDate(parts []string) string {
	text := parts[0]
	for _, part := range parts[1:] {
		if part == "" {
			break
		}
		text += "-" + strings.Repeat("0", 2-len(part)) + part
	}
	return text
}

// listBlocks are the blocks and widgets that list what the page is not about.
var listBlocks = map[string]string{
	"wp-block-latest-posts": "posts", "wp-block-latest-posts__list": "posts", "widget_recent_entries": "posts",
	"wp-block-archives": "posts", "wp-block-archives-list": "posts", "widget_archive": "posts",
	"wp-block-calendar": "posts", "widget_calendar": "posts",
	"wp-block-latest-comments": "comments", "widget_recent_comments": "comments",
	"wp-block-page-list": "pages", "widget_pages": "pages", "page_item": "pages", // of wp_list_pages, and of menus that nobody has made
	"wp-block-categories": "categories", "wp-block-categories-list": "categories", "widget_categories": "categories",
	"wp-block-tag-cloud": "tags", "widget_tag_cloud": "tags",
}

// blocks names the lists that an element stands for. The first query loop of an
// archive is the archive; all others may list any posts.
func (p *wordPressPage) blocks(classes []string) {
	for _, class := range classes {
		if base := listBlocks[class]; base != "" {
			p.list(base)
		}
		if class == "wp-block-query" {
			if p.loops++; p.loops > 1 || !p.narrow {
				p.list("posts")
			}
		}
	}
}

// wpKey is what WordPress allows as the name of a post type.
var wpKey = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

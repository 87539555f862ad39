package nginx

import (
	"fmt"
	"slices"
)

// Feed says which pages without an extension are feeds. Their files end in
// .xml, which alone does not say of what kind.
type Feed struct {
	// Regexp finds their paths, see renderer.Pattern.Regexp.
	Regexp string
	// Type is application/rss+xml or application/atom+xml.
	Type string
}

// wordPressFeeds are where WordPress has its feeds: /feed, /comments/feed,
// /category/news/feed/atom …
var wordPressFeeds = []Feed{
	{"^(?:/.+)?/feed/atom/?$", "application/atom+xml"},
	{"^(?:/.+)?/feed(?:/rss2?)?/?$", "application/rss+xml"},
}

func (f Feed) check() error {
	if f.Type != "application/rss+xml" && f.Type != "application/atom+xml" {
		return fmt.Errorf("feed type %q: must be application/rss+xml or application/atom+xml", f.Type)
	}
	return checkRegexp(f.Regexp)
}

// feeds are those of the config, and those that an origin is known to have.
func (c Config) feeds() []Feed {
	if slices.ContainsFunc(c.Origins, func(o Origin) bool { return o.Kind == "wordpress" }) {
		return slices.Concat(c.Feeds, wordPressFeeds)
	}
	return c.Feeds
}

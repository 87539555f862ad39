package renderer

import (
	"strings"

	"rebake/renderer/expression"
)

// listTagOf is the tag of a page that reads a collection: "list:cms/posts", the
// source and what of it is asked for, "list:cms/" for GraphQL. It is nil for
// what names no collection. The page has "list:cms" besides, unless the source
// is WordPress: with many a CMS all lists have one path.
func listTagOf(c FetchConfig, params []string) *expression.Text {
	if c.One {
		return nil
	}
	path := ""
	if c.Query == "" {
		path, _, _ = strings.Cut(c.Get, "?")
	}
	// A question mark may be part of an expression, which is then cut off: such
	// a get has no tag.
	text, err := expression.Parse(listTag+strings.NewReplacer("{", "{{", "}", "}}").Replace(c.Source)+"/"+strings.Trim(path, "/"), params)
	if err != nil {
		return nil
	}
	return text
}

// selfTags are those of the posts that a page is about: what its data entries
// with `one` have found in WordPress. Terms and users have none: of their pages
// nobody knows less than their address.
func (rt *route) selfTags(data map[string]any) []string {
	var tags []string
	for _, f := range rt.fetches {
		item, ok := data[f.name].(map[string]any)
		if !f.one || !ok || !f.source.WordPress() {
			continue
		}
		if tag, ok := itemTag(item, false); ok && item["taxonomy"] == nil {
			tags = append(tags, selfTag+tag)
		}
	}
	return tags
}

// listTags are those of the collections that a page reads.
func (rt *route) listTags(env map[string]any) []string {
	var tags []string
	for _, text := range rt.lists {
		if tag, ok, err := label(text, env); ok && err == nil {
			tags = append(tags, tag)
		}
	}
	return tags
}

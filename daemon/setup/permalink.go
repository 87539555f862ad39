package setup

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"rebake/renderer"
	"rebake/storage"
)

// tokens are the parts of a permalink, what tells most first.
var tokens = []string{"slug", "year", "month", "day", "id", "category", "author"}

// partOf are the tokens that come after another one: a number by itself is no
// month.
var partOf = map[string]string{"{month}": "{year}", "{day}": "{month}"}

// permalink finds the pattern that the links of all posts have, such as
// /{year}/{month}/{slug}.
func permalink(posts []item) (string, error) {
	if len(posts) == 0 {
		return "", errors.New("there is no post to learn from")
	}
	var common [][]string // for each segment, what it could be in all posts
	for i, post := range posts {
		path, ok := post.path()
		if !ok || path == "/" {
			return "", fmt.Errorf("the post %q has the address %.200q, which is no path", post.Slug, post.Link)
		}
		segments := strings.Split(path[1:], "/")
		if i > 0 && len(segments) != len(common) {
			return "", fmt.Errorf("the posts %q and %q have addresses of different depth", posts[0].Slug, post.Slug)
		}
		for n, s := range segments {
			could := meanings(s, post)
			if i == 0 {
				common = append(common, could)
				continue
			}
			common[n] = slices.DeleteFunc(common[n], func(m string) bool { return !slices.Contains(could, m) })
		}
	}
	var out strings.Builder
	var used []string
	for n, could := range common {
		could = slices.DeleteFunc(could, func(m string) bool {
			whole, isPart := partOf[m]
			return slices.Contains(used, m) && strings.Contains(m, "{") || isPart && !slices.Contains(used, whole)
		})
		if len(could) == 0 {
			return "", fmt.Errorf("part %d of the posts' addresses is neither fixed nor one of %s", n+1, strings.Join(tokens, ", "))
		}
		used = append(used, could[0])
		out.WriteString("/" + could[0])
	}
	pattern := out.String()
	if !strings.Contains(pattern, "{slug}") && !strings.Contains(pattern, "{id}") {
		return "", fmt.Errorf("%s does not tell one post from another", pattern)
	}
	return pattern, nil
}

// meanings are what a segment of a post's address could stand for, as it would
// be written in a pattern; the most telling first, and the text itself last.
func meanings(segment string, post item) []string {
	date, _, _ := strings.Cut(post.Date, "T")
	ymd := append(strings.Split(date, "-"), "", "", "")
	is := map[string][]string{
		"year": {ymd[0]}, "month": {ymd[1]}, "day": {ymd[2]}, "id": {fmt.Sprint(post.ID)},
	}
	for _, taxonomy := range post.Embedded.Terms {
		for _, term := range taxonomy {
			is["category"] = append(is["category"], decoded(term.Slug))
		}
	}
	for _, author := range post.Embedded.Author {
		is["author"] = append(is["author"], decoded(author.Slug))
	}
	var out []string
	for _, token := range tokens {
		if slug := decoded(post.Slug); token == "slug" && slug != "" {
			if before, after, found := strings.Cut(segment, slug); found && !strings.ContainsAny(before+after, "{}") {
				out = append(out, before+"{slug}"+after)
			}
		}
		if slices.Contains(is[token], segment) && segment != "" {
			out = append(out, "{"+token+"}")
		}
	}
	if !strings.ContainsAny(segment, "{}") {
		out = append(out, segment)
	}
	return out
}

// decoded is a slug as it stands in a path: WordPress keeps letters beyond a
// to z escaped.
func decoded(slug string) string {
	if s, err := url.PathUnescape(slug); err == nil {
		return s
	}
	return slug
}

// tellsPosts reports whether no page of the site has an address of the
// pattern's form. A pattern of nothing but parameters that could be any word
// is one that pages have too, sooner or later.
func tellsPosts(pattern string, pages []item) bool {
	p, err := renderer.ParsePattern(pattern)
	if err != nil {
		return false
	}
	for s := range strings.SplitSeq(pattern[1:], "/") {
		switch s {
		case "{slug}", "{id}", "{category}", "{author}":
			continue
		}
		return !slices.ContainsFunc(pages, func(page item) bool {
			text, ok := page.path()
			path, err := storage.ParsePath(text)
			if !ok || err != nil {
				return false
			}
			_, same := p.Match(path)
			return same
		})
	}
	return false
}

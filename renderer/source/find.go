package source

import (
	"context"
	"strings"
)

// Find asks for those items of the list for which the API's parameter name has
// a value, by one request: it is for a few items, of a list whose answers name
// no next one. Errors are those of Fetch.
func (l *Lister) Find(ctx context.Context, name, value string, urgent bool) ([]any, error) {
	r := withParam(l.first, name, value, false)
	r.Urgent = urgent
	answer, err := l.source.Fetch(ctx, r)
	if err != nil {
		return nil, err
	}
	return l.items.In(answer)
}

// Source returns what the list is read from.
func (l *Lister) Source() *Source { return l.source }

// Collection returns what is listed, by the part of its get before the query
// and without a slash before it: "posts"; "" for GraphQL.
func (l *Lister) Collection() string {
	if l.first.Query != "" {
		return ""
	}
	return Collection(l.first.Ref)
}

// Collection is the part of a get that names what is asked for: "posts" of
// "/posts?slug=a".
func Collection(get string) string {
	path, _, _ := strings.Cut(get, "?")
	return strings.Trim(path, "/")
}

// Host returns the host that is asked.
func (s *Source) Host() string { return s.base.Host }

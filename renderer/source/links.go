package source

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// follow makes a Ref of a link that the answer to ref holds. The answer is
// somebody else's, and the next request carries the source's keys: a link to
// another host, or out of the source's path, is an error. Only path and query
// of a link are used; a CMS behind a proxy says http where it means https.
// No error shows the link, whose query may hold a key.
func (s *Source) follow(ref, link string) (string, error) {
	current, err := s.resolve(ref)
	if err != nil {
		return "", err
	}
	target, err := current.Parse(link)
	if err != nil {
		return "", errors.New("the link to the next page is no URL")
	}
	if target.Scheme != "http" && target.Scheme != "https" || !strings.EqualFold(hostOf(target), hostOf(s.base)) || target.User != nil {
		return "", fmt.Errorf("the next page is at %s://%.100s, which is not the source's host", target.Scheme, target.Host)
	}
	below, ok := strings.CutPrefix(target.EscapedPath(), s.base.EscapedPath())
	if !ok || below != "" && below[0] != '/' {
		return "", errors.New("the next page is not below the source's path")
	}
	if target.RawQuery != "" {
		below += "?" + target.RawQuery
	}
	if _, err := s.resolve(below); err != nil {
		return "", fmt.Errorf("the link to the next page: %w", err)
	}
	return below, nil
}

// hostOf returns the host of a URL, less the port that it has anyway.
func hostOf(u *url.URL) string {
	if p := u.Port(); p == "80" && u.Scheme == "http" || p == "443" && u.Scheme == "https" {
		return strings.TrimSuffix(u.Host, ":"+p)
	}
	return u.Host
}

// nextLink returns the target of the first Link header with rel="next", ""
// without one.
func nextLink(h http.Header) string {
	for _, line := range h.Values("Link") {
		for line != "" {
			// A target can hold commas and semicolons: the brackets alone
			// say where it ends.
			_, rest, found := strings.Cut(line, "<")
			if !found {
				break
			}
			target, rest, found := strings.Cut(rest, ">")
			if !found {
				break
			}
			params, tail := cutUnquoted(rest, ',')
			if isNext(params) {
				return target
			}
			line = tail
		}
	}
	return ""
}

// cutUnquoted is strings.Cut at the first separator outside of quotes.
func cutUnquoted(s string, separator rune) (before, after string) {
	quoted := false
	for i, c := range s {
		switch {
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func isNext(params string) bool {
	for params != "" {
		var param string
		param, params = cutUnquoted(params, ';')
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for rel := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(rel, "next") {
				return true
			}
		}
	}
	return false
}

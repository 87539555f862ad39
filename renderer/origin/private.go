package origin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"rebake/storage"
)

// fixedVary are request headers that may change an answer and that every
// request of ours has the same.
var fixedVary = []string{"accept", "accept-encoding", "host", "x-forwarded-host", "x-forwarded-proto", "rsc", "next-url"}

// checkShared refuses an answer that is not everybody's (RFC 9111 and RFC 9110
// say in which headers that stands). A visitor's own page, published once,
// would be shown to all.
func checkShared(h http.Header, r Request) error {
	refuse := func(gate, format string, args ...any) error {
		return &storage.RefusedError{Gate: gate, Reason: fmt.Sprintf(format, args...)}
	}
	for _, name := range words(h, "Vary") {
		switch {
		case name == "cookie" || name == "authorization" || name == "*":
			return refuse("vary", "the origin says that the page differs from visitor to visitor (Vary: %s)", name)
		case slices.Contains(fixedVary, name) || strings.HasPrefix(name, "next-router-") || r.Shared:
		default:
			return refuse("vary", "the origin says that the page differs by %s; if it is right for everybody, set shared: true on its route", name)
		}
	}
	for _, cookie := range (&http.Response{Header: h}).Cookies() {
		if !slices.Contains(r.IgnoreCookies, cookie.Name) {
			return refuse("cookies", "the answer sets the cookie %q; if the page is right for everybody, name it in ignore_cookies of its route", cookie.Name)
		}
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.Get("Content-Disposition"))), "attachment") {
		return refuse("download", "the answer is a download (Content-Disposition: attachment); use pass for such paths")
	}
	for _, name := range []string{"Clear-Site-Data", "WWW-Authenticate"} {
		if h.Get(name) != "" {
			return refuse("private", "the answer has a %s header, so it was meant for one visitor", name)
		}
	}
	if r.Shared {
		return nil
	}
	said := ""
	for _, directive := range words(h, "Cache-Control") {
		if name, _, _ := strings.Cut(directive, "="); name == "private" || name == "no-store" {
			said = "Cache-Control: " + name
		}
	}
	if slices.Contains(words(h, "Pragma"), "no-cache") {
		said = "Pragma: no-cache"
	}
	if said != "" {
		return refuse("private", "the origin says that the page is one visitor's (%s); if it is the same for everybody, set shared: true on its route", said)
	}
	return nil
}

// words are the members of a list in a header, in lower case.
func words(h http.Header, name string) []string {
	var list []string
	for _, line := range h.Values(name) {
		for _, word := range strings.Split(line, ",") {
			if word = strings.ToLower(strings.TrimSpace(word)); word != "" {
				list = append(list, word)
			}
		}
	}
	return list
}

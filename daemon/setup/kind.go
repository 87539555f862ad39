package setup

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rebake/renderer/origin"
)

// kindOf decides what a site runs by the signs in an answer, and returns them.
// One sign may be there for another reason, such as a picture from a WordPress
// in a page of Next.js: the kind with the most signs wins.
func kindOf(h http.Header, p page, own func(*url.URL) bool) (origin.Kind, []string) {
	best, why := origin.Plain, []string(nil)
	for _, kind := range []struct {
		kind  origin.Kind
		signs []string
	}{{origin.Next, nextSigns(h, p, own)}, {origin.Nuxt, nuxtSigns(h, p, own)}, {origin.WordPress, wordPressSigns(h, p, own)}} {
		if len(kind.signs) > len(why) {
			best, why = kind.kind, kind.signs
		}
	}
	if best == origin.Plain && p.generator != "" {
		why = []string{fmt.Sprintf("it says of itself %q", p.generator)}
	}
	return best, why
}

// kindNames are the kinds as people know them.
var kindNames = map[origin.Kind]string{
	origin.WordPress: "WordPress", origin.Next: "Next.js", origin.Nuxt: "Nuxt", origin.Plain: "none that is known, so pages are taken as they are",
}

func wordPressSigns(h http.Header, p page, own func(*url.URL) bool) []string {
	var signs []string
	if p.api || slices.ContainsFunc(h.Values("Link"), func(s string) bool { return strings.Contains(s, "https://api.w.org/") }) {
		signs = append(signs, "it names its API (api.w.org)")
	}
	if strings.HasPrefix(p.generator, "WordPress") {
		signs = append(signs, "generator "+p.generator)
	}
	return append(signs, p.filesBelow(own, "/wp-content/", "/wp-includes/")...)
}

func nextSigns(h http.Header, p page, own func(*url.URL) bool) []string {
	var signs []string
	if strings.HasPrefix(h.Get("X-Powered-By"), "Next.js") {
		signs = append(signs, "X-Powered-By: Next.js")
	}
	switch {
	case slices.Contains(p.ids, "__NEXT_DATA__"):
		signs = append(signs, "__NEXT_DATA__ in the page")
	case bytes.Contains(p.text, []byte("self.__next_f")):
		signs = append(signs, "self.__next_f in the page")
	}
	return append(signs, p.filesBelow(own, "/_next/static/")...)
}

func nuxtSigns(h http.Header, p page, own func(*url.URL) bool) []string {
	var signs []string
	if strings.HasPrefix(h.Get("X-Powered-By"), "Nuxt") {
		signs = append(signs, "X-Powered-By: Nuxt")
	}
	switch {
	case slices.Contains(p.ids, "__NUXT_DATA__"):
		signs = append(signs, "__NUXT_DATA__ in the page")
	case bytes.Contains(p.text, []byte("window.__NUXT__")):
		signs = append(signs, "window.__NUXT__ in the page")
	case slices.Contains(p.ids, "__nuxt"):
		signs = append(signs, "__nuxt in the page")
	}
	return append(signs, p.filesBelow(own, "/_nuxt/")...)
}

// filesBelow returns the first of the prefixes that a file of the site's own
// has.
func (p page) filesBelow(own func(*url.URL) bool, prefixes ...string) []string {
	for _, prefix := range prefixes {
		if slices.ContainsFunc(p.files, func(u *url.URL) bool { return own(u) && strings.HasPrefix(u.Path, prefix) }) {
			return []string{"files below " + prefix}
		}
	}
	return nil
}

// shop reports whether WooCommerce runs on the site.
func (p page) shop() bool {
	return slices.ContainsFunc(p.body, func(c string) bool { return strings.HasPrefix(c, "woocommerce") || strings.Contains(c, "woocommerce-") }) ||
		slices.ContainsFunc(p.files, func(u *url.URL) bool { return strings.Contains(u.Path, "/plugins/woocommerce/") })
}

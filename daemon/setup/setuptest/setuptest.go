// Package setuptest has servers that answer as the kinds of sites do that
// Rebake looks at: in their headers, in what their pages name, and in how they
// redirect. They are for tests.
package setuptest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Serve starts a server and returns its URL. The caller's done, such as
// t.Cleanup, gets what ends it.
func Serve(h http.Handler, done func(func())) string {
	server := httptest.NewServer(h)
	done(server.Close)
	return server.URL
}

// Next is a site of Next.js' app router, whose pages come out of its cache
// unless a request carries the id of its build.
type Next struct {
	// BuildID is what makes a page anew.
	BuildID string
	// Dynamic says that the pages are made for each request.
	Dynamic bool
}

func (n Next) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path, found := strings.CutSuffix(r.URL.Path, "/"); found && path != "" {
		http.Redirect(w, r, path, http.StatusPermanentRedirect)
		return
	}
	h := w.Header()
	h.Set("X-Powered-By", "Next.js")
	h.Set("Vary", "rsc, next-router-state-tree, next-router-prefetch, Accept-Encoding")
	switch {
	case n.Dynamic:
		h.Set("Cache-Control", "private, no-cache, no-store, max-age=0, must-revalidate")
	case n.BuildID != "" && r.Header.Get("X-Prerender-Revalidate") == n.BuildID:
		h.Set("X-Nextjs-Cache", "REVALIDATED")
		h.Set("Cache-Control", "s-maxage=31536000")
	default:
		h.Set("X-Nextjs-Cache", "HIT")
		h.Set("Cache-Control", "s-maxage=31536000")
	}
	html(w, `<!DOCTYPE html><html lang="en"><head><title>A shop</title><link rel="preload" as="script" href="/_next/static/chunks/main.js"/></head>`+
		`<body><a href="/products/bread">Bread</a><script>self.__next_f=self.__next_f||[]</script></body></html>`)
}

// Nuxt is a site of Nuxt 3.
type Nuxt struct{}

func (Nuxt) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Powered-By", "Nuxt")
	html(w, `<!DOCTYPE html><html><head><title>Docs</title><link rel="modulepreload" as="script" crossorigin href="/_nuxt/entry.js"></head>`+
		`<body><div id="__nuxt"><a href="/guide">Guide</a></div><script type="application/json" id="__NUXT_DATA__">[]</script></body></html>`)
}

// Plain is a site that says nothing of what it runs.
type Plain struct {
	// Header is added to each answer.
	Header http.Header
	// Canonical is the host that its pages name, "" for none.
	Canonical string
}

func (p Plain) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for name, values := range p.Header {
		w.Header()[name] = values
	}
	canonical := ""
	if p.Canonical != "" {
		canonical = fmt.Sprintf(`<link rel="canonical" href="https://%s/">`, p.Canonical)
	}
	html(w, `<!doctype html><html><head><title>Plain</title>`+canonical+`</head><body><a href="/about">About</a></body></html>`)
}

func html(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_, _ = w.Write([]byte(text + "\n"))
}

package origin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Cache is what an answer says of a cache that it came through.
type Cache struct {
	// Hit says where a stored answer was used, in the words of the header
	// ("X-Cache: HIT", "Age: 35"); "" when nothing says so.
	Hit string
	// Revalidated says that Next.js has rendered the page for this request.
	Revalidated bool
}

// cacheHeaders are where caches say that they had the answer.
var cacheHeaders = []string{
	"X-Nextjs-Cache", "X-Cache", "X-Cache-Status", "X-Proxy-Cache", "X-FastCGI-Cache", "X-LiteSpeed-Cache", "X-WP-Super-Cache",
	"X-Nitro-Prerender", "Cf-Cache-Status", "Cache-Status",
}

// cache is what the answer says, in the words of the origin's kind.
func (o *Origin) cache(h http.Header) Cache {
	c := cacheOf(h)
	if modified := h.Get("Last-Modified"); c.Hit == "" && o.config.Kind == Nuxt && modified != "" {
		// Nuxt knows no such time of the pages that it renders, but Nitro does
		// of those that it keeps (routeRules: swr, isr, cache, prerender).
		c.Hit = "Last-Modified: " + modified
	}
	return c
}

func cacheOf(h http.Header) Cache {
	c := Cache{Revalidated: strings.EqualFold(h.Get("X-Nextjs-Cache"), "REVALIDATED")}
	for _, name := range cacheHeaders {
		value := h.Get(name)
		lower := strings.ToLower(value)
		if strings.Contains(lower, "hit") || strings.Contains(lower, "stale") {
			c.Hit = fmt.Sprintf("%s: %.60s", name, value)
			return c
		}
	}
	if age, err := strconv.Atoi(h.Get("Age")); err == nil && age > 0 {
		c.Hit = fmt.Sprintf("Age: %d", age)
	}
	return c
}

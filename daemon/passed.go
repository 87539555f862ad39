package daemon

import (
	"slices"
	"strings"

	"rebake/daemon/config"
	"rebake/renderer"
	"rebake/storage"
)

// passedBy returns a function that names the origin which always answers a path
// itself, by a route with pass or by its kind; "" when none does. It is safe for
// concurrent use.
func passedBy(cfg *config.Config) func(storage.Path) string {
	type route struct {
		pattern  renderer.Pattern
		origin   string
		pass     bool
		prefixes []string
	}
	var routes []route
	for _, r := range cfg.Routes {
		pattern, err := renderer.ParsePattern(r.Path)
		if err != nil {
			continue // the renderer has refused it
		}
		routes = append(routes, route{pattern, r.Origin + r.Pass, r.Pass != "", cfg.Origins[r.Origin].Passes()})
	}
	return func(p storage.Path) string {
		for _, r := range routes {
			if _, ok := r.pattern.Match(p); !ok {
				continue
			}
			if r.pass || slices.ContainsFunc(r.prefixes, func(prefix string) bool { return strings.HasPrefix(p.String()+"/", prefix+"/") }) {
				return r.origin
			}
			return "" // the first that has the path counts
		}
		return ""
	}
}

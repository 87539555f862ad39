package renderer

import "strings"

// slugParam is the parameter that callers mean who send a bare slug.
const slugParam = "slug"

// SlugPaths returns the paths, not yet parsed, that a bare slug may stand for:
// one for each route whose only parameter is {slug}. Which of them is a page,
// only a render can tell.
func (r *Renderer) SlugPaths(slug string) []string {
	var paths []string
	for _, rt := range r.routes {
		if names := rt.pattern.Params(); rt.passTo != "" || len(names) != 1 || names[0] != slugParam {
			continue
		}
		var b strings.Builder
		for _, s := range rt.pattern.segments {
			b.WriteString("/" + s.before)
			if s.name != "" {
				b.WriteString(slug + s.after)
			}
		}
		paths = append(paths, b.String())
	}
	return paths
}

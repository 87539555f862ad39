package renderer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rebake/storage"
)

const charset = "; charset=utf-8"

// mediaFamilies are the types that a template can be served as, with how it
// must be escaped for that.
var mediaFamilies = map[string]family{
	"text/html":                 familyHTML,
	"application/xml":           familyXML,
	"application/rss+xml":       familyXML,
	"application/atom+xml":      familyXML,
	"image/svg+xml":             familyXML,
	"application/json":          familyJSON,
	"application/manifest+json": familyJSON,
	"text/plain":                familyText,
	"text/markdown":             familyText,
	"text/csv":                  familyText,
	"text/calendar":             familyText,
}

// mediaType returns what a page at p is served as, without parameters. A path
// with an extension says it itself, since a file server looks at nothing else;
// for all others the route does, or its template's extension.
//
// It refuses to serve as one type what was escaped for another: about.txt
// served as HTML would run the scripts in its text.
func (rt *route) mediaType(t *page, p storage.Path) (string, error) {
	served := p.FileType()
	switch {
	case served == "" && rt.kind != "":
		served = rt.kind
	case served == "":
		served = storage.TypeByName(rt.template)
	case rt.kind != "" && served != rt.kind:
		return "", fmt.Errorf("%s is served as %s because of its extension, and the route's type is %s", p, served, rt.kind)
	}
	if mediaFamilies[served] != t.family {
		return "", fmt.Errorf("%s is escaped as %s, but %s is served as %s; their extensions must say the same",
			rt.template, t.family, p, served)
	}
	if p.FileFor(served) == "" {
		return "", fmt.Errorf("%s is %s, which only a path with an extension can be; %s has none", rt.template, served, p)
	}
	return served, nil
}

// checkKind checks the type that a route names.
func checkKind(kind string) error {
	dir, err := storage.ParsePath("/x")
	if err != nil {
		return err
	}
	if _, known := mediaFamilies[kind]; known && dir.FileFor(kind) != "" {
		return nil
	}
	var kinds []string
	for _, name := range slices.Sorted(maps.Keys(mediaFamilies)) {
		if dir.FileFor(name) != "" {
			kinds = append(kinds, name)
		}
	}
	return fmt.Errorf("unknown type %q (known: %s)", kind, strings.Join(kinds, ", "))
}

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
// for all others the route does, its file, or its template's extension.
//
// It refuses to serve as one type what was escaped for another: about.txt
// served as HTML would run the scripts in its text.
func (rt *route) mediaType(t *page, p storage.Path) (string, error) {
	served := p.FileType()
	switch {
	case served == "" && rt.kind != "":
		served = rt.kind
	case served == "":
		served = rt.implied
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

// checkFile checks the file that a route names, and finds out what it implies.
// A template that is of the file's kind says it better: a feed.rss in an
// index.xml is a feed.
func (rt *route) checkFile(p *problems, c RouteConfig) {
	rt.implied = storage.TypeByName(rt.template)
	if c.File == "" {
		return
	}
	dir, err := storage.ParsePath("/")
	if err != nil {
		p.add("file", err)
		return
	}
	if known := dir.Files(); !slices.Contains(known, c.File) {
		p.add("file", fmt.Errorf("unknown file %q (known: %s)", c.File, strings.Join(known, ", ")))
		return
	}
	if sample, err := rt.pattern.sample(); err == nil && sample.FileType() != "" {
		p.add("file", fmt.Errorf("is for paths without an extension; %s is a file by its own name", c.Path))
		return
	}
	switch {
	case rt.kind != "" && dir.FileFor(rt.kind) != c.File:
		p.add("file", fmt.Errorf("%s contradicts type %s, whose file is %s", c.File, rt.kind, dir.FileFor(rt.kind)))
	case dir.FileFor(rt.implied) != c.File:
		rt.implied = storage.TypeByName(c.File)
	}
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

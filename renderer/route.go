package renderer

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"rebake/renderer/expression"
	"rebake/renderer/source"
	"rebake/storage"
)

const defaultMaxBytes = 10 << 20

// Gates are the checks of a route with their defaults filled in.
type Gates struct {
	MaxBytes int64 // of the largest page
	Complete bool  // an HTML page must end in </html>
}

func (g GatesConfig) gates() Gates {
	out := Gates{MaxBytes: defaultMaxBytes, Complete: true}
	if g.MaxBytes != 0 {
		out.MaxBytes = g.MaxBytes
	}
	if g.Complete != nil {
		out.Complete = *g.Complete
	}
	return out
}

// route is a RouteConfig that was checked and parsed. It never changes.
type route struct {
	pattern  Pattern
	template string
	fetches  []fetch // by name
	tags     []*expression.Text
	version  *expression.Text // nil without one
	fixed    []string         // tags that every page of the route has
	gates    Gates
}

// fetch is one entry of a route's data.
type fetch struct {
	name   string
	source *source.Source
	get    *expression.Text
	one    bool
}

// newRoute returns every problem of c, each led by its key below prefix.
func newRoute(prefix string, c RouteConfig, sources map[string]*source.Source, templates *Templates) (*route, error) {
	var errs []error
	bad := func(key string, err error) {
		errs = append(errs, fmt.Errorf("%s.%s: %w", prefix, key, err))
	}
	rt := &route{template: c.Template, gates: c.Gates.gates()}
	var err error
	if rt.pattern, err = ParsePattern(c.Path); err != nil {
		bad("path", err)
	}
	// Without a path there are no parameters, and every use of one would be
	// reported again.
	parse := func(key, text string, vars []string) *expression.Text {
		t, err := expression.Parse(text, vars)
		if err != nil && rt.pattern.text != "" {
			bad(key, err)
		}
		return t
	}
	if rt.fixed, err = checkTemplate(rt.pattern, c.Template, templates); err != nil {
		bad("template", err)
	}
	if c.Gates.MaxBytes < 0 {
		bad("gates.max_bytes", errors.New("must be at least 1"))
	}
	params := rt.pattern.Params()
	vars := slices.Concat(params, reservedNames)
	for _, name := range slices.Sorted(maps.Keys(c.Data)) {
		key, d := "data."+name, c.Data[name]
		if err := checkDataName(name, params); err != nil {
			bad(key, err)
		} else {
			vars = append(vars, name)
		}
		f := fetch{name: name, one: d.One}
		if f.source = sources[d.Source]; f.source == nil {
			bad(key+".source", unknown("source", d.Source, slices.Sorted(maps.Keys(sources))))
		}
		if err := checkGet(d.Get); err != nil {
			bad(key+".get", err)
		} else {
			f.get = parse(key+".get", d.Get, params)
		}
		rt.fetches = append(rt.fetches, f)
		rt.fixed = append(rt.fixed, "source:"+d.Source)
	}
	for i, text := range c.Tags {
		rt.tags = append(rt.tags, parse(fmt.Sprintf("tags[%d]", i), text, vars))
	}
	if c.Version != "" {
		rt.version = parse("version", c.Version, vars)
	}
	return rt, errors.Join(errs...)
}

// checkTemplate returns the tags for the files that the template is made of.
func checkTemplate(p Pattern, name string, templates *Templates) ([]string, error) {
	if name == "" {
		return nil, errors.New("is missing")
	}
	t := templates.pages[name]
	switch {
	case t == nil && isShared(name):
		return nil, fmt.Errorf("%s is shared; a page's own template must be outside of layouts/ and partials/", name)
	case t == nil:
		return nil, unknown("template", name, templates.Names())
	}
	if sample, err := p.sample(); err == nil && p.text != "" {
		if err := t.checkType(name, sample); err != nil {
			return nil, err
		}
	}
	var tags []string
	for _, file := range t.files {
		tags = append(tags, "template:"+file)
	}
	return tags, nil
}

// checkType refuses to serve at p, as one type, what was escaped for another:
// about.txt served as HTML would run the scripts in its text.
func (t *page) checkType(name string, p storage.Path) error {
	served := familyHTML
	if p.FileType() != "" {
		served = families[path.Ext(p.String())]
	}
	if served == t.family {
		return nil
	}
	return fmt.Errorf("%s is escaped as %s, but %s is served as %s; their extensions must say the same",
		name, t.family, p, strings.TrimSuffix(mediaType(p), charset))
}

func checkDataName(name string, params []string) error {
	if err := expression.ValidName(name); err != nil {
		return err
	}
	if slices.Contains(reservedNames, name) {
		return fmt.Errorf("%q has a meaning of its own in expressions and templates; take another name", name)
	}
	if slices.Contains(params, name) {
		return fmt.Errorf("the path has a parameter {%s}; take another name", name)
	}
	return nil
}

func checkGet(get string) error {
	if get == "" {
		return errors.New("is missing")
	}
	if get[0] != '/' && get[0] != '?' {
		return errors.New("must start with / or ?; it is appended to the source's url")
	}
	return nil
}

func unknown(kind, name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("unknown %s %q (there are none)", kind, name)
	}
	return fmt.Errorf("unknown %s %q (known: %s)", kind, name, strings.Join(known, ", "))
}

const charset = "; charset=utf-8"

// mediaType is what a page at p is served as.
func mediaType(p storage.Path) string {
	if t := p.FileType(); t != "" {
		return t + charset
	}
	return "text/html" + charset
}

package renderer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rebake/renderer/expression"
	"rebake/renderer/origin"
	"rebake/renderer/source"
)

const defaultMaxBytes = 10 << 20

// Gates are the checks of a route with their defaults filled in.
type Gates struct {
	MaxBytes int64 // of the largest page
	Complete bool  // an HTML page must end in </html>
	CutOff   bool  // a page that is not whole may have been cut off on its way here
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
	pattern    Pattern
	template   string
	snapshot   *snapshot // of a route with an origin, nil for one with a template
	passTo     string    // the origin that answers instead; it has no pages then
	kind       string    // media type that the config names, "" without one
	implied    string    // media type of a page whose path and route name none
	fetches    []fetch   // by name
	tags       []*expression.Text
	lists      []*expression.Text // tags of the collections that are read
	version    *expression.Text   // nil without one
	fixed      []string           // tags that every page of the route has
	list       *List              // nil without one
	canonical  *canonical         // nil without one
	period     period
	revalidate time.Duration
	misses     Misses
	gates      Gates
}

// newRoute returns every problem of c, each led by its key below prefix.
func newRoute(prefix string, c RouteConfig, sources map[string]*source.Source, origins map[string]*origin.Origin, templates *Templates) (*route, error) {
	p := &problems{prefix: prefix}
	rt := &route{template: c.Template, revalidate: c.Revalidate, gates: c.Gates.gates()}
	rt.gates.CutOff = c.Origin != ""
	var err error
	if rt.pattern, err = ParsePattern(c.Path); err != nil {
		p.add("path", err)
		p.blind = true
	}
	if c.Type != "" {
		if err := checkKind(c.Type); err != nil {
			p.add("type", err)
		} else {
			rt.kind = c.Type
		}
	}
	rt.checkFile(p, c)
	switch {
	case c.Pass != "":
		rt.checkPass(p, c, origins)
	case c.Origin != "":
		rt.checkOrigin(p, c, origins)
	default:
		rt.checkShared(p, c)
		if rt.fixed, err = rt.checkTemplate(templates); err != nil {
			p.add("template", err)
		}
	}
	rt.limits(p, c)
	params := rt.pattern.Params()
	vars := slices.Concat(params, reservedNames)
	for _, name := range slices.Sorted(maps.Keys(c.Data)) {
		key, d := "data."+name, c.Data[name]
		if err := checkDataName(name, params); err != nil {
			p.add(key, err)
		} else {
			vars = append(vars, name)
		}
		rt.fetches = append(rt.fetches, newFetch(p, key, name, d, sources, params))
		rt.fixed = append(rt.fixed, "source:"+d.Source)
		if src := sources[d.Source]; src != nil && !d.One && !src.WordPress() { // whose lists have a path each
			rt.fixed = append(rt.fixed, listTag+d.Source)
		}
		if text := listTagOf(d, params); text != nil {
			rt.lists = append(rt.lists, text)
		}
	}
	for i, text := range c.Tags {
		rt.tags = append(rt.tags, p.text(fmt.Sprintf("tags[%d]", i), text, vars))
	}
	rt.tags = slices.DeleteFunc(rt.tags, func(t *expression.Text) bool { return t == nil }) // "" is no tag
	rt.version = p.text("version", c.Version, vars)
	rt.period = period{p.text("publish_at", c.PublishAt, vars), p.text("expire_at", c.ExpireAt, vars)}
	if c.List != nil {
		rt.list = newList(p, rt, c, sources)
	}
	rt.canonical = newCanonical(p, c.Canonical, rt.list, vars)
	return rt, p.err()
}

// limits checks the keys that stand for themselves.
func (rt *route) limits(p *problems, c RouteConfig) {
	if c.Gates.MaxBytes < 0 {
		p.add("gates.max_bytes", errors.New("must be at least 1"))
	}
	if c.Revalidate != 0 && c.Revalidate < time.Second {
		p.add("revalidate", errors.New("must be at least 1s"))
	}
	switch rt.misses = c.Misses; {
	case c.Misses == "" && rt.snapshot != nil && rt.pattern.endsInRest():
		rt.misses = MissesOff
	case c.Misses == "":
		rt.misses = MissesAny
	case c.Misses == MissesListed && c.List == nil:
		p.add("misses", errors.New("listed needs a list on this route"))
	case c.Misses != MissesAny && c.Misses != MissesListed && c.Misses != MissesOff:
		p.add("misses", fmt.Errorf("unknown value %q (known: any, listed, off)", c.Misses))
	}
}

// checkTemplate returns the tags for the files that the template is made of.
func (rt *route) checkTemplate(templates *Templates) ([]string, error) {
	name := rt.template
	if name == "" {
		return nil, errors.New("is missing; a route has a template, an origin or pass")
	}
	t := templates.pages[name]
	switch {
	case t == nil && isShared(name):
		return nil, fmt.Errorf("%s is shared; a page's own template must be outside of layouts/ and partials/", name)
	case t == nil:
		return nil, unknown("template", name, templates.Names())
	}
	if sample, err := rt.pattern.sample(); err == nil && rt.pattern.text != "" {
		if _, err := rt.mediaType(t, sample); err != nil {
			return nil, err
		}
	}
	var tags []string
	for _, file := range t.files {
		tags = append(tags, templateTag(file))
	}
	return tags, nil
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

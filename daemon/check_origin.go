package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rebake/daemon/config"
	"rebake/renderer"
	"rebake/renderer/origin"
	"rebake/storage"
	"rebake/worker"
)

// origin tries each address of an origin with a page of its routes.
func (c *checks) origin(ctx context.Context, cfg *config.Config, site *renderer.Renderer, name string) {
	conf := cfg.Origins[name]
	for _, url := range conf.URLs {
		label := "origin " + name + " " + url
		one := conf
		one.URLs = []string{url}
		o, err := origin.New(name, one, cfg.Site, cfg.TrailingSlash)
		if err != nil {
			c.report(label, err)
			continue
		}
		if url == cfg.Site {
			c.warn(label, "this is the site's own address: once nginx serves the site there, it would ask itself; let the origin answer at another")
		}
		if request, ok := firstPage(cfg, site, name); ok {
			c.snapshot(ctx, label, o, request, site)
		} else {
			c.report(label+": no route has a page to try, but it answers", reachable(ctx, o))
		}
		o.Close()
	}
}

// reachable asks for the home page. What it answers is its own business, as
// long as something does.
func reachable(ctx context.Context, o *origin.Origin) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	_, err := o.Get(ctx, "/")
	var temporary *storage.TemporaryError
	if errors.As(err, &temporary) {
		return err
	}
	return nil
}

// firstPage is a page of the origin that the routes name: the home page, or
// else the first.
func firstPage(cfg *config.Config, site *renderer.Renderer, name string) (origin.Request, bool) {
	var found []origin.Request
	for _, p := range site.FixedPaths() {
		m, ok := site.Match(p)
		i := slices.IndexFunc(cfg.Routes, func(r renderer.RouteConfig) bool {
			pattern, err := renderer.ParsePattern(r.Path)
			return err == nil && pattern.String() == m.Route()
		})
		if !ok || i < 0 || cfg.Routes[i].Origin != name {
			continue
		}
		r := origin.Request{Path: p, Shared: cfg.Routes[i].Shared, IgnoreCookies: cfg.Routes[i].IgnoreCookies, Urgent: true}
		if p.String() == "/" {
			return r, true
		}
		found = append(found, r)
	}
	if len(found) == 0 {
		return origin.Request{}, false
	}
	return found[0], true
}

// snapshot takes a page twice: only the second may come out of a cache that
// the first has filled.
func (c *checks) snapshot(ctx context.Context, label string, o *origin.Origin, r origin.Request, site *renderer.Renderer) {
	var s origin.Snapshot
	for range 2 {
		var err error
		if s, err = takePage(ctx, o, r, site); err != nil {
			c.report(label, fmt.Errorf("%s would not be published: %w", r.Path, err))
			return
		}
	}
	c.report(fmt.Sprintf("%s: %s would be published", label, r.Path), nil)
	switch conf := o.Config(); {
	case s.Cache.Revalidated:
		c.report(label+": rebake gets past Next's cache", nil)
	case conf.Build != "" && s.Cache.Hit != "":
		c.report(label, fmt.Errorf("its cache is not got past (%s): build names %s, and another build runs there", s.Cache.Hit, conf.Build))
	case conf.Kind == origin.Next && conf.Build == "":
		c.warn(label, "Next's cache may answer with an older page"+inWords(s.Cache.Hit)+": name its .next folder with build")
	case conf.Kind == origin.Nuxt && s.Cache.Hit != "":
		c.warn(label, "Nitro answers from its cache"+inWords(s.Cache.Hit)+
			": edits may show late; take the page out of routeRules (swr, isr, cache), since files need no cache behind them")
	case s.Cache.Hit != "":
		c.warn(label, "it answers from a cache of its own"+inWords(s.Cache.Hit)+
			": edits may show late; exempt requests with User-Agent: rebake, or all with Cache-Control: no-cache")
	}
}

func inWords(hit string) string {
	if hit == "" {
		return ""
	}
	return " (" + hit + ")"
}

// takePage makes a page as a render would, up to the last gate.
func takePage(ctx context.Context, o *origin.Origin, r origin.Request, site *renderer.Renderer) (origin.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	s, err := o.Snapshot(ctx, r)
	if err != nil {
		return s, err
	}
	m, _ := site.Match(r.Path)
	return s, worker.CheckGates(storage.Page{Path: r.Path, Type: s.Type, Body: s.Body}, m.Gates)
}

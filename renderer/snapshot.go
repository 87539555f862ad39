package renderer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rebake/renderer/origin"
	"rebake/storage"
)

// snapshot is what a route with an origin says about its pages.
type snapshot struct {
	origin        *origin.Origin
	shared        bool
	ignoreCookies []string
	passed        []string // see origin.Config.Passes
}

// passedTo returns the name of the origin that always answers a path of the
// route itself, "" for one that is a page.
func (rt *route) passedTo(p storage.Path) string {
	if rt.passTo != "" || rt.snapshot == nil {
		return rt.passTo
	}
	for _, prefix := range rt.snapshot.passed {
		if rest, found := strings.CutPrefix(p.String(), prefix); found && (rest == "" || rest[0] == '/') {
			return rt.snapshot.origin.Name()
		}
	}
	return ""
}

// templateKeys are the keys of a route that mean nothing without a template.
func templateKeys(c RouteConfig) map[string]bool {
	return map[string]bool{
		"template": c.Template != "", "type": c.Type != "", "file": c.File != "", "data": len(c.Data) > 0, "version": c.Version != "",
		"canonical": c.Canonical != "", "publish_at": c.PublishAt != "", "expire_at": c.ExpireAt != "",
	}
}

// checkOrigin fills in the snapshot of a route.
func (rt *route) checkOrigin(p *problems, c RouteConfig, origins map[string]*origin.Origin) {
	o := origins[c.Origin]
	if o == nil {
		p.add("origin", unknown("origin", c.Origin, slices.Sorted(maps.Keys(origins))))
	}
	refuseKeys(p, templateKeys(c), "has no meaning beside origin, whose answer is the page")
	if c.List != nil && c.List.As != "" {
		p.add("list.as", errors.New("has no meaning beside origin, whose answer is the page"))
	}
	rt.snapshot = &snapshot{origin: o, shared: c.Shared, ignoreCookies: c.IgnoreCookies}
	if o != nil {
		rt.snapshot.passed = o.Config().Passes()
	}
}

// checkPass makes a route one without pages.
func (rt *route) checkPass(p *problems, c RouteConfig, origins map[string]*origin.Origin) {
	if origins[c.Pass] == nil {
		p.add("pass", unknown("origin", c.Pass, slices.Sorted(maps.Keys(origins))))
	}
	keys := templateKeys(c)
	keys["origin"], keys["tags"], keys["list"] = c.Origin != "", len(c.Tags) > 0, c.List != nil
	keys["revalidate"], keys["misses"] = c.Revalidate != 0, c.Misses != ""
	keys["shared"], keys["ignore_cookies"] = c.Shared, len(c.IgnoreCookies) > 0
	refuseKeys(p, keys, "has no meaning beside pass, which makes no pages")
	rt.passTo = c.Pass
}

// checkShared refuses what only an origin's answer needs.
func (rt *route) checkShared(p *problems, c RouteConfig) {
	refuseKeys(p, map[string]bool{"shared": c.Shared, "ignore_cookies": len(c.IgnoreCookies) > 0}, "is for routes with an origin")
}

func refuseKeys(p *problems, set map[string]bool, why string) {
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if set[key] {
			p.add(key, errors.New(why))
		}
	}
}

// snapshot makes the page of m from its origin's answer.
func (m Match) snapshot(ctx context.Context, site string, urgent bool) (storage.Page, error) {
	s := m.route.snapshot
	got, err := s.origin.Snapshot(ctx, origin.Request{Path: m.Path, Shared: s.shared, IgnoreCookies: s.ignoreCookies, Urgent: urgent})
	if err != nil {
		return storage.Page{}, err
	}
	env := map[string]any{"path": m.Path.String(), "params": m.Params, "site": site}
	for name, value := range m.Params {
		env[name] = value
	}
	tags, err := m.route.pageTags(env, got.Tags)
	if err != nil {
		return storage.Page{}, fmt.Errorf("render %s: %w", m.Path, err)
	}
	return storage.Page{
		Path: m.Path, Type: got.Type, Body: got.Body, Tags: tags, Versions: got.Versions, Made: got.Made,
		Route: m.Route(), Revalidate: m.Revalidate(),
	}, nil
}

package api

import (
	"context"
	"net/http"
	"strings"

	"rebake/storage"
	"rebake/storage/ledger"
)

// DryRun is the answer to a trigger with dry_run.
type DryRun struct {
	// Pages are those that would be touched, the first thousand.
	Pages []Touched `json:"pages"`
	// More is how many there are besides.
	More int `json:"more,omitempty"`
	// Left are paths that would be left alone, and why.
	Left []Touched `json:"left,omitempty"`
	// Priority that the trigger would have.
	Priority ledger.Priority `json:"priority"`
	Hold     *ledger.Hold    `json:"hold,omitempty"`
}

// Touched is a page, and why a trigger would touch it, or would not.
type Touched struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

// mostTouched is how many pages a dry run names.
const mostTouched = 1000

func (a *API) dryRun(w http.ResponseWriter, r *http.Request, sel selection) {
	d := drying{api: a, seen: make(map[storage.Path]bool), res: DryRun{Pages: []Touched{}, Priority: sel.Priority}}
	err := d.all(r.Context(), sel)
	if err == nil {
		d.res.Hold, err = a.state.Held(r.Context())
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, d.res)
}

// drying is a dry run under way.
type drying struct {
	api  *API
	seen map[storage.Path]bool
	res  DryRun
}

func (d *drying) all(ctx context.Context, sel selection) error {
	for _, p := range sel.Paths {
		if err := d.named(ctx, p, sel.OnlyPublished); err != nil {
			return err
		}
	}
	for _, l := range sel.Labels {
		why := because(l)
		err := d.api.state.EachPage(ctx, l, func(p storage.Path) error { return d.index(ctx, p, why) })
		if err != nil {
			return err
		}
	}
	for _, g := range sel.globs {
		err := d.api.state.EachPage(ctx, g.index, func(p storage.Path) error {
			if g.match.MatchString(p.String()) {
				return d.index(ctx, p, "matches "+g.text)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !sel.failed {
		return nil
	}
	return d.api.state.EachFailed(ctx, func(s ledger.State) error {
		d.touch(s.Path, "failed: "+s.Owed.Error)
		return nil
	})
}

// named looks at a page that was asked for by its path.
func (d *drying) named(ctx context.Context, p storage.Path, onlyPublished bool) error {
	s, err := d.api.state.State(ctx, p)
	if err != nil {
		return err
	}
	kept, err := d.api.state.Kept(ctx, p)
	if err != nil {
		return err
	}
	switch {
	case !d.api.site.Matches(p):
		d.leave(p, "no route matches")
	case onlyPublished && s.Page == nil && s.Owed == nil:
		d.leave(p, "never published")
	case kept != nil:
		d.touch(p, "is named, and comes back: it was kept removed")
	case s.Page == nil:
		d.touch(p, "is named; never published before")
	default:
		d.touch(p, "is named"+removed(s))
	}
	return nil
}

// index looks at a page that an index has: those have removed pages, too.
func (d *drying) index(ctx context.Context, p storage.Path, why string) error {
	if len(d.res.Pages) < mostTouched && !d.seen[p] { // else nobody reads why
		s, err := d.api.state.State(ctx, p)
		if err != nil {
			return err
		}
		why += removed(s)
	}
	d.touch(p, why)
	return nil
}

// removed says that a page may not be there: a trigger looks whether it has come
// back.
func removed(s ledger.State) string {
	if s.Page != nil && s.Page.Gone {
		return "; was removed, and is looked for again"
	}
	return ""
}

func (d *drying) touch(p storage.Path, why string) {
	switch {
	case d.seen[p]:
		return
	case !d.api.site.Matches(p):
		d.leave(p, "no route matches")
		return
	}
	d.seen[p] = true
	if len(d.res.Pages) == mostTouched {
		d.res.More++
		return
	}
	d.res.Pages = append(d.res.Pages, Touched{p.String(), why})
}

func (d *drying) leave(p storage.Path, why string) {
	if !d.seen[p] && len(d.res.Left) < mostTouched {
		d.seen[p] = true
		d.res.Left = append(d.res.Left, Touched{p.String(), why})
	}
}

// because says what a label means.
func because(l ledger.Label) string {
	kind, of, _ := strings.Cut(string(l), ":")
	switch kind {
	case "tag":
		return "has tag " + of
	case "prefix":
		return "under " + of
	case "route":
		return "of route " + of
	}
	return "all pages"
}

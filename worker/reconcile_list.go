package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// atATime is how many listed pages are compared, and triggered, at a time.
const atATime = 100

// lists looks at the lists of a source.
func (p *poll) lists(ctx context.Context) error {
	all := p.watch.Lists()
	var names []string
	for _, l := range all {
		names = append(names, l.Name())
	}
	return p.inTurn(ctx, names, func(i int) error {
		err := p.list(ctx, all[i])
		switch {
		case ctx.Err() != nil:
			return err
		case err != nil:
			p.fail(all[i].Name(), err)
		default:
			p.some = true
		}
		return nil
	})
}

// list compares the pages that a list names with those that it named before.
func (p *poll) list(ctx context.Context, l renderer.WatchedList) error {
	named, asked, read := make(map[string]bool), 0, 0
	err := l.EachPage(ctx, func(ctx context.Context) error {
		if asked == p.limits.list {
			return errSpent
		}
		asked++
		p.report.Requests++
		if asked == 1 {
			return ctx.Err()
		}
		return p.rest(ctx)
	}, func(ctx context.Context, pages []renderer.ListedPage) error {
		for some := range slices.Chunk(pages, atATime) {
			if err := p.comparePages(ctx, l, some, asked); err != nil {
				return err
			}
			for _, page := range some {
				named[page.Path.String()] = true
			}
		}
		read = asked
		return nil
	})
	pl := p.place(l.Name())
	var skipped *renderer.ListError
	switch {
	case spent(ctx, err):
		if pl.first() {
			pl.Page = max(pl.Page, read+1)
		}
		if ctx.Err() == nil {
			p.note("%s: it is longer than what is read at a time; what has left it is not found", l.Name())
		}
		return errors.Join(p.settle(ctx, l.Name(), Trigger{}, ledger.Memory{}), ctx.Err())
	case errors.As(err, &skipped):
		p.note("%v", skipped)
	case err != nil:
		return err
	}
	if err := p.left(ctx, l, named); err != nil {
		return err
	}
	pl.Audited, pl.Page = time.Now(), 0
	return p.settle(ctx, l.Name(), Trigger{}, ledger.Memory{})
}

// comparePages triggers the pages that are not as they are remembered. They come
// from an answer, of which the first is 1.
func (p *poll) comparePages(ctx context.Context, l renderer.WatchedList, pages []renderer.ListedPage, answer int) error {
	p.report.Compared += len(pages)
	pl := p.place(l.Name())
	first := pl.first() && answer >= pl.Page // nothing can be said of what is not remembered
	var names []string
	for _, page := range pages {
		names = append(names, page.Path.String())
	}
	known, err := p.memory.versions(ctx, l.Name(), names)
	if err != nil {
		return err
	}
	var t Trigger
	memory := ledger.Memory{Versions: make(map[string]string)}
	for _, page := range pages {
		name := page.Path.String()
		version, was := known[name]
		if was && version == page.Version {
			continue
		}
		memory.Versions[name] = page.Version
		what := foundChanged
		if !was {
			what = foundNew
		}
		if !was && first {
			older, err := p.older(ctx, page)
			if err != nil {
				return err
			}
			if !older {
				continue
			}
			what = foundChanged
		}
		t.Paths = append(t.Paths, page.Path)
		p.found(Found{Path: name, Version: page.Version, What: what})
	}
	if len(memory.Versions) == 0 {
		return nil
	}
	return p.settle(ctx, l.Name(), withList(t, l), memory)
}

// withList has the pages triggered too that show items of the list, or that
// one is not there any more.
func withList(t Trigger, l renderer.WatchedList) Trigger {
	if len(t.Paths)+len(t.Known) > 0 {
		t.Labels = []ledger.Label{ledger.Tag(l.Tag())}
		t.Recheck = true // nothing tells an old answer of a cache from a new one
	}
	return t
}

// older reports, when nothing is remembered, whether a page was published with
// another version than the listed one.
func (p *poll) older(ctx context.Context, page renderer.ListedPage) (bool, error) {
	if !page.Own {
		return false, nil
	}
	s, err := p.Ledger.State(ctx, page.Path)
	if err != nil || s.Page == nil || s.Page.Gone || s.Page.Version == "" {
		return false, err
	}
	return s.Page.Version != page.Version, nil
}

// left triggers the pages that have left a list.
func (p *poll) left(ctx context.Context, l renderer.WatchedList, named map[string]bool) error {
	var gone []string
	err := p.memory.each(ctx, l.Name(), func(name string) {
		if !named[name] {
			gone = append(gone, name)
		}
	})
	if err != nil {
		return err
	}
	slices.Sort(gone)
	gone = slices.Compact(gone)
	all, err := p.memory.count(ctx, l.Name()) // with what is new
	if err != nil {
		return err
	}
	pl := p.place(l.Name())
	if isMost(len(gone), all) && !pl.Empty {
		pl.Empty = true
		p.note("%s: most of it is missing; that is believed when the next poll finds it so, too", l.Name())
		return nil
	}
	pl.Empty = false
	for some := range slices.Chunk(gone, atATime) {
		t := Trigger{}
		for _, name := range some {
			path, err := storage.PathRules{WellKnown: []string{"/.well-known"}}.Parse(name)
			if err != nil {
				continue // nothing of ours
			}
			t.Known = append(t.Known, path)
			p.found(Found{Path: name, What: foundGone})
		}
		if err := p.settle(ctx, l.Name(), withList(t, l), ledger.Memory{Gone: some}); err != nil {
			return err
		}
	}
	return nil
}

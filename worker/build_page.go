package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// buildPage is a page of a build, and how the build came to it. It is small:
// many wait.
type buildPage struct {
	path    storage.Path
	on      storage.Path // the page whose link led here, zero for one that needs no link
	clicks  int          // from the pages that need none
	asset   bool         // it is loaded with another
	mapped  bool         // a sitemap names it
	deadEnd bool         // its links are not followed, only its assets are
	known   bool         // a link led here, and the ledger knew it
}

// linked reports whether the build has come here by a link.
func (p buildPage) linked() bool { return !p.on.IsZero() }

// take triggers a page that the build answers for. One that was named twice is
// taken once.
func (b *build) take(ctx context.Context, m renderer.Match, p buildPage, bulk ledger.Bulk) error {
	if p.path = m.Path; !p.linked() && !b.frontier.take(p.path) {
		return nil
	}
	if b.Missing {
		s, err := b.worker.Ledger.State(ctx, p.path)
		if err != nil {
			return err
		}
		if s.Freshness == ledger.PageFresh {
			return b.readAside(ctx, p)
		}
	}
	b.pages.Add(1)
	err := b.worker.take(ctx, m, bulk, func(err error) {
		if err != nil {
			b.stop(err)
			b.pages.Done()
		}
	}, func(run *ledger.Run, _ error) {
		defer b.pages.Done()
		switch {
		case run.State == ledger.Met: // rendered meanwhile
			b.read(p)
		case run.Finished:
			b.arrived(p)
		default:
			b.opened(p)
		}
	})
	if err != nil {
		b.pages.Done()
		return err
	}
	return b.stopped()
}

// opened notes a page whose end is not known yet.
func (b *build) opened(p buildPage) {
	b.read(p) // the last good file leads on as well
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[p.path] = p
}

// arrived counts a page that is published, or gone.
func (b *build) arrived(p buildPage) {
	there := b.read(p)
	if !there && p.linked() {
		b.broken(p, "there is no such page")
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done(p)
	if !there && !p.deadEnd { // else it was a page once
		by := "the config or a list"
		if p.mapped {
			by = "a sitemap"
		}
		b.report.Absent = append(b.report.Absent, FailedPage{p.path, by + " names it, and there is no such page"})
	}
}

// done counts a page; mu is held.
func (b *build) done(p buildPage) {
	b.report.Done++
	switch {
	case p.asset:
		b.report.Assets++
	case p.linked():
		b.report.Linked++
	case p.mapped:
		b.report.Mapped++
	}
	b.report.Took = time.Since(b.started)
	if b.Progress != nil {
		b.Progress(b.report)
	}
}

// failed counts a page that the build answers for.
func (b *build) failed(p buildPage, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done(p)
	b.report.Failed = append(b.report.Failed, FailedPage{p.path, err.Error()})
}

func (b *build) broken(p buildPage, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report.Broken = append(b.report.Broken, BrokenLink{FailedPage{p.path, reason}, p.on})
}

func (b *build) left(p buildPage, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report.Left = append(b.report.Left, BrokenLink{FailedPage{p.path, reason}, p.on})
}

// stragglers waits for the pages that others render or that are to be tried
// again, and collects what has failed.
func (b *build) stragglers(ctx context.Context) error {
	open := b.open
	b.open = make(map[storage.Path]buildPage)
	for path, p := range open {
		err := b.worker.Wait(ctx, AcceptedPage{Path: path, ID: b.number})
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			b.failed(p, err)
		default:
			b.arrived(p)
		}
	}
	return nil
}

// read follows the links of a page's file, and reports whether it has one.
func (b *build) read(p buildPage) bool {
	f, name, err := b.worker.Output.Open(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		defer f.Close()
	}
	if b.Crawl == nil {
		return true
	}
	if err == nil {
		m, _ := b.worker.Renderer.Match(p.path)
		err = storage.Contain(func() error {
			return b.Crawl.Links(m, storage.TypeByName(name), f, func(l renderer.Link) { b.frontier.add(p, l) })
		})
	}
	if err != nil {
		b.problem(fmt.Errorf("links of %s: %w", p.path, err))
	}
	return true
}

// readAside is read for a page without a run; some are read at once.
func (b *build) readAside(ctx context.Context, p buildPage) error {
	if b.Crawl == nil {
		return nil
	}
	select {
	case b.reads <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	b.pages.Go(func() {
		defer func() { <-b.reads }()
		b.read(p)
	})
	return nil
}

package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// List names the pages of a route, answer by answer.
type List interface {
	Route() string
	Each(ctx context.Context, before func(context.Context) error, batch func(context.Context, []renderer.Match) error) error
}

// Build says what to build.
type Build struct {
	// Lists name the pages of routes with parameters.
	Lists []List
	// Fixed are the pages of routes without.
	Fixed []storage.Path
	// Missing leaves pages alone that are published.
	Missing bool
	// Reason says for people who asked.
	Reason string
	// Progress is called now and then, from several goroutines, but never at
	// once.
	Progress func(BuildReport)
}

// BuildReport says how far a build has come, and at its end what became of it.
type BuildReport struct {
	Known  int64 // pages that were known before the build, an estimate of all
	Done   int   // pages that came to an end
	Failed []FailedPage
	// Problems are lists that could not be read to their end, and listed items
	// that are no pages.
	Problems []error
	Took     time.Duration
}

// FailedPage is a page that is not as it should be.
type FailedPage struct {
	Path   storage.Path
	Reason string
}

// Build triggers every page of the site at low priority and renders it, with
// whoever else works on the site, and returns when all have come to an end.
// Run must be running. The error is that of a build that could not go on; what
// failed of single pages and lists is in the report.
func (w *Worker) Build(ctx context.Context, b Build) (BuildReport, error) {
	number, err := w.Ledger.NextNumber(ctx)
	if err != nil {
		return BuildReport{}, err
	}
	run := &build{worker: w, Build: b, number: number, started: time.Now(), open: make(map[storage.Path]struct{})}
	if run.report.Known, err = w.Ledger.Pages(ctx, ledger.Site); err != nil {
		return BuildReport{}, err
	}
	err = run.all(ctx)
	run.pages.Wait()
	if err == nil {
		err = run.stragglers(ctx)
	}
	run.report.Took = time.Since(run.started)
	slices.SortFunc(run.report.Failed, func(a, b FailedPage) int { return strings.Compare(a.Path.String(), b.Path.String()) })
	return run.report, err
}

// build is one build under way.
type build struct {
	Build
	worker  *Worker
	number  uint64
	started time.Time
	pages   sync.WaitGroup // the pages that were taken

	mu     sync.Mutex
	report BuildReport               // guarded by mu
	open   map[storage.Path]struct{} // guarded by mu; pages whose end is not known yet
}

func (b *build) all(ctx context.Context) error {
	bulk := ledger.Bulk{Number: b.number, Priority: ledger.Low, Reason: b.Reason}
	for _, p := range b.Fixed {
		if m, ok := b.worker.Renderer.Match(p); ok {
			if err := b.take(ctx, m, bulk); err != nil {
				return err
			}
		}
	}
	for _, l := range b.Lists {
		if err := b.list(ctx, l, bulk); err != nil {
			return err
		}
	}
	// Pages that are known and were not listed: of routes without a list, and
	// those that are gone from theirs.
	return b.worker.Ledger.EachPage(ctx, ledger.Site, func(p storage.Path) error {
		if m, ok := b.worker.Renderer.Match(p); ok {
			return b.take(ctx, m, bulk)
		}
		return nil
	})
}

// list renders the pages of a list from the listed items: they are fetched
// after the ledger's clock was read, and so are new enough for every page that
// is taken with that reading.
func (b *build) list(ctx context.Context, l List, bulk ledger.Bulk) error {
	var stopped error // by us, and not by the list
	err := l.Each(ctx, func(ctx context.Context) (err error) {
		bulk.G0, err = b.worker.Ledger.Sequence(ctx)
		stopped = err
		return err
	}, func(ctx context.Context, matches []renderer.Match) error {
		for _, m := range matches {
			if stopped = b.take(ctx, m, bulk); stopped != nil {
				return stopped
			}
		}
		return nil
	})
	if stopped != nil || err == nil {
		return stopped
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report.Problems = append(b.report.Problems, fmt.Errorf("list of %s: %w", l.Route(), err))
	return nil
}

func (b *build) take(ctx context.Context, m renderer.Match, bulk ledger.Bulk) error {
	if b.Missing {
		s, err := b.worker.Ledger.State(ctx, m.Path)
		if err != nil {
			return err
		}
		if s.Freshness == ledger.PageFresh {
			return nil
		}
	}
	if b.isOpen(m.Path) { // listed twice, or tried in vain
		return nil
	}
	b.pages.Add(1)
	err := b.worker.take(ctx, m, bulk, func(state ledger.ClaimState, err error) {
		defer b.pages.Done()
		b.ended(ctx, m.Path, state, err)
	})
	if err != nil {
		b.pages.Done()
	}
	return err
}

func (b *build) isOpen(p storage.Path) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.open[p]
	return ok
}

// ended notes what became of a page. That a run has ended without an error does
// not say that the page is published, so its state is asked.
func (b *build) ended(ctx context.Context, p storage.Path, state ledger.ClaimState, err error) {
	if state == ledger.Met { // listed twice, or rendered meanwhile
		return
	}
	met := false
	if state == ledger.Claimed && err == nil {
		done, err := b.worker.settled(ctx, AcceptedPage{Path: p, ID: b.number})
		met = done && err == nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !met {
		b.open[p] = struct{}{}
		return
	}
	b.done()
}

// done counts a page; mu is held.
func (b *build) done() {
	b.report.Done++
	b.report.Took = time.Since(b.started)
	if b.Progress != nil {
		b.Progress(b.report)
	}
}

// stragglers waits for the pages that others render or that are to be tried
// again, and collects what has failed.
func (b *build) stragglers(ctx context.Context) error {
	for p := range b.open {
		err := b.worker.Wait(ctx, AcceptedPage{Path: p, ID: b.number})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b.mu.Lock()
		b.done()
		if err != nil {
			b.report.Failed = append(b.report.Failed, FailedPage{p, err.Error()})
		}
		b.mu.Unlock()
	}
	return nil
}

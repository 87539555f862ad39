package worker

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// List names pages, answer by answer. Name says for people what it is.
type List interface {
	Name() string
	Each(ctx context.Context, before func(context.Context) error, batch func(context.Context, []renderer.Match) error) error
}

// Crawl finds the pages that a published file leads to. Links is called by
// several goroutines at once. Notes tell people, at the end, what was not
// found, and why.
type Crawl interface {
	Links(m renderer.Match, kind string, file io.Reader, found func(renderer.Link)) error
	Notes() []string
}

// Build says what to build.
type Build struct {
	// Lists name the pages of routes with parameters.
	Lists []List
	// Sitemaps name pages of origins.
	Sitemaps []List
	// Fixed are the pages of routes without.
	Fixed []storage.Path
	// Crawl finds more pages in the files of all of those; nil for none.
	Crawl Crawl
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
	Mapped int   // of these, the ones that were named by sitemaps
	Linked int   // of these, the ones that were found by links
	Assets int   // of these, the ones that are loaded with others
	Failed []FailedPage
	// Absent are pages that a sitemap, a list or the config names, and that are
	// not there. They are among those of Done.
	Absent []FailedPage
	// Broken are links to pages that are not there.
	Broken []BrokenLink
	// Left are links to pages that are there and not published, such as those
	// that are one visitor's: the origin goes on serving them.
	Left []BrokenLink
	// Problems are lists and sitemaps that could not be read to their end, and
	// listed items that are no pages.
	Problems []error
	// Notes say what the build did not look for, though there may be more.
	Notes []string
	Took  time.Duration
}

// FailedPage is a page that is not as it should be.
type FailedPage struct {
	Path   storage.Path
	Reason string
}

// BrokenLink is a link that leads to no published page.
type BrokenLink struct {
	FailedPage
	On storage.Path // a page that has it
}

// Build triggers every page of the site at low priority and renders it, with
// whoever else works on the site, and returns when all have come to an end.
// Run must be running. The error is that of a build that could not go on; what
// failed of single pages and lists is in the report.
//
// It goes from the pages that are named, by the config, lists and sitemaps, to
// those that their files lead to, and so on, and then to those that only the
// ledger knows. A page that only links lead to is visited and not triggered:
// when it turns out to be none, nothing is left of it.
func (w *Worker) Build(ctx context.Context, b Build) (BuildReport, error) {
	number, err := w.Ledger.NextNumber(ctx)
	if err != nil {
		return BuildReport{}, err
	}
	run := &build{
		Build: b, worker: w, number: number, started: time.Now(), frontier: newFrontier(),
		reads: make(chan struct{}, runtime.GOMAXPROCS(0)), open: make(map[storage.Path]buildPage), vain: make(map[storage.Path]vain),
	}
	if run.report.Known, err = w.Ledger.Pages(ctx, ledger.Site); err != nil {
		return BuildReport{}, err
	}
	err = run.all(ctx)
	run.pages.Wait()
	return run.end(), err
}

// build is one build under way.
type build struct {
	Build
	worker   *Worker
	number   uint64
	started  time.Time
	frontier *frontier
	pages    sync.WaitGroup // the pages that were taken or visited, or are read
	reads    chan struct{}  // holds what is read beside the runs

	mu     sync.Mutex
	report BuildReport                // guarded by mu
	open   map[storage.Path]buildPage // guarded by mu; whose end is not known yet
	again  []buildPage                // guarded by mu; to visit once more
	vain   map[storage.Path]vain      // guarded by mu; of those
	err    error                      // guarded by mu; that the build ends with
}

func (b *build) all(ctx context.Context) error {
	if err := b.named(ctx); err != nil {
		return err
	}
	if err := b.follow(ctx); err != nil {
		return err
	}
	if err := b.known(ctx); err != nil {
		return err
	}
	return b.settle(ctx)
}

// named takes the pages that are named for the build.
func (b *build) named(ctx context.Context) error {
	for _, p := range b.Fixed {
		if m, ok := b.worker.Renderer.Match(p); ok {
			if err := b.take(ctx, m, buildPage{}, b.bulk()); err != nil {
				return err
			}
		}
	}
	for _, l := range b.Lists {
		if err := b.list(ctx, l, buildPage{}); err != nil {
			return err
		}
	}
	for _, l := range b.Sitemaps {
		if err := b.list(ctx, l, buildPage{mapped: true}); err != nil {
			return err
		}
	}
	return nil
}

// known takes the pages that are known, and were not named or found by links:
// of routes without a list, and those that are gone from theirs. Their links
// are not followed, or each build would go on in an endless calendar where the
// one before had to stop.
func (b *build) known(ctx context.Context) error {
	return b.worker.Ledger.EachPage(ctx, ledger.Site, func(p storage.Path) error {
		if m, ok := b.worker.Renderer.Match(p); ok {
			bulk := b.bulk()
			bulk.Index = ledger.Site // which may hold tombstones that have expired
			return b.take(ctx, m, buildPage{deadEnd: true}, bulk)
		}
		return nil
	})
}

// settle follows links, and waits for the pages that others render or that are
// to be tried again, until nothing more comes of either.
func (b *build) settle(ctx context.Context) error {
	for {
		if err := b.follow(ctx); err != nil {
			return err
		}
		// Nothing runs now.
		switch {
		case len(b.open) > 0:
			if err := b.stragglers(ctx); err != nil {
				return err
			}
		case len(b.again) > 0:
			if err := b.visitAgain(ctx); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (b *build) bulk() ledger.Bulk {
	return ledger.Bulk{Number: b.number, Priority: ledger.Low, Reason: b.Reason}
}

// list renders the pages of a list from the listed items: they are fetched
// after the ledger's clock was read, and so are new enough for every page that
// is taken with that reading. like is what the pages have in common.
func (b *build) list(ctx context.Context, l List, like buildPage) error {
	bulk := b.bulk()
	var stopped error // by us, and not by the list
	err := l.Each(ctx, func(ctx context.Context) (err error) {
		bulk.G0, err = b.worker.Ledger.Sequence(ctx)
		stopped = err
		return err
	}, func(ctx context.Context, matches []renderer.Match) error {
		for _, m := range matches {
			if stopped = b.take(ctx, m, like, bulk); stopped != nil {
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
	b.problem(fmt.Errorf("%s: %w", l.Name(), err))
	return nil
}

func (b *build) problem(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report.Problems = append(b.report.Problems, err)
}

// end completes the report.
func (b *build) end() BuildReport {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &b.report
	r.Took = time.Since(b.started)
	r.Notes = b.frontier.notes()
	if b.Crawl != nil {
		r.Notes = append(r.Notes, b.Crawl.Notes()...)
	}
	for _, pages := range [][]FailedPage{r.Failed, r.Absent} {
		slices.SortFunc(pages, func(a, b FailedPage) int { return strings.Compare(a.Path.String(), b.Path.String()) })
	}
	for _, links := range [][]BrokenLink{r.Broken, r.Left} {
		slices.SortFunc(links, func(a, b BrokenLink) int { return strings.Compare(a.Path.String(), b.Path.String()) })
	}
	return *r
}

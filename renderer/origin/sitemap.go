package origin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rebake/renderer/upstream"
)

// What an origin's sitemaps may amount to. sitemaps.org allows 50,000 addresses
// and 50 MB in each, and one level of indexes.
const (
	mostSitemaps         = 10_000
	mostSitemapDepth     = 4
	mostSitemapAddresses = 2_000_000
	sitemapBatch         = 500 // addresses that are passed on at once
)

const robots = "/robots.txt"

// guessedSitemaps are where sitemaps are that robots.txt does not name.
var guessedSitemaps = []string{"/sitemap.xml", "/wp-sitemap.xml", "/sitemap_index.xml"}

// ErrNoSitemap says that an origin has none.
var ErrNoSitemap = errors.New("there is no sitemap: robots.txt names none on the site's own host, and neither /sitemap.xml, /wp-sitemap.xml nor /sitemap_index.xml is one")

// EachInSitemaps calls batch with the addresses of pages that the origin's
// sitemaps name, as escaped paths, some at a time: those of the sitemaps that
// robots.txt names, or else of the first of the usual ones that is there. An
// address may come more than once. Those with a query, and those on other
// hosts, are left out.
//
// An error of batch ends it, and comes back as it is. What cannot be read does
// not: at the end, when all else is done, it is a *SitemapError, or
// ErrNoSitemap.
func (o *Origin) EachInSitemaps(ctx context.Context, batch func(ctx context.Context, targets []string) error) error {
	w := &sitemapWalk{origin: o, batch: batch, seen: map[string]bool{}}
	if err := w.all(ctx); err != nil {
		return err
	}
	if len(w.failed.Problems) > 0 {
		return &w.failed
	}
	if w.read == 0 {
		return ErrNoSitemap
	}
	return nil
}

// SitemapError tells of sitemaps, or parts of them, that could not be used; all
// others were.
type SitemapError struct {
	Problems []error // the first few
	More     int     // that are not among them
}

func (e *SitemapError) Error() string {
	var b strings.Builder
	for i, err := range e.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "; and %d more", e.More)
	}
	return b.String()
}

// sitemapWalk is one way through an origin's sitemaps.
type sitemapWalk struct {
	origin *Origin
	batch  func(context.Context, []string) error

	todo      []sitemapAt
	seen      map[string]bool // targets of todo, past and present
	read      int             // sitemaps that were ones
	addresses int
	ready     []string // for the next batch
	failed    SitemapError
	stopped   error // what batch has returned
}

// sitemapAt is a sitemap to read.
type sitemapAt struct {
	target string
	depth  int // indexes above it
}

func (w *sitemapWalk) all(ctx context.Context) error {
	named := w.named(ctx)
	for _, target := range named {
		if err := w.add(sitemapAt{target: target}); err != nil {
			w.fail(ctx, w.origin.failed(robots, err))
			break
		}
	}
	if len(named) == 0 {
		w.guess(ctx)
	}
	for len(w.todo) > 0 && w.stopped == nil && ctx.Err() == nil {
		next := w.todo[0]
		w.todo = w.todo[1:]
		w.fail(ctx, w.sitemap(ctx, next))
	}
	w.flush(ctx)
	if w.stopped == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return w.stopped
}

// named are the sitemaps that robots.txt names on the site's own hosts.
func (w *sitemapWalk) named(ctx context.Context) []string {
	resp, err := w.origin.Get(ctx, robots)
	if err != nil {
		if !isNoAnswer(err) {
			w.fail(ctx, err)
		}
		return nil
	}
	var targets []string
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(resp.Body, []byte("\xef\xbb\xbf"))))
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		if !strings.EqualFold(strings.TrimSpace(field), "sitemap") {
			continue
		}
		if target, ok := w.origin.own(value); ok {
			targets = append(targets, target)
		}
	}
	return targets
}

// guess reads the first of the usual sitemaps that is there. Servers of single
// page apps answer everything with a page, so not every answer counts.
func (w *sitemapWalk) guess(ctx context.Context) {
	for _, target := range guessedSitemaps {
		w.seen[target] = true
		err := w.sitemap(ctx, sitemapAt{target: target})
		if errors.Is(err, errNoSitemap) || isNoAnswer(err) {
			continue
		}
		w.fail(ctx, err)
		return
	}
}

// isNoAnswer says of an error that the server has no such file for us.
func isNoAnswer(err error) bool {
	var said *upstream.StatusError
	return errors.As(err, &said) && said.Status >= 300 && said.Status < 500 && said.Status != http.StatusTooManyRequests
}

// add puts a sitemap on the list, once.
func (w *sitemapWalk) add(s sitemapAt) error {
	switch {
	case w.seen[s.target]:
		return nil
	case len(w.seen) >= mostSitemaps:
		return fmt.Errorf("there are more than %d sitemaps; the others are left out", mostSitemaps)
	case s.depth > mostSitemapDepth:
		return fmt.Errorf("sitemap indexes lie more than %d deep in each other", mostSitemapDepth)
	}
	w.seen[s.target] = true
	w.todo = append(w.todo, s)
	return nil
}

// fail notes an error; nil is none, and neither is the end of the walk.
func (w *sitemapWalk) fail(ctx context.Context, err error) {
	const most = 5
	switch {
	case err == nil || w.stopped != nil || ctx.Err() != nil:
	case len(w.failed.Problems) >= most:
		w.failed.More++
	default:
		w.failed.Problems = append(w.failed.Problems, err)
	}
}

// sitemap reads one, and passes on what it names. What stands before a mistake
// in it counts.
func (w *sitemapWalk) sitemap(ctx context.Context, at sitemapAt) error {
	resp, err := w.origin.Get(ctx, at.target)
	if err != nil {
		return err
	}
	var notAdded error
	err = eachLoc(resp.Body, func(isIndex bool, loc string) error {
		target, ok := w.origin.own(loc)
		switch {
		case !ok:
			return nil
		case isIndex:
			if err := w.add(sitemapAt{target, at.depth + 1}); err != nil && notAdded == nil {
				notAdded = err
			}
			return nil
		case strings.Contains(target, "?"):
			return nil
		}
		return w.address(ctx, target)
	})
	if !errors.Is(err, errNoSitemap) {
		w.read++
	}
	if err = errors.Join(err, notAdded); err != nil {
		return w.origin.failed(at.target, err)
	}
	return nil
}

func (w *sitemapWalk) address(ctx context.Context, target string) error {
	if w.addresses >= mostSitemapAddresses {
		w.todo = nil
		return fmt.Errorf("the sitemaps name more than %d pages; the others are left out", mostSitemapAddresses)
	}
	w.addresses++
	if w.ready = append(w.ready, target); len(w.ready) >= sitemapBatch {
		w.flush(ctx)
	}
	return w.stopped
}

// flush passes on what is ready.
func (w *sitemapWalk) flush(ctx context.Context) {
	if len(w.ready) > 0 && w.stopped == nil && ctx.Err() == nil {
		w.stopped = w.batch(ctx, w.ready)
	}
	w.ready = nil
}

// own returns the target of an address that is the origin's.
func (o *Origin) own(address string) (string, bool) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" && !strings.HasPrefix(u.Path, "/") {
		return "", false
	}
	return o.PathOf(u)
}

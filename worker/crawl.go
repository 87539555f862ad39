package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"rebake/renderer"
	"rebake/renderer/upstream"
	"rebake/storage"
	"rebake/storage/ledger"
)

const (
	// mostVisits is how often a build visits a page that fails in a way that
	// may go away by itself.
	mostVisits = 3
	// revisit is the time between two looks at those, and forgotten is after how
	// long the ledger remembers no visit in vain any more.
	revisit   = time.Second
	forgotten = 15 * time.Second
)

// follow visits the pages that links lead to, until no new ones come. When it
// returns without an error nothing runs.
func (b *build) follow(ctx context.Context) error {
	for {
		if err := b.stopped(); err != nil {
			return err
		}
		p, ok := b.frontier.next()
		if !ok {
			b.pages.Wait() // their links may lead on
			if p, ok = b.frontier.next(); !ok {
				return b.stopped()
			}
		}
		m, ok := b.worker.Renderer.Match(p.path)
		if !ok {
			continue
		}
		var err error
		if p.known {
			err = b.take(ctx, m, p, b.bulk())
		} else {
			err = b.visit(ctx, m, p)
		}
		if err != nil {
			return err
		}
	}
}

// visit renders a page that a link leads to.
func (b *build) visit(ctx context.Context, m renderer.Match, p buildPage) error {
	b.pages.Add(1)
	err := b.worker.visit(ctx, m, fmt.Sprintf("%s, linked on %s", b.Reason, p.on), func(v visitEnd, err error) {
		defer b.pages.Done()
		if err != nil {
			b.stop(err)
			return
		}
		b.visited(p, v)
	})
	if err != nil {
		b.pages.Done()
	}
	return err
}

// visited notes what became of a visit. A page that the ledger knows is taken
// as all those are.
func (b *build) visited(p buildPage, v visitEnd) {
	switch err := v.Cause; {
	case v.State == ledger.MissPublished, v.State == ledger.MissGone:
		b.frontier.answerFor(p)
	case v.State == ledger.MissFailed: // for a visitor or another build, a moment ago
		if !b.later(p, false) {
			b.frontier.answerFor(p) // or a trigger
		}
	case !v.Mine:
		if !b.later(p, false) {
			b.opened(p)
		}
	case err == nil && v.Finished:
		b.arrived(p)
	case err == nil, errors.Is(err, storage.ErrLost), errors.Is(err, errStopping):
		b.opened(p)
	case errors.Is(err, storage.ErrGone), errors.Is(err, errKept):
		b.broken(p, err.Error())
	case staysOrigins(err):
		b.left(p, err.Error())
	case !isTemporary(err) || !b.later(p, true):
		b.failed(p, err)
	}
}

// stop ends the build with an error, the first one.
func (b *build) stop(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}

func (b *build) stopped() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// vain tells of a page that was visited in vain.
type vain struct {
	tries int       // that failed
	since time.Time // the last one, or somebody else's
}

// later puts a page aside, to be visited again, since a visit has just failed,
// or somebody else's is remembered. False says that it was put aside often, or
// long, enough.
func (b *build) later(p buildPage, failed bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.vain[p.path]
	if failed {
		v.tries++
	}
	if failed || v.since.IsZero() {
		v.since = time.Now()
	}
	if v.tries >= mostVisits || time.Since(v.since) > forgotten {
		return false
	}
	b.vain[p.path] = v
	b.again = append(b.again, p)
	return true
}

// visitAgain visits the pages that were put aside, after a while.
func (b *build) visitAgain(ctx context.Context) error {
	select {
	case <-time.After(revisit):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	again := b.again
	b.again = nil
	for _, p := range again {
		if m, ok := b.worker.Renderer.Match(p.path); ok {
			if err := b.visit(ctx, m, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// staysOrigins says of an error that there may be a page for some visitors, and
// none to publish: a gate refused it, its status is no answer for everybody, or
// a file of somebody else is in its place.
func staysOrigins(err error) bool {
	var refused *storage.RefusedError
	if errors.As(err, &refused) || errors.Is(err, storage.ErrForeign) || errors.Is(err, storage.ErrFileDirConflict) {
		return true
	}
	var said *upstream.StatusError
	return errors.As(err, &said) && said.Status < 500 && said.Status != http.StatusRequestTimeout && said.Status != http.StatusTooManyRequests
}

func isTemporary(err error) bool {
	var temporary *storage.TemporaryError
	return errors.As(err, &temporary)
}

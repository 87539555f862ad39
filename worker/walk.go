package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

const (
	// walksAtOnce is how many labels one process walks at a time; each shares
	// the slots with everything else. One more is for critical triggers alone:
	// an edit does not wait for a walk over the whole site.
	walksAtOnce = 2
	walkBatch   = 64
)

// walker follows the walks of a process, apart from asynq's handlers: a walk
// over the whole site may take hours.
type walker struct {
	tokens, urgent chan ledger.Token
}

func newWalker() *walker {
	return &walker{tokens: make(chan ledger.Token), urgent: make(chan ledger.Token)}
}

// offer hands a token to a walker that is free.
func (w *walker) offer(tok ledger.Token) bool {
	select {
	case w.tokens <- tok:
		return true
	default:
	}
	if tok.Priority != ledger.Critical {
		return false
	}
	select {
	case w.urgent <- tok:
		return true
	default:
		return false
	}
}

// run takes tokens until ctx is done, and waits for the walks under way.
func (w *walker) run(ctx context.Context, walk func(context.Context, ledger.Token)) error {
	var wg sync.WaitGroup
	follow := func(tokens <-chan ledger.Token) {
		for {
			select {
			case <-ctx.Done():
				return
			case tok := <-tokens:
				walk(ctx, tok)
			}
		}
	}
	for range walksAtOnce {
		wg.Go(func() { follow(w.tokens) })
	}
	wg.Go(func() { follow(w.urgent) })
	wg.Wait()
	return nil
}

// walk triggers and renders every page of a label. When it is broken off, the
// cursor in the ledger says where to go on, and the sweeper that somebody has
// to.
func (w *Worker) walk(ctx context.Context, tok ledger.Token) {
	if w.held(ctx) != nil {
		return // it was on its way here when the hold began; the sweeper will go on
	}
	walk, err := w.Ledger.ClaimWalk(ctx, tok)
	if err == nil && walk.State == ledger.Claimed {
		walkCtx, stop := keep(ctx, w.Ledger.Renewal(), walk.Renew)
		err = storage.Contain(func() error { return w.walkPages(walkCtx, walk) })
		stop()
		w.logPanic("label", string(tok.Label), err)
	}
	var held *HeldError
	switch {
	case (ctx.Err() != nil || errors.As(err, &held)) && walk != nil && walk.State == ledger.Claimed:
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
		defer cancel()
		_ = walk.Release(release) // or its lease runs out
	case err != nil && !errors.Is(err, storage.ErrLost):
		w.Log.Warn("walk broken off, the sweeper will go on", "label", string(tok.Label), "err", err)
	}
}

func (w *Worker) walkPages(ctx context.Context, walk *ledger.Walk) error {
	started, pages := time.Now(), 0
	for {
		paths, err := walk.Next(ctx, walkBatch)
		if err != nil {
			return err
		}
		if len(paths) == 0 {
			again, err := walk.End(ctx)
			if err != nil || !again {
				w.Log.Info("walk ended", "label", string(walk.Label), "pages", pages, "dur", time.Since(started))
				return err
			}
			continue
		}
		bulk := ledger.Bulk{Number: walk.Number, Priority: walk.Priority, Reason: walk.Reason, Index: walk.Label}
		var batch taking
		for _, p := range paths {
			m, ok := w.Renderer.Match(p)
			if !ok || !walk.Label.OfRoute(m.Route()) {
				continue
			}
			if err := w.take(ctx, m, bulk, batch.begin(), func(*ledger.Run, error) {}); err != nil {
				return err
			}
			pages++
		}
		if err := batch.wait(); err != nil {
			return err
		}
		if err := walk.Advance(ctx); err != nil {
			return err
		}
	}
}

// taking waits until all pages of a batch are owed: only then may the cursor
// pass them.
type taking struct {
	pages sync.WaitGroup
	once  sync.Once
	err   error
}

// begin adds a page, and returns what is told that it is owed.
func (t *taking) begin() (owed func(error)) {
	t.pages.Add(1)
	return func(err error) {
		defer t.pages.Done()
		if err != nil {
			t.once.Do(func() { t.err = err })
		}
	}
}

func (t *taking) wait() error {
	t.pages.Wait()
	return t.err
}

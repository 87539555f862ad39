package worker

import (
	"cmp"
	"context"
	"errors"
	"slices"
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
	// itemsAtOnce is how many items are walked besides, and editsAtOnce how many
	// that somebody has edited in this moment: they have few pages, and each has
	// to ask its CMS first. So many more of each wait for that here, and not for
	// asynq's slow clock.
	itemsAtOnce, editsAtOnce = 2, 4
	itemsWaiting             = 256
	// editBatch is how many pages of an edit are taken before it makes way for
	// others: most edits have fewer.
	editBatch = 32
)

// walker follows the walks of a process, apart from asynq's handlers: a walk
// over the whole site may take hours.
type walker struct {
	tokens, urgent chan ledger.Token
	items, edits   chan ledger.Token // tokens wait in these

	// Walks of edits that turned out to be long go on here, after they have
	// waited for it there.
	long, waiting chan struct{}
}

func newWalker() *walker {
	return &walker{
		tokens: make(chan ledger.Token), urgent: make(chan ledger.Token),
		items: make(chan ledger.Token, itemsWaiting), edits: make(chan ledger.Token, itemsWaiting),
		long: make(chan struct{}, itemsAtOnce), waiting: make(chan struct{}, itemsWaiting),
	}
}

// offer hands a token to a walker that is free, or lets it wait for one.
func (w *walker) offer(tok ledger.Token) bool {
	first, second := w.tokens, w.urgent
	if itemOf(tok.Label) != "" {
		first, second = w.items, w.edits
	}
	if tok.Priority == ledger.Critical && give(second, tok) {
		return true
	}
	return give(first, tok)
}

// give reports whether the token was taken at once.
func give(to chan<- ledger.Token, tok ledger.Token) bool {
	select {
	case to <- tok:
		return true
	default:
		return false
	}
}

// run takes tokens until ctx is done, and waits for the walks under way.
func (w *walker) run(ctx context.Context, walk func(context.Context, ledger.Token, *seat)) error {
	var wg sync.WaitGroup
	follow := func(tokens <-chan ledger.Token, of *walker) {
		for {
			select {
			case <-ctx.Done():
				return
			case tok := <-tokens:
				at := &seat{walker: of, left: make(chan struct{})}
				wg.Go(func() {
					defer at.leave()
					walk(ctx, tok, at)
				})
				<-at.left
			}
		}
	}
	for range walksAtOnce {
		wg.Go(func() { follow(w.tokens, nil) })
	}
	for range itemsAtOnce {
		wg.Go(func() { follow(w.items, nil) })
	}
	for range editsAtOnce {
		wg.Go(func() { follow(w.edits, w) })
	}
	wg.Go(func() { follow(w.urgent, nil) })
	wg.Wait()
	return nil
}

// walk triggers and renders every page of a label. When it is broken off, the
// cursor in the ledger says where to go on, and the sweeper that somebody has
// to.
func (w *Worker) walk(ctx context.Context, tok ledger.Token, at *seat) {
	defer w.slots.note(tok.ID, -1)
	if w.held(ctx) != nil {
		return // it was on its way here when the hold began; the sweeper will go on
	}
	walk, err := w.Ledger.ClaimWalk(ctx, tok)
	if err == nil && walk.State == ledger.Early {
		tok.Wait = walk.Wait
		w.wake(ctx, &tok)
	}
	if err == nil && walk.State == ledger.Claimed {
		walkCtx, stop := keep(ctx, w.Ledger.Renewal(), walk.Renew)
		err = storage.Contain(func() error { return w.walkPages(walkCtx, walk, at) })
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

func (w *Worker) walkPages(ctx context.Context, walk *ledger.Walk, at *seat) error {
	for started := time.Now(); ; {
		again, err := w.resolve(ctx, walk)
		if err != nil {
			return err
		}
		pages, err := w.takePages(ctx, walk, at)
		if err != nil {
			return err
		}
		more, err := w.endWalk(ctx, walk, again)
		if err != nil {
			return err
		}
		w.Log.Debug("walk ended", "label", string(walk.Label), "pages", pages, "dur", time.Since(started), "again", more)
		if !more {
			return nil
		}
	}
}

// takePages takes the pages behind the walk's cursor, and returns how many.
func (w *Worker) takePages(ctx context.Context, walk *ledger.Walk, at *seat) (pages int, err error) {
	bulk := ledger.Bulk{Number: walk.Number, Priority: walk.Priority, Reason: walk.Reason, Index: walk.Label}
	around := map[string]bool{}
	for {
		most := at.batch()
		paths, err := walk.Next(ctx, most)
		if err != nil || len(paths) == 0 {
			return pages, err
		}
		lists, err := w.takeAround(ctx, walk, paths, around)
		if err != nil {
			return pages, err
		}
		slices.SortStableFunc(paths, func(a, b storage.Path) int { return cmp.Compare(last(lists[a]), last(lists[b])) })
		var batch taking
		for _, p := range paths {
			m, ok := w.Renderer.Match(p)
			if !ok || !walk.Label.OfRoute(m.Route()) {
				continue
			}
			bulk := bulk
			if lists[p] {
				bulk.Priority = min(bulk.Priority, ledger.Default)
			}
			if lists[p] && pages < editBatch {
				if err := w.takeLater(ctx, walk, p); err != nil {
					return pages, err
				}
				pages++
				continue
			}
			if err := w.take(ctx, m, bulk, batch.begin(), func(*ledger.Run, error) {}); err != nil {
				return pages, err
			}
			pages++
		}
		if err := batch.wait(); err != nil {
			return pages, err
		}
		if err := walk.Advance(ctx); err != nil {
			return pages, err
		}
		if len(paths) < most {
			continue // there is hardly more
		}
		if err := at.makeWay(ctx); err != nil {
			return pages, err
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

// last sorts what is true behind what is not.
func last(is bool) int {
	if is {
		return 1
	}
	return 0
}

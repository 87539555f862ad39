package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

const (
	// firstReconcile spreads the first looks of processes that start together.
	firstReconcile = 3 * time.Second
	// reconcileAgain is when it is tried again what could not begin.
	reconcileAgain = 5 * time.Second
	// reconcileRest is the least time between two polls of one that goes on.
	reconcileRest = 10 * time.Second
	// manyFound is when the pages of what was found wait for all others.
	manyFound = 100
)

// reconcileLimits bound one poll.
type reconcileLimits struct {
	requests int           // of the collections of a WordPress
	list     int           // of one list of another source
	terms    int           // of these requests, for one collection without dates
	time     time.Duration // of all
	pause    time.Duration // between two requests of a long list
}

var (
	// byItself bounds a poll that nobody waits for.
	byItself = reconcileLimits{requests: 50, list: 200, terms: 5, time: time.Minute, pause: 50 * time.Millisecond}
	// onDemand bounds one that somebody waits for, by HTTP.
	onDemand = reconcileLimits{requests: 1000, list: 1000, terms: 1000, time: 20 * time.Second}
)

// ErrNotWatched is a source or an origin that cannot be asked what has changed:
// it is not in the config, no page is made from it, or nothing says what there
// is in it.
var ErrNotWatched = errors.New("nothing says what has changed there")

// ErrPolled is a source or an origin that is being asked already.
var ErrPolled = errors.New("it is being asked already; try again in a minute")

// awaitPoll is how long one waits for that to end.
const awaitPoll = 8 * time.Second

// Reconciliation asks for one poll.
type Reconciliation struct {
	Source string // or origin
	// DryRun triggers nothing, and remembers nothing.
	DryRun bool
	// Full compares everything that is there with what is remembered, and not
	// just what has changed last.
	Full bool
}

// Reconciled says what a poll found.
type Reconciled struct {
	Source string  `json:"source"`
	Found  []Found `json:"found"` // the first of them
	Count  int     `json:"count"` // of all of them
	// Compared is how many items and pages were looked at.
	Compared int `json:"compared"`
	Requests int `json:"requests"`
	// Open says that there is more to compare: the next poll goes on.
	Open bool `json:"open"`
	// Notes say what was left out, and why.
	Notes []string `json:"notes,omitempty"`
}

// Found is a change of which nobody had told.
type Found struct {
	Item    string `json:"item,omitempty"` // "post:42"
	Path    string `json:"path,omitempty"` // of a listed page
	Version string `json:"version,omitempty"`
	What    string `json:"what"` // new, changed or gone
}

// watcher is a Renderer that knows what can be asked so.
type watcher interface{ Watches() []*renderer.Watch }

// Watches returns the names of the sources and origins that can be asked what
// has changed.
func (w *Worker) Watches() []string {
	var names []string
	for _, watch := range w.watches() {
		names = append(names, watch.Name())
	}
	return names
}

func (w *Worker) watches() []*renderer.Watch {
	r, ok := w.Renderer.(watcher)
	if !ok {
		return nil
	}
	return r.Watches()
}

// watch finds the watch of a name, nil when there is none.
func (w *Worker) watch(name string) *renderer.Watch {
	all := w.watches()
	if i := slices.IndexFunc(all, func(watch *renderer.Watch) bool { return watch.Name() == name }); i >= 0 {
		return all[i]
	}
	return nil
}

// reconcile polls every source and origin that the config wants polled, until
// ctx is done. Of all processes, one does it at a time.
func (w *Worker) reconcile(ctx context.Context) error {
	var g errgroup.Group
	for _, watch := range w.watches() {
		if every := watch.Every(); every > 0 {
			g.Go(func() error { w.reconcileEvery(ctx, watch.Name(), every); return nil })
		}
	}
	return g.Wait()
}

func (w *Worker) reconcileEvery(ctx context.Context, name string, every time.Duration) {
	timer := time.NewTimer(rand.N(min(every, firstReconcile)))
	defer timer.Stop()
	// However soon the next poll would be due: while no process ran, nobody was
	// there to be told.
	due := min(every, firstReconcile)
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		wait, polled := reconcileAgain, false
		err := storage.Contain(func() (err error) {
			wait, polled, err = w.reconcileDue(ctx, name, every, due)
			return err
		})
		if polled {
			due = every
		}
		w.logPanic("source", name, err)
		if err != nil && ctx.Err() == nil && !failing {
			w.Log.Warn("reconcile, will retry", "source", name, "err", err)
		}
		failing = err != nil
		timer.Reset(max(wait, 100*time.Millisecond))
	}
}

// reconcileDue polls if that is due, and returns when to look again. A poll that
// is planned for longer than twice due from now is due, too.
func (w *Worker) reconcileDue(ctx context.Context, name string, every, due time.Duration) (wait time.Duration, polled bool, err error) {
	watch := w.watch(name) // templates may have been loaded again
	if watch == nil {
		return every, false, nil
	}
	if until := time.Until(watch.Down()); until > 0 {
		return until, false, nil
	}
	if w.held(ctx) != nil {
		return reconcileAgain, false, nil
	}
	claim, err := w.Ledger.ClaimPoll(ctx, name, due, false)
	switch {
	case err != nil:
		return reconcileAgain, false, err
	case claim.Turn == nil:
		return min(claim.Wait, every), false, nil
	}
	p := newPoll(w, watch, byItself)
	err = p.run(ctx, claim.Turn)
	if p.report.Count > 0 {
		w.Log.Info("reconciled", "source", name, "found", p.report.Count, "requests", p.report.Requests)
	}
	next := every
	switch {
	case ctx.Err() != nil: // a stop: the next start goes on
		p.report.Open, next, err = true, 0, nil
	case p.report.Open, err != nil: // nothing could be read
		next = max(every/5, reconcileRest)
	}
	if err == nil && ctx.Err() == nil {
		err = p.failed
	}
	next += rand.N(next/10 + 1)
	return next, true, errors.Join(err, p.end(ctx, claim.Turn, next, err))
}

// Reconcile polls one source or origin now, whether or not the config has that
// done by itself. It takes less than half a minute: what that is too little for
// is Open.
//
// Errors: ErrNotWatched; ErrPolled; *HeldError while the site is held, but for a
// dry run; those of the source. What cannot be read beside what can is a note.
func (w *Worker) Reconcile(ctx context.Context, r Reconciliation) (Reconciled, error) {
	watch := w.watch(r.Source)
	if watch == nil {
		return Reconciled{}, ErrNotWatched
	}
	p := newPoll(w, watch, onDemand)
	p.full, p.memory.dry = r.Full, r.DryRun
	if r.DryRun {
		progress, err := w.Ledger.PollProgress(ctx, r.Source)
		if err == nil {
			err = p.look(ctx, progress)
		}
		return p.report, err
	}
	if err := w.heldError(ctx); err != nil {
		return p.report, err
	}
	turn, err := w.awaitTurn(ctx, r.Source)
	if err != nil {
		return p.report, err
	}
	err = p.run(ctx, turn)
	next := watch.Every()
	if next == 0 {
		next = time.Minute // nobody asks
	}
	return p.report, errors.Join(err, p.end(ctx, turn, next, err))
}

// awaitTurn claims a poll, as soon as nobody else has it.
func (w *Worker) awaitTurn(ctx context.Context, name string) (*ledger.Poll, error) {
	late := time.After(awaitPoll)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		claim, err := w.Ledger.ClaimPoll(ctx, name, 0, true)
		if err != nil || claim.Turn != nil {
			return claim.Turn, err
		}
		select {
		case <-tick.C:
		case <-late:
			return nil, ErrPolled
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

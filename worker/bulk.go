package worker

import (
	"context"
	"errors"
	"time"

	"rebake/renderer"
	"rebake/storage/ledger"
)

// take triggers one page of a bulk, and renders it in a general slot; only a
// critical bulk may take the reserve. It returns when it has a slot, so that
// the ledger is asked about several pages at once. owed is called when the page
// is owed, or with why the ledger could not be asked. ended is called after
// that, when the page's run has come to an end, with the run and follow's
// error; or at once when there was nothing to run. It is not called when owed
// got an error. The error is a *HeldError while the site is held.
func (w *Worker) take(ctx context.Context, m renderer.Match, b ledger.Bulk, owed func(error), ended func(*ledger.Run, error)) error {
	urgent := b.Priority == ledger.Critical
	release, runs, err := w.enter(ctx, m, urgent, false)
	if again := new(later); errors.As(err, &again) {
		w.handOver(ctx, m, b, again.in, owed, ended)
		return nil
	}
	if err != nil {
		return err
	}
	go func() {
		defer release()
		run, err := w.Ledger.Take(ctx, m.Path, b)
		owed(err)
		if err != nil {
			return
		}
		if run.State == ledger.Claimed {
			err = w.follow(runs, run, m, urgent)
			tok := ledger.Token{Path: m.Path, ID: run.Token, Priority: b.Priority}
			w.alarm(tok, err)
			w.requeue(runs, tok, err)
		}
		ended(run, err)
	}()
	return nil
}

// handOver triggers a page of a bulk and leaves it to the queue, since its
// upstream lets no page pass: the pages of others need not wait for that.
func (w *Worker) handOver(ctx context.Context, m renderer.Match, b ledger.Bulk, wait time.Duration, owed func(error), ended func(*ledger.Run, error)) {
	r, err := w.Ledger.Trigger(ctx, m.Path, ledger.Request{
		Priority: b.Priority, Reason: b.Reason,
		OnlyPublished: b.Index != "", // as Take does
	})
	if err == nil && r.Token != nil {
		r.Token.Wait = max(r.Token.Wait, wait)
		w.wake(ctx, r.Token)
	}
	owed(err)
	if err == nil {
		ended(&ledger.Run{State: ledger.Busy, Path: m.Path}, nil)
	}
}

// enter waits for lanes and a slot for a page that this process chooses
// itself. runs is what its run hangs on. One that is not patient may get
// *later, see lanes.enter.
func (w *Worker) enter(ctx context.Context, m renderer.Match, urgent, patient bool) (release func(), runs context.Context, err error) {
	leave, err := w.lanes.enter(ctx, m.Upstreams(), urgent, patient)
	if err != nil {
		return nil, nil, err
	}
	free, runs, err := w.slots.enter(ctx, urgent)
	if err != nil {
		leave()
		return nil, nil, err
	}
	release = func() { free(); leave() }
	if err := w.heldError(ctx); err != nil {
		release()
		return nil, nil, err
	}
	return release, inLane(runs, leave), nil
}

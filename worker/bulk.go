package worker

import (
	"context"

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
	release, runs, err := w.enter(ctx, urgent)
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
			w.requeue(runs, ledger.Token{Path: m.Path, ID: run.Token, Priority: b.Priority}, err)
		}
		ended(run, err)
	}()
	return nil
}

// enter waits for a slot for a page that this process chooses itself. runs is
// what its run hangs on.
func (w *Worker) enter(ctx context.Context, urgent bool) (release func(), runs context.Context, err error) {
	if release, runs, err = w.slots.enter(ctx, urgent); err != nil {
		return nil, nil, err
	}
	if err := w.heldError(ctx); err != nil {
		release()
		return nil, nil, err
	}
	return release, runs, nil
}

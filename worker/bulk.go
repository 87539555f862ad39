package worker

import (
	"context"

	"rebake/renderer"
	"rebake/storage/ledger"
)

// take triggers one page of a bulk, and renders it in a general slot; only a
// critical bulk may take the reserve. It returns when the page is owed. ended is
// called when its run has come to an end, with what became of it, or at once
// when there was nothing to run. The error is a *HeldError while the site is
// held.
func (w *Worker) take(ctx context.Context, m renderer.Match, b ledger.Bulk, ended func(ledger.ClaimState, error)) error {
	urgent := b.Priority == ledger.Critical
	release, runs, err := w.enter(ctx, urgent)
	if err != nil {
		return err
	}
	run, err := w.Ledger.Take(ctx, m.Path, b)
	if err != nil {
		release()
		return err
	}
	if run.State != ledger.Claimed {
		release()
		ended(run.State, nil)
		return nil
	}
	go func() {
		defer release()
		err := w.follow(runs, run, m, urgent)
		w.requeue(runs, ledger.Token{Path: m.Path, ID: run.Token, Priority: b.Priority}, err)
		ended(run.State, err)
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

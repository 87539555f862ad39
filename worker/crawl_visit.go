package worker

import (
	"context"
	"errors"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// visitEnd is what became of a visit.
type visitEnd struct {
	// State is the ledger's answer: MissOwed where it needed a run.
	State ledger.MissState
	// Mine says that this visit's run was it; somebody else's may be under way
	// otherwise.
	Mine bool
	// Finished says that the ledger knows the run's outcome.
	Finished bool
	// Cause is why the page was not published; nil when it was.
	Cause error
}

// visit renders a page that nobody has triggered, and that may be none, in a
// general slot. As with a visitor's miss nothing is left of it when it fails.
// ended is called when all is over, with an error when the ledger could not be
// asked; the visit's token is then the sweeper's. The error is a *HeldError
// while the site is held.
func (w *Worker) visit(ctx context.Context, m renderer.Match, reason string, ended func(visitEnd, error)) error {
	release, runs, err := w.enter(ctx, m, false, true)
	if err != nil {
		return err
	}
	go func() {
		defer release()
		ended(w.visitOnce(ctx, runs, m, reason))
	}()
	return nil
}

// visitOnce asks the ledger under ctx, and hangs a run on runs.
func (w *Worker) visitOnce(ctx, runs context.Context, m renderer.Match, reason string) (visitEnd, error) {
	state, receipt, err := w.Ledger.Miss(ctx, m.Path, reason)
	if err != nil || receipt.Token == nil {
		return visitEnd{State: state}, err
	}
	run, err := w.Ledger.Claim(ctx, *receipt.Token)
	if err != nil || run.State != ledger.Claimed {
		return visitEnd{State: state}, err
	}
	cause, err := w.followVisit(runs, run, m)
	w.requeue(runs, *receipt.Token, err)
	return visitEnd{State: state, Mine: true, Finished: run.Finished, Cause: cause}, nil
}

// followVisit brings the run of a visit to its end. cause is why the page was
// not published; err is as that of follow.
func (w *Worker) followVisit(ctx context.Context, run *ledger.Run, m renderer.Match) (cause, err error) {
	var mem memory
	defer mem.release()
	page, res, cause := w.attempt(ctx, run, m, false, &mem)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
	defer cancel()
	switch {
	case cause == nil, errors.Is(cause, errStopping), errors.Is(cause, storage.ErrLost), errors.Is(cause, errKept), errors.Is(cause, storage.ErrGone):
		return cause, w.conclude(ctx, run, page, res, cause)
	}
	// Not logged: it is for the report of who visits.
	outcome, delay := decide(cause, run.Attempts)
	end, err := run.Fail(ctx, outcome, delay, cause.Error())
	if err != nil {
		return cause, err
	}
	w.wake(ctx, end.Token)
	if end.Wait > 0 {
		return cause, &later{in: end.Wait, cause: cause}
	}
	return cause, nil
}

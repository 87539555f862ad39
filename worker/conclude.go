package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
)

// conclude tells the ledger how the run ended, and wakes whoever comes next.
// res may say that files were changed although err is not nil.
func (w *Worker) conclude(ctx context.Context, run *ledger.Run, page storage.Page, res output.Result, err error) error {
	var end ledger.End
	var ledgerErr error
	switch {
	case errors.Is(err, errStopping):
		return errors.Join(errStopping, run.Release(ctx))
	case errors.Is(err, storage.ErrLost):
		end.Lost = true
	case errors.Is(err, errKept):
		end, res, ledgerErr = w.concludeKept(ctx, run)
	case errors.Is(err, storage.ErrGone):
		end, res, ledgerErr = w.concludeGone(ctx, run, err)
	case err != nil:
		end, ledgerErr = w.fail(ctx, run, err)
	default:
		outcome := ledger.Unchanged
		if res.Changed {
			outcome = ledger.Published
		}
		end, ledgerErr = w.finish(ctx, run, outcome, page, res)
	}
	switch {
	case ledgerErr != nil:
		return ledgerErr
	case end.Lost && res.Changed:
		return w.lostAfterChange(ctx, run)
	}
	w.wake(ctx, end.Token)
	if end.Wait > 0 {
		return &later{in: end.Wait, cause: err}
	}
	return nil
}

func (w *Worker) finish(ctx context.Context, run *ledger.Run, outcome ledger.Outcome, page storage.Page, res output.Result) (ledger.End, error) {
	end, err := w.tell(ctx, func() (ledger.End, error) { return run.Finish(ctx, outcome, page, res.MTime) })
	if err == nil && !end.Lost {
		level := slog.LevelInfo
		if !res.Changed { // readers see what they saw before
			level = slog.LevelDebug
		}
		w.Log.Log(ctx, level, "page "+string(outcome), "path", run.Path.String(), "bytes", len(page.Body))
	}
	return end, err
}

func (w *Worker) fail(ctx context.Context, run *ledger.Run, err error) (ledger.End, error) {
	outcome, delay := decide(err, run.Attempts)
	// Who reads that a page has failed may mend it at once: the ledger knows first.
	defer w.logFailure(run, outcome, delay, err)
	return w.tell(ctx, func() (ledger.End, error) { return run.Fail(ctx, outcome, delay, err.Error()) })
}

// tell asks the ledger again while it is away: a Redis that is started again
// costs the runs under way a moment, and not their work. Each step answers its
// repetition as it did the first time.
func (w *Worker) tell(ctx context.Context, step func() (ledger.End, error)) (ledger.End, error) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		end, err := step()
		if temporary := new(storage.TemporaryError); !errors.As(err, &temporary) {
			return end, err
		}
		select {
		case <-time.After(wait):
		case <-w.slots.closed: // the next start sees to it
			return end, err
		case <-ctx.Done():
			return end, err
		}
	}
}

// lostAfterChange asks for the page once more: the files were changed, and
// then the run turned out to have taken too long, so an older page may lie
// over a newer one's. Not so when somebody has removed the page meanwhile: that
// waited for the files, and a trigger now would bring the page back.
func (w *Worker) lostAfterChange(ctx context.Context, run *ledger.Run) error {
	st, err := w.Ledger.State(ctx, run.Path)
	if err != nil {
		return err
	}
	if (st.Owed != nil && st.Owed.Removing) || (st.Page != nil && st.Page.Gone) {
		return nil
	}
	r, err := w.Ledger.Trigger(ctx, run.Path, ledger.Request{Priority: ledger.Default, Reason: "published after its time"})
	if err == nil {
		w.wake(ctx, r.Token)
	}
	return err
}

func (w *Worker) concludeGone(ctx context.Context, run *ledger.Run, cause error) (ledger.End, output.Result, error) {
	if run.Path.String() == "/" {
		end, err := w.fail(ctx, run, &storage.RefusedError{Gate: "home", Reason: "the source says that the home page is gone; it is never removed"})
		return end, output.Result{}, err
	}
	confirmed, end, err := run.Gone(ctx)
	if err != nil || !confirmed {
		return end, output.Result{}, err
	}
	return w.takeAway(ctx, run, storage.Page{Path: run.Path, Wake: until(cause)})
}

// takeAway removes a page's files and ends its run with that.
func (w *Worker) takeAway(ctx context.Context, run *ledger.Run, removed storage.Page) (end ledger.End, res output.Result, err error) {
	res, err = w.Output.Remove(ctx, run.Path, run.Previous, run.Fence)
	switch {
	case errors.Is(err, storage.ErrLost):
		end.Lost, err = true, nil
	case err != nil:
		end, err = w.fail(ctx, run, err)
	default:
		end, err = w.finish(ctx, run, ledger.Removed, removed, res)
	}
	return end, res, err
}

// until is when a page that is not there yet will be; zero when nobody knows.
func until(err error) time.Time {
	var gone *storage.GoneError
	if errors.As(err, &gone) {
		return gone.Until
	}
	return time.Time{}
}

func (w *Worker) logFailure(run *ledger.Run, outcome ledger.Outcome, delay time.Duration, err error) {
	switch outcome {
	case ledger.Postponed: // the source that is down is told of, and not each of its pages
		w.Log.Debug("page postponed", "path", run.Path.String(), "in", delay, "err", err)
		return
	case ledger.Lagging: // as some do after each edit
		w.Log.Info("page waits for its CMS", "path", run.Path.String(), "attempt", run.Attempts+1, "in", delay, "err", err)
		return
	case ledger.Retrying:
		w.Log.Warn("page not published, will retry", "path", run.Path.String(), "attempt", run.Attempts+1, "in", delay, "err", err)
		return
	}
	w.Log.Error("page not published", "path", run.Path.String(), "kind", string(outcome), "err", err)
}

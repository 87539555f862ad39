package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
)

// bookkeeping is how long telling the ledger may take after a run's own time
// is over.
const bookkeeping = 10 * time.Second

// errStopping ends the runs that a stop could not wait for.
var errStopping = errors.New("the worker is stopping")

// later says that a wake-up has to come again.
type later struct {
	in    time.Duration
	cause error // nil when nothing failed
}

func (l *later) Error() string {
	if l.cause == nil {
		return fmt.Sprintf("again in %s", l.in)
	}
	return l.cause.Error()
}

// do follows one wake-up: claim, render, publish, finish. It returns *later
// when the same token has to come again, errStopping when it was given back,
// and an error of the ledger when that could not be asked, in which case the
// sweeper goes on.
func (w *Worker) do(ctx context.Context, tok ledger.Token) error {
	run, err := w.Ledger.Claim(ctx, tok)
	if err != nil {
		return err
	}
	switch run.State {
	case ledger.Early:
		return &later{in: run.Wait}
	case ledger.Claimed:
	default:
		return nil
	}
	runCtx, end := context.WithTimeoutCause(ctx, w.cfg.Render, fmt.Errorf("not done within %s", w.cfg.Render))
	defer end()
	runCtx, stopRenewing := w.keep(runCtx, run)
	page, res, err := w.bake(runCtx, run, tok.Priority == ledger.Critical)
	stopRenewing()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
	defer cancel()
	return w.conclude(ctx, run, page, res, w.causeOf(runCtx, err))
}

// causeOf tells a run that was ended from outside from one that failed.
func (w *Worker) causeOf(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStopping), errors.Is(cause, storage.ErrLost):
		return cause
	case cause != nil:
		return storage.Temporary(fmt.Errorf("%w: %w", cause, err))
	}
	return err
}

// keep gives signs of life until stop is called; the context ends when the
// page is another run's. A Redis that is away does not end it: the fence will
// decide.
func (w *Worker) keep(ctx context.Context, run *ledger.Run) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		tick := time.NewTicker(w.Ledger.Renewal())
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := run.Renew(ctx); errors.Is(err, storage.ErrLost) {
					cancel(err)
				}
			}
		}
	})
	return ctx, func() {
		close(done)
		wg.Wait()
		cancel(nil)
	}
}

// bake renders the page, asks the gates, and publishes it.
func (w *Worker) bake(ctx context.Context, run *ledger.Run, urgent bool) (storage.Page, output.Result, error) {
	m, ok := w.Renderer.Match(run.Path)
	if !ok {
		return storage.Page{}, output.Result{}, fmt.Errorf("no route matches %s any more", run.Path)
	}
	page, err := w.render(ctx, m, urgent)
	if err != nil {
		return page, output.Result{}, err
	}
	if err := checkGates(page, m.Gates); err != nil {
		return page, output.Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return page, output.Result{}, err
	}
	res, err := w.Output.Publish(ctx, page, run.Previous, run.Fence)
	return page, res, err
}

// render keeps a panic of a template or a library to its own page.
func (w *Worker) render(ctx context.Context, m renderer.Match, urgent bool) (page storage.Page, err error) {
	defer func() {
		if v := recover(); v != nil {
			w.Log.Error("render panicked", "path", m.Path.String(), "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("render panicked: %v", v)
		}
	}()
	return w.Renderer.Render(ctx, m, urgent)
}

// conclude tells the ledger how the run ended, and wakes whoever comes next.
func (w *Worker) conclude(ctx context.Context, run *ledger.Run, page storage.Page, res output.Result, err error) error {
	var end ledger.End
	var ledgerErr error
	switch {
	case errors.Is(err, errStopping):
		return errors.Join(errStopping, run.Release(ctx))
	case errors.Is(err, storage.ErrLost):
		return nil
	case errors.Is(err, storage.ErrGone):
		end, ledgerErr = w.concludeGone(ctx, run)
	case err != nil:
		outcome, delay := decide(err, run.Attempts)
		w.logFailure(run, outcome, delay, err)
		end, ledgerErr = run.Fail(ctx, outcome, delay, err.Error())
	default:
		outcome := ledger.Unchanged
		if res.Changed {
			outcome = ledger.Published
		}
		end, ledgerErr = w.finish(ctx, run, outcome, page, res)
	}
	if ledgerErr != nil {
		return ledgerErr
	}
	w.wake(ctx, end.Token)
	if end.Wait > 0 {
		return &later{in: end.Wait, cause: err}
	}
	return nil
}

func (w *Worker) finish(ctx context.Context, run *ledger.Run, outcome ledger.Outcome, page storage.Page, res output.Result) (ledger.End, error) {
	end, err := run.Finish(ctx, outcome, page, res.MTime)
	if err != nil {
		return end, err
	}
	if end.Lost {
		return end, w.lostAfterChange(ctx, run, res)
	}
	w.Log.Info("page "+string(outcome), "path", run.Path.String(), "bytes", len(page.Body))
	return end, nil
}

// lostAfterChange asks for the page once more: the files were changed, and
// then the run turned out to have taken too long, so an older page may lie
// over a newer one's.
func (w *Worker) lostAfterChange(ctx context.Context, run *ledger.Run, res output.Result) error {
	if !res.Changed {
		return nil
	}
	r, err := w.Ledger.Trigger(ctx, run.Path, ledger.Request{Priority: ledger.Default, Reason: "published after its time"})
	if err == nil {
		w.wake(ctx, r.Token)
	}
	return err
}

func (w *Worker) concludeGone(ctx context.Context, run *ledger.Run) (ledger.End, error) {
	if run.Path.String() == "/" {
		const reason = "the source says that the home page is gone; it is never removed"
		return run.Fail(ctx, ledger.Refused, 0, reason)
	}
	confirmed, end, err := run.Gone(ctx)
	if err != nil || !confirmed {
		return end, err
	}
	res, err := w.Output.Remove(ctx, run.Path, run.Previous, run.Fence)
	switch {
	case errors.Is(err, storage.ErrLost):
		return ledger.End{}, nil
	case err != nil:
		outcome, delay := decide(err, run.Attempts)
		w.logFailure(run, outcome, delay, err)
		return run.Fail(ctx, outcome, delay, err.Error())
	}
	return w.finish(ctx, run, ledger.Removed, storage.Page{Path: run.Path}, res)
}

func (w *Worker) logFailure(run *ledger.Run, outcome ledger.Outcome, delay time.Duration, err error) {
	if outcome == ledger.Retrying {
		w.Log.Warn("page not published, will retry", "path", run.Path.String(), "attempt", run.Attempts+1, "in", delay, "err", err)
		return
	}
	w.Log.Error("page not published", "path", run.Path.String(), "kind", string(outcome), "err", err)
}

package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/budget"
	"rebake/storage/ledger"
	"rebake/storage/output"
)

// bookkeeping is how long telling the ledger may take after a run's own time
// is over.
const bookkeeping = 10 * time.Second

// errStopping ends the runs that a stop could not wait for.
var errStopping = errors.New("the worker is stopping")

// errAlone turns a wake-up down that may only be followed while this process
// runs nothing else: too many runs of its page have died. Its task comes to
// pageHandler, which sees to that.
var errAlone = errors.New("the page has to be run alone")

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

// claim is one of the ledger's ways to claim a token.
type claim func(context.Context, ledger.Token) (*ledger.Run, error)

// do follows one wake-up: claim, render, publish, finish. It returns *later
// when the same token has to come again, errAlone when it has to be claimed in
// the other way, errStopping when it was given back, and an error of the ledger
// when that could not be asked, in which case the sweeper goes on.
func (w *Worker) do(ctx context.Context, tok ledger.Token, claim claim) error {
	if err := w.standBy(ctx); err != nil {
		return err
	}
	err := w.claimed(ctx, tok, claim)
	w.alarm(tok, err)
	return err
}

// alarm wakes a token again when its time has come, if err says that there is
// one.
func (w *Worker) alarm(tok ledger.Token, err error) {
	if again := new(later); errors.As(err, &again) {
		tok.Wait = again.in
		w.alarms.set(tok)
	}
}

// claimed is do for one that need not stand by.
func (w *Worker) claimed(ctx context.Context, tok ledger.Token, claim claim) error {
	run, err := claim(ctx, tok)
	if err != nil {
		return err
	}
	switch run.State {
	case ledger.Early:
		return &later{in: run.Wait}
	case ledger.Alone:
		return errAlone
	case ledger.Claimed:
	default:
		return nil
	}
	m, ok := w.Renderer.Match(run.Path)
	if !ok {
		return w.unmatched(ctx, run)
	}
	return w.follow(ctx, run, m, tok.Priority == ledger.Critical)
}

// follow brings a run that was claimed to its end.
func (w *Worker) follow(ctx context.Context, run *ledger.Run, m renderer.Match, urgent bool) error {
	var mem memory
	defer mem.release()
	page, res, err := w.attempt(ctx, run, m, urgent, &mem)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
	defer cancel()
	err = storage.Contain(func() error { return w.conclude(ctx, run, page, res, err) })
	w.logPanic("path", run.Path.String(), err)
	return err
}

// attempt bakes the page within the time of a run, and gives signs of life
// meanwhile. The run has to be concluded with what it returns, and then mem to
// be released.
func (w *Worker) attempt(ctx context.Context, run *ledger.Run, m renderer.Match, urgent bool, mem *memory) (storage.Page, output.Result, error) {
	ctx, stopRenewing := keep(ctx, w.Ledger.Renewal(), run.Renew)
	var page storage.Page
	var res output.Result
	// Nobody's time runs out while he waits for others. Waiting and rendering
	// together have the time that the ledger gives a run.
	err := mem.within(ctx, w.budget, expected(run), urgent, w.cfg.Render, func(ctx context.Context) (err error) {
		ctx, end := context.WithTimeoutCause(ctx, w.cfg.Render, fmt.Errorf("not done within %s", w.cfg.Render))
		defer end()
		if page, res, err = w.bake(ctx, run, m, urgent); err != nil {
			err = causeOf(ctx, err)
		}
		return err
	})
	if err != nil {
		err = causeOf(ctx, err) // before the next line ends the context
	}
	stopRenewing()
	return page, res, err
}

// unmatched ends the run of a page whose route was taken out of the config
// after the trigger was accepted.
func (w *Worker) unmatched(ctx context.Context, run *ledger.Run) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
	defer cancel()
	_, err := w.fail(ctx, run, fmt.Errorf("no route matches %s any more", run.Path))
	return err
}

// causeOf tells a run that was ended from outside from one that failed.
func causeOf(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStopping), errors.Is(cause, storage.ErrLost):
		return cause
	case cause != nil:
		return storage.Temporary(fmt.Errorf("%w: %w", cause, err))
	}
	return err
}

// keep gives signs of life until stop is called; the context ends when what it
// is about is another's. A Redis that is away does not end it: the fence will
// decide. One sign is bounded, so that a Redis that hangs does not hold up the
// end.
func keep(ctx context.Context, every time.Duration, renew func(context.Context) error) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				bounded, end := context.WithTimeout(ctx, 2*every)
				if err := storage.Contain(func() error { return renew(bounded) }); errors.Is(err, storage.ErrLost) {
					cancel(err)
				}
				end()
			}
		}
	})
	return ctx, func() {
		close(done)
		wg.Wait()
		cancel(nil)
	}
}

// bake renders the page, asks the gates, and publishes it. It keeps a panic of
// a template or a library to its own page.
func (w *Worker) bake(ctx context.Context, run *ledger.Run, m renderer.Match, urgent bool) (page storage.Page, res output.Result, err error) {
	err = storage.Contain(func() (err error) {
		page, res, err = w.bakeOnce(ctx, run, m, urgent)
		return err
	})
	w.logPanic("path", run.Path.String(), err)
	return page, res, err
}

func (w *Worker) bakeOnce(ctx context.Context, run *ledger.Run, m renderer.Match, urgent bool) (page storage.Page, res output.Result, err error) {
	if run.Kept {
		return page, res, errKept
	}
	if err := w.mayBake(ctx, run); err != nil {
		return page, res, err
	}
	if page, err = w.render(ctx, m, urgent); errors.Is(err, storage.ErrGone) {
		err = w.mayBeGone(ctx, run, err)
	} else if err == nil {
		err = w.mayPublish(ctx, run, &page)
	}
	if err != nil {
		return page, res, err
	}
	if err := CheckGates(page, m.Gates); err != nil {
		return page, res, err
	}
	if err := ctx.Err(); err != nil {
		return page, res, err
	}
	// Two copies: the sidecars, in buffers that have grown, and the old file.
	if err := budget.Grow(ctx, 2*int64(len(page.Body))); err != nil {
		return page, res, err
	}
	res, err = w.Output.Publish(ctx, page, run.Previous, run.Fence)
	return page, res, err
}

// logPanic logs where a panic happened that is in err. name says of what what is.
func (w *Worker) logPanic(name, what string, err error) {
	var panicked *storage.PanicError
	if errors.As(err, &panicked) {
		w.Log.Error("panicked", name, what, "panic", panicked.Value, "stack", string(panicked.Stack))
	}
}

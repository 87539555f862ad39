package worker

import (
	"context"
	"errors"
	"time"

	"rebake/storage/ledger"
)

const (
	sweepEvery  = time.Second
	sweepBatch  = 500
	sweepBudget = 10 * time.Second // of one pass; a Redis that hangs must not hold it for ever
)

// sweep repairs what crashes leave behind, and fires the timers, until ctx is
// done. Every process that works does it: the ledger lets one of them win.
func (w *Worker) sweep(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		next, err := w.sweepOnce(ctx)
		// After the repairs, with time of their own: many timers at once must
		// not keep a dead run waiting.
		if err := errors.Join(err, w.fireTimers(ctx)); err != nil && ctx.Err() == nil {
			w.Log.Warn("sweep, will retry", "err", err)
			next = sweepEvery
		}
		timer.Reset(min(max(next, 5*time.Millisecond), sweepEvery))
	}
}

// sweepOnce looks at everything whose time has come, and returns how long it
// is until the next.
func (w *Worker) sweepOnce(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepBudget)
	defer cancel()
	if err := w.queue.register(ctx); err != nil {
		return 0, err
	}
	suspects, next, err := w.Ledger.Suspects(ctx, sweepBatch)
	if err != nil || len(suspects) == 0 {
		return next, err
	}
	oldest, err := w.oldest()
	if err != nil {
		return 0, err
	}
	for _, s := range suspects {
		// Behind the oldest waiting task of its queue there is no need to look
		// for each one: a bulk of 50,000 would keep Redis busy with it. A task
		// that asynq has handed over already may wait for a slot.
		there := !s.Running && (s.Due && s.Number() >= oldest[s.Priority] || w.slots.waits(s.ID))
		if !s.Running && !there {
			if there, err = w.queue.holds(s); err != nil {
				return 0, err
			}
		}
		tok, err := w.Ledger.Sweep(ctx, s, there)
		if err != nil {
			return 0, err
		}
		if tok != nil {
			w.Log.Debug("swept", "path", s.Path.String(), "label", string(s.Label), "running", s.Running)
			w.wake(ctx, tok)
		}
	}
	return next, nil
}

// oldest returns the number of the longest waiting token of each queue.
func (w *Worker) oldest() (map[ledger.Priority]uint64, error) {
	all := make(map[ledger.Priority]uint64)
	for _, p := range []ledger.Priority{ledger.Low, ledger.Default, ledger.Critical} {
		n, err := w.queue.oldest(p)
		if err != nil {
			return nil, err
		}
		all[p] = max(n, 1)
	}
	return all, nil
}

// fireTimers triggers what is due. One that fails does not keep the others.
func (w *Worker) fireTimers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepBudget)
	defer cancel()
	timers, err := w.Ledger.DueTimers(ctx, sweepBatch)
	if err != nil {
		return err
	}
	var failed error
	for _, t := range timers {
		r, err := w.Ledger.Fire(ctx, t, ledger.Default)
		if err != nil {
			failed = err
			continue
		}
		w.wake(ctx, r.Token)
	}
	return failed
}

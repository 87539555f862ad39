package worker

import (
	"context"
	"errors"
	"time"

	"rebake/storage"
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
		var next time.Duration
		err := storage.Contain(func() (err error) {
			buried := w.bury(ctx) // first, so that the pass finds what it has freed
			next, err = w.sweepOnce(ctx)
			return errors.Join(err, buried)
		})
		w.logPanic("part", "sweep", err)
		// After the repairs, with time of their own: many timers at once must
		// not keep a dead run waiting.
		fired := storage.Contain(func() error { return w.fireTimers(ctx) })
		w.logPanic("part", "timers", fired)
		if err := errors.Join(err, fired); err != nil && ctx.Err() == nil {
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
		err := storage.Contain(func() error { return w.mend(ctx, s, there) })
		if panicked := new(storage.PanicError); errors.As(err, &panicked) {
			w.logPanic("path", s.Path.String(), err) // the others are looked at all the same
			continue
		}
		if err != nil {
			return 0, err
		}
	}
	return next, nil
}

// mend repairs one suspect.
func (w *Worker) mend(ctx context.Context, s ledger.Suspect, taskThere bool) error {
	swept, err := w.Ledger.Sweep(ctx, s, taskThere)
	switch {
	case err != nil:
		return err
	case swept.Poison != "":
		w.Log.Error("page not published", "path", s.Path.String(), "kind", "poison", "err", swept.Poison)
	case swept.Token != nil:
		w.Log.Debug("swept", "path", s.Path.String(), "label", string(s.Label), "running", s.Running)
		w.wake(ctx, swept.Token)
	}
	return nil
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

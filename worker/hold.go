package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rebake/storage/ledger"
)

const (
	// holdFor is how long the answer whether publishing is held may be used.
	holdFor = 500 * time.Millisecond
	// holdMargin is for a claim that was on its way when its answer ran out.
	holdMargin = 100 * time.Millisecond
	// holdWait is how long a wake-up waits in its slot, and then in the queue.
	holdWait = 2 * time.Second
)

// HeldError ends what would go on for long, a build or a walk, while the site
// is held.
type HeldError struct{ Hold ledger.Hold }

func (e *HeldError) Error() string {
	text := "publishing is held"
	if e.Hold.By != "" {
		text += " by " + e.Hold.By
	}
	return fmt.Sprintf("%s (%s); `rebake resume` ends that", text, e.Hold.Why)
}

// brake remembers for a moment whether the site is held.
type brake struct {
	mu   sync.Mutex
	read time.Time    // guarded by mu; of hold
	hold *ledger.Hold // guarded by mu; nil when the site is not held
}

// held returns the hold, nil when there is none. While Redis is away, which
// lets nothing be claimed, the last answer holds.
func (w *Worker) held(ctx context.Context) *ledger.Hold {
	w.brake.mu.Lock()
	defer w.brake.mu.Unlock()
	if time.Since(w.brake.read) < holdFor {
		return w.brake.hold
	}
	hold, err := w.Ledger.Held(ctx)
	w.brake.read = time.Now() // also of a failure: with a Redis that hangs, one run at a time finds out
	if err == nil {
		w.brake.hold = hold
	}
	return w.brake.hold
}

// Hold stops the site, and returns when no process begins another run or walk.
// Those under way come to their end. Triggers are accepted and kept until
// ledger.Resume. After an error the site may be held.
func (w *Worker) Hold(ctx context.Context, by, why string) error {
	if err := w.Ledger.Hold(ctx, by, why); err != nil {
		return err
	}
	select {
	case <-time.After(holdFor + holdMargin):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// heldError is for those who cannot wait for the end of a hold.
func (w *Worker) heldError(ctx context.Context) error {
	if hold := w.held(ctx); hold != nil {
		return &HeldError{*hold}
	}
	return nil
}

// standBy waits while the site is held. It keeps its slot for that, so that
// the wake-ups of a long hold do not go round and round through the queue. The
// error says that the wake-up has to come again.
func (w *Worker) standBy(ctx context.Context) error {
	if w.held(ctx) == nil {
		return nil
	}
	late := time.NewTimer(holdWait)
	defer late.Stop()
	tick := time.NewTicker(holdFor)
	defer tick.Stop()
	for w.held(ctx) != nil {
		select {
		case <-tick.C:
		case <-late.C:
			return &later{in: holdWait}
		case <-w.slots.closed:
			return errStopping
		case <-ctx.Done():
			return errStopping
		}
	}
	return nil
}

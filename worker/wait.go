package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

// reread is how often a waiter reads the state although no event came: events
// are hints and may be missed.
const reread = 500 * time.Millisecond

// ErrNotPublished is what Wait returns when a try that had seen the trigger
// failed. More tries may follow.
var ErrNotPublished = errors.New("not published")

// Wait returns when the page shows what the trigger with this id asked for:
// nil when it is published, unchanged or removed, ErrNotPublished with the
// reason when a try failed, and the context's error when that ends first.
func (w *Worker) Wait(ctx context.Context, p AcceptedPage) error {
	// Subscribe first and read then, or the event may pass in between.
	events, unsubscribe := w.Feed.Subscribe(64)
	defer unsubscribe()
	tick := time.NewTicker(reread)
	defer tick.Stop()
	for {
		done, err := w.settled(ctx, p)
		if done {
			return err
		}
		if err := w.nextHint(ctx, p.Path, events, tick.C); err != nil {
			return fmt.Errorf("wait for %s: %w", p.Path, err)
		}
	}
}

func (w *Worker) settled(ctx context.Context, p AcceptedPage) (done bool, err error) {
	s, err := w.Ledger.State(ctx, p.Path)
	switch {
	case err != nil:
		return false, nil // Redis is away; the context bounds the wait
	case s.Page != nil && s.Page.G0 >= p.ID:
		return true, nil
	case s.Owed == nil:
		return true, nil // gone, and it never was a page
	case s.Owed.FailedG0 >= p.ID && s.Owed.Error != "":
		return true, fmt.Errorf("%s: %w: %s", p.Path, ErrNotPublished, s.Owed.Error)
	}
	return false, nil
}

func (w *Worker) nextHint(ctx context.Context, p storage.Path, events <-chan ledger.Event, tick <-chan time.Time) error {
	for {
		select {
		case e := <-events:
			if e.Path == p {
				return nil
			}
		case <-tick:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

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
		return true, fmt.Errorf("%w: %s", ErrNotPublished, s.Owed.Error)
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

// WaitLabel returns when every page that has the label shows what the trigger
// with this id asked for: its walk has ended, and so has each page's run. The
// errors are those of Wait, the first one.
func (w *Worker) WaitLabel(ctx context.Context, l AcceptedLabel) error {
	tick := time.NewTicker(reread / 10)
	defer tick.Stop()
	for {
		walking, err := w.Ledger.Walking(ctx, l.Label)
		if err == nil && !walking {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", l.Label, context.Cause(ctx))
		}
	}
	return w.Ledger.EachPage(ctx, l.Label, func(p storage.Path) error {
		if err := w.Wait(ctx, AcceptedPage{Path: p, ID: l.ID}); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		return nil
	})
}

package worker

import (
	"context"
	"errors"
	"fmt"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
)

// Removal says which page to remove without asking its source.
type Removal struct {
	Path storage.Path
	// Keep says that it stays removed, whatever triggers it, until
	// ledger.Unkeep.
	Keep bool
	// By and Reason say for people who asked, and why.
	By, Reason string
}

// errKept ends the run of a page that is to stay removed.
var errKept = errors.New("the page is kept removed")

// Remove takes a page away now, also while the site is held, and returns when
// that is durable. A run that is under way is lost at its fence. Without Keep
// the next trigger may bring the page back.
func (w *Worker) Remove(ctx context.Context, r Removal) error {
	if r.Keep {
		// The mark first: if this process dies now, the page's next run will
		// find it.
		if err := w.Ledger.Keep(ctx, r.Path, r.By, r.Reason); err != nil {
			return err
		}
		w.misses.forget(r.Path) // it is not only absent now
	}
	reason := "removed by " + r.By
	if r.Reason != "" {
		reason += ": " + r.Reason
	}
	run, err := w.Ledger.Seize(ctx, r.Path, reason)
	if err != nil {
		return err
	}
	return w.removeSeized(ctx, run, run.Fence)
}

// removeSeized takes a page's files away, and ends its run with that.
func (w *Worker) removeSeized(ctx context.Context, run *ledger.Run, fence output.Fence) error {
	held, stop := keep(ctx, w.Ledger.Renewal(), run.Renew)
	res, err := w.Output.Remove(held, run.Path, run.Previous, fence)
	stop()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
	defer cancel()
	var end ledger.End
	switch {
	case errors.Is(err, storage.ErrLost):
		end.Lost = true
	case err != nil:
		_, ledgerErr := run.Fail(ctx, ledger.Failed, 0, "remove: "+err.Error())
		return errors.Join(err, ledgerErr)
	default:
		if end, err = w.finish(ctx, run, ledger.Removed, storage.Page{Path: run.Path}, res); err != nil {
			return err
		}
	}
	if end.Lost {
		return storage.Temporary(fmt.Errorf("remove %s: %w", run.Path, storage.ErrLost))
	}
	w.wake(ctx, end.Token)
	return nil
}

// concludeKept ends a run of a page that is to stay removed.
func (w *Worker) concludeKept(ctx context.Context, run *ledger.Run) (ledger.End, output.Result, error) {
	return w.takeAway(ctx, run, storage.Page{Path: run.Path})
}

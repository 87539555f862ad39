package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rebake/storage"
	"rebake/storage/ledger"
)

// countFor is how long a count of the site's pages may be used.
const countFor = time.Second

// quota remembers for a moment how many pages there are.
type quota struct {
	mu    sync.Mutex
	read  time.Time // guarded by mu
	pages int64     // guarded by mu; at read, and those let in since
}

// mayBake asks before a render what would stop its page from being published,
// so that it costs no source anything. Pages that are there may always be
// replaced; the output of a new one is not to be full, and the site not to have
// its quota. The error is a *storage.RefusedError for the quota.
func (w *Worker) mayBake(ctx context.Context, run *ledger.Run) error {
	if err := w.Output.Present(); err != nil || run.Previous.Hash != "" {
		return err
	}
	if err := w.Output.Room(); err != nil || run.Previous.Gone {
		return err
	}
	full, err := w.quotaFull(ctx, 1)
	if err == nil && full {
		err = &storage.RefusedError{Gate: "quota", Reason: fmt.Sprintf("the site has all the %d pages that quota.pages allows", w.cfg.Quota)}
	}
	return err
}

// quotaFull reports whether the site has as many pages as it may have; else it
// counts those that are let in. Pages that are new at the same moment may go
// beyond it by as many as are rendered at once.
func (w *Worker) quotaFull(ctx context.Context, letIn int64) (bool, error) {
	if w.cfg.Quota == 0 {
		return false, nil
	}
	q := &w.quota
	q.mu.Lock()
	defer q.mu.Unlock()
	// What was let in may have failed since, so nobody is refused because of it.
	if time.Since(q.read) > countFor || q.pages >= w.cfg.Quota {
		n, err := w.Ledger.Pages(ctx, ledger.Site)
		if err != nil {
			return false, err
		}
		q.pages, q.read = n, time.Now()
	}
	if q.pages >= w.cfg.Quota {
		return true, nil
	}
	q.pages += letIn
	return false, nil
}

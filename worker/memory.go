package worker

import (
	"context"
	"fmt"
	"time"

	"rebake/storage"
	"rebake/storage/budget"
	"rebake/storage/ledger"
)

// memory is what one run holds of the process's budget, until its page is
// published and the ledger knows. The zero value holds nothing.
type memory struct{ claim *budget.Claim }

// within calls f with a claim in its context, and once more with a larger one
// as long as that turns out to be too small: f holds nothing then, and has
// changed nothing. Nobody waits for a claim when patience is over.
func (m *memory) within(ctx context.Context, b *budget.Budget, bytes int64, urgent bool, patience time.Duration, f func(context.Context) error) error {
	waits, end := context.WithTimeoutCause(ctx, patience, fmt.Errorf("none within %s", patience))
	defer end()
	for {
		var err error
		if m.claim, err = b.Claim(waits, bytes, urgent); err != nil {
			return storage.Temporary(fmt.Errorf("wait for the memory that other pages hold (limits.memory): %w", err))
		}
		err = f(budget.With(ctx, m.claim))
		if bytes = m.claim.Next(); err == nil || bytes == 0 || ctx.Err() != nil {
			return err
		}
		m.release()
	}
}

func (m *memory) release() {
	if m.claim != nil {
		m.claim.Release()
		m.claim = nil
	}
}

// expected is about what a page takes while it is rendered and published: the
// answer and what is made of it, the page, its sidecars, the old file. A page
// that was never published begins small.
func expected(run *ledger.Run) int64 { return 5 * run.Previous.Size }

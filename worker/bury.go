package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/hibiken/asynq"

	"rebake/storage/ledger"
)

// Processes tell which of the processes beside this one have died, by their
// names in the ledger. A name that is buried is not told any more.
type Processes interface {
	Dead() ([]string, error)
	Bury(name string) error
}

// bury sees to what the dead have left behind, before its leases are over: this
// process may be the next life of one of them.
func (w *Worker) bury(ctx context.Context) error {
	if w.Processes == nil {
		return nil
	}
	dead, err := w.Processes.Dead()
	if err != nil || len(dead) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sweepBudget)
	defer cancel()
	for _, name := range dead {
		n, err := w.Ledger.Bury(ctx, name)
		if err != nil {
			return err
		}
		if n > 0 {
			w.Log.Info("a process has died, going on with what it did", "process", name, "runs", n)
		}
	}
	// What a process took from asynq and had not claimed yet waits for a slot of
	// another one, or was with the dead.
	if err := w.takenTasks(ctx); err != nil {
		return err
	}
	for _, name := range dead {
		if err := w.Processes.Bury(name); err != nil {
			return err
		}
	}
	return nil
}

// takenTasks gives new tokens to the pages and walks whose tasks were taken, by
// whomever, and are not claimed. Where that was another living process its token
// is stale then, and only its place in the queue is lost.
func (w *Worker) takenTasks(ctx context.Context) error {
	tokens, err := w.queue.taken(ctx)
	if err != nil {
		return fmt.Errorf("read what was taken: %w", err)
	}
	for _, tok := range tokens {
		if w.slots.waits(tok.ID) {
			continue // it is ours
		}
		if err := w.mend(ctx, ledger.Suspect{Token: tok}, false); err != nil {
			return err
		}
	}
	return nil
}

// taken returns the tokens of the tasks that asynq has handed to somebody.
func (q *queue) taken(ctx context.Context) (tokens []ledger.Token, err error) {
	for _, prio := range []ledger.Priority{ledger.Critical, ledger.Default, ledger.Low} {
		for page := 1; ; page++ {
			const size = 100
			tasks, err := q.inspector.ListActiveTasks(prio.String(), asynq.PageSize(size), asynq.Page(page))
			if errors.Is(err, asynq.ErrQueueNotFound) {
				break
			}
			if err != nil {
				return nil, err
			}
			for _, t := range tasks {
				if tok, err := parseTask(t.Type, t.Payload, prio.String()); err == nil {
					tokens = append(tokens, tok)
				}
			}
			if len(tasks) < size {
				break
			}
		}
	}
	return tokens, nil
}

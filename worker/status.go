package worker

import (
	"errors"
	"fmt"

	"github.com/hibiken/asynq"

	"rebake/storage"
	"rebake/storage/ledger"
)

// QueueSize says how much waits at one priority. The ledger knows what is
// owed; this is how many wake-ups there are for it.
type QueueSize struct {
	Priority ledger.Priority `json:"priority"`
	Waiting  int             `json:"waiting"` // for a worker
	Running  int             `json:"running"`
	Later    int             `json:"later"` // until their time has come
}

// Queues returns the sizes of all queues, the most urgent first.
func (w *Worker) Queues() ([]QueueSize, error) {
	var list []QueueSize
	for _, p := range []ledger.Priority{ledger.Critical, ledger.Default, ledger.Low} {
		info, err := w.queue.inspector.GetQueueInfo(p.String())
		if errors.Is(err, asynq.ErrQueueNotFound) {
			info, err = &asynq.QueueInfo{}, nil
		}
		if err != nil {
			return nil, storage.Temporary(fmt.Errorf("read queue sizes: %w", err))
		}
		list = append(list, QueueSize{p, info.Pending, info.Active, info.Scheduled + info.Retry})
	}
	return list, nil
}

// Matches reports whether a route has the path.
func (w *Worker) Matches(p storage.Path) bool {
	_, ok := w.Renderer.Match(p)
	return ok
}

// Subscribe returns the ledger's events from now on, and how to end that. A
// listener that is slow misses some.
func (w *Worker) Subscribe(buffer int) (<-chan ledger.Event, func()) {
	return w.Feed.Subscribe(buffer)
}

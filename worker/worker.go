package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
)

// Config says how much is done at once, and how long anything may take.
type Config struct {
	// Workers is how many pages render at once; one of them is kept free for
	// critical triggers. At least 2.
	Workers int
	// Render is the deadline of one run, from claim to publication.
	Render time.Duration
	// Recheck is how much later a second look follows when a trigger asks for
	// one.
	Recheck time.Duration
	// Grace is how long a stop waits for the runs under way; after it they are
	// given back to the ledger.
	Grace time.Duration
}

// DefaultConfig is fit for a machine with a few cores.
func DefaultConfig() Config {
	return Config{Workers: 16, Render: 30 * time.Second, Recheck: 3 * time.Second, Grace: 10 * time.Second}
}

// Renderer makes pages. Render is called by several goroutines at once.
type Renderer interface {
	Match(storage.Path) (renderer.Match, bool)
	Render(ctx context.Context, m renderer.Match, urgent bool) (storage.Page, error)
}

// Parts are what a worker works with; all are needed.
type Parts struct {
	Redis    redis.UniversalClient
	Ledger   *ledger.Ledger
	Feed     *ledger.Feed
	Output   *output.Dir
	Renderer Renderer
	Log      *slog.Logger
}

// Worker accepts triggers and, while Run runs, makes them come true. A process
// that only accepts never calls Run. Safe for concurrent use.
type Worker struct {
	Parts
	cfg    Config
	queue  *queue
	slots  *slots
	walker *walker
	misses *misses
	brake  brake
}

// New starts nothing.
func New(cfg Config, parts Parts) *Worker {
	return &Worker{Parts: parts, cfg: cfg, queue: newQueue(parts.Redis, cfg.Render), slots: newSlots(cfg.Workers), walker: newWalker(), misses: newMisses(cfg.Workers)}
}

// Trigger says that something changed.
type Trigger struct {
	Paths []storage.Path
	// Labels name pages by what they have in common.
	Labels   []ledger.Label
	Priority ledger.Priority
	// Reason says for people who asked.
	Reason string
	// Recheck asks for a second look a little later.
	Recheck bool
	// OnlyPublished leaves pages alone that were never published.
	OnlyPublished bool
}

// Accepted is the answer to a trigger that is durable.
type Accepted struct {
	// Pages are those that are owed a render now.
	Pages []AcceptedPage
	// Labels are those that will be walked.
	Labels []AcceptedLabel
	// Unmatched are paths that no route matches: nothing is done about them.
	Unmatched []storage.Path
}

// AcceptedPage is one page of an accepted trigger.
type AcceptedPage struct {
	Path storage.Path
	ID   uint64 // see Wait
}

// AcceptedLabel is one label of an accepted trigger.
type AcceptedLabel struct {
	Label ledger.Label
	ID    uint64 // see WaitLabel
	Pages int64  // how many pages have the label now
}

// ID returns the number of the whole trigger: that of its newest part, 0 when
// it has none.
func (a Accepted) ID() uint64 {
	var id uint64
	for _, p := range a.Pages {
		id = max(id, p.ID)
	}
	for _, l := range a.Labels {
		id = max(id, l.ID)
	}
	return id
}

// atOnce is how many pages of one trigger are recorded at a time. Redis puts
// what arrives together on disk together, so this costs one fsync and not many.
const atOnce = 16

// Accept records the trigger. When it returns without an error, every page of
// it is owed a render, whatever dies. After an error some may be, and the
// trigger should be sent again.
func (w *Worker) Accept(ctx context.Context, t Trigger) (Accepted, error) {
	var a Accepted
	req := ledger.Request{Priority: t.Priority, Reason: t.Reason, OnlyPublished: t.OnlyPublished}
	if t.Recheck {
		req.Recheck = w.cfg.Recheck
	}
	var pages []storage.Path
	for _, p := range t.Paths {
		if _, ok := w.Renderer.Match(p); ok {
			pages = append(pages, p)
		} else {
			a.Unmatched = append(a.Unmatched, p)
		}
	}
	receipts := make([]ledger.Receipt, len(pages))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, p := range pages {
		group.Go(func() (err error) {
			receipts[i], err = w.Ledger.Trigger(ctx, p, req)
			if err == nil {
				w.wake(ctx, receipts[i].Token)
			}
			return err
		})
	}
	a.Labels = make([]AcceptedLabel, len(t.Labels))
	for i, label := range t.Labels {
		group.Go(func() (err error) {
			a.Labels[i], err = w.acceptLabel(ctx, label, req)
			return err
		})
	}
	err := group.Wait()
	for i, r := range receipts {
		if r.ID > 0 {
			a.Pages = append(a.Pages, AcceptedPage{pages[i], r.ID})
		}
	}
	return a, err
}

func (w *Worker) acceptLabel(ctx context.Context, label ledger.Label, req ledger.Request) (AcceptedLabel, error) {
	if !label.IsTag() {
		req.Recheck = 0 // so many pages are not rendered twice on a suspicion
	}
	r, err := w.Ledger.TriggerLabel(ctx, label, req)
	if err != nil {
		return AcceptedLabel{}, err
	}
	w.wake(ctx, r.Token)
	n, err := w.Ledger.Pages(ctx, label)
	if err != nil {
		n = 0 // it is accepted all the same; the number is for people
	}
	return AcceptedLabel{label, r.ID, n}, nil
}

// wake brings a token to a worker: to a free one of this process at once, and
// to asynq in any case. When asynq cannot take it now, the sweeper will see to
// it, so that is no failure of the trigger.
func (w *Worker) wake(ctx context.Context, tok *ledger.Token) {
	if tok == nil {
		return
	}
	if tok.Wait == 0 {
		w.offer(*tok)
	}
	if err := w.queue.add(ctx, *tok); err != nil {
		w.Log.Warn("wake-up not queued, the sweeper will do it", "path", tok.Path.String(), "err", err)
	}
}

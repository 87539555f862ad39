package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/budget"
	"rebake/storage/ledger"
	"rebake/storage/output"
	"rebake/storage/spool"
)

// Config says how much is done at once, and how long anything may take.
type Config struct {
	// Workers is how many pages render at once; one of them is kept free for
	// critical triggers. At least 2.
	Workers int
	// Render is the deadline of one run, from claim to publication.
	Render time.Duration
	// Memory is the bytes that the pages of this process may take while they
	// render, apart from one that takes more by itself. Some come on top for
	// the process.
	Memory int64
	// Quota is the most pages that the site may have, 0 for any number.
	Quota int64
	// Recheck is how much later a second look follows when a trigger asks for
	// one.
	Recheck time.Duration
	// Lag is how long a page waits for its CMS to show what that has announced,
	// counted from the announcement. Then it is published as it is.
	Lag time.Duration
	// Reconcile has Run look for what has changed of which nobody told.
	Reconcile bool
	// Grace is how long a stop waits for the runs under way; after it they are
	// given back to the ledger.
	Grace time.Duration
}

// DefaultConfig is fit for a machine with a few cores.
func DefaultConfig() Config {
	return Config{Workers: 64, Memory: 64 << 20, Render: 30 * time.Second, Recheck: 3 * time.Second, Lag: 2 * time.Minute, Grace: 10 * time.Second}
}

// Renderer makes pages. Render is called by several goroutines at once.
type Renderer interface {
	Match(storage.Path) (renderer.Match, bool)
	Render(ctx context.Context, m renderer.Match, urgent bool) (storage.Page, error)
}

// Parts are what a worker works with; all are needed but Processes, Spool
// and Check.
type Parts struct {
	Redis    redis.UniversalClient
	Ledger   *ledger.Ledger
	Feed     *ledger.Feed
	Output   *output.Dir
	Renderer Renderer
	Log      *slog.Logger
	// Processes are those that share the state with this one. Without them
	// nobody learns of a death before the leases of the dead are over.
	Processes Processes
	// Spool keeps the triggers that Redis does not take. Without one they are
	// refused, and Attend is not needed.
	Spool *spool.Spool
	// Check asks whether this Redis may be trusted with triggers, and is asked
	// each second. What may be better at another time is a
	// *storage.TemporaryError. Without it every Redis may.
	Check func(context.Context) error
}

// Worker accepts triggers and, while Run runs, makes them come true. A process
// that only accepts never calls Run. Safe for concurrent use.
type Worker struct {
	Parts
	cfg    Config
	queue  *queue
	slots  *slots
	budget *budget.Budget
	walker *walker
	alarms *alarms
	misses *misses
	lanes  *lanes
	brake  brake
	quota  quota
	intake *intake
}

// New starts nothing.
func New(cfg Config, parts Parts) *Worker {
	w := &Worker{
		Parts: parts, cfg: cfg, queue: newQueue(parts.Redis, cfg.Render), slots: newSlots(cfg.Workers), budget: budget.New(cfg.Memory), walker: newWalker(),
		alarms: newAlarms(), misses: newMisses(cfg.Workers), intake: newIntake(),
	}
	w.lanes = newLanes(max(1, cfg.Workers-1), w.slots.closed)
	if r, ok := parts.Renderer.(interface{ Upstreams() []renderer.Upstream }); ok {
		w.lanes.meet(r.Upstreams())
		w.misses.lanes.meet(r.Upstreams())
	}
	if w.Spool == nil {
		w.intake.set(nil) // nobody attends; who opened the ledger has asked
	}
	return w
}

package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"rebake/storage"
	"rebake/storage/ledger"
)

const (
	// pollEvery is how often asynq looks for work when there is none. A trigger
	// that this process accepts does not wait for it (see wake); this is the
	// latency of what other processes accept.
	pollEvery = 20 * time.Millisecond
	// lastWords is how long a stop waits for runs to give their pages back,
	// after their time is over.
	lastWords = 5 * time.Second
)

// Run works until ctx is done; then it takes nothing new, waits for the runs
// under way as long as Config.Grace says, and gives the rest back. It begins
// when Redis is Admitted. It is called once.
func (w *Worker) Run(ctx context.Context) error {
	select {
	case <-w.Admitted():
	case <-ctx.Done():
		return nil
	}
	// The runs outlive ctx for a while, so they hang on a context of their own.
	runs, stopRuns := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopRuns(nil)

	servers := []*asynq.Server{
		w.newServer(max(1, w.cfg.Workers-1), map[string]int{
			ledger.Critical.String(): 6, ledger.Default.String(): 3, ledger.Low.String(): 1,
		}),
		// The reserve: a bulk that fills the other slots leaves this one free.
		w.newServer(1, map[string]int{ledger.Critical.String(): 1}),
	}
	mux := asynq.NewServeMux()
	mux.HandleFunc(kindPage, w.pageHandler(runs))
	mux.HandleFunc(kindWalk, w.walkHandler)
	for _, s := range servers {
		if err := s.Start(mux); err != nil {
			return fmt.Errorf("start queue: %w", err)
		}
	}
	w.slots.open(runs, w.runDirect)

	var g errgroup.Group
	g.Go(func() error { return w.sweep(ctx) })
	g.Go(func() error { return w.walker.run(ctx, w.walk) })
	g.Go(func() error { return w.alarms.run(ctx, w.offer) })
	g.Go(func() error { return w.outages(ctx) })
	if w.cfg.Reconcile {
		g.Go(func() error { return w.reconcile(ctx) })
	}
	<-ctx.Done()

	// asynq's poll ends when Redis answers it; the runs need not wait for that.
	g.Go(func() error { each(servers, (*asynq.Server).Stop); return nil })
	w.slots.close()
	if !w.drained(runs, w.cfg.Grace) {
		w.Log.Warn("runs are still under way, giving them back", "after", w.cfg.Grace)
		stopRuns(errStopping)
		if !w.drained(context.WithoutCancel(ctx), lastWords) {
			w.Log.Error("runs do not end, leaving them", "after", lastWords)
		}
	}
	// However long Redis hangs: asynq panics when its client is closed first.
	each(servers, (*asynq.Server).Shutdown)
	return g.Wait()
}

// each stops the servers side by side: one that hangs on Redis takes long.
func each(servers []*asynq.Server, stop func(*asynq.Server)) {
	var wg sync.WaitGroup
	for _, s := range servers {
		wg.Go(func() { stop(s) })
	}
	wg.Wait()
}

// drained waits for the runs under way.
func (w *Worker) drained(ctx context.Context, atMost time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	return w.slots.drain(ctx) == nil
}

func (w *Worker) newServer(concurrency int, queues map[string]int) *asynq.Server {
	return asynq.NewServerFromRedisClient(w.Redis, asynq.Config{
		Concurrency:              concurrency,
		Queues:                   queues,
		TaskCheckInterval:        pollEvery,
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          time.Second, // all handlers have returned by then, or hang
		RetryDelayFunc: func(_ int, err error, _ *asynq.Task) time.Duration {
			if errors.Is(err, errStopping) {
				return 0
			}
			if again := new(later); errors.As(err, &again) {
				return again.in
			}
			return time.Second
		},
		// What was only early, or given back, did not fail.
		IsFailure: func(err error) bool {
			again := new(later)
			return !errors.Is(err, errStopping) && !(errors.As(err, &again) && again.cause == nil)
		},
		Logger:   newAsynqLog(w.Log),
		LogLevel: asynq.WarnLevel,
	})
}

// pageHandler is what asynq calls for a page's wake-up. A run hangs on runs and not on
// asynq's context: when that ends, asynq has left the handler behind and will
// start the task again, and the ledger keeps the two apart.
func (w *Worker) pageHandler(runs context.Context) func(context.Context, *asynq.Task) error {
	return func(ctx context.Context, t *asynq.Task) error {
		tok, err := parse(ctx, t)
		if err != nil {
			return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
		}
		run := runs
		err = within(func() (release func(), err error) {
			run, release, err = w.admit(ctx, runs, tok)
			return release, err
		}, func() error { return w.do(run, tok, w.Ledger.Claim) })
		if errors.Is(err, errAlone) {
			w.Log.Warn("runs of the page have died, waiting until nothing else runs", "path", tok.Path.String())
			err = within(func() (func(), error) { return w.slots.acquireAll(ctx, tok) }, func() error {
				return w.do(runs, tok, w.Ledger.ClaimAlone)
			})
		}
		return err
	}
}

// within calls f with what acquire gives, and gives it back.
func within(acquire func() (release func(), err error), f func() error) error {
	release, err := acquire()
	if err != nil {
		return err
	}
	defer release()
	return f()
}

// walkHandler is what asynq calls for a walk's wake-up. A walk can take long,
// and asynq's time is bounded, so the walker takes it over; the ledger notices
// when it dies.
func (w *Worker) walkHandler(ctx context.Context, t *asynq.Task) error {
	tok, err := parse(ctx, t)
	if err != nil {
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	}
	if w.held(ctx) != nil {
		return &later{in: holdWait}
	}
	if !w.offerWalk(tok) {
		return &later{in: time.Second} // this process has enough to walk
	}
	return nil
}

// offer lets this process take a token at once, if it is free to. asynq's task
// for the same token finds it stale then.
func (w *Worker) offer(tok ledger.Token) {
	if tok.Label != "" {
		w.offerWalk(tok)
		return
	}
	w.slots.start(tok)
}

// offerWalk reports whether a walker of this process has the token now. The
// sweeper is not to look for one that waits.
func (w *Worker) offerWalk(tok ledger.Token) bool {
	w.slots.note(tok.ID, +1)
	if w.walker.offer(tok) {
		return true
	}
	w.slots.note(tok.ID, -1)
	return false
}

// runDirect follows a token that did not come through asynq, unless the page's
// upstreams have enough to do: then its task sees to that.
func (w *Worker) runDirect(ctx context.Context, tok ledger.Token) {
	err := storage.Contain(func() error {
		leave, ok := w.lanes.try(w.upstreams(tok), tok.Priority == ledger.Critical)
		if !ok {
			return nil
		}
		defer leave()
		return w.do(inLane(ctx, leave), tok, w.Ledger.Claim)
	})
	w.logPanic("path", tok.Path.String(), err)
	w.requeue(ctx, tok, err)
}

// requeue does for a run that did not come through asynq what asynq does for
// its own: the task comes again when its time has come.
func (w *Worker) requeue(ctx context.Context, tok ledger.Token, err error) {
	again := new(later)
	switch {
	case errors.As(err, &again):
		tok.Wait = again.in
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
		defer cancel()
		if err := w.queue.add(ctx, tok); err != nil {
			w.Log.Warn("retry not queued, the sweeper will do it", "path", tok.Path.String(), "err", err)
		}
	case err != nil && !errors.Is(err, errStopping) && !errors.Is(err, errAlone):
		w.Log.Warn("ledger not told, the sweeper will go on", "path", tok.Path.String(), "err", err)
	}
}

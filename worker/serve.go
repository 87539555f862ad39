package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

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
// under way as long as Config.Grace says, and gives the rest back.
func (w *Worker) Run(ctx context.Context) error {
	// The runs outlive ctx for a while, so they hang on a context of their own.
	runs, stopRuns := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopRuns(nil)

	servers := []*asynq.Server{
		w.newServer(runs, max(1, w.cfg.Workers-1), map[string]int{
			ledger.Critical.String(): 6, ledger.Default.String(): 3, ledger.Low.String(): 1,
		}),
		// The reserve: a bulk that fills the other slots leaves this one free.
		w.newServer(runs, 1, map[string]int{ledger.Critical.String(): 1}),
	}
	for _, s := range servers {
		if err := s.Start(asynq.HandlerFunc(w.handle)); err != nil {
			return fmt.Errorf("start queue: %w", err)
		}
	}
	w.slots.open(runs, w.runDirect)

	var g errgroup.Group
	g.Go(func() error { return w.sweep(ctx) })
	<-ctx.Done()

	for _, s := range servers {
		s.Stop()
	}
	w.slots.close()
	if !w.drained(runs, w.cfg.Grace) {
		w.Log.Warn("runs are still under way, giving them back", "after", w.cfg.Grace)
		stopRuns(errStopping)
		w.drained(context.WithoutCancel(ctx), lastWords)
	}
	stopRuns(errStopping) // for a task that asynq took at the last moment
	for _, s := range servers {
		s.Shutdown()
	}
	return g.Wait()
}

// drained waits for the runs under way.
func (w *Worker) drained(ctx context.Context, atMost time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	return w.slots.drain(ctx) == nil
}

func (w *Worker) newServer(runs context.Context, concurrency int, queues map[string]int) *asynq.Server {
	return asynq.NewServerFromRedisClient(w.Redis, asynq.Config{
		Concurrency:              concurrency,
		Queues:                   queues,
		BaseContext:              func() context.Context { return runs },
		TaskCheckInterval:        pollEvery,
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          lastWords,
		RetryDelayFunc: func(_ int, err error, _ *asynq.Task) time.Duration {
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
		Logger:   asynqLog{w.Log.With("part", "asynq")},
		LogLevel: asynq.WarnLevel,
	})
}

// handle is what asynq calls for a task.
func (w *Worker) handle(ctx context.Context, t *asynq.Task) error {
	tok, err := parse(t)
	if err != nil {
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	}
	queue, _ := asynq.GetQueueName(ctx)
	tok.Priority, err = ledger.ParsePriority(queue)
	if err != nil {
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	}
	release, err := w.slots.acquire(ctx, tok.Priority == ledger.Critical)
	if err != nil {
		return errors.Join(errStopping, err)
	}
	defer release()
	return w.do(ctx, tok)
}

// offer lets a free slot of this process take a token at once. asynq's task
// for the same token finds it stale then.
func (w *Worker) offer(tok ledger.Token) { w.slots.start(tok) }

// runDirect follows a token that did not come through asynq.
func (w *Worker) runDirect(ctx context.Context, tok ledger.Token) {
	err := w.do(ctx, tok)
	again := new(later)
	switch {
	case errors.As(err, &again):
		tok.Wait = again.in
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
		defer cancel()
		if err := w.queue.add(ctx, tok); err != nil {
			w.Log.Warn("retry not queued, the sweeper will do it", "path", tok.Path.String(), "err", err)
		}
	case err != nil && !errors.Is(err, errStopping):
		w.Log.Warn("ledger not told, the sweeper will go on", "path", tok.Path.String(), "err", err)
	}
}

// asynqLog passes asynq's own messages on.
type asynqLog struct{ log *slog.Logger }

func (l asynqLog) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.log.Info(fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...)) }
func (l asynqLog) Error(args ...any) { l.log.Error(fmt.Sprint(args...)) }

// Fatal does not end the process: that is main's alone.
func (l asynqLog) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...)) }

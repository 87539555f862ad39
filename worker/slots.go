package worker

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"rebake/storage/ledger"
)

// slots bound how many pages render at once in this process. One of them is
// for critical triggers alone, or a bulk of slow pages would hold up an edit
// for as long as they take. They own the goroutines of the runs that did not
// come through asynq: each holds a slot until it has ended.
type slots struct {
	general *semaphore.Weighted
	size    int64               // of general
	reserve *semaphore.Weighted // of size 1

	mu  sync.Mutex
	ctx context.Context                     // guarded by mu; of the runs, nil while none may start here
	run func(context.Context, ledger.Token) // guarded by mu
}

func newSlots(n int) *slots {
	size := int64(max(1, n-1))
	return &slots{general: semaphore.NewWeighted(size), size: size, reserve: semaphore.NewWeighted(1)}
}

// open lets start run tokens, each in a goroutine of its own.
func (s *slots) open(ctx context.Context, run func(context.Context, ledger.Token)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.run = ctx, run
}

// close lets no more tokens in.
func (s *slots) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.run = nil, nil
}

// drain takes every slot, so that all runs have ended and none can begin, or
// gives up when ctx is done. It may be called again then.
func (s *slots) drain(ctx context.Context) error {
	if err := s.general.Acquire(ctx, s.size); err != nil {
		return err
	}
	if err := s.reserve.Acquire(ctx, 1); err != nil {
		s.general.Release(s.size)
		return err
	}
	return nil
}

// start runs the token if tokens are let in and a slot is free.
func (s *slots) start(tok ledger.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return
	}
	release, ok := s.try(tok.Priority == ledger.Critical)
	if !ok {
		return
	}
	ctx, run := s.ctx, s.run
	go func() {
		defer release()
		run(ctx, tok)
	}()
}

// acquire waits for a slot.
func (s *slots) acquire(ctx context.Context, urgent bool) (release func(), err error) {
	if release, ok := s.try(urgent); ok {
		return release, nil
	}
	sem := s.general
	if urgent {
		sem = s.reserve
	}
	if err := sem.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { sem.Release(1) }, nil
}

func (s *slots) try(urgent bool) (release func(), ok bool) {
	if s.general.TryAcquire(1) {
		return func() { s.general.Release(1) }, true
	}
	if urgent && s.reserve.TryAcquire(1) {
		return func() { s.reserve.Release(1) }, true
	}
	return nil, false
}

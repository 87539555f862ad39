package worker

import (
	"context"
	"sync"
	"time"

	"rebake/storage/ledger"
)

// slots bound how many pages render at once in this process. One of them is
// for critical triggers alone, or a bulk of slow pages would hold up an edit
// for as long as they take. They own the goroutines of the runs that did not
// come through asynq: each holds a slot until it has ended.
type slots struct {
	// Each holds a token for every slot that is free. Who waits for a slot gets
	// it before who only tries.
	general, reserve chan struct{}
	opened, closed   chan struct{} // closed by open and by close
	heirs            chan all      // those who wait for all slots take them over here

	mu      sync.Mutex
	ctx     context.Context                     // guarded by mu; of the runs, nil while none may start here
	run     func(context.Context, ledger.Token) // guarded by mu
	waiting map[string]int                      // guarded by mu; ids of tokens that wait for a slot
	quiet   chan struct{}                       // guarded by mu; while somebody has, or waits for, all slots; closed at the end of that
}

func newSlots(n int) *slots {
	return &slots{general: filled(max(1, n-1)), reserve: filled(1), opened: make(chan struct{}), closed: make(chan struct{}), heirs: make(chan all), waiting: make(map[string]int)}
}

func filled(n int) chan struct{} {
	c := make(chan struct{}, n)
	for range n {
		c <- struct{}{}
	}
	return c
}

// open lets start run tokens, each in a goroutine of its own.
func (s *slots) open(ctx context.Context, run func(context.Context, ledger.Token)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.run = ctx, run
	close(s.opened)
}

// close lets nothing new in, for good, and sends away who waits for a slot.
func (s *slots) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.run = nil, nil
	close(s.closed)
}

// drain takes every slot, so that all runs have ended and none can begin, or
// gives up when ctx is done. It may be called again then.
func (s *slots) drain(ctx context.Context) error {
	_, err := s.takeAll(ctx, nil)
	return err
}

// takeAll waits until it has every slot, gives up when ctx is done, and says
// errStopping when closed is closed before.
func (s *slots) takeAll(ctx context.Context, closed <-chan struct{}) (release func(), err error) {
	var taken []chan struct{}
	release = func() {
		for _, c := range taken {
			c <- struct{}{}
		}
	}
	for _, free := range []chan struct{}{s.general, s.reserve} {
		for range cap(free) {
			select {
			case <-free:
				taken = append(taken, free)
			case <-closed:
				release()
				return nil, errStopping
			case <-ctx.Done():
				release()
				return nil, ctx.Err()
			}
		}
	}
	return release, nil
}

// all is every slot, in one hand.
type all struct {
	giveBack func()
	since    time.Time // others wait since then
}

// handedOn is for how long those who need all slots may hand them to one
// another. A process that has died several times has many such pages, and to
// wait for each until all runs have ended takes many times as long as to render
// it. An edit waits for it, so it has an end.
const handedOn = time.Second

// acquireAll is acquireFor for a token that needs the process for itself: the
// reserve too, or an edit would die with what it has to be kept away from.
// Nobody gets a slot from now on, so it waits for the runs under way alone.
func (s *slots) acquireAll(ctx context.Context, tok ledger.Token) (release func(), err error) {
	s.note(tok.ID, +1)
	defer s.note(tok.ID, -1)
	var a all
	quiet := make(chan struct{})
	for !s.setQuiet(quiet) {
		switch a, err = s.awaitNoise(ctx, s.heirs); {
		case err != nil:
			return nil, err
		case a.giveBack != nil:
			return func() { s.handOn(a) }, nil
		}
	}
	end := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.quiet = nil
		close(quiet)
	}
	giveBack, err := s.takeAll(ctx, s.closed)
	if err != nil {
		end()
		return nil, err
	}
	a = all{giveBack: func() { giveBack(); end() }, since: time.Now()}
	return func() { s.handOn(a) }, nil
}

// handOn gives all slots to the next who waits for all of them, or back.
func (s *slots) handOn(a all) {
	if time.Since(a.since) < handedOn {
		select {
		case s.heirs <- a:
			return
		default:
		}
	}
	a.giveBack()
}

// setQuiet fails while somebody else has asked for all slots.
func (s *slots) setQuiet(quiet chan struct{}) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet != nil {
		return false
	}
	s.quiet = quiet
	return true
}

// awaitNoise waits while somebody has, or waits for, all slots; from heirs it
// may get them instead.
func (s *slots) awaitNoise(ctx context.Context, heirs <-chan all) (all, error) {
	for {
		s.mu.Lock()
		quiet := s.quiet
		s.mu.Unlock()
		if quiet == nil {
			return all{}, nil
		}
		select {
		case <-quiet:
		case a := <-heirs:
			return a, nil
		case <-s.closed:
			return all{}, errStopping
		case <-ctx.Done():
			return all{}, ctx.Err()
		}
	}
}

// start runs the token if tokens are let in and a slot is free.
func (s *slots) start(tok ledger.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil || s.quiet != nil {
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

// acquire waits for a slot until ctx is done or the slots are closed: then
// the error is errStopping.
func (s *slots) acquire(ctx context.Context, urgent bool) (release func(), err error) {
	select {
	case <-s.closed: // even when a slot is free
		return nil, errStopping
	default:
	}
	if _, err := s.awaitNoise(ctx, nil); err != nil {
		return nil, err
	}
	if release, ok := s.try(urgent); ok {
		return release, nil
	}
	var reserve chan struct{} // nil, which nothing comes from
	if urgent {
		reserve = s.reserve
	}
	select {
	case <-s.general:
		return func() { s.general <- struct{}{} }, nil
	case <-reserve:
		return func() { s.reserve <- struct{}{} }, nil
	case <-s.closed:
		return nil, errStopping
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// acquireFor is acquire for a token, which waits says of meanwhile.
func (s *slots) acquireFor(ctx context.Context, tok ledger.Token) (release func(), err error) {
	s.note(tok.ID, +1)
	defer s.note(tok.ID, -1)
	return s.acquire(ctx, tok.Priority == ledger.Critical)
}

// waits reports whether a token with the id waits for a slot of this process.
func (s *slots) waits(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting[id] > 0
}

func (s *slots) note(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting[id] += n; s.waiting[id] == 0 {
		delete(s.waiting, id)
	}
}

// enter waits for a slot, and returns the context that a run in it hangs on.
// Before open it waits for that.
func (s *slots) enter(ctx context.Context, urgent bool) (release func(), runs context.Context, err error) {
	select {
	case <-s.opened:
	case <-s.closed:
		return nil, nil, errStopping
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if release, err = s.acquire(ctx, urgent); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		release()
		return nil, nil, errStopping
	}
	return release, s.ctx, nil
}

// try leaves the reserve alone as long as it can.
func (s *slots) try(urgent bool) (release func(), ok bool) {
	select {
	case <-s.general:
		return func() { s.general <- struct{}{} }, true
	default:
	}
	if !urgent {
		return nil, false
	}
	select {
	case <-s.reserve:
		return func() { s.reserve <- struct{}{} }, true
	default:
		return nil, false
	}
}

package upstream

import (
	"context"
	"math"

	"golang.org/x/time/rate"
)

// slots hands out the requests that a server may be sent at once, and not faster
// than its rate. Callers that nobody waits for may hold all but one.
// Safe for concurrent use.
type slots struct {
	all     chan struct{} // one token for each request
	bulk    chan struct{} // one token more for each that is not urgent
	turn    chan struct{} // held by the one non-urgent caller that waits for the limiter
	limiter *rate.Limiter
}

func newSlots(n int, limit rate.Limit) *slots {
	burst := 1
	if limit != rate.Inf {
		burst = max(1, int(math.Min(float64(n), float64(limit))))
	}
	return &slots{
		all:     make(chan struct{}, n),
		bulk:    make(chan struct{}, max(1, n-1)),
		turn:    make(chan struct{}, 1),
		limiter: rate.NewLimiter(limit, burst),
	}
}

// acquire waits for a slot and then for the rate, and returns what gives the
// slot back. An error is ctx's, or says that ctx would end before the rate
// lets the caller through.
func (s *slots) acquire(ctx context.Context, urgent bool) (release func(), err error) {
	if !urgent {
		if err := enter(ctx, s.bulk); err != nil {
			return nil, err
		}
	}
	if err := enter(ctx, s.all); err != nil {
		if !urgent {
			<-s.bulk
		}
		return nil, err
	}
	release = func() {
		<-s.all
		if !urgent {
			<-s.bulk
		}
	}
	if err := s.wait(ctx, urgent); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// wait takes the caller's turn at the rate. The limiter serves in the order of
// asking, so only one non-urgent caller asks at a time: an urgent one is then
// never behind more than that one.
func (s *slots) wait(ctx context.Context, urgent bool) error {
	if !urgent {
		if err := enter(ctx, s.turn); err != nil {
			return err
		}
		defer func() { <-s.turn }()
	}
	return s.limiter.Wait(ctx)
}

// enter puts a token into c, unless ctx is done first.
func enter(ctx context.Context, c chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err // a select would pick at random
	}
	select {
	case c <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

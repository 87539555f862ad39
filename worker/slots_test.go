package worker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rebake/storage/ledger"
)

// take fails the test when no slot is free.
func take(t *testing.T, s *slots, urgent bool) (release func()) {
	t.Helper()
	release, ok := s.try(urgent)
	if !ok {
		t.Fatal("no slot is free")
	}
	return release
}

// waiting asks for a slot and waits; the channel says what came of it.
func waiting(ctx context.Context, s *slots, urgent bool) <-chan error {
	got := make(chan error, 1)
	go func() {
		_, err := s.acquire(ctx, urgent)
		got <- err
	}()
	synctest.Wait()
	return got
}

func TestSlots_ReserveIsForCritical(t *testing.T) {
	s := newSlots(3)
	take(t, s, false)
	take(t, s, false)
	if _, ok := s.try(false); ok {
		t.Error("a low trigger took the reserve")
	}
	take(t, s, true)
}

func TestSlots_CriticalTakesGeneralFirst(t *testing.T) {
	s := newSlots(2)
	take(t, s, true)
	take(t, s, true)
}

func TestSlots_WaitingCriticalTakesWhateverIsFreeFirst(t *testing.T) {
	for name, general := range map[string]bool{"general": true, "reserve": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSlots(2)
				release := map[bool]func(){true: take(t, s, true), false: take(t, s, true)}
				got := waiting(t.Context(), s, true)
				release[general]()
				if err := <-got; err != nil {
					t.Errorf("acquire = %v", err)
				}
			})
		})
	}
}

func TestSlots_WhoWaitsComesBeforeWhoTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2)
		release := take(t, s, false)
		got := waiting(t.Context(), s, false)
		release()
		if _, ok := s.try(false); ok {
			t.Error("a new token took the slot that another had waited for")
		}
		if err := <-got; err != nil {
			t.Errorf("acquire = %v", err)
		}
	})
}

func TestSlots_CloseSendsWaitersAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2)
		take(t, s, false)
		got := waiting(t.Context(), s, false)
		s.close()
		if err := <-got; !errors.Is(err, errStopping) {
			t.Errorf("acquire = %v, want errStopping", err)
		}
	})
}

func TestSlots_ClosedGivesNoSlot(t *testing.T) {
	s := newSlots(2)
	s.close()
	if _, err := s.acquire(t.Context(), true); !errors.Is(err, errStopping) {
		t.Errorf("acquire = %v, want errStopping", err)
	}
}

func TestSlots_AcquireEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2)
		take(t, s, false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.acquire(ctx, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("acquire = %v, want the end of the context", err)
		}
	})
}

func TestSlots_StartOnlyWhileOpen(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*slots, func(context.Context, ledger.Token))
		want   int
	}{
		"never opened":      {func(*slots, func(context.Context, ledger.Token)) {}, 0},
		"open":              {func(s *slots, run func(context.Context, ledger.Token)) { s.open(t.Context(), run) }, 1},
		"opened and closed": {func(s *slots, run func(context.Context, ledger.Token)) { s.open(t.Context(), run); s.close() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ran := make(chan struct{}, 1)
				s := newSlots(2)
				c.before(s, func(context.Context, ledger.Token) { ran <- struct{}{} })
				s.start(ledger.Token{})
				synctest.Wait()
				if len(ran) != c.want {
					t.Errorf("the token ran %d times, want %d", len(ran), c.want)
				}
			})
		})
	}
}

func TestSlots_DrainWaitsForRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(3)
		release := take(t, s, false)
		time.AfterFunc(time.Second, release)
		began := time.Now()
		if err := s.drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("drain took %v, want as long as the run", took)
		}
	})
}

func TestSlots_DrainAfterOneThatGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(3)
		release := take(t, s, true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.drain(ctx); err == nil {
			t.Fatal("drained although a slot is taken")
		}
		release()
		if err := s.drain(t.Context()); err != nil {
			t.Errorf("drain = %v", err)
		}
	})
}

func TestSlots_WaitsWhileATokenWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2)
		release := take(t, s, false)
		var got [3]bool
		got[0] = s.waits("1-x")
		over := make(chan error)
		go func() {
			_, err := s.acquireFor(t.Context(), ledger.Token{ID: "1-x"})
			over <- err
		}()
		synctest.Wait()
		got[1] = s.waits("1-x")
		release()
		if err := <-over; err != nil {
			t.Fatal(err)
		}
		got[2] = s.waits("1-x")
		if want := [3]bool{false, true, false}; got != want {
			t.Errorf("the token waits before, during and after: %v, want %v", got, want)
		}
	})
}

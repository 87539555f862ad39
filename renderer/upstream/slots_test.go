package upstream

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// full reports whether acquire would have to wait now.
func full(t *testing.T, s *slots, urgent bool) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	release, err := s.acquire(ctx, urgent)
	if err == nil {
		release()
		return false
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("acquire: %v", err)
	}
	return true
}

func take(t *testing.T, s *slots, urgent bool) func() {
	t.Helper()
	release, err := s.acquire(t.Context(), urgent)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

func TestSlots_keepsOneForUrgentCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(3, rate.Inf)
		one, two := take(t, s, false), take(t, s, false)
		if !full(t, s, false) {
			t.Error("a third caller that nobody waits for took the last slot")
		}
		urgent := take(t, s, true)
		if !full(t, s, true) {
			t.Error("a fourth caller got a slot of three")
		}
		one()
		if full(t, s, false) {
			t.Error("a slot that was given back is not free")
		}
		two()
		urgent()
		if len(s.all)+len(s.bulk)+len(s.turn) != 0 {
			t.Error("a slot was lost")
		}
	})
}

func TestSlots_urgentCallersMayTakeAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2, rate.Inf)
		take(t, s, true)
		take(t, s, true)
		if !full(t, s, false) || !full(t, s, true) {
			t.Error("a third caller got a slot of two")
		}
		if len(s.bulk) != 0 {
			t.Error("a caller that gave up holds on to its place")
		}
	})
}

func TestSlots_oneSlotIsForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1, rate.Inf)
		release := take(t, s, false)
		if !full(t, s, true) {
			t.Error("two callers got the only slot")
		}
		release()
		if full(t, s, true) {
			t.Error("the slot is not free")
		}
	})
}

func TestSlots_rateHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4, 2) // a burst of two, then two per second
		start := time.Now()
		for range 6 {
			take(t, s, true)()
		}
		if got := time.Since(start); got != 2*time.Second {
			t.Errorf("six calls took %v, want 2s", got)
		}
	})
}

func TestSlots_urgentPassesThoseWhoWaitForTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(8, 1)
		take(t, s, true)() // the burst
		var wg sync.WaitGroup
		for range 7 {
			wg.Go(func() { take(t, s, false)() })
		}
		synctest.Wait()
		start := time.Now()
		take(t, s, true)()
		if got := time.Since(start); got > 2*time.Second {
			t.Errorf("an urgent caller waited %v behind seven others", got)
		}
		wg.Wait()
	})
}

func TestSlots_contextEndsTheWaitForTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2, rate.Every(time.Hour))
		take(t, s, false)()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := s.acquire(ctx, false); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
		deadline, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := s.acquire(deadline, true); err == nil {
			t.Error("acquire waited longer than its context allows")
		}
		if len(s.all)+len(s.bulk)+len(s.turn) != 0 {
			t.Error("a slot was lost")
		}
	})
}

package worker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rebake/renderer"
)

var (
	slow   = []renderer.Upstream{{Name: "slow", AtOnce: 4}}
	wide   = []renderer.Upstream{{Name: "wide", AtOnce: 100}}
	steady = []renderer.Upstream{{Name: "steady", AtOnce: 4}}
)

// fill lets pages in until there is no room, and returns how many came in.
func fill(l *lanes, upstreams []renderer.Upstream, urgent bool) (n int) {
	for {
		if _, ok := l.try(upstreams, urgent); !ok {
			return n
		}
		n++
	}
}

func TestLanes_pagesOfAnUpstreamAreBounded(t *testing.T) {
	both := []renderer.Upstream{slow[0], steady[0]}
	for name, c := range map[string]struct {
		upstreams []renderer.Upstream
		urgent    bool
		met       []renderer.Upstream
		want      int
	}{
		"one request is kept for edits":       {slow, false, nil, 4},
		"edits take that too":                 {slow, true, nil, 6},
		"alone it may have all slots":         {wide, false, nil, 10},
		"each other keeps a slot":             {wide, false, []renderer.Upstream{slow[0], steady[0]}, 8},
		"edits have the reserve":              {wide, true, []renderer.Upstream{slow[0], steady[0]}, 9},
		"a page of two is bound by both":      {both, false, nil, 4},
		"pages without any may have them all": {nil, false, nil, 10},
	} {
		l := newLanes(10, nil)
		l.meet(c.met)
		if got := fill(l, c.upstreams, c.urgent); got != c.want {
			t.Errorf("%s: %d came in, want %d", name, got, c.want)
		}
	}
}

func TestLanes_leaveASlotToWhoeverHasNone(t *testing.T) {
	l := newLanes(4, nil)
	l.meet(steady)
	fill(l, wide, false)
	leave, ok := l.try(steady, false)
	if !ok {
		t.Fatal("the first page of another upstream found no room")
	}
	if _, ok := l.try(steady, false); ok {
		t.Error("a second one came in, though all slots are taken")
	}
	leave()
	leave() // which does nothing
	if l.inside != 3 {
		t.Errorf("%d are inside, want 3", l.inside)
	}
}

func TestLanes_whoWaitsComesInBeforeWhoTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(1, nil)
		leave, _ := l.try(slow, false)
		order := make(chan string, 2)
		wait := func(name string, urgent bool) {
			go func() {
				leave, err := l.enter(t.Context(), slow, urgent, true)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				order <- name
				leave()
			}()
			synctest.Wait()
		}
		l.slots = 0 // as if the edit's reserve were taken as well
		wait("page", false)
		wait("edit", true)
		l.slots = 1
		leave()
		if _, ok := l.try(slow, false); ok {
			t.Error("one that only tried came in before those who wait")
		}
		if first, second := <-order, <-order; first != "edit" || second != "page" {
			t.Errorf("came in: %s, %s; want the edit first", first, second)
		}
	})
}

func TestLanes_sendAwayWhileTheUpstreamLetsNonePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(10, nil)
		l.meet(steady)
		fill(l, slow, false)
		const n = 5
		ends := make(chan error, n)
		ctx, cancel := context.WithCancel(t.Context())
		for range n {
			go func() {
				_, err := l.enter(ctx, slow, false, false)
				ends <- err
			}()
		}
		time.Sleep(stuck - time.Millisecond)
		synctest.Wait()
		if len(ends) != 0 {
			t.Fatal("sent away, though a page came in a moment ago")
		}
		time.Sleep(stuck)
		synctest.Wait()
		if len(ends) != n-1 {
			t.Fatalf("%d of %d were sent away, want all but the first", len(ends), n)
		}
		seen := map[time.Duration]bool{}
		for range n - 1 {
			again := new(later)
			if err := <-ends; !errors.As(err, &again) || again.cause != nil || again.in < sentAway || again.in > sentAway+n*apart {
				t.Fatalf("sent away with %v, want to come again after about %v", err, sentAway)
			}
			seen[again.in] = true
		}
		if len(seen) != n-1 {
			t.Errorf("they come back after %v, want one after the other", seen)
		}
		cancel()
		if err := <-ends; !errors.Is(err, context.Canceled) || len(l.waiting) != 0 {
			t.Errorf("the first ended with %v and leaves %d behind", err, len(l.waiting))
		}
	})
}

func TestLanes_nobodyIsSentAwayWhereAllPagesNeedTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan struct{})
		l := newLanes(10, closed)
		fill(l, slow, false)
		ends := make(chan error, 3)
		for range 3 {
			go func() {
				_, err := l.enter(t.Context(), slow, false, false)
				ends <- err
			}()
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(ends) != 0 {
			t.Errorf("sent away: %v", <-ends)
		}
		close(closed)
		for range 3 {
			if err := <-ends; !errors.Is(err, errStopping) {
				t.Errorf("closed lanes: %v, want that the worker stops", err)
			}
		}
	})
}

package budget

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

const mb = 1 << 20

// claim fails the test when the claim is not granted at once.
func claim(t *testing.T, b *Budget, bytes int64, urgent bool) *Claim {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := b.Claim(ctx, bytes, urgent)
	if err != nil {
		t.Fatalf("claim of %d bytes: %v", bytes, err)
	}
	return c
}

// waiting asks for a claim and waits; the channel says what came of it.
func waiting(t *testing.T, b *Budget, bytes int64, urgent bool) <-chan *Claim {
	t.Helper()
	got := make(chan *Claim, 1)
	go func() {
		c, err := b.Claim(t.Context(), bytes, urgent)
		if err != nil {
			t.Errorf("claim = %v", err)
		}
		got <- c
	}()
	synctest.Wait()
	return got
}

func TestClaim_WaitsUntilThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(16 * mb)
		first := claim(t, b, 10*mb, false)
		got := waiting(t, b, 10*mb, false)
		if len(got) > 0 {
			t.Fatal("granted although the budget is exceeded")
		}
		first.Release()
		(<-got).Release()
	})
}

func TestClaim_OfMoreThanTheBudgetIsGrantedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(16 * mb)
		small := claim(t, b, 0, false)
		huge := waiting(t, b, 1000*mb, false)
		after := waiting(t, b, 0, false)
		if len(huge)+len(after) > 0 {
			t.Fatal("granted, the huge one beside another or a small one before it")
		}
		small.Release()
		(<-huge).Release()
		(<-after).Release()
	})
}

func TestClaim_UrgentDoesNotWaitForABulkOfLargePages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(16 * mb)
		defer claim(t, b, 100*mb, false).Release()
		waiting := waiting(t, b, 100*mb, false)
		claim(t, b, Least, true).Release()
		t.Cleanup(func() { (<-waiting).Release() })
	})
}

func TestClaim_LargeUrgentIsTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(16 * mb)
		first := claim(t, b, 14*mb, false)
		bulk, edit := waiting(t, b, 14*mb, false), waiting(t, b, 14*mb, true)
		first.Release()
		c := <-edit
		if len(bulk) > 0 {
			t.Error("the bulk that came first has got it, too")
		}
		c.Release()
		(<-bulk).Release()
	})
}

func TestClaim_WhoGivesUpLetsTheNextIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(16 * mb)
		first := claim(t, b, 8*mb, false)
		defer first.Release()
		ctx, cancel := context.WithCancelCause(t.Context())
		over := make(chan error, 1)
		go func() {
			_, err := b.Claim(ctx, 14*mb, false)
			over <- err
		}()
		synctest.Wait()
		next := waiting(t, b, mb, false)
		if len(next) > 0 {
			t.Fatal("a small claim has overtaken a large one")
		}
		why := errors.New("stopping")
		cancel(why)
		if err := <-over; !errors.Is(err, why) {
			t.Errorf("claim = %v, want %v", err, why)
		}
		(<-next).Release()
	})
}

func TestGrow_AloneIsNeverRefused(t *testing.T) {
	c := claim(t, New(16*mb), 0, false)
	if err := c.Grow(100 * mb); err != nil || c.Next() != 0 {
		t.Errorf("grow = %v, next %d; want no refusal", err, c.Next())
	}
}

func TestGrow_IsRefusedWhileOthersHoldWhatIsMissing(t *testing.T) {
	b := New(16 * mb)
	defer claim(t, b, 10*mb, false).Release()
	c := claim(t, b, mb, false)
	if err := c.Grow(3 * mb); err != nil {
		t.Fatalf("grow = %v, want that there is room", err)
	}
	if err := c.Grow(3 * mb); !errors.Is(err, ErrFull) {
		t.Fatalf("grow = %v, want ErrFull", err)
	}
	if got := c.Next(); got != b.larger(6*mb) || got < 10*mb {
		t.Errorf("next = %d, want more than what was needed", got)
	}
}

func TestGrow_EachRefusalLeadsToALargerClaimUntilItIsAlone(t *testing.T) {
	b := New(16 * mb)
	next, claims := int64(Least), 0
	for ; next < b.general.size; claims++ {
		if larger := b.larger(next); larger <= next {
			t.Fatalf("after %d bytes come %d", next, larger)
		} else {
			next = larger
		}
	}
	if claims > 6 {
		t.Errorf("a page of any size begins %d times, want few", claims)
	}
}

func TestGrow_WhatIsGivenBackIsUsedAgain(t *testing.T) {
	b := New(16 * mb)
	defer claim(t, b, 10*mb, false).Release()
	c := claim(t, b, mb, false)
	for range 100 {
		if err := errors.Join(c.Grow(3*mb), c.Grow(-3*mb)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGrow_OfAContextWithoutClaimCountsNothing(t *testing.T) {
	if err := Grow(t.Context(), 1<<40); err != nil {
		t.Error(err)
	}
}

func TestBuffer_CountsWhatItHolds(t *testing.T) {
	b := New(16 * mb)
	other := claim(t, b, 10*mb, false)
	buf, err := NewBuffer(With(t.Context(), claim(t, b, mb, false)), 0)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil && buf.Len() < 16*mb {
		_, err = buf.Write(make([]byte, 64<<10))
	}
	if !errors.Is(err, ErrFull) || buf.Len() > 4*mb {
		t.Errorf("write = %v after %d bytes, want ErrFull before there are 4 MB", err, buf.Len())
	}
	other.Release()
}

func TestBuffer_HoldsWhatWasWritten(t *testing.T) {
	buf, err := NewBuffer(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for range 3000 {
		want += "flour"
		if _, err := buf.Write([]byte("flour")); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(buf.Bytes()); got != want {
		t.Errorf("%d bytes, want the %d that were written", len(got), len(want))
	}
}

func TestBuffer_HoldsWhatWasRead(t *testing.T) {
	for _, expected := range []int64{0, 14_999, 15_000, 15_001, 1 << 20} {
		buf, err := NewBuffer(t.Context(), expected)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Repeat("flour", 3000)
		n, err := buf.ReadFrom(iotest.OneByteReader(strings.NewReader(want)))
		if err != nil || n != int64(len(want)) || string(buf.Bytes()) != want {
			t.Errorf("with %d bytes expected: read %d, %v; got %d bytes, want %d", expected, n, err, buf.Len(), len(want))
		}
	}
}

func TestBuffer_SaysWhyNothingMoreIsRead(t *testing.T) {
	buf, err := NewBuffer(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := errors.New("the oven is off")
	if _, err := buf.ReadFrom(iotest.ErrReader(want)); !errors.Is(err, want) {
		t.Errorf("read = %v, want %v", err, want)
	}
}

// Renders of all sizes come to an end, and hold no more than the budget, as
// long as none is larger than that.
func TestBudget_EverybodyComesToAnEnd(t *testing.T) {
	const size = 16 * mb
	b := New(size)
	var held, most atomic.Int64
	render := func(rnd *rand.Rand, urgent bool) {
		need, next := rnd.Int64N(size*7/8/2), int64(0)
		for {
			c, err := b.Claim(t.Context(), next, urgent)
			if err != nil {
				t.Error(err)
				return
			}
			var mine int64
			for mine < need && err == nil {
				step := 1 + rnd.Int64N(mb)
				if err = c.Grow(step); err == nil {
					mine += step
					now := held.Add(step)
					for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
					}
				}
			}
			held.Add(-mine)
			next = c.Next()
			c.Release()
			if next == 0 {
				return
			}
		}
	}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(i)))
			for range 200 {
				render(rnd, i < 2)
			}
		})
	}
	all.Wait()
	if most.Load() > size {
		t.Errorf("%d bytes were held at once, want at most %d", most.Load(), size)
	}
	if b.general.used+b.reserve.used != 0 || len(b.waiting) != 0 {
		t.Errorf("%+v is left of it, want nothing", b)
	}
}

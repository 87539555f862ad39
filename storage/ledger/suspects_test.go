package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"rebake/storage/redistest"
)

func TestSuspects(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	// due puts n pages into the ledger, one second apart, the first the longest
	// overdue.
	due := func(f *fixture, n int) (paths []string) {
		for i := range n {
			p := path(t, fmt.Sprintf("/%d", n-i))
			f.mustToken(p, Default)
			f.elapse(time.Second)
			paths = append(paths, p.String())
		}
		f.elapse(2 * time.Second)
		return paths
	}
	names := func(list []Suspect) (paths []string) {
		for _, s := range list {
			paths = append(paths, s.Path.String())
		}
		return paths
	}

	t.Run("come the longest overdue first", func(t *testing.T) {
		f := newFixture(t, s)
		want := due(f, 3)
		list, _ := f.mustSuspects(10)
		if diff := cmp.Diff(want, names(list)); diff != "" {
			t.Errorf("suspects (-want +got):\n%s", diff)
		}
	})

	t.Run("are at most as many as asked for, and then there are more at once", func(t *testing.T) {
		f := newFixture(t, s)
		want := due(f, 3)
		list, next := f.mustSuspects(2)
		if diff := cmp.Diff(want[:2], names(list)); diff != "" || next != 0 {
			t.Errorf("next = %v, want 0; suspects (-want +got):\n%s", next, diff)
		}
	})

	t.Run("tell when the next one is due", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustToken(path(t, "/a"), Default)
		f.elapse(500 * time.Millisecond)
		list, next := f.mustSuspects(10)
		if len(list) != 0 {
			t.Errorf("suspects = %+v, want none", list)
		}
		f.wantWait("next", next, 1500*time.Millisecond)
	})

	t.Run("of an empty ledger are none for long", func(t *testing.T) {
		f := newFixture(t, s)
		if list, next := f.mustSuspects(10); len(list) != 0 || next < time.Minute {
			t.Errorf("suspects = %+v, next in %v", list, next)
		}
	})

	t.Run("are not hidden by what is not ours", func(t *testing.T) {
		f := newFixture(t, s)
		want := due(f, 1)
		for i := range 5 {
			if err := f.rdb.ZAdd(t.Context(), f.key("dirty"), redis.Z{Score: 1, Member: fmt.Sprint("../", i)}).Err(); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for range 6 {
			list, next := f.mustSuspects(1)
			if got = names(list); got != nil || next != 0 {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("suspects (-want +got):\n%s", diff)
		}
	})
}

func TestSuspects_ofAnotherVersionAreLeftToIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	const name = "query:post:42"
	f.mustUnknown("dirty", name, 0)
	if list, _ := f.mustSuspects(10); len(list) != 0 {
		t.Errorf("suspects = %+v, want none", list)
	}
	f.wantPostponed("dirty", name)

	// The clock was put back since.
	if err := f.rdb.ZAdd(t.Context(), f.key("dirty"), redis.Z{Score: float64(time.Now().Add(48 * time.Hour).UnixMilli()), Member: name}).Err(); err != nil {
		t.Fatal(err)
	}
	f.mustSuspects(10)
	f.wantPostponed("dirty", name)

	f.mustUnknown("dirty", name, unknownLooks-1)
	f.mustSuspects(10)
	f.wantStruckOff("dirty")
}

func TestToken_NumberIsThatOfItsRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	r := f.mustTrigger(path(t, "/news"), Default)
	if got := r.Token.Number(); got != r.ID {
		t.Errorf("number = %d, want %d", got, r.ID)
	}
}

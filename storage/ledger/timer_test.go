package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"rebake/storage/redistest"
)

func TestTimers(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	recheck := Request{Priority: Critical, Recheck: 3 * time.Second}
	timers := func(f *fixture) []Timer {
		t.Helper()
		list, err := f.DueTimers(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	fire := func(f *fixture, l *Ledger) Receipt {
		t.Helper()
		r, err := l.Fire(t.Context(), Timer{Kind: "recheck", Path: p}, Default)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}

	t.Run("are due in their time", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRequest(p, recheck)
		f.elapse(2 * time.Second)
		if list := timers(f); len(list) != 0 {
			t.Errorf("timers = %+v, want none", list)
		}
		f.elapse(time.Second)
		if diff := cmp.Diff([]Timer{{Kind: "recheck", Path: p}}, timers(f), cmp.Comparer(samePath)); diff != "" {
			t.Errorf("timers (-want +got):\n%s", diff)
		}
	})

	t.Run("trigger at most once from two ledgers", func(t *testing.T) {
		f := newFixture(t, s)
		other, err := Open(t.Context(), f.rdb, f.cfg)
		if err != nil {
			t.Fatal(err)
		}
		f.mustFinish(f.mustClaim(*f.mustRequest(p, recheck).Token), Published, "a")
		f.elapse(3 * time.Second)
		first, second := fire(f, f.Ledger), fire(f, other)
		if first.Token == nil || !second.Skipped {
			t.Errorf("receipts = %+v, %+v; want one token", first, second)
		}
	})

	t.Run("are moved by a later trigger", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRequest(p, recheck)
		f.elapse(2 * time.Second)
		f.mustRequest(p, recheck)
		f.elapse(2 * time.Second)
		if r := fire(f, f.Ledger); !r.Skipped {
			t.Errorf("receipt = %+v, want skipped: it is not due", r)
		}
		f.elapse(time.Second)
		if r := fire(f, f.Ledger); r.Skipped {
			t.Error("skipped although it is due")
		}
	})

	t.Run("during a run lead to one more", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustClaim(*f.mustRequest(p, recheck).Token)
		f.elapse(3 * time.Second)
		if r := fire(f, f.Ledger); r.ID <= run.G0 {
			t.Errorf("receipt = %+v during a run with g0 %d, want a newer trigger", r, run.G0)
		}
		if end := f.mustFinish(run, Published, "a"); end.Token == nil {
			t.Error("the run's end has no token")
		}
	})

	t.Run("fired again after a lost reply give the same token and spare a newer timer", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFinish(f.mustClaim(*f.mustRequest(p, recheck).Token), Published, "a")
		f.elapse(3 * time.Second)
		var tokens [2]string
		for i := range tokens {
			r, err := f.fire(t.Context(), Timer{Kind: "recheck", Path: p}, Default, "n")
			if err != nil || r.Token == nil {
				t.Fatalf("receipt = %+v, %v; want a token", r, err)
			}
			tokens[i] = r.Token.ID
			if i == 0 {
				f.mustRequest(p, Request{Priority: Low, Recheck: 3 * time.Second})
			}
		}
		if tokens[0] == "" || tokens[0] != tokens[1] {
			t.Errorf("tokens = %q, want the same", tokens)
		}
		f.elapse(3 * time.Second)
		if list := timers(f); len(list) != 1 {
			t.Errorf("timers = %+v, want the newer one", list)
		}
	})

	t.Run("of another version are left to it for a day", func(t *testing.T) {
		f := newFixture(t, s)
		const name = "recheck:query:post:42"
		f.mustUnknown("timers", name, 0)
		if list := timers(f); len(list) != 0 {
			t.Errorf("timers = %+v, want none", list)
		}
		f.wantPostponed("timers", name)
		f.elapse(unknownRest + time.Second)
		timers(f)
		f.wantPostponed("timers", name)
		f.mustUnknown("timers", name, unknownLooks-1)
		timers(f)
		f.wantStruckOff("timers")
	})

	t.Run("that are no text are struck off", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustUnknown("timers", "recheck:\xff", 0)
		f.mustUnknown("timers", "", 0)
		timers(f)
		f.wantStruckOff("timers")
	})

	t.Run("of another version that moves them meanwhile stay where they are", func(t *testing.T) {
		f := newFixture(t, s)
		const name = "recheck:query:post:42"
		f.mustUnknown("timers", name, 0)
		read := redis.Z{Score: 1, Member: name}
		was := f.rdb.ZScore(t.Context(), f.key("timers"), name).Val()
		if err := f.postpone(t.Context(), "timers", []redis.Z{read}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := f.rdb.ZScore(t.Context(), f.key("timers"), name).Val(); got != was {
			t.Errorf("score = %f, want %f", got, was)
		}
	})
}

package ledger

import (
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/redistest"
)

func (f *fixture) mustSeize(p storage.Path) *Run {
	f.t.Helper()
	run, err := f.Seize(f.ctx, p, "taken down")
	if err != nil || run.State != Claimed {
		f.t.Fatalf("seize %s: %+v, %v", p, run, err)
	}
	return run
}

func TestHold(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("lasts until it is resumed", func(t *testing.T) {
		f := newFixture(t, s)
		if err := f.Hold(f.ctx, "ann", "an incident"); err != nil {
			t.Fatal(err)
		}
		h, err := f.Held(f.ctx)
		if err != nil || h == nil || h.By != "ann" || h.Why != "an incident" || h.At.IsZero() {
			t.Fatalf("held = %+v, %v", h, err)
		}
		if was, err := f.Resume(f.ctx); !was || err != nil {
			t.Errorf("resume = %v, %v; want that there was a hold", was, err)
		}
		if h, err := f.Held(f.ctx); h != nil || err != nil {
			t.Errorf("held = %+v, %v after resume", h, err)
		}
	})

	t.Run("began when it began, whoever replaces it", func(t *testing.T) {
		f := newFixture(t, s)
		_ = f.Hold(f.ctx, "ann", "an incident")
		first, _ := f.Held(f.ctx)
		f.rdb.HSet(f.ctx, f.key("hold"), "at", first.At.UnixMilli()-5000)
		_ = f.Hold(f.ctx, "bob", "a bigger one")
		second, err := f.Held(f.ctx)
		if err != nil || second.By != "bob" || !second.At.Before(first.At) {
			t.Errorf("second hold = %+v, %v; first %+v", second, err, first)
		}
	})
}

func TestKeep(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	f := newFixture(t, s)
	a, b := path(t, "/a"), path(t, "/b")
	if err := f.Keep(f.ctx, a, "ann", "legal asked"); err != nil {
		t.Fatal(err)
	}
	k, err := f.Kept(f.ctx, a)
	if err != nil || k == nil || k.By != "ann" || k.Why != "legal asked" {
		t.Errorf("kept = %+v, %v", k, err)
	}
	if k, err := f.Kept(f.ctx, b); k != nil || err != nil {
		t.Errorf("kept of another page = %+v, %v", k, err)
	}
	if n, err := f.Unkeep(f.ctx, a, b); n != 1 || err != nil {
		t.Errorf("unkeep = %d, %v; want 1", n, err)
	}
	if k, _ := f.Kept(f.ctx, a); k != nil {
		t.Errorf("kept = %+v after unkeep", k)
	}
}

func TestSeize(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/a")

	t.Run("of a fresh page leaves it gone and owed nothing", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		run := f.mustSeize(p)
		if run.Previous.Hash == "" {
			t.Error("the run does not know the last publication")
		}
		f.mustFinish(run, Removed, "")
		if got := f.mustState(p); got.Freshness != PageGone || got.Page.Reason != "taken down" {
			t.Errorf("page is %s, %+v; want gone", got.Freshness, got.Page)
		}
	})

	t.Run("takes the page from a run that is alive", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		alive := f.mustClaim(f.mustToken(p, Critical))
		run := f.mustSeize(p)
		if err := alive.Fence(f.ctx, true); err == nil {
			t.Error("the run that was alive may still publish")
		}
		if end := f.mustFinish(alive, Published, "b"); !end.Lost {
			t.Errorf("its end is %+v, want lost", end)
		}
		f.mustFinish(run, Removed, "")
		if got := f.mustState(p); got.Freshness != PageGone {
			t.Errorf("page is %s, want gone", got.Freshness)
		}
	})

	t.Run("meets the triggers that wait", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		tok := f.mustToken(p, Critical)
		f.mustFinish(f.mustSeize(p), Removed, "")
		if run := f.wake(tok); run.State != Stale {
			t.Errorf("the token that waited is %s, want stale", run.State)
		}
	})

	t.Run("leaves what is triggered during the removal", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		run := f.mustSeize(p)
		f.mustTrigger(p, Critical)
		if end := f.mustFinish(run, Removed, ""); end.Token == nil {
			t.Error("the trigger that came meanwhile is lost")
		}
	})

	t.Run("takes out the second look of an older trigger, and nothing else", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFinish(f.mustClaim(*f.mustRequest(p, Request{Recheck: 3 * time.Second}).Token), Published, "a")
		if err := f.Schedule(f.ctx, p, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		f.mustFinish(f.mustSeize(p), Removed, "")
		f.elapse(time.Minute)
		list, err := f.DueTimers(f.ctx, 10)
		if err != nil || len(list) != 1 || list[0].Kind != "scheduled" {
			t.Errorf("timers = %+v, %v; want the scheduled one", list, err)
		}
	})

	t.Run("of a page that has failed takes it out of the failed ones", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Failed, 0)
		f.mustFinish(f.mustSeize(p), Removed, "")
		if c, err := f.Counts(f.ctx); err != nil || c.Failed != 0 || c.Owed != 0 {
			t.Errorf("counts = %+v, %v; want none", c, err)
		}
	})

	t.Run("repeated after a lost reply is the same run", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		first, err := f.seize(f.ctx, p, "x", "owner")
		if err != nil {
			t.Fatal(err)
		}
		second, err := f.seize(f.ctx, p, "x", "owner")
		if err != nil || first.G0 != second.G0 || first.Token != second.Token {
			t.Errorf("first %+v, second %+v, %v", first, second, err)
		}
	})

	t.Run("by a process that dies leaves the page to the sweeper", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		f.mustSeize(p)
		f.endLease(p)
		if tok := f.mustSweep(f.mustSuspect(), false); tok == nil {
			t.Error("nobody is woken")
		}
	})
}

package ledger

import (
	"testing"
	"time"

	"rebake/storage/redistest"
)

// H113: the clock of Redis is the only one that counts, and it may be set. A
// clock that is put forward is time that passes at once; one that is put back
// is time that was spent already.
func TestLedger_H113_ClockIsSet(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	// sweep gives the only suspect a token and claims it.
	sweep := func(f *fixture) *Run {
		t.Helper()
		tok := f.mustSweep(f.mustSuspect(), false)
		if tok == nil {
			t.Fatal("no token")
		}
		return f.mustClaim(*tok)
	}

	t.Run("an hour forward during a run costs one more", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(path(t, "/fresh"), "a")
		run := f.mustRun(p)
		f.elapse(time.Hour)
		again := sweep(f)
		if err := run.Fence(t.Context(), false); err == nil {
			t.Error("the old run may publish")
		}
		f.mustFinish(again, Published, "a")
		if list, _ := f.mustSuspects(10); len(list) != 0 {
			t.Errorf("suspects = %+v, want none: one page ran", list)
		}
	})

	t.Run("an hour back does not keep a run from its end", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.elapse(-time.Hour)
		if err := run.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if list, _ := f.mustSuspects(10); len(list) != 0 {
			t.Errorf("suspects = %+v, want none: it lives", list)
		}
		f.mustFinish(run, Published, "a")
		if got := f.mustState(p).Freshness; got != PageFresh {
			t.Errorf("freshness = %s, want fresh", got)
		}
	})

	t.Run("an hour back does not make a dead run live longer", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRun(p)
		f.elapse(-time.Hour)
		sweep(f)
	})

	t.Run("an hour back does not keep a token waiting", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		f.elapse(-time.Hour)
		f.mustClaim(tok)
	})

	t.Run("an hour back does not keep a lost token from the sweeper", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustToken(p, Default)
		f.elapse(-time.Hour)
		sweep(f)
	})

	t.Run("an hour back ends a back-off", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Retrying, 20*time.Second)
		f.elapse(-time.Hour)
		suspect := f.mustSuspect()
		if !suspect.Due {
			t.Errorf("suspect = %+v, want that it is due", suspect)
		}
		sweep(f)
	})

	t.Run("an hour back does not hold up a trigger after a failure", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Retrying, 20*time.Second)
		f.elapse(-time.Hour)
		if tok := f.mustToken(p, Critical); tok.Wait > time.Second {
			t.Errorf("token = %+v, want one for the next second", tok)
		}
	})

	t.Run("an hour back does not stop a dead walk for longer", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		tok := f.mustLabel(Site, Low).Token
		if _, err := f.ClaimWalk(t.Context(), *tok); err != nil {
			t.Fatal(err)
		}
		f.elapse(-time.Hour)
		next := f.mustSweep(f.mustSuspect(), false)
		if next == nil {
			t.Fatal("no token")
		}
		f.walkAll(next)
	})
}

package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/redistest"
)

func TestFinish(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("leaves nothing owed", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		if got := f.mustState(p); got.Freshness != PageFresh || got.Owed != nil {
			t.Errorf("state = %s, owed %+v; want fresh", got.Freshness, got.Owed)
		}
		if c, err := f.Counts(t.Context()); err != nil || c != (Counts{}) {
			t.Errorf("counts = %+v, %v; want none", c, err)
		}
	})

	t.Run("gives the next token the priority asked for meanwhile", func(t *testing.T) {
		for _, want := range []Priority{Low, Critical} {
			f := newFixture(t, s)
			run := f.mustRun(p)
			f.mustTrigger(p, Low)
			f.mustTrigger(p, want)
			f.mustTrigger(p, Low)
			end := f.mustFinish(run, Published, "a")
			if end.Token == nil || end.Token.Priority != want {
				t.Errorf("token = %+v, want one of priority %s", end.Token, want)
			}
		}
	})

	t.Run("forgets the failures before it", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		f.mustFail(f.mustClaim(tok), Retrying, 0)
		run := f.mustClaim(tok)
		if run.Attempts != 1 {
			t.Errorf("attempts = %d, want 1", run.Attempts)
		}
		f.mustTrigger(p, Default)
		end := f.mustFinish(run, Published, "a")
		if got := f.mustState(p); got.Freshness != PageStale || got.Owed.Error != "" {
			t.Errorf("state = %s, error %q; want stale", got.Freshness, got.Owed.Error)
		}
		if run := f.mustClaim(*end.Token); run.Attempts != 0 || run.Deaths != 0 {
			t.Errorf("next run has %d attempts and %d deaths, want none", run.Attempts, run.Deaths)
		}
	})

	t.Run("dates what is owed by the first trigger that came meanwhile", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustTrigger(p, Default)
		f.elapse(3 * time.Second)
		f.mustTrigger(p, Default)
		f.mustFinish(run, Published, "a")
		if got := f.since(p); got < 3*time.Second || got > 5*time.Second {
			t.Errorf("owed since %v ago, want 3s", got)
		}
	})

	t.Run("repeated after a lost reply is done again", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustFinish(run, Published, "a")
		if end := f.mustFinish(run, Published, "a"); end != (End{}) {
			t.Errorf("second end = %+v, want done", end)
		}
		if n := f.events(); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
	})

	t.Run("repeated after a lost reply gives the same token", func(t *testing.T) {
		for _, outcome := range []Outcome{Published, Removed} {
			f := newFixture(t, s)
			run := f.mustRun(p)
			f.mustTrigger(p, Critical)
			first := f.mustFinish(run, outcome, "a")
			second := f.mustFinish(run, outcome, "a")
			if diff := cmp.Diff(first, second, cmp.Comparer(samePath)); diff != "" || first.Token == nil {
				t.Errorf("second end after %s (-first +second):\n%s", outcome, diff)
			}
		}
	})

	t.Run("of a run that was replaced is lost and writes nothing", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		tok := f.mustToken(p, Default)
		if end := f.mustFinish(run, Published, "a"); !end.Lost {
			t.Errorf("end = %+v, want lost", end)
		}
		if got := f.mustState(p); got.Page != nil || got.Freshness != PageStale {
			t.Errorf("state = %+v, want a page that is stale and was never published", got)
		}
		f.mustClaim(tok)
	})

	t.Run("of a run whose successor has finished is lost", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		f.mustFinish(f.mustClaim(f.mustToken(p, Default)), Published, "new")
		if end := f.mustFinish(run, Published, "old"); !end.Lost {
			t.Errorf("end = %+v, want lost", end)
		}
	})

	t.Run("of a run that has taken too long is lost", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.elapse(f.cfg.MaxRun)
		if end := f.mustFinish(run, Published, "a"); !end.Lost {
			t.Errorf("end = %+v, want lost", end)
		}
	})
}

func TestFinish_Removed(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("leaves a tombstone with the time of the files, for a while", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		f.mustFinish(f.mustRun(p), Removed, "")
		if got := f.mustState(p).Freshness; got != PageGone {
			t.Errorf("freshness = %s, want gone", got)
		}
		ttl, err := f.rdb.PTTL(t.Context(), f.key("page:"+p.String())).Result()
		if err != nil {
			t.Fatal(err)
		}
		f.wantWait("time to live", ttl, tombstone)
		want := storage.Published{Type: "text/html", MTime: time.Unix(1_700_000_000, 0), Gone: true}
		if diff := cmp.Diff(want, f.mustRun(p).Previous); diff != "" {
			t.Errorf("previous of the next run (-want +got):\n%s", diff)
		}
	})

	t.Run("once more does not make the tombstone stay longer", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		f.mustFinish(f.mustRun(p), Removed, "")
		f.elapse(tombstone / 2)
		f.mustFinish(f.mustRun(p), Removed, "") // a walk over the whole site, say
		f.elapse(tombstone / 2)
		if got := f.mustState(p).Freshness; got != PageUnknown {
			t.Errorf("freshness = %s, want unknown", got)
		}
	})

	t.Run("is forgotten when the page comes back", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		f.mustFinish(f.mustRun(p), Removed, "")
		f.mustPublish(p, "b")
		if got := f.mustState(p); got.Freshness != PageFresh || got.Page.Gone {
			t.Errorf("state = %s, gone %v; want fresh", got.Freshness, got.Page.Gone)
		}
		if ttl, err := f.rdb.PTTL(t.Context(), f.key("page:"+p.String())).Result(); ttl != -1 || err != nil {
			t.Errorf("time to live = %v, %v; want none", ttl, err)
		}
	})

	t.Run("of a path that never was a page leaves no record", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFinish(f.mustRun(p), Removed, "")
		if got := f.mustState(p); got.Page != nil || got.Owed != nil || got.Freshness != PageUnknown {
			t.Errorf("state = %+v, want nothing", got)
		}
	})

	t.Run("of a path that never was a page, repeated, is done again", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustFinish(run, Removed, "")
		if end := f.mustFinish(run, Removed, ""); end != (End{}) {
			t.Errorf("second end = %+v, want done", end)
		}
	})
}

func TestRelease(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	release := func(run *Run) {
		t.Helper()
		if err := run.Release(context.Background()); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("lets the same token be claimed again and does not count", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		release(f.mustClaim(tok))
		if run := f.mustClaim(tok); run.Deaths != 0 || run.Attempts != 0 {
			t.Errorf("next run has %d deaths and %d attempts, want none", run.Deaths, run.Attempts)
		}
	})

	t.Run("is seen by the sweeper at once", func(t *testing.T) {
		f := newFixture(t, s)
		release(f.mustRun(p))
		if got := f.mustSuspect(); got.Running || !got.Due {
			t.Errorf("suspect = %+v, want a token that is due", got)
		}
	})

	t.Run("keeps the higher priority asked for meanwhile", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Low)
		run := f.mustClaim(tok)
		f.mustTrigger(p, Critical)
		release(run)
		if run := f.wake(tok); run.State != Stale {
			t.Errorf("claim of the low token = %s, want stale", run.State)
		}
		next := f.mustSweep(f.mustSuspect(), false)
		if next == nil || next.Priority != Critical {
			t.Errorf("token = %+v, want one of priority critical", next)
		}
	})

	t.Run("of a run that was replaced changes nothing", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		tok := f.mustToken(p, Default)
		f.mustClaim(tok)
		release(run)
		if other := f.wake(tok); other.State != Busy {
			t.Errorf("claim = %s, want busy", other.State)
		}
	})
}

package ledger

import (
	"testing"
	"time"

	"rebake/storage/redistest"
)

func TestTake(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("triggers and claims a fresh page", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		n := f.mustNumber()
		run := f.mustTake(p, Bulk{Number: n, Reason: "build"})
		if run.State != Claimed || run.G0 < n || run.Previous.Hash == "" {
			t.Fatalf("run = %+v, want a claim that meets %d", run, n)
		}
		if owed := f.mustState(p).Owed; owed == nil || owed.Reason != "build" {
			t.Errorf("owed = %+v, want a record with the reason", owed)
		}
		if end := f.mustFinish(run, Published, "b"); end != (End{}) {
			t.Errorf("end = %+v, want done", end)
		}
		if again := f.mustTake(p, Bulk{Number: n}); again.State != Met {
			t.Errorf("second take = %s, want fresh", again.State)
		}
	})

	t.Run("claims a page that waits for a worker, and its token is stale", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Critical)
		run := f.mustTake(p, Bulk{Number: f.mustNumber(), Priority: Low})
		if run.State != Claimed {
			t.Fatalf("take = %s, want claimed", run.State)
		}
		if got := f.wake(tok); got.State != Stale {
			t.Errorf("claim of the token = %s, want stale", got.State)
		}
		f.endLease(p)
		if next := f.mustSweep(f.mustSuspect(), false); next == nil || next.Priority != Critical {
			t.Errorf("token after its death = %+v, want the priority that was asked for", next)
		}
	})

	t.Run("of a page that runs is met by one more run, at its priority", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		n := f.mustNumber()
		if got := f.mustTake(p, Bulk{Number: n, Priority: Critical}); got.State != Busy {
			t.Fatalf("take = %s, want busy", got.State)
		}
		end := f.mustFinish(run, Published, "a")
		if end.Token == nil || end.Token.Priority != Critical {
			t.Fatalf("end = %+v, want a critical token", end)
		}
		if next := f.mustClaim(*end.Token); next.G0 < n {
			t.Errorf("the next run has g0 %d, which does not meet %d", next.G0, n)
		}
	})

	t.Run("of a page whose run was claimed later is met by that run", func(t *testing.T) {
		f := newFixture(t, s)
		n := f.mustNumber()
		run := f.mustRun(p)
		if got := f.mustTake(p, Bulk{Number: n}); got.State != Busy {
			t.Fatalf("take = %s, want busy", got.State)
		}
		if end := f.mustFinish(run, Published, "a"); end != (End{}) {
			t.Errorf("end = %+v, want done", end)
		}
	})

	t.Run("of a page that backs off leaves it its time, and is met then", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		f.mustFail(f.mustClaim(tok), Retrying, 20*time.Second)
		n := f.mustNumber()
		if got := f.mustTake(p, Bulk{Number: n}); got.State != Backing {
			t.Fatalf("take = %s, want waiting", got.State)
		}
		f.elapse(20 * time.Second)
		run := f.mustClaim(tok)
		if run.G0 < n || run.Attempts != 1 {
			t.Errorf("run has g0 %d and %d attempts, want at least %d, and 1", run.G0, run.Attempts, n)
		}
	})

	t.Run("of a page whose back-off is over claims it", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Retrying, 20*time.Second)
		f.elapse(20 * time.Second)
		if run := f.mustTake(p, Bulk{Number: f.mustNumber()}); run.State != Claimed || run.Attempts != 1 {
			t.Errorf("take = %s after %d attempts, want claimed after 1", run.State, run.Attempts)
		}
	})

	t.Run("of a failed page tries it anew", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Failed, 0)
		run := f.mustTake(p, Bulk{Number: f.mustNumber()})
		if run.State != Claimed || run.Attempts != 0 || run.Deaths != 0 {
			t.Fatalf("run = %+v, want a claim without a past", run)
		}
		f.mustFinish(run, Published, "a")
		if c, err := f.Counts(f.ctx); err != nil || c != (Counts{}) {
			t.Errorf("counts = %+v, %v; want none", c, err)
		}
	})

	t.Run("of a page whose run has died takes it over, at the priority asked for meanwhile", func(t *testing.T) {
		f := newFixture(t, s)
		dead := f.mustClaim(f.mustToken(p, Low))
		f.mustTrigger(p, Critical)
		f.endLease(p)
		run := f.mustTake(p, Bulk{Number: f.mustNumber(), Priority: Low})
		if run.State != Claimed || run.Deaths != 1 {
			t.Fatalf("run = %+v, want a claim after one death", run)
		}
		wantLost(t, dead.Renew(f.ctx))
		f.endLease(p)
		if tok := f.mustSweep(f.mustSuspect(), false); tok.Priority != Critical {
			t.Errorf("priority = %s, want critical", tok.Priority)
		}
	})

	t.Run("repeated after a lost reply is claimed again, with the same number", func(t *testing.T) {
		f := newFixture(t, s)
		b := Bulk{Number: f.mustNumber()}
		var runs [2]*Run
		for i := range runs {
			var err error
			if runs[i], err = f.take(f.ctx, p, b, "owner"); err != nil {
				t.Fatal(err)
			}
			f.mustTrigger(p, Low)
		}
		if runs[1].State != Claimed || runs[1].G0 != runs[0].G0 || runs[1].Deaths != 0 {
			t.Errorf("second answer = %+v, want that of the first, %+v", runs[1], runs[0])
		}
	})

	t.Run("that fails can be claimed with its token", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustTake(p, Bulk{Number: f.mustNumber()})
		if end := f.mustFail(run, Retrying, time.Second); end.Wait == 0 {
			t.Fatalf("end = %+v, want a wait", end)
		}
		f.elapse(time.Second)
		if next := f.mustClaim(Token{Path: p, ID: run.Token}); next.Attempts != 1 || next.Deaths != 0 {
			t.Errorf("next run has %d attempts and %d deaths, want 1 and none", next.Attempts, next.Deaths)
		}
	})

	t.Run("that is released is swept", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustTake(p, Bulk{Number: f.mustNumber()})
		if err := run.Release(f.ctx); err != nil {
			t.Fatal(err)
		}
		f.mustClaim(*f.mustSweep(f.mustSuspect(), false))
	})

	t.Run("that dies is swept", func(t *testing.T) {
		f := newFixture(t, s)
		n := f.mustNumber()
		f.mustTake(p, Bulk{Number: n})
		f.endLease(p)
		if run := f.mustClaim(*f.mustSweep(f.mustSuspect(), false)); run.G0 < n || run.Deaths != 1 {
			t.Errorf("run has g0 %d and %d deaths, want at least %d, and 1", run.G0, run.Deaths, n)
		}
	})

	t.Run("of a path whose tombstone has expired takes it out of the index", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		f.mustFinish(f.mustRun(p), Removed, "")
		f.rdb.Del(f.ctx, f.key("page:"+p.String()))
		for _, label := range []Label{Site, Tag("post:1")} {
			if run := f.mustTake(p, Bulk{Number: f.mustNumber(), Index: label}); run.State != Met {
				t.Errorf("take for %s = %s, want fresh", label, run.State)
			}
		}
		wantIndex(t, f)
		if owed := f.mustState(p).Owed; owed != nil {
			t.Errorf("owed = %+v, want nothing", owed)
		}
	})
}

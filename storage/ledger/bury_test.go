package ledger

import (
	"testing"

	"rebake/storage/redistest"
)

func TestBury(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	// beside opens the same ledger as another process does.
	beside := func(f *fixture) *fixture {
		l, err := Open(t.Context(), f.rdb, f.cfg)
		if err != nil {
			t.Fatal(err)
		}
		return &fixture{Ledger: l, t: t, ctx: t.Context(), rdb: f.rdb}
	}
	bury := func(f *fixture, process string, want int) {
		t.Helper()
		if n, err := f.Bury(t.Context(), process); err != nil || n != want {
			t.Fatalf("buried %d leases, %v; want %d", n, err, want)
		}
	}

	t.Run("ends the lease of a dead process's run at once", func(t *testing.T) {
		f := newFixture(t, s)
		next := beside(f)
		f.mustClaim(f.mustToken(p, Low))
		bury(next, f.Process(), 1)
		tok := next.mustSweep(next.mustSuspect(), false)
		if tok == nil {
			t.Fatal("no token")
		}
		if run := next.mustClaim(*tok); run.Deaths != 1 {
			t.Errorf("deaths = %d, want 1: it has died", run.Deaths)
		}
	})

	t.Run("ends the lease of a dead process's walk at once", func(t *testing.T) {
		f := newFixture(t, s)
		next := beside(f)
		walk, err := f.ClaimWalk(t.Context(), *f.mustLabel(Site, Low).Token)
		if err != nil || walk.State != Claimed {
			t.Fatalf("walk = %+v, %v", walk, err)
		}
		bury(next, f.Process(), 1)
		if tok := next.mustSweep(next.mustSuspect(), false); tok == nil || tok.Label != Site {
			t.Errorf("token = %+v, want one of the walk", tok)
		}
	})

	t.Run("leaves the runs of others alone", func(t *testing.T) {
		f := newFixture(t, s)
		dead, next := beside(f), beside(f)
		run := f.mustRun(p)
		bury(next, dead.Process(), 0)
		bury(f, f.Process(), 0)
		if list, _ := next.mustSuspects(1); len(list) != 0 {
			t.Errorf("suspects = %+v, want none", list)
		}
		if err := run.Renew(t.Context()); err != nil {
			t.Error(err)
		}
	})

	t.Run("of a process that lives after all is found out at the fence", func(t *testing.T) {
		f := newFixture(t, s)
		next := beside(f)
		run := f.mustRun(p)
		bury(next, f.Process(), 1)
		next.mustClaim(*next.mustSweep(next.mustSuspect(), false))
		if err := run.Fence(t.Context(), false); err == nil {
			t.Error("the old run may publish")
		}
	})
}

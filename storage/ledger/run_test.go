package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/redistest"
)

func samePath(a, b storage.Path) bool { return a == b }

func wantLost(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, storage.ErrLost) {
		t.Errorf("error = %v, want %v", err, storage.ErrLost)
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("of a page that is owed nothing is stale", func(t *testing.T) {
		f := newFixture(t, s)
		if run := f.wake(Token{Path: p, ID: "1-x"}); run.State != Stale {
			t.Errorf("claim = %s, want stale", run.State)
		}
	})

	t.Run("of a token whose run has finished is stale", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		f.mustFinish(f.mustClaim(tok), Published, "a")
		if run := f.wake(tok); run.State != Stale {
			t.Errorf("claim = %s, want stale", run.State)
		}
	})

	t.Run("of a token whose run has failed for good is stale", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		f.mustFail(f.mustClaim(tok), Failed, 0)
		if run := f.wake(tok); run.State != Stale {
			t.Errorf("claim = %s, want stale", run.State)
		}
	})

	t.Run("of a token that a live run has is busy", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		f.mustClaim(tok)
		if run := f.wake(tok); run.State != Busy {
			t.Errorf("claim = %s, want busy", run.State)
		}
	})

	t.Run("of a token whose run is dead takes over", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		dead := f.mustClaim(tok)
		f.endLease(p)
		if run := f.mustClaim(tok); run.Deaths != 1 {
			t.Errorf("deaths = %d, want 1", run.Deaths)
		}
		wantLost(t, dead.Renew(t.Context()))
	})

	t.Run("keeps the sweeper away for a lease", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRun(p)
		f.elapse(f.cfg.Lease - time.Second)
		if list, _ := f.mustSuspects(1); len(list) != 0 {
			t.Errorf("suspects = %+v, want none", list)
		}
	})

	t.Run("meets what was asked of the dead run before it", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Low)
		f.mustClaim(tok)
		f.mustTrigger(p, Critical)
		f.elapse(f.cfg.Lease)
		run := f.mustClaim(tok)
		f.mustTrigger(p, Low)
		end := f.mustFinish(run, Published, "a")
		if end.Token == nil || end.Token.Priority != Low {
			t.Errorf("next token = %+v, want one of priority low", end.Token)
		}
		if got := f.since(p); got > 2*time.Second {
			t.Errorf("owed since %v ago, want since the last trigger", got)
		}
	})

	t.Run("before its time is early", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		f.mustFail(f.mustClaim(tok), Retrying, 4*time.Second)
		run := f.wake(tok)
		if run.State != Early {
			t.Fatalf("claim = %s, want early", run.State)
		}
		f.wantWait("wait", run.Wait, 4*time.Second)
	})

	t.Run("tells what was published", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		want := storage.Published{Hash: storage.Page{Body: []byte("a")}.Hash(), Type: "text/html", MTime: time.Unix(1_700_000_000, 0), Size: 1}
		if diff := cmp.Diff(want, f.mustRun(p).Previous); diff != "" {
			t.Errorf("previous (-want +got):\n%s", diff)
		}
	})

	t.Run("repeated after a lost reply answers as the first time", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		first, err := f.claim(t.Context(), tok, "me", 3)
		if err != nil {
			t.Fatal(err)
		}
		f.mustTrigger(p, Default) // which the run may already be too late for
		second, err := f.claim(t.Context(), tok, "me", 3)
		if err != nil {
			t.Fatal(err)
		}
		if second.State != Claimed || second.G0 != first.G0 || second.Deaths != first.Deaths {
			t.Errorf("second answer = %+v, want %+v", second, first)
		}
	})
}

func TestRenew(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("extends the lease", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		run := f.mustClaim(tok)
		for range 3 {
			f.elapse(f.cfg.Lease - time.Second)
			if err := run.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if other := f.wake(tok); other.State != Busy {
			t.Errorf("claim by another = %s, want busy", other.State)
		}
		if list, _ := f.mustSuspects(1); len(list) != 0 {
			t.Errorf("suspects = %+v, want none", list)
		}
	})

	t.Run("is lost when the page has finished", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustFinish(run, Published, "a")
		wantLost(t, run.Renew(t.Context()))
	})

	t.Run("is lost when the sweeper made a new token", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		f.mustSweep(f.mustSuspect(), false)
		wantLost(t, run.Renew(t.Context()))
	})

	t.Run("after the lease has ended keeps a page that nobody took", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		run := f.mustClaim(tok)
		f.endLease(p)
		if err := run.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if other := f.wake(tok); other.State != Busy {
			t.Errorf("claim by another = %s, want busy", other.State)
		}
	})

	t.Run("is lost when the run has taken too long", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.elapse(f.cfg.MaxRun)
		wantLost(t, run.Renew(t.Context()))
	})
}

func TestFence(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	fence := func(run *Run, exists bool) error { return run.Fence(t.Context(), exists) }

	t.Run("lets a first publication through", func(t *testing.T) {
		f := newFixture(t, s)
		if err := fence(f.mustRun(p), false); err != nil {
			t.Errorf("fence = %v", err)
		}
	})

	t.Run("is lost for a run that was replaced", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		f.mustToken(p, Default)
		wantLost(t, fence(run, false))
	})

	t.Run("refuses a foreign file", func(t *testing.T) {
		f := newFixture(t, s)
		if err := fence(f.mustRun(p), true); !errors.Is(err, storage.ErrForeign) {
			t.Errorf("fence = %v, want %v", err, storage.ErrForeign)
		}
	})

	t.Run("refuses a file that came after a removal", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		f.mustFinish(f.mustRun(p), Removed, "")
		if err := fence(f.mustRun(p), true); !errors.Is(err, storage.ErrForeign) {
			t.Errorf("fence = %v, want %v", err, storage.ErrForeign)
		}
	})

	t.Run("lets the file of the last publication be replaced", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		if err := fence(f.mustRun(p), true); err != nil {
			t.Errorf("fence = %v", err)
		}
	})

	t.Run("takes the file of a run that died for ours", func(t *testing.T) {
		f := newFixture(t, s)
		dead := f.mustRun(p)
		if err := fence(dead, false); err != nil { // after which it renames, and dies
			t.Fatal(err)
		}
		f.endLease(p)
		run := f.mustClaim(*f.mustSweep(f.mustSuspect(), false))
		if err := fence(run, true); err != nil {
			t.Errorf("fence = %v", err)
		}
	})
}

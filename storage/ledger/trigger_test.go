package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/redistest"
)

func TestTrigger(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("of a fresh page can be claimed at once", func(t *testing.T) {
		f := newFixture(t, s)
		r := f.mustTrigger(p, Critical)
		if r.Token == nil || r.Token.Wait != 0 || r.Token.Priority != Critical || r.Token.Path != p {
			t.Fatalf("token = %+v, want one for now", r.Token)
		}
		if run := f.mustClaim(*r.Token); run.G0 < r.ID {
			t.Errorf("run has g0 %d, which does not meet trigger %d", run.G0, r.ID)
		}
	})

	t.Run("while queued coalesces", func(t *testing.T) {
		f := newFixture(t, s)
		first := f.mustTrigger(p, Default)
		second := f.mustTrigger(p, Default)
		if second.Token != nil {
			t.Errorf("second token = %+v, want none", second.Token)
		}
		if run := f.mustClaim(*first.Token); run.G0 < second.ID {
			t.Errorf("run of the first token has g0 %d, which does not meet trigger %d", run.G0, second.ID)
		}
	})

	t.Run("while queued at a higher priority coalesces", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustToken(p, Critical)
		if r := f.mustTrigger(p, Low); r.Token != nil {
			t.Errorf("token = %+v, want none", r.Token)
		}
	})

	t.Run("with a higher priority lifts the token and makes the old one stale", func(t *testing.T) {
		f := newFixture(t, s)
		low := f.mustToken(p, Low)
		lifted := f.mustToken(p, Critical)
		if lifted.Priority != Critical {
			t.Errorf("priority = %s, want critical", lifted.Priority)
		}
		if run := f.wake(low); run.State != Stale {
			t.Errorf("claim of the old token = %s, want stale", run.State)
		}
		f.mustClaim(lifted)
	})

	t.Run("while the page runs is met by one more run", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		r := f.mustTrigger(p, Default)
		if r.Token != nil || r.ID <= run.G0 {
			t.Fatalf("receipt = %+v during a run with g0 %d, want a newer trigger without a token", r, run.G0)
		}
		end := f.mustFinish(run, Published, "old")
		if end.Token == nil {
			t.Fatal("the run's end has no token for the trigger that came meanwhile")
		}
		again := f.mustClaim(*end.Token)
		if again.G0 < r.ID {
			t.Errorf("the second run has g0 %d, which does not meet trigger %d", again.G0, r.ID)
		}
		if end := f.mustFinish(again, Published, "new"); end != (End{}) {
			t.Errorf("the second run's end = %+v, want done", end)
		}
	})

	t.Run("after the lease of a run has ended replaces it", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		f.mustClaim(f.mustToken(p, Low))
		wantLost(t, run.Renew(t.Context()))
	})

	t.Run("of a run that takes too long replaces it in spite of its lease", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.elapse(f.cfg.MaxRun - time.Second)
		if err := run.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.elapse(2 * time.Second)
		f.mustToken(p, Default)
	})

	t.Run("during a back-off comes one second after the last try, not now", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Retrying, 20*time.Second)
		tok := f.mustToken(p, Critical)
		f.wantWait("wait", tok.Wait, time.Second)
		if run := f.wake(tok); run.State != Early {
			t.Errorf("claim = %s, want early", run.State)
		}
		f.elapse(time.Second)
		f.mustClaim(tok)
	})

	t.Run("that lifts a token keeps its back-off", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Retrying, 20*time.Second)
		f.mustToken(p, Default)
		f.wantWait("wait", f.mustToken(p, Critical).Wait, time.Second)
	})

	t.Run("after a final failure starts at once", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Failed, 0)
		tok := f.mustToken(p, Low)
		if tok.Wait != 0 || tok.Priority != Low {
			t.Errorf("token = %+v, want one for now, at the priority asked for", tok)
		}
		if run := f.mustClaim(tok); run.Attempts != 0 {
			t.Errorf("attempts = %d, want 0", run.Attempts)
		}
		if c, err := f.Counts(t.Context()); err != nil || c != (Counts{Owed: 1}) {
			t.Errorf("counts = %+v, %v; want one owed, none failed", c, err)
		}
	})

	t.Run("twice with one nonce answers as the first time", func(t *testing.T) {
		f := newFixture(t, s)
		first, err := f.trigger(t.Context(), p, Request{Priority: Default}, "n")
		if err != nil {
			t.Fatal(err)
		}
		second, err := f.trigger(t.Context(), p, Request{Priority: Default}, "n")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second, cmp.Comparer(samePath)); diff != "" {
			t.Errorf("second answer (-first +second):\n%s", diff)
		}
	})
}

func TestTrigger_OnlyPublished(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	only := Request{Priority: Default, OnlyPublished: true}

	t.Run("skips a page that was never published", func(t *testing.T) {
		f := newFixture(t, s)
		if r := f.mustRequest(p, only); !r.Skipped || r.Token != nil {
			t.Errorf("receipt = %+v, want skipped", r)
		}
		if got := f.mustState(p); got.Owed != nil {
			t.Errorf("owed = %+v, want nothing", got.Owed)
		}
	})

	t.Run("leaves no timer for a page that it skips", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRequest(p, Request{OnlyPublished: true, Recheck: time.Second})
		if c, err := f.Counts(t.Context()); err != nil || c != (Counts{}) {
			t.Errorf("counts = %+v, %v; want none", c, err)
		}
	})

	t.Run("triggers a page that was published", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "old")
		if r := f.mustRequest(p, only); r.Skipped || r.Token == nil {
			t.Errorf("receipt = %+v, want a token", r)
		}
	})

	t.Run("is met by one more run while the page is published for the first time", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		if r := f.mustRequest(p, only); r.Skipped || r.ID <= run.G0 {
			t.Errorf("receipt = %+v during a run with g0 %d, want a newer trigger", r, run.G0)
		}
		if end := f.mustFinish(run, Published, "old"); end.Token == nil {
			t.Error("the run's end has no token")
		}
	})
}

func TestParsePriority_ReadsNamesOnly(t *testing.T) {
	for _, want := range []Priority{Low, Default, Critical} {
		if got, err := ParsePriority(want.String()); got != want || err != nil {
			t.Errorf("ParsePriority(%q) = %v, %v", want, got, err)
		}
	}
	if _, err := ParsePriority("urgent"); err == nil {
		t.Error("ParsePriority(urgent) = nil error")
	}
}

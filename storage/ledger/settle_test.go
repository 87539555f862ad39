package ledger

import (
	"testing"
	"time"

	"rebake/storage/redistest"
)

// calm is how a source asks that is quiet after three seconds.
var calm = Request{Priority: Default, Settle: 3 * time.Second, MaxWait: 10 * time.Second}

func TestTrigger_WithSettle(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("is due when it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		r := f.mustRequest(p, calm)
		f.wantWait("wait", r.Token.Wait, 3*time.Second)
		early := f.wake(*r.Token)
		if early.State != Early {
			t.Fatalf("claim = %s, want early", early.State)
		}
		f.wantWait("wait of the claim", early.Wait, 3*time.Second)
		f.elapse(3 * time.Second)
		f.mustClaim(*r.Token)
	})

	t.Run("once more moves the same token", func(t *testing.T) {
		f := newFixture(t, s)
		tok := *f.mustRequest(p, calm).Token
		f.elapse(2 * time.Second)
		second := f.mustRequest(p, calm)
		if second.Token != nil {
			t.Fatalf("second token = %+v, want none", second.Token)
		}
		f.wantWait("wait", f.wake(tok).Wait, 3*time.Second)
		f.elapse(3 * time.Second)
		if run := f.mustClaim(tok); run.G0 < second.ID {
			t.Errorf("run has g0 %d, which does not meet %d", run.G0, second.ID)
		}
	})

	t.Run("and a shorter time does not bring it forward", func(t *testing.T) {
		f := newFixture(t, s)
		tok := *f.mustRequest(p, calm).Token
		f.mustRequest(p, Request{Priority: Default, Settle: time.Second, MaxWait: 10 * time.Second})
		f.wantWait("wait", f.wake(tok).Wait, 3*time.Second)
	})

	t.Run("is due after MaxWait, and once more when it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		tok := *f.mustRequest(p, calm).Token
		for range 4 {
			f.elapse(2 * time.Second)
			f.mustRequest(p, calm)
		}
		f.wantWait("wait", f.wake(tok).Wait, 2*time.Second)
		f.elapse(2 * time.Second)
		end := f.mustFinish(f.mustClaim(tok), Published, "a")
		if end.Token == nil {
			t.Fatal("no token for a look when it is quiet")
		}
		f.wantWait("wait of the second look", end.Token.Wait, time.Second)
		f.elapse(time.Second)
		if end := f.mustFinish(f.mustClaim(*end.Token), Unchanged, "a"); end != (End{}) {
			t.Errorf("second end = %+v, want done", end)
		}
	})

	t.Run("longer than MaxWait waits for Settle", func(t *testing.T) {
		f := newFixture(t, s)
		r := f.mustRequest(p, Request{Settle: 3 * time.Second, MaxWait: time.Second})
		f.wantWait("wait", r.Token.Wait, 3*time.Second)
	})

	t.Run("for ever waits five minutes", func(t *testing.T) {
		f := newFixture(t, s)
		r := f.mustRequest(p, Request{Settle: 24 * time.Hour, MaxWait: 48 * time.Hour})
		f.wantWait("wait", r.Token.Wait, 5*time.Minute)
	})

	t.Run("is brought forward by one without, and rendered once more when it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		old := *f.mustRequest(p, calm).Token
		r := f.mustTrigger(p, Low)
		if r.Token == nil || r.Token.Wait != 0 || r.Token.Priority != Default {
			t.Fatalf("token = %+v, want a new one for now, as urgent as the first", r.Token)
		}
		if run := f.wake(old); run.State != Stale {
			t.Errorf("claim of the old token = %s, want stale", run.State)
		}
		end := f.mustFinish(f.mustClaim(*r.Token), Published, "a")
		if end.Token == nil {
			t.Fatal("no token for a look when it is quiet")
		}
		f.wantWait("wait of the second look", end.Token.Wait, 3*time.Second)
		if end.Token.Priority != Default {
			t.Errorf("priority = %s, want default", end.Token.Priority)
		}
	})

	t.Run("of a page that is to be rendered at once does not hold that up", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		if r := f.mustRequest(p, calm); r.Token != nil {
			t.Errorf("token = %+v, want none", r.Token)
		}
		end := f.mustFinish(f.mustClaim(tok), Published, "a")
		f.wantWait("wait of the second look", end.Token.Wait, 3*time.Second)
	})

	t.Run("with a higher priority lifts the token, which waits on", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRequest(p, calm)
		f.elapse(2 * time.Second)
		urgent := calm
		urgent.Priority = Critical
		r := f.mustRequest(p, urgent)
		if r.Token == nil || r.Token.Priority != Critical {
			t.Fatalf("token = %+v, want one of priority critical", r.Token)
		}
		f.wantWait("wait", r.Token.Wait, 3*time.Second)
		if again := f.mustRequest(p, calm); again.Token != nil {
			t.Errorf("a further token = %+v, want none", again.Token)
		}
	})

	t.Run("of a failed page waits", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Failed, 0)
		r := f.mustRequest(p, calm)
		f.wantWait("wait", r.Token.Wait, 3*time.Second)
		if n := f.mustState(p).Owed.Attempts; n != 0 {
			t.Errorf("attempts = %d, want 0", n)
		}
	})

	t.Run("of a page that backs off is not tried later than without", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Retrying, 20*time.Second)
		r := f.mustRequest(p, calm)
		f.wantWait("wait", r.Token.Wait, 3*time.Second)

		f.mustFail(f.mustRun(path(t, "/b")), Retrying, 2*time.Second)
		r = f.mustRequest(path(t, "/b"), calm)
		f.wantWait("wait of a page that is tried soon", r.Token.Wait, 2*time.Second)
	})

	t.Run("answers the same when the reply was lost", func(t *testing.T) {
		f := newFixture(t, s)
		var got []Receipt
		for range 2 {
			r, err := f.trigger(f.ctx, p, calm, "nonce")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r)
		}
		if got[0].ID != got[1].ID || got[0].Token.ID != got[1].Token.ID {
			t.Errorf("receipts = %+v, want the same twice", got)
		}
		f.wantWait("wait the second time", got[1].Token.Wait, 3*time.Second)
	})

	t.Run("has its second look later than the first", func(t *testing.T) {
		f := newFixture(t, s)
		req := calm
		req.Recheck = time.Second
		f.mustRequest(p, req)
		f.elapse(2 * time.Second)
		if list, err := f.DueTimers(f.ctx, 10); len(list) != 0 || err != nil {
			t.Errorf("due timers = %+v, %v; want none before it was quiet", list, err)
		}
		f.elapse(2 * time.Second)
		if list, err := f.DueTimers(f.ctx, 10); len(list) != 1 || err != nil {
			t.Errorf("due timers = %+v, %v; want the second look", list, err)
		}
	})

	t.Run("counts as now when the clock is put back", func(t *testing.T) {
		f := newFixture(t, s)
		tok := *f.mustRequest(p, calm).Token
		f.elapse(-24 * time.Hour)
		if end := f.mustFinish(f.mustClaim(tok), Published, "a"); end != (End{}) {
			t.Errorf("end = %+v, want done", end)
		}
	})
}

func TestTrigger_WithSettleDuringARun(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("is met by a run that begins when it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustRequest(p, calm)
		end := f.mustFinish(run, Published, "a")
		f.wantWait("wait", end.Token.Wait, 3*time.Second)
		if f.mustRequest(p, calm).Token != nil {
			t.Error("a further trigger made a token, want the same one to wait on")
		}
		f.elapse(3 * time.Second)
		if end := f.mustFinish(f.mustClaim(*end.Token), Published, "b"); end != (End{}) {
			t.Errorf("second end = %+v, want done", end)
		}
	})

	t.Run("does not hold up one without", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustTrigger(p, Default)
		f.mustRequest(p, calm)
		end := f.mustFinish(run, Published, "a")
		if end.Token.Wait != 0 {
			t.Fatalf("wait = %v, want none", end.Token.Wait)
		}
		end = f.mustFinish(f.mustClaim(*end.Token), Published, "b")
		f.wantWait("wait of the second look", end.Token.Wait, 3*time.Second)
	})

	t.Run("that fails is tried again when it was quiet", func(t *testing.T) {
		for _, outcome := range []Outcome{Retrying, Failed, Refused, Postponed} {
			f := newFixture(t, s)
			run := f.mustRun(p)
			f.mustRequest(p, calm)
			end := f.mustFail(run, outcome, 20*time.Second)
			f.wantWait("wait after "+string(outcome), end.Token.Wait, 3*time.Second)
		}
	})

	t.Run("that is lost is run again at once, and when it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRun(p)
		f.mustRequest(p, calm)
		f.endLease(p)
		tok := f.mustSweep(f.mustSuspect(), false)
		end := f.mustFinish(f.mustClaim(*tok), Published, "a")
		f.wantWait("wait of the second look", end.Token.Wait, 3*time.Second)
	})
}

// A page was rendered before it was quiet, because somebody asked for that, and
// the source said something that is final.
func TestFail_BeforeItWasQuietIsNotFinal(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	f.mustRequest(p, calm)
	end := f.mustFail(f.mustRun(p), Refused, 0)
	if end.Token == nil {
		t.Fatal("the page has failed for good, want another try")
	}
	f.wantWait("wait", end.Token.Wait, 3*time.Second)
	f.elapse(3 * time.Second)
	if end := f.mustFail(f.mustClaim(*end.Token), Refused, 0); end != (End{}) {
		t.Errorf("second end = %+v, want failed", end)
	}
}

func TestSweep_LeavesATokenThatSettles(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("until it is due", func(t *testing.T) {
		f := newFixture(t, s)
		tok := *f.mustRequest(p, calm).Token
		f.elapse(2 * time.Second)
		f.mustRequest(p, calm)
		if list, next := f.mustSuspects(10); len(list) != 0 || next > 3*time.Second {
			t.Fatalf("suspects = %+v, the next in %v; want none, and one in 3s", list, next)
		}
		f.elapse(3 * time.Second)
		swept := f.mustSweep(f.mustSuspect(), false)
		if swept == nil || swept.ID == tok.ID {
			t.Fatalf("swept = %+v, want a new token", swept)
		}
		f.mustClaim(*swept)
	})

	t.Run("that was suspected before it was moved", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRequest(p, calm)
		f.elapse(3 * time.Second)
		suspect := f.mustSuspect()
		f.mustRequest(p, calm)
		if tok := f.mustSweep(suspect, false); tok != nil {
			t.Errorf("swept = %+v, want nothing", tok)
		}
	})
}

func TestTake_OfAPageThatSettles(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("leaves it", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRequest(p, calm)
		n := f.mustNumber()
		if run := f.mustTake(p, Bulk{Number: n}); run.State != Backing {
			t.Errorf("take = %s, want waiting", run.State)
		}
	})

	t.Run("does not use what was read before it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustRequest(p, calm)
		n := f.mustNumber()
		f.elapse(3 * time.Second)
		if run := f.mustTake(p, Bulk{Number: n, G0: n}); run.State != Busy {
			t.Errorf("take = %s, want busy", run.State)
		}
		if run := f.mustTake(p, Bulk{Number: n}); run.State != Claimed {
			t.Errorf("take by one who has read nothing = %s, want claimed", run.State)
		}
	})

	t.Run("while it runs is followed by a run at once", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustRequest(p, calm)
		f.mustTake(p, Bulk{Number: f.mustNumber()})
		if end := f.mustFinish(run, Published, "a"); end.Token.Wait != 0 {
			t.Errorf("wait = %v, want none", end.Token.Wait)
		}
	})
}

func TestSeize_DoesNotWaitUntilItIsQuiet(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	f.mustPublish(p, "a")
	f.mustRequest(p, calm)
	run, err := f.Seize(f.ctx, p, "remove")
	if err != nil {
		t.Fatal(err)
	}
	if end := f.mustFinish(run, Removed, ""); end != (End{}) {
		t.Errorf("end = %+v, want done", end)
	}
}

func TestState_SaysUntilWhenAPageSettles(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	f.mustRequest(p, calm)
	now, err := f.rdb.Time(f.ctx).Result()
	if err != nil {
		t.Fatal(err)
	}
	s := f.mustState(p)
	if s.Freshness != PageStale || s.Owed.Status != "queued" {
		t.Errorf("state = %s, %s; want stale, queued", s.Freshness, s.Owed.Status)
	}
	f.wantWait("time until it is due", s.Owed.Due.Sub(now), 3*time.Second)
}

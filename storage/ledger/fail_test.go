package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/redistest"
)

func TestFail(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("retrying lets the same token be claimed after the delay", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		if end := f.mustFail(f.mustClaim(tok), Retrying, 4*time.Second); end != (End{Wait: 4 * time.Second}) {
			t.Errorf("end = %+v, want a wait of 4s", end)
		}
		f.elapse(4 * time.Second)
		if run := f.mustClaim(tok); run.Attempts != 1 || run.Deaths != 0 {
			t.Errorf("next run has %d attempts and %d deaths, want 1 and 0", run.Attempts, run.Deaths)
		}
	})

	t.Run("postponed is no attempt, and no news the second time", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		const delay = 4 * time.Second
		for range 3 {
			end := f.mustFail(f.mustClaim(tok), Postponed, delay)
			if end.Token != nil || end.Wait < delay || end.Wait > delay+5*time.Millisecond {
				t.Fatalf("end = %+v, want a wait of %v", end, delay)
			}
			f.elapse(end.Wait)
		}
		st, err := f.State(f.ctx, p)
		if err != nil || st.Freshness != PageRetrying || st.Owed.Attempts != 0 || st.Owed.Error == "" {
			t.Errorf("state = %+v (%+v), %v; want a page that is tried again, with a reason and no attempt", st, st.Owed, err)
		}
		if n := f.rdb.XLen(f.ctx, f.key("events")).Val(); n != 1 {
			t.Errorf("%d events say the same, want one", n)
		}
	})

	t.Run("postponed pages come back one after the other", func(t *testing.T) {
		f := newFixture(t, s)
		const n = 200
		var runs []*Run
		for i := range n {
			runs = append(runs, f.mustRun(path(t, fmt.Sprintf("/many/%d", i))))
		}
		const delay, most = 4 * time.Second, n * 5 * time.Millisecond
		waits := make(map[time.Duration]bool)
		for _, run := range runs {
			end := f.mustFail(run, Postponed, delay)
			if end.Wait < delay || end.Wait >= delay+most {
				t.Errorf("wait = %v, want %v and less than %v more", end.Wait, delay, most)
			}
			waits[end.Wait] = true
		}
		if len(waits) < n/4 {
			t.Errorf("%d pages come back at only %d different times", n, len(waits))
		}
	})

	for _, outcome := range []Outcome{Retrying, Refused, Failed} {
		t.Run(string(outcome)+" after a trigger came meanwhile goes again, soon", func(t *testing.T) {
			f := newFixture(t, s)
			run := f.mustRun(p)
			r := f.mustTrigger(p, Critical)
			end := f.mustFail(run, outcome, 20*time.Second)
			if end.Token == nil || end.Token.Priority != Critical {
				t.Fatalf("end = %+v, want a token of priority critical", end)
			}
			f.wantWait("wait", end.Token.Wait, time.Second)
			f.elapse(time.Second)
			if again := f.mustClaim(*end.Token); again.G0 < r.ID {
				t.Errorf("next run has g0 %d, which does not meet trigger %d", again.G0, r.ID)
			}
		})
	}

	for _, outcome := range []Outcome{Refused, Failed} {
		t.Run(string(outcome)+" waits for a trigger", func(t *testing.T) {
			f := newFixture(t, s)
			if end := f.mustFail(f.mustRun(p), outcome, 0); end != (End{}) {
				t.Errorf("end = %+v, want neither token nor wait", end)
			}
			if c, err := f.Counts(t.Context()); err != nil || c != (Counts{Failed: 1}) {
				t.Errorf("counts = %+v, %v; want one failed", c, err)
			}
		})
	}

	t.Run("keeps the published page", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		before := f.mustState(p).Page
		f.mustFail(f.mustRun(p), Failed, 0)
		if diff := cmp.Diff(before, f.mustState(p).Page); diff != "" {
			t.Errorf("page (-before +after):\n%s", diff)
		}
	})

	t.Run("of a run that has taken too long counts still", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.elapse(f.cfg.MaxRun)
		if end := f.mustFail(run, Retrying, time.Second); end.Wait != time.Second {
			t.Errorf("end = %+v, want a wait of 1s", end)
		}
	})

	t.Run("of a run that was replaced is lost", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		tok := f.mustToken(p, Default)
		if end := f.mustFail(run, Failed, 0); !end.Lost {
			t.Errorf("end = %+v, want lost", end)
		}
		f.mustClaim(tok)
	})

	t.Run("repeated after a lost reply counts once", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		run := f.mustClaim(tok)
		f.mustFail(run, Retrying, 4*time.Second)
		second := f.mustFail(run, Retrying, 4*time.Second)
		f.wantWait("second wait", second.Wait, 4*time.Second)
		f.elapse(4 * time.Second)
		if next := f.mustClaim(tok); next.Attempts != 1 {
			t.Errorf("attempts = %d, want 1", next.Attempts)
		}
	})

	t.Run("repeated after a lost reply is final again", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustFail(run, Failed, 0)
		if end := f.mustFail(run, Failed, 0); end != (End{}) {
			t.Errorf("second end = %+v, want as the first", end)
		}
	})

	t.Run("repeated after a lost reply gives the same token", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustTrigger(p, Default)
		first := f.mustFail(run, Failed, 0)
		second := f.mustFail(run, Failed, 0)
		if first.Token == nil || second.Token == nil || first.Token.ID != second.Token.ID {
			t.Errorf("tokens = %+v, %+v; want the same", first.Token, second.Token)
		}
	})
}

func TestGone(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("of a published page is confirmed by a second reading two seconds later", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		tok := f.mustToken(p, Default)
		confirmed, end := f.mustGone(f.mustClaim(tok))
		if confirmed || end != (End{Wait: 2 * time.Second}) {
			t.Fatalf("first reading = %v, %+v; want a wait of 2s", confirmed, end)
		}
		f.elapse(2 * time.Second)
		if confirmed, end := f.mustGone(f.mustClaim(tok)); !confirmed {
			t.Errorf("second reading = %v, %+v; want confirmed", confirmed, end)
		}
	})

	t.Run("is not confirmed by a second reading that came sooner", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		f.mustGone(f.mustRun(p))
		tok := f.mustToken(p, Critical)
		f.elapse(time.Second)
		confirmed, end := f.mustGone(f.mustClaim(tok))
		if confirmed {
			t.Error("confirmed after one second")
		}
		f.wantWait("wait", end.Wait, time.Second)
	})

	t.Run("is read anew after the page was published in between", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		tok := f.mustToken(p, Default)
		f.mustGone(f.mustClaim(tok))
		f.elapse(2 * time.Second)
		run := f.mustClaim(tok)
		f.mustTrigger(p, Default)
		end := f.mustFinish(run, Unchanged, "a")
		if confirmed, _ := f.mustGone(f.mustClaim(*end.Token)); confirmed {
			t.Error("confirmed by a reading of before the publication")
		}
	})

	t.Run("of a page that was never published is confirmed at once", func(t *testing.T) {
		f := newFixture(t, s)
		if confirmed, end := f.mustGone(f.mustRun(p)); !confirmed {
			t.Errorf("reading = %v, %+v; want confirmed", confirmed, end)
		}
	})

	t.Run("of a page that a dead run may have published is read twice", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		if err := f.mustClaim(tok).Fence(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		f.endLease(p)
		if confirmed, _ := f.mustGone(f.mustClaim(tok)); confirmed {
			t.Error("confirmed by one reading")
		}
	})

	t.Run("after a trigger came meanwhile goes again at its priority", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		run := f.mustClaim(f.mustToken(p, Low))
		f.mustTrigger(p, Critical)
		confirmed, end := f.mustGone(run)
		if confirmed || end.Token == nil || end.Token.Priority != Critical {
			t.Fatalf("reading = %v, %+v; want a token of priority critical", confirmed, end)
		}
		f.wantWait("wait", end.Token.Wait, time.Second)
		if _, second := f.mustGone(run); second.Token == nil || second.Token.ID != end.Token.ID {
			t.Errorf("repeated reading = %+v, want the same token", second)
		}
	})

	t.Run("is no failure", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		f.mustGone(f.mustRun(p))
		if got := f.mustState(p).Freshness; got != PageStale {
			t.Errorf("freshness = %s, want stale", got)
		}
	})

	t.Run("repeated after a lost reply waits as long", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		run := f.mustRun(p)
		f.mustGone(run)
		_, end := f.mustGone(run)
		f.wantWait("wait", end.Wait, 2*time.Second)
	})

	t.Run("of a run that was replaced is lost", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		f.mustToken(p, Default)
		if confirmed, end := f.mustGone(run); confirmed || !end.Lost {
			t.Errorf("reading = %v, %+v; want lost", confirmed, end)
		}
	})
}

package ledger

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage/redistest"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("gives the page of a dead run a new token", func(t *testing.T) {
		f := newFixture(t, s)
		old := f.mustToken(p, Critical)
		f.mustClaim(old)
		f.elapse(f.cfg.Lease)
		suspect := f.mustSuspect()
		if !suspect.Running {
			t.Errorf("suspect = %+v, want a run", suspect)
		}
		tok := f.mustSweep(suspect, false)
		if tok == nil || tok.ID == old.ID || tok.Priority != Critical || tok.Wait != 0 {
			t.Fatalf("token = %+v, want a new one for now, as urgent", tok)
		}
		if run := f.mustClaim(*tok); run.Deaths != 1 {
			t.Errorf("deaths = %d, want 1", run.Deaths)
		}
	})

	t.Run("keeps the higher priority that was asked of a dead run", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustClaim(f.mustToken(p, Low))
		f.mustTrigger(p, Critical)
		f.endLease(p)
		if tok := f.mustSweep(f.mustSuspect(), false); tok == nil || tok.Priority != Critical {
			t.Errorf("token = %+v, want one of priority critical", tok)
		}
	})

	t.Run("leaves a run alone that gave a sign of life meanwhile", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		suspect := f.mustSuspect()
		if err := run.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if tok := f.mustSweep(suspect, false); tok != nil {
			t.Errorf("token = %+v, want none", tok)
		}
		if err := run.Renew(t.Context()); err != nil {
			t.Error(err)
		}
	})

	t.Run("gives a page whose task is missing a new token", func(t *testing.T) {
		f := newFixture(t, s)
		old := f.mustToken(p, Default)
		if list, _ := f.mustSuspects(1); len(list) != 0 {
			t.Errorf("suspects at once = %+v, want none", list)
		}
		f.elapse(2 * time.Second)
		tok := f.mustSweep(f.mustSuspect(), false)
		if tok == nil || tok.ID == old.ID {
			t.Fatalf("token = %+v, want a new one", tok)
		}
		f.mustClaim(*tok)
	})

	t.Run("looks later, and ever later, when the task is there", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		f.elapse(2 * time.Second)
		for _, want := range []time.Duration{2, 4, 8, 16, 32, 60, 60} {
			if swept := f.mustSweep(f.mustSuspect(), true); swept != nil {
				t.Fatalf("token = %+v, want none", swept)
			}
			_, next := f.mustSuspects(10)
			f.wantWait("next look", next, want*time.Second)
			f.elapse(want * time.Second)
		}
		f.mustClaim(tok)
	})

	t.Run("looks soon again after a run", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustToken(p, Default)
		for range 6 {
			f.elapse(time.Minute)
			f.mustSweep(f.mustSuspect(), true)
		}
		f.mustFail(f.mustClaim(tok), Retrying, time.Second)
		f.elapse(time.Second)
		f.mustSweep(f.mustSuspect(), true)
		_, next := f.mustSuspects(10)
		f.wantWait("next look", next, 2*time.Second)
	})

	t.Run("looks soon at a new token", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustToken(p, Low)
		for range 6 {
			f.elapse(time.Minute)
			f.mustSweep(f.mustSuspect(), true)
		}
		f.mustToken(p, Critical)
		f.elapse(2 * time.Second)
		f.mustSweep(f.mustSuspect(), true)
		_, next := f.mustSuspects(10)
		f.wantWait("next look", next, 2*time.Second)
	})

	t.Run("of a back-off whose task is missing gives a token when it is over", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(p), Retrying, 4*time.Second)
		f.elapse(4 * time.Second)
		tok := f.mustSweep(f.mustSuspect(), false)
		if tok == nil {
			t.Fatal("no token")
		}
		if run := f.mustClaim(*tok); run.Attempts != 1 {
			t.Errorf("attempts = %d, want 1", run.Attempts)
		}
	})

	t.Run("keeps the back-off of a suspect whose run has failed meanwhile", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		suspect := f.mustSuspect()
		f.mustFail(run, Retrying, 20*time.Second)
		if tok := f.mustSweep(suspect, false); tok != nil {
			t.Errorf("token = %+v, want none", tok)
		}
		_, next := f.mustSuspects(10)
		f.wantWait("next look", next, 20*time.Second)
	})

	t.Run("changes nothing when the token was replaced meanwhile", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustToken(p, Low)
		f.elapse(2 * time.Second)
		suspect := f.mustSuspect()
		tok := f.mustToken(p, Critical)
		if swept := f.mustSweep(suspect, false); swept != nil {
			t.Errorf("token = %+v, want none", swept)
		}
		f.mustClaim(tok)
	})

	t.Run("changes nothing when the page has finished meanwhile", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.endLease(p)
		suspect := f.mustSuspect()
		f.mustFinish(run, Published, "a")
		if swept := f.mustSweep(suspect, false); swept != nil {
			t.Errorf("token = %+v, want none", swept)
		}
		if got := f.mustState(p); got.Freshness != PageFresh {
			t.Errorf("freshness = %s, want fresh", got.Freshness)
		}
	})

	t.Run("strikes off what is owed nothing", func(t *testing.T) {
		f := newFixture(t, s)
		if err := f.rdb.ZAdd(t.Context(), f.key("dirty"), redis.Z{Score: 1, Member: p.String()}).Err(); err != nil {
			t.Fatal(err)
		}
		if swept := f.mustSweep(f.mustSuspect(), false); swept != nil {
			t.Errorf("token = %+v, want none", swept)
		}
		if list, _ := f.mustSuspects(1); len(list) != 0 {
			t.Errorf("suspects = %+v, want none", list)
		}
	})

	t.Run("repeated after a lost reply gives the same token", func(t *testing.T) {
		f := newFixture(t, s)
		old := f.mustToken(p, Default)
		var tokens [2]string
		for i := range tokens {
			r, err := f.run(t.Context(), f.scripts.sweep, p, old.ID, "n", "missing", f.cfg.MaxDeaths, "")
			if err != nil {
				t.Fatal(err)
			}
			tokens[i] = r.token(p).ID
		}
		if tokens[0] != tokens[1] || tokens[0] == old.ID {
			t.Errorf("tokens = %q, want one new one", tokens)
		}
	})
}

func TestSweep_PoisonPage(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	// die lets n runs in a row end without a word, and returns the next token.
	die := func(f *fixture, n int) *Token {
		tok := f.mustToken(p, Default)
		next := &tok
		for i := range n {
			claim := f.Claim
			if i >= f.cfg.CrowdDeaths {
				claim = f.ClaimAlone
			}
			if run, err := claim(t.Context(), *next); err != nil || run.State != Claimed || run.Deaths != i {
				t.Fatalf("run = %+v, %v; want one that was claimed after %d deaths", run, err, i)
			}
			f.endLease(p)
			next = f.mustSweep(f.mustSuspect(), false)
		}
		return next
	}

	t.Run("goes on before the last silent death that is allowed", func(t *testing.T) {
		f := newFixture(t, s)
		if tok := die(f, f.cfg.MaxDeaths-1); tok == nil {
			t.Error("no token")
		}
	})

	t.Run("is claimed alone after some silent deaths", func(t *testing.T) {
		f := newFixture(t, s)
		tok := die(f, f.cfg.CrowdDeaths)
		if run := f.wake(*tok); run.State != Alone {
			t.Fatalf("claim = %s, want alone", run.State)
		}
		if run := f.mustClaimAlone(*tok); run.Deaths != f.cfg.CrowdDeaths {
			t.Errorf("deaths = %d, want %d: a claim that was turned down is none", run.Deaths, f.cfg.CrowdDeaths)
		}
	})

	t.Run("is not taken for a bulk after some silent deaths", func(t *testing.T) {
		f := newFixture(t, s)
		tok := die(f, f.cfg.CrowdDeaths)
		bulk, err := f.NextNumber(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		run, err := f.Take(t.Context(), p, Bulk{Number: bulk, Priority: Low})
		if err != nil || run.State != Busy {
			t.Fatalf("take = %+v, %v; want busy", run, err)
		}
		f.mustFinish(f.mustClaimAlone(*tok), Published, "a")
		if got := f.mustState(p).Freshness; got != PageFresh {
			t.Errorf("freshness = %s, want fresh: its run has met the bulk too", got)
		}
	})

	t.Run("whose last run died just now is taken for a bulk by its next token", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustClaim(*die(f, f.cfg.CrowdDeaths-1))
		f.endLease(p)
		bulk, err := f.NextNumber(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		run, err := f.Take(t.Context(), p, Bulk{Number: bulk, Priority: Low})
		if err != nil || run.State != Busy {
			t.Fatalf("take = %+v, %v; want busy", run, err)
		}
		f.elapse(2 * time.Second)
		if tok := f.mustSweep(f.mustSuspect(), false); tok == nil {
			t.Error("no token")
		} else {
			f.mustClaimAlone(*tok)
		}
	})

	t.Run("fails after too many silent deaths", func(t *testing.T) {
		f := newFixture(t, s)
		if tok := die(f, f.cfg.MaxDeaths); tok != nil {
			t.Errorf("token = %+v, want none", tok)
		}
		if got := f.mustState(p); got.Freshness != PageFailed || got.Owed.Error == "" {
			t.Errorf("state = %s, error %q; want failed, with a reason", got.Freshness, got.Owed.Error)
		}
		if c, err := f.Counts(t.Context()); err != nil || c != (Counts{Failed: 1}) {
			t.Errorf("counts = %+v, %v; want one failed", c, err)
		}
	})

	t.Run("tells those who asked during its last run too", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustClaimAlone(*die(f, f.cfg.MaxDeaths-1))
		r := f.mustTrigger(p, Default)
		f.endLease(p)
		f.mustSweep(f.mustSuspect(), false)
		if got := f.mustState(p).Owed.FailedG0; got < r.ID {
			t.Errorf("the failure has seen %d, want %d", got, r.ID)
		}
	})

	t.Run("starts anew with the next trigger", func(t *testing.T) {
		f := newFixture(t, s)
		die(f, f.cfg.MaxDeaths)
		if run := f.mustRun(p); run.Deaths != 0 {
			t.Errorf("deaths = %d, want 0", run.Deaths)
		}
	})

	t.Run("is not what answered in between", func(t *testing.T) {
		f := newFixture(t, s)
		tok := die(f, f.cfg.MaxDeaths-1)
		f.mustFail(f.mustClaimAlone(*tok), Retrying, 0)
		if run := f.mustClaim(*tok); run.Deaths != 0 {
			t.Errorf("deaths = %d, want 0", run.Deaths)
		}
	})
}

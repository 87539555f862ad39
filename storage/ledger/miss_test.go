package ledger

import (
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/redistest"
)

func (f *fixture) mustMiss(p storage.Path) (MissState, Receipt) {
	f.t.Helper()
	state, r, err := f.Miss(f.ctx, p, "visitor")
	if err != nil {
		f.t.Fatal(err)
	}
	return state, r
}

// mustVisit makes a visitor ask for a page that nobody asked for before, and
// claims it.
func (f *fixture) mustVisit(p storage.Path) *Run {
	f.t.Helper()
	state, r := f.mustMiss(p)
	if state != MissOwed || r.Token == nil {
		f.t.Fatalf("miss of %s = %s, %+v; want a token", p, state, r)
	}
	return f.mustClaim(*r.Token)
}

// wantNothing says that the ledger knows nothing of a path.
func (f *fixture) wantNothing(p storage.Path) {
	f.t.Helper()
	if s := f.mustState(p); s.Page != nil || s.Owed != nil {
		f.t.Errorf("%s is %s, page %+v, owed %+v; want nothing", p, s.Freshness, s.Page, s.Owed)
	}
	if c, err := f.Counts(f.ctx); err != nil || c.Owed+c.Failed != 0 {
		f.t.Errorf("counts = %+v, %v; want none", c, err)
	}
}

// wantOwedForGood says that a page is owed a run until one has ended well.
func (f *fixture) wantOwedForGood(p storage.Path) {
	f.t.Helper()
	f.elapse(time.Hour)
	if f.mustState(p).Owed == nil {
		f.t.Errorf("%s is owed nothing any more", p)
	}
}

func TestMiss(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("of a page that is owed waits for what is owed", func(t *testing.T) {
		f := newFixture(t, s)
		id := f.mustTrigger(p, Low).ID
		if state, r := f.mustMiss(p); state != MissOwed || r.ID != id || r.Token != nil {
			t.Errorf("miss = %s, %+v; want trigger %d and no token", state, r, id)
		}
	})

	t.Run("of a page that is published, or removed, asks for nothing", func(t *testing.T) {
		for outcome, want := range map[Outcome]MissState{Published: MissPublished, Removed: MissGone} {
			f := newFixture(t, s)
			f.mustPublish(p, "a")
			f.mustFinish(f.mustRun(p), outcome, "b")
			if state, _ := f.mustMiss(p); state != want || f.mustState(p).Owed != nil {
				t.Errorf("miss after %s = %s, owed %v; want %s", outcome, state, f.mustState(p).Owed != nil, want)
			}
		}
	})

	t.Run("publishes the page as a trigger does", func(t *testing.T) {
		f := newFixture(t, s)
		if end := f.mustFinish(f.mustVisit(p), Published, "a"); end != (End{}) {
			t.Errorf("end = %+v, want done", end)
		}
		if got := f.mustState(p).Freshness; got != PageFresh {
			t.Errorf("freshness = %s, want fresh", got)
		}
	})

	t.Run("of what is no page leaves nothing", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustVisit(p)
		if confirmed, end := f.mustGone(run); !confirmed {
			t.Fatalf("reading = %v, %+v; want confirmed", confirmed, end)
		}
		f.mustFinish(run, Removed, "")
		f.wantNothing(p)
	})

	t.Run("that fails is told to the next visitors, and forgotten", func(t *testing.T) {
		for _, outcome := range []Outcome{Retrying, Refused, Failed} {
			f := newFixture(t, s)
			if end := f.mustFail(f.mustVisit(p), outcome, time.Second); end != (End{}) {
				t.Errorf("end of %s = %+v, want done", outcome, end)
			}
			if state, _ := f.mustMiss(p); state != MissFailed {
				t.Errorf("the next miss after %s = %s, want failed", outcome, state)
			}
			f.elapse(10 * time.Second)
			f.wantNothing(p)
		}
	})

	t.Run("repeated after a lost reply gives the same token", func(t *testing.T) {
		f := newFixture(t, s)
		var tokens [2]string
		for i := range tokens {
			_, r, err := f.miss(f.ctx, p, "visitor", "n")
			if err != nil || r.Token == nil {
				t.Fatalf("miss = %+v, %v; want a token", r, err)
			}
			tokens[i] = r.Token.ID
		}
		if tokens[0] != tokens[1] {
			t.Errorf("tokens = %q, want the same", tokens)
		}
	})
}

// What others accept while a visitor waits is owed, whatever becomes of the
// visitor's own wish.
func TestMiss_FollowedByATrigger(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	for name, ask := range map[string]func(*fixture){
		"of the page": func(f *fixture) { f.mustTrigger(p, Low) },
		"of a bulk":   func(f *fixture) { f.mustTake(p, Bulk{Number: f.mustNumber()}) },
		"of a timer": func(f *fixture) {
			if err := f.Schedule(f.ctx, p, time.Now().Add(-time.Second)); err != nil {
				f.t.Fatal(err)
			}
			if _, err := f.Fire(f.ctx, Timer{Kind: "scheduled", Path: p}, Low); err != nil {
				f.t.Fatal(err)
			}
		},
		"that seizes it": func(f *fixture) { f.mustSeize(p) },
	} {
		t.Run(name+" while it runs is owed for good", func(t *testing.T) {
			f := newFixture(t, s)
			run := f.mustVisit(p)
			ask(f)
			f.mustFail(run, Failed, 0)
			f.wantOwedForGood(p)
		})
		t.Run(name+" after it failed is owed for good", func(t *testing.T) {
			f := newFixture(t, s)
			f.mustFail(f.mustVisit(p), Failed, 0)
			ask(f)
			f.wantOwedForGood(p)
		})
	}

	// The walk of the tag found no page, and only this run knows better.
	t.Run("of a tag that it joins is owed for good", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustVisit(p)
		f.walkAll(f.mustLabel(Tag("news"), Low).Token)
		end := f.mustFinishTagged(run, Published, "old", "news")
		if end.Token == nil {
			t.Fatalf("end = %+v, want a token", end)
		}
		f.mustFail(f.mustClaim(*end.Token), Retrying, time.Second)
		f.wantOwedForGood(p)
	})

	t.Run("of the site leaves nothing where there is no page", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustVisit(p)
		f.walkAll(f.mustLabel(Site, Low).Token)
		end := f.mustFinish(run, Removed, "")
		if end.Token == nil {
			t.Fatalf("end = %+v, want a token", end)
		}
		f.mustFail(f.mustClaim(*end.Token), Failed, 0)
		f.elapse(10 * time.Second)
		f.wantNothing(p)
	})
}

// A file that no record tells of would be taken for somebody else's.
func TestMiss_WhoseRunDiedAfterItsFenceIsOwedUntilSomebodyHasLooked(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	if err := f.mustVisit(p).Fence(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	f.endLease(p)
	run := f.mustClaim(*f.mustSweep(f.mustSuspect(), false))
	if end := f.mustFail(run, Retrying, time.Second); end.Wait == 0 {
		t.Errorf("end = %+v, want another try", end)
	}
	f.wantOwedForGood(p)
	run = f.mustClaim(*f.mustRequest(p, Request{Priority: Critical}).Token)
	if err := run.Fence(t.Context(), true); err != nil {
		t.Errorf("fence over the file of the dead run: %v", err)
	}
}

package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/redistest"
)

// wantWaited checks a time that has passed since something happened in this test.
func (f *fixture) wantWaited(what string, got, want time.Duration) {
	f.t.Helper()
	const rounded = 2 * time.Millisecond // the ledger counts them
	if most := want + time.Since(f.born) + rounded; got < want || got > most {
		f.t.Errorf("waited %s = %v, want %v or up to %v", what, got, want, most)
	}
}

// next fails the run and claims its token again when its time has come.
func (f *fixture) next(run *Run, outcome Outcome, after time.Duration) *Run {
	f.t.Helper()
	f.mustFail(run, outcome, after)
	f.elapse(after + time.Second)
	return f.mustClaim(Token{Path: run.Path, ID: run.Token})
}

func TestFail_Lagging(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a := path(t, "/a")

	t.Run("waits from the first of such runs on", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(a)
		f.wantWaited("before", run.Waited, 0)
		run = f.next(run, Lagging, time.Second)
		f.wantWaited("after one", run.Waited, 2*time.Second)
		run = f.next(run, Lagging, 4*time.Second)
		f.wantWaited("after two", run.Waited, 7*time.Second)
	})
	t.Run("anew after an error of another kind", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.next(f.mustRun(a), Lagging, 10*time.Second)
		run = f.next(run, Retrying, time.Minute)
		f.wantWaited("after the error", run.Waited, 0)
		run = f.next(run, Lagging, 4*time.Second)
		f.wantWaited("after another one", run.Waited, 5*time.Second)
	})
	t.Run("looks like a try that failed", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFail(f.mustRun(a), Lagging, time.Second)
		if got := f.mustState(a); got.Freshness != PageRetrying || got.Owed.Attempts != 1 {
			t.Errorf("state = %s, %+v; want retrying after one attempt", got.Freshness, got.Owed)
		}
	})
	t.Run("takes back that the page was found gone", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(a, "text")
		run := f.mustRun(a)
		if confirmed, _ := f.mustGone(run); confirmed {
			t.Fatal("the first reading is enough")
		}
		f.elapse(10 * time.Second)
		run = f.next(f.mustClaim(Token{Path: a, ID: run.Token}), Lagging, time.Second)
		if confirmed, _ := f.mustGone(run); confirmed {
			t.Error("two readings with the page between them are enough to remove it")
		}
	})
}

func TestClaim_TellsOfTheLastPublication(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a := path(t, "/a")
	publish := func(f *fixture, run *Run, page storage.Page) {
		page.Path, page.Type, page.Body, page.Route = a, "text/html", []byte("a"), "/…"
		if _, err := run.Finish(f.ctx, Published, page, time.Unix(1, 0)); err != nil {
			f.t.Fatal(err)
		}
	}
	t.Run("what it showed", func(t *testing.T) {
		f := newFixture(t, s)
		want := map[string]string{"post:1": "2026-11-23T10:00:00", `a "name"`: "2"}
		publish(f, f.mustRun(a), storage.Page{Shown: want})
		run := f.mustRun(a)
		if diff := cmp.Diff(want, run.Shown); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
		publish(f, run, storage.Page{})
		if got := f.mustRun(a).Shown; len(got) > 0 {
			t.Errorf("shown = %v, and that was the publication before", got)
		}
	})
	t.Run("when it showed all", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(a)
		if !run.Fresh.IsZero() {
			t.Errorf("fresh = %s before there was a page", run.Fresh)
		}
		publish(f, run, storage.Page{})
		run = f.mustRun(a)
		if got, want := run.Fresh, f.mustState(a).Page.At; !got.Equal(want) {
			t.Errorf("fresh = %s, want %s", got, want)
		}
	})
	t.Run("not when it lagged", func(t *testing.T) {
		f := newFixture(t, s)
		publish(f, f.mustRun(a), storage.Page{Lagging: "post:1"})
		if got := f.mustRun(a).Fresh; !got.IsZero() {
			t.Errorf("fresh = %s, want none", got)
		}
	})
}

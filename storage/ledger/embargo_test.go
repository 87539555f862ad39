package ledger

import (
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/redistest"
)

// embargoed is a page that is there and will change by itself, for which a
// second look is owed: what a webhook about a planned post leads to.
type embargoed struct {
	*fixture
	page storage.Path
	wake time.Time // as the content says; elapse moves it
	run  *Run      // of the webhook's trigger
}

const (
	embargo    = time.Minute
	secondLook = 3 * time.Second
)

func newEmbargoed(t *testing.T, s *redistest.Server, until time.Duration) *embargoed {
	t.Helper()
	e := &embargoed{fixture: newFixture(t, s), page: path(t, "/news"), wake: time.Now().Add(until)}
	e.run = e.mustClaim(*e.mustRequest(e.page, Request{Priority: Critical, Recheck: secondLook}).Token)
	return e
}

// finish ends a run that has read the same content.
func (e *embargoed) finish(run *Run) {
	e.t.Helper()
	page := storage.Page{Path: e.page, Type: "text/html", Body: []byte("soon"), Route: "/…", Wake: e.wake}
	end, err := run.Finish(e.ctx, Published, page, time.Unix(1_700_000_000, 0))
	if err != nil || end != (End{}) {
		e.t.Fatalf("end = %+v, %v; want done", end, err)
	}
}

func (e *embargoed) pass(d time.Duration) {
	e.t.Helper()
	e.elapse(d)
	e.wake = e.wake.Add(-d)
}

// fireAll fires what is due, and returns the kinds and the last token.
func (e *embargoed) fireAll() (kinds []string, tok *Token) {
	e.t.Helper()
	list, err := e.DueTimers(e.ctx, 10)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, t := range list {
		r, err := e.Fire(e.ctx, t, Default)
		if err != nil || r.Skipped {
			e.t.Fatalf("fire %s = %+v, %v", t.Kind, r, err)
		}
		kinds = append(kinds, t.Kind)
		if r.Token != nil {
			tok = r.Token
		}
	}
	return kinds, tok
}

// wantFired fires what is due, which is one timer, and claims the run.
func (e *embargoed) wantFired(kind string) *Run {
	e.t.Helper()
	kinds, tok := e.fireAll()
	if len(kinds) != 1 || kinds[0] != kind || tok == nil {
		e.t.Fatalf("fired %q, token %+v; want %s", kinds, tok, kind)
	}
	return e.mustClaim(*tok)
}

func (e *embargoed) wantTimers(want int64) {
	e.t.Helper()
	if c, err := e.Counts(e.ctx); err != nil || c.Timers != want {
		e.t.Errorf("counts = %+v, %v; want %d timers", c, err, want)
	}
}

func TestTimers_SecondLookAndEmbargo(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("the second look leaves the embargo", func(t *testing.T) {
		e := newEmbargoed(t, s, embargo)
		e.finish(e.run)
		e.pass(secondLook)
		e.finish(e.wantFired("recheck"))
		e.pass(embargo - secondLook)
		e.wantFired("date")
		e.wantTimers(0)
	})

	t.Run("the embargo leaves the second look", func(t *testing.T) {
		e := newEmbargoed(t, s, time.Second)
		e.finish(e.run)
		e.pass(time.Second)
		run := e.wantFired("date")
		e.wake = time.Time{}
		e.finish(run)
		e.pass(secondLook - time.Second)
		e.wantFired("recheck")
		e.wantTimers(0)
	})

	t.Run("due together they are met by one run", func(t *testing.T) {
		e := newEmbargoed(t, s, secondLook)
		e.finish(e.run)
		e.pass(secondLook + time.Second)
		kinds, tok := e.fireAll()
		if len(kinds) != 2 || tok == nil {
			t.Fatalf("fired %q, token %+v; want both, and a token", kinds, tok)
		}
		run := e.mustClaim(*tok)
		e.wake = time.Time{}
		e.finish(run)
		e.wantTimers(0)
	})

	t.Run("an embargo that ends during the second look leads to one more run", func(t *testing.T) {
		e := newEmbargoed(t, s, 2*secondLook)
		e.finish(e.run)
		e.pass(secondLook)
		run := e.wantFired("recheck") // which reads what is there before the end
		e.pass(secondLook)
		if kinds, tok := e.fireAll(); len(kinds) != 1 || kinds[0] != "date" || tok != nil {
			t.Fatalf("fired %q, token %+v; want the embargo, and no second run at once", kinds, tok)
		}
		if end := e.mustFinish(run, Unchanged, "soon"); end.Token == nil {
			t.Error("the run's end has no token")
		}
	})

	t.Run("a page that is not there yet keeps its embargo over the second look", func(t *testing.T) {
		e := newEmbargoed(t, s, embargo)
		absent := func(run *Run) {
			t.Helper()
			if _, err := run.Finish(t.Context(), Removed, storage.Page{Path: e.page, Wake: e.wake}, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		absent(e.run)
		e.pass(secondLook)
		absent(e.wantFired("recheck"))
		e.pass(embargo - secondLook)
		e.finish(e.wantFired("date"))
		if got := e.mustState(e.page).Freshness; got != PageFresh {
			t.Errorf("freshness = %s, want fresh", got)
		}
	})

	t.Run("a run that fails keeps both", func(t *testing.T) {
		e := newEmbargoed(t, s, embargo)
		e.finish(e.run)
		e.mustFail(e.mustClaim(*e.mustRequest(e.page, Request{Priority: Critical, Recheck: secondLook}).Token), Failed, 0)
		e.wantTimers(2)
	})
}

package ledger

import (
	"testing"
	"time"

	"rebake/storage/redistest"
)

func (f *fixture) mustLabelRequest(label Label, req Request) Receipt {
	f.t.Helper()
	r, err := f.TriggerLabel(f.ctx, label, req)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func TestTriggerLabel_WithSettle(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	news := Item("post:1")

	t.Run("is walked when it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		r := f.mustLabelRequest(news, calm)
		f.wantWait("wait", r.Token.Wait, 3*time.Second)
		w := f.wakeWalk(*r.Token)
		if w.State != Early {
			t.Fatalf("claim = %s, want early", w.State)
		}
		f.wantWait("wait of the claim", w.Wait, 3*time.Second)
		f.elapse(3 * time.Second)
		f.mustClaimWalk(*r.Token)
	})

	t.Run("once more moves the same token, until MaxWait", func(t *testing.T) {
		f := newFixture(t, s)
		tok := *f.mustLabelRequest(news, calm).Token
		for range 4 {
			f.elapse(2 * time.Second)
			if r := f.mustLabelRequest(news, calm); r.Token != nil {
				t.Fatalf("token = %+v, want none", r.Token)
			}
		}
		f.wantWait("wait", f.wakeWalk(tok).Wait, 2*time.Second)
		f.elapse(2 * time.Second)
		w := f.mustClaimWalk(tok)
		if f.mustEnd(w) || w.Token == nil {
			t.Fatalf("no walk follows when it is quiet, want one")
		}
		f.wantWait("wait of the second walk", w.Token.Wait, time.Second)
		f.elapse(time.Second)
		w = f.mustClaimWalk(*w.Token)
		if f.mustEnd(w) || w.Token != nil {
			t.Errorf("a third walk follows: %+v, want none", w.Token)
		}
	})

	t.Run("is brought forward by one without", func(t *testing.T) {
		f := newFixture(t, s)
		old := *f.mustLabelRequest(news, calm).Token
		r := f.mustLabel(news, Low)
		if r.Token == nil || r.Token.Wait != 0 || r.Token.Priority != Default {
			t.Fatalf("token = %+v, want a new one for now, as urgent as the first", r.Token)
		}
		if w := f.wakeWalk(old); w.State != Stale {
			t.Errorf("claim of the old token = %s, want stale", w.State)
		}
		w := f.mustClaimWalk(*r.Token)
		if f.mustEnd(w) || w.Token == nil {
			t.Fatal("no walk follows when it is quiet, want one")
		}
		f.wantWait("wait of the second walk", w.Token.Wait, 3*time.Second)
	})

	t.Run("answers the same when the reply was lost", func(t *testing.T) {
		f := newFixture(t, s)
		first, err := f.triggerLabel(f.ctx, news, calm, "nonce")
		if err != nil {
			t.Fatal(err)
		}
		second, err := f.triggerLabel(f.ctx, news, calm, "nonce")
		if err != nil || first.ID != second.ID || first.Token.ID != second.Token.ID {
			t.Errorf("receipts = %+v and %+v, %v; want the same twice", first, second, err)
		}
		f.wantWait("wait the second time", second.Token.Wait, 3*time.Second)
	})

	t.Run("is swept when it is due", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustLabelRequest(news, calm)
		if list, _ := f.mustSuspects(10); len(list) != 0 {
			t.Fatalf("suspects = %+v, want none", list)
		}
		f.elapse(3 * time.Second)
		suspect := f.mustSuspect()
		if tok := f.mustSweep(suspect, true); tok != nil {
			t.Errorf("swept = %+v while its task is there, want nothing", tok)
		}
		f.mustClaimWalk(*f.mustSweep(suspect, false))
	})
}

// The page was rendered when the label was triggered already, and before it was
// quiet: that counts for nothing.
func TestWalk_OfWhatHasSettledTakesPagesThatWereRenderedMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	f.mustPublishTagged(p, "post:1")
	tok := *f.mustLabelRequest(Item("post:1"), calm).Token
	f.mustPublishTagged(p, "post:1")
	f.elapse(3 * time.Second)
	runs := f.walkAll(&tok)
	if len(runs) != 1 {
		t.Fatalf("the walk has taken %d pages, want the one", len(runs))
	}
	f.mustFinishTagged(runs[0], Published, "b", "post:1")
	if got := f.mustState(p).Freshness; got != PageFresh {
		t.Errorf("freshness = %s, want fresh", got)
	}
}

func TestFinish_DuringALabelThatSettles(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")

	t.Run("leaves the page to the walk", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustLabelRequest(Item("post:1"), calm)
		if end := f.mustFinishTagged(run, Published, "a", "post:1"); end != (End{}) {
			t.Errorf("end = %+v, want done", end)
		}
		if state := f.mustState(p); state.Freshness != PageStale || state.Label != Item("post:1") {
			t.Errorf("state = %s by %q, want stale by the item", state.Freshness, state.Label)
		}
	})

	t.Run("runs a page again that leaves the label", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublishTagged(p, "post:1")
		run := f.mustRun(p)
		f.mustLabelRequest(Item("post:1"), calm)
		end := f.mustFinishTagged(run, Published, "a", "post:2")
		if end.Token == nil {
			t.Fatal("no token, and the walk will not find the page")
		}
		f.wantWait("wait", end.Token.Wait, 3*time.Second)
	})

	t.Run("runs a page again that has left the label before it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublishTagged(p, "post:1")
		f.mustLabelRequest(Item("post:1"), calm)
		end := f.mustPublishTagged(p, "post:2") // somebody asked for the page alone
		if end.Token == nil {
			t.Fatal("no token, and the walk will not find the page")
		}
		f.wantWait("wait", end.Token.Wait, 3*time.Second)
		f.elapse(3 * time.Second)
		if end := f.mustFinishTagged(f.mustClaim(*end.Token), Published, "b", "post:2"); end != (End{}) {
			t.Errorf("second end = %+v, want done", end)
		}
	})

	t.Run("runs a page again when the walk does not wait any more", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		tok := *f.mustLabelRequest(Item("post:1"), calm).Token
		f.elapse(3 * time.Second)
		f.mustEnd(f.mustClaimWalk(tok)) // the page is not in its index yet
		if end := f.mustFinishTagged(run, Published, "a", "post:1"); end.Token == nil || end.Token.Wait != 0 {
			t.Errorf("end = %+v, want a token for now", end)
		}
	})
}

func TestEnd_OfAWalkDuringWhichTheLabelWasTriggered(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	news := Tag("news")

	t.Run("with settle begins once more when it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		w := f.mustWalk(news)
		f.mustLabelRequest(news, calm)
		before := twin(w)
		if f.mustEnd(w) || w.Token == nil {
			t.Fatal("no walk follows when it is quiet, want one")
		}
		f.wantWait("wait", w.Token.Wait, 3*time.Second)
		if f.mustEnd(before); before.Token == nil || before.Token.ID != w.Token.ID {
			t.Errorf("after a lost reply its token = %+v, want %+v", before.Token, w.Token)
		}
	})

	t.Run("with and without begins at once, and once more", func(t *testing.T) {
		f := newFixture(t, s)
		w := f.mustWalk(news)
		r := f.mustLabel(news, Low)
		f.mustLabelRequest(news, calm)
		if !f.mustEnd(w) || w.Number < r.ID {
			t.Fatalf("the walk for %d does not begin once more, want that for %d", w.Number, r.ID)
		}
		if f.mustEnd(w) || w.Token == nil {
			t.Fatal("no walk follows when it is quiet, want one")
		}
	})
}

func TestWalkLater_BegunBeforeItWasQuietComesBackSoon(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	item := Item("post:1")
	tok := *f.mustLabelRequest(item, calm).Token
	for range 4 {
		f.elapse(2 * time.Second)
		f.mustLabelRequest(item, calm)
	}
	f.elapse(2 * time.Second)
	walk := f.mustClaimWalk(tok)
	later := f.mustLater(walk, 5*time.Minute, "Retry-After: 300")
	f.wantWait("wait", later.Wait, time.Second) // as after End
}

package ledger

import (
	"errors"
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/redistest"
)

func (f *fixture) mustLater(w *Walk, after time.Duration, reason string) Token {
	f.t.Helper()
	tok, err := w.Later(f.ctx, after, reason)
	if err != nil {
		f.t.Fatal(err)
	}
	return *tok
}

// onlyWalk returns the one that there is.
func (f *fixture) onlyWalk() Walking {
	f.t.Helper()
	list, err := f.Walks(f.ctx)
	if err != nil || len(list) != 1 {
		f.t.Fatalf("walks = %+v, %v; want one", list, err)
	}
	return list[0]
}

func TestWalk_Later(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	item := Item("post:42")

	t.Run("comes back at its end, and says how often and why", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublishTagged(path(t, "/a"), "post:42")
		w := f.mustWalk(item)
		f.mustNext(w, 10)
		f.mustAdvance(w)
		tok := f.mustLater(w, 4*time.Second, "the CMS does not answer")
		f.wantWait("wait", tok.Wait, 4*time.Second)
		if tok.Label != item {
			t.Errorf("token = %+v, want one of the label", tok)
		}
		if early := f.wakeWalk(tok); early.State != Early {
			t.Fatalf("claim = %s, want early", early.State)
		}
		f.elapse(4 * time.Second)
		w = f.mustClaimWalk(tok)
		if w.Attempts != 1 || w.Error != "the CMS does not answer" {
			t.Errorf("walk after %d attempts, %q; want 1 and the reason", w.Attempts, w.Error)
		}
		if list := f.mustNext(w, 10); len(list) != 0 {
			t.Errorf("it walks over %v once more, want no page", list)
		}
		tok = f.mustLater(w, time.Second, "still not")
		f.elapse(time.Second)
		if w := f.mustClaimWalk(tok); w.Attempts != 2 || w.Error != "still not" {
			t.Errorf("walk after %d attempts, %q; want 2 and the newer reason", w.Attempts, w.Error)
		}
	})

	t.Run("is told of by Walks", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustLater(f.mustWalk(item), 4*time.Second, "no answer")
		got := f.onlyWalk()
		if got.Label != item || got.Attempts != 1 || got.Error != "no answer" || got.Due.IsZero() {
			t.Errorf("walk = %+v, want when it comes back, and why", got)
		}
		f.elapse(4 * time.Second)
		f.mustClaimWalk(tok)
		if got := f.onlyWalk(); !got.Due.IsZero() {
			t.Errorf("due = %v while it is under way, want zero", got.Due)
		}
	})

	t.Run("that succeeds then leaves nothing behind", func(t *testing.T) {
		f := newFixture(t, s)
		tok := f.mustLater(f.mustWalk(item), 0, "no answer")
		f.mustEnd(f.mustClaimWalk(tok))
		if keys := f.keys("walk:*"); len(keys) != 0 {
			t.Errorf("keys left = %v, want none", keys)
		}
	})

	t.Run("is brought forward by a trigger, and begins anew", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublishTagged(path(t, "/a"), "post:42")
		w := f.mustWalk(item)
		f.mustNext(w, 10)
		f.mustAdvance(w)
		old := f.mustLater(w, time.Minute, "no answer")
		r := f.mustLabel(item, Low)
		if r.Token == nil {
			t.Fatal("the trigger gave no token")
		}
		f.wantWait("wait: an item must not hammer a CMS that is down", r.Token.Wait, time.Second)
		if w := f.wakeWalk(old); w.State != Stale {
			t.Errorf("claim of the old token = %s, want stale", w.State)
		}
		f.elapse(time.Second)
		w = f.mustClaimWalk(*r.Token)
		if w.Number != r.ID || len(f.mustNext(w, 10)) != 1 {
			t.Errorf("the walk is for %d, want %d, over the page", w.Number, r.ID)
		}
	})

	t.Run("is brought forward by a trigger with settle to when it was quiet", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustLater(f.mustWalk(item), time.Minute, "no answer")
		r := f.mustLabelRequest(item, calm)
		f.wantWait("wait", r.Token.Wait, 3*time.Second)
	})

	t.Run("comes back soon when the label was triggered meanwhile", func(t *testing.T) {
		f := newFixture(t, s)
		w := f.mustWalk(item)
		r := f.mustLabel(item, Low)
		tok := f.mustLater(w, time.Minute, "no answer")
		f.wantWait("wait", tok.Wait, time.Second)
		f.elapse(time.Second)
		if w := f.mustClaimWalk(tok); w.Number != r.ID {
			t.Errorf("the walk is for %d, want %d", w.Number, r.ID)
		}
	})

	t.Run("answers the same when the reply was lost", func(t *testing.T) {
		f := newFixture(t, s)
		w := f.mustWalk(item)
		first, second := f.mustLater(w, time.Second, "x"), f.mustLater(w, time.Second, "x")
		if first.ID != second.ID || f.onlyWalk().Attempts != 1 {
			t.Errorf("tokens %s and %s after %d attempts, want one after 1", first.ID, second.ID, f.onlyWalk().Attempts)
		}
	})

	t.Run("of a walk that is another's is refused", func(t *testing.T) {
		f := newFixture(t, s)
		r := f.mustLabel(item, Low)
		w := f.mustClaimWalk(*r.Token)
		f.endWalkLease(item)
		f.mustClaimWalk(*r.Token)
		if _, err := w.Later(f.ctx, time.Second, "x"); !errors.Is(err, storage.ErrLost) {
			t.Errorf("error = %v, want ErrLost", err)
		}
	})

	t.Run("is swept when it is due", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustLater(f.mustWalk(item), 4*time.Second, "x")
		if list, _ := f.mustSuspects(10); len(list) != 0 {
			t.Fatalf("suspects = %+v, want none", list)
		}
		f.elapse(4 * time.Second)
		if w := f.mustClaimWalk(*f.mustSweep(f.mustSuspect(), false)); w.Attempts != 1 {
			t.Errorf("attempts = %d, want 1", w.Attempts)
		}
	})
}

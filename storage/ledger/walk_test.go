package ledger

import (
	"errors"
	"slices"
	"testing"

	"rebake/storage/redistest"
)

func TestWalk_Claim(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("is for one walker", func(t *testing.T) {
		f := newFixture(t, s)
		tok := *f.mustLabel(Site, Low).Token
		f.mustClaimWalk(tok)
		if w := f.wakeWalk(tok); w.State != Busy {
			t.Errorf("second claim = %s, want busy", w.State)
		}
	})

	t.Run("repeated after a lost reply is claimed again", func(t *testing.T) {
		f := newFixture(t, s)
		tok := *f.mustLabel(Site, Low).Token
		for range 2 {
			if w, err := f.claimWalk(f.ctx, tok, "owner"); err != nil || w.State != Claimed {
				t.Fatalf("claim = %+v, %v; want claimed", w, err)
			}
		}
	})

	t.Run("after the end of the walk is stale", func(t *testing.T) {
		f := newFixture(t, s)
		tok := *f.mustLabel(Site, Low).Token
		f.mustEnd(f.mustClaimWalk(tok))
		if w := f.wakeWalk(tok); w.State != Stale {
			t.Errorf("claim = %s, want stale", w.State)
		}
	})
}

// threePages are fresh when it returns.
func threePages(t *testing.T, s *redistest.Server) *fixture {
	f := newFixture(t, s)
	for _, name := range []string{"/a", "/b", "/c"} {
		f.mustPublish(path(t, name), name)
	}
	return f
}

func TestWalk_GoesOn(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("at what was not taken when its walker dies", func(t *testing.T) {
		f := threePages(t, s)
		dead := f.mustWalk(Site)
		f.mustNext(dead, 1)
		f.mustAdvance(dead)
		f.mustNext(dead, 1) // and dies before this one is taken
		f.endWalkLease(Site)
		w := f.mustClaimWalk(*f.mustSweep(f.mustSuspect(), false))
		if got := f.mustNext(w, 5); !slices.Equal(got, []string{"/b", "/c"}) {
			t.Errorf("the next walker sees %q, want /b and /c", got)
		}
		wantLost(t, dead.Advance(f.ctx))
		if _, err := dead.End(f.ctx); err == nil {
			t.Error("the dead walker may end the walk")
		}
	})

	t.Run("with the same token when nobody sweeps", func(t *testing.T) {
		f := threePages(t, s)
		tok := *f.mustLabel(Site, Low).Token
		f.mustClaimWalk(tok)
		f.endWalkLease(Site)
		f.mustClaimWalk(tok)
	})

	t.Run("at once after a release", func(t *testing.T) {
		f := threePages(t, s)
		w := f.mustWalk(Site)
		f.mustNext(w, 2)
		f.mustAdvance(w)
		if err := w.Release(f.ctx); err != nil {
			t.Fatal(err)
		}
		next := f.mustClaimWalk(*f.mustSweep(f.mustSuspect(), false))
		if got := f.mustNext(next, 5); !slices.Equal(got, []string{"/c"}) {
			t.Errorf("the next walker sees %q, want /c", got)
		}
	})

	t.Run("at the cursor with a trigger that finds it dead, and once more", func(t *testing.T) {
		f := threePages(t, s)
		dead := f.mustWalk(Site)
		f.mustNext(dead, 2)
		f.mustAdvance(dead)
		f.endWalkLease(Site)
		r := f.mustLabel(Site, Low)
		w := f.mustClaimWalk(*r.Token)
		if got := f.mustNext(w, 5); !slices.Equal(got, []string{"/c"}) || w.Number != dead.Number {
			t.Errorf("it goes on with %q for %d, want /c for %d", got, w.Number, dead.Number)
		}
		f.mustAdvance(w)
		if !f.mustEnd(w) || w.Number != r.ID {
			t.Errorf("it ends for %d, want once more for %d", w.Number, r.ID)
		}
	})

	t.Run("while signs of life come from beside", func(t *testing.T) {
		f := threePages(t, s)
		w := f.mustWalk(Site)
		f.mustLabel(Site, Low)
		beside := make(chan error)
		go func() {
			var err error
			for range 20 {
				err = errors.Join(err, w.Renew(f.ctx))
			}
			beside <- err
		}()
		for range 10 {
			f.mustNext(w, 1)
			f.mustAdvance(w)
		}
		if !f.mustEnd(w) {
			t.Error("it ends, want once more")
		}
		if err := <-beside; err != nil {
			t.Error(err)
		}
	})

	t.Run("though its walker renews while it takes pages", func(t *testing.T) {
		f := threePages(t, s)
		w := f.mustWalk(Site)
		f.mustNext(w, 1)
		if err := w.Renew(f.ctx); err != nil {
			t.Fatal(err)
		}
		f.endWalkLease(Site)
		next := f.mustClaimWalk(*f.mustSweep(f.mustSuspect(), false))
		if got := f.mustNext(next, 1); !slices.Equal(got, []string{"/a"}) {
			t.Errorf("the next walker sees %q, want /a, which was not taken", got)
		}
	})
}

func TestWalk_End(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("leaves no walk", func(t *testing.T) {
		f := threePages(t, s)
		w := f.mustWalk(Site)
		if walking, err := f.Walking(f.ctx, Site); err != nil || !walking {
			t.Errorf("walking = %v, %v before its end; want true", walking, err)
		}
		if f.mustEnd(w) {
			t.Error("it walks once more, want the end")
		}
		if walking, err := f.Walking(f.ctx, Site); err != nil || walking {
			t.Errorf("walking = %v, %v after its end; want false", walking, err)
		}
	})

	t.Run("of a storm is the second walk's", func(t *testing.T) {
		f := threePages(t, s)
		w := f.mustWalk(Site)
		f.mustNext(w, 5)
		var newest Receipt
		for range 100 {
			if newest = f.mustLabel(Site, Critical); newest.Token != nil {
				t.Fatalf("a trigger during the walk gave the token %+v", newest.Token)
			}
		}
		f.mustAdvance(w)
		if !f.mustEnd(w) || w.Number != newest.ID || w.Priority != Critical {
			t.Fatalf("it ends for %d at %s, want once more for %d at critical", w.Number, w.Priority, newest.ID)
		}
		if got := f.mustNext(w, 5); len(got) != 3 {
			t.Errorf("the second walk sees %q, want all three", got)
		}
		f.mustAdvance(w)
		if f.mustEnd(w) {
			t.Error("it walks a third time")
		}
	})

	t.Run("repeated after a lost reply is done again", func(t *testing.T) {
		f := threePages(t, s)
		w := f.mustWalk(Site)
		again := twin(w)
		f.mustEnd(w)
		if f.mustEnd(again) {
			t.Error("the second answer is once more, want done")
		}
	})

	t.Run("repeated after a lost reply walks once more all the same", func(t *testing.T) {
		f := threePages(t, s)
		w := f.mustWalk(Site)
		f.mustNext(w, 5)
		f.mustAdvance(w)
		r := f.mustLabel(Site, Low)
		lost := twin(w)
		f.mustEnd(lost)
		if !f.mustEnd(w) || w.Number != r.ID {
			t.Errorf("the second answer is for %d, want once more for %d", w.Number, r.ID)
		}
	})

	t.Run("and a sign of life of the round before leaves the new round's cursor", func(t *testing.T) {
		f := threePages(t, s)
		w := f.mustWalk(Site)
		f.mustNext(w, 5)
		f.mustAdvance(w)
		late := twin(w)
		f.mustLabel(Site, Low)
		f.mustEnd(w)
		if err := late.Renew(f.ctx); err != nil {
			t.Fatal(err)
		}
		f.endWalkLease(Site)
		next := f.mustClaimWalk(*f.mustSweep(f.mustSuspect(), false))
		if got := f.mustNext(next, 5); len(got) != 3 {
			t.Errorf("the walker that goes on sees %q, want all three", got)
		}
	})
}

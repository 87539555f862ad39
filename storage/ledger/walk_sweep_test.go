package ledger

import (
	"testing"
	"time"

	"rebake/storage/redistest"
)

func TestWalk_Sweep(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)

	t.Run("gives a token that reached nobody a successor", func(t *testing.T) {
		f := newFixture(t, s)
		old := *f.mustLabel(Site, Critical).Token
		f.elapse(2 * time.Second)
		tok := f.mustSweep(f.mustSuspect(), false)
		if tok == nil || tok.Label != Site || tok.Priority != Critical {
			t.Fatalf("token = %+v, want one of the site, critical", tok)
		}
		if w := f.wakeWalk(old); w.State != Stale {
			t.Errorf("claim of the old token = %s, want stale", w.State)
		}
		f.mustClaimWalk(*tok)
	})

	t.Run("leaves a token alone whose task waits, and looks more and more seldom", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustLabel(Site, Low)
		for _, want := range []time.Duration{2, 4, 8, 16, 32, 60, 60} {
			f.elapse(time.Minute)
			if tok := f.mustSweep(f.mustSuspect(), true); tok != nil {
				t.Fatalf("token = %+v, want none", tok)
			}
			_, next := f.mustSuspects(10)
			f.wantWait("next look", next, want*time.Second)
		}
	})

	t.Run("leaves a walk that lives alone", func(t *testing.T) {
		f := newFixture(t, s)
		w := f.mustWalk(Site)
		f.endWalkLease(Site)
		dead := f.mustSuspect()
		if err := w.Renew(f.ctx); err != nil {
			t.Fatal(err)
		}
		if tok := f.mustSweep(dead, false); tok != nil {
			t.Errorf("token = %+v, want none", tok)
		}
		f.mustEnd(w)
	})

	t.Run("leaves a walk alone that has another token by now", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustLabel(Site, Low)
		f.elapse(2 * time.Second)
		old := f.mustSuspect()
		lifted := f.mustLabel(Site, Critical)
		if tok := f.mustSweep(old, false); tok != nil {
			t.Errorf("token = %+v, want none", tok)
		}
		f.mustClaimWalk(*lifted.Token)
	})

	t.Run("forgets a label when no run can be older, and not before", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustEnd(f.mustWalk(Site))
		f.elapse(f.keepLabel() - time.Second)
		if list, _ := f.mustSuspects(10); len(list) != 0 {
			t.Fatalf("suspects = %+v, want none yet", list)
		}
		f.elapse(time.Second)
		f.mustSweep(f.mustSuspect(), false)
		if left := f.keys("label"); len(left) != 0 {
			t.Errorf("keys left = %q, want none", left)
		}
	})

	t.Run("keeps a label that was triggered again since", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustEnd(f.mustWalk(Site))
		f.elapse(f.keepLabel())
		old := f.mustSuspect()
		w := f.mustWalk(Site)
		f.mustSweep(old, false)
		f.mustEnd(w)
		f.mustSweep(old, false)
		if n := f.rdb.HLen(f.ctx, f.key("label")).Val(); n != 1 {
			t.Errorf("%d labels, want the one", n)
		}
	})
}

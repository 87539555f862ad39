package worker

import (
	"testing"
	"time"
)

// ofSizes runs a test with a CMS whose posts come in one answer, and one that
// has more.
func ofSizes(t *testing.T, test func(t *testing.T, posts int)) {
	for name, n := range map[string]int{"few posts": 3, "many posts": 250} {
		t.Run(name, func(t *testing.T) { test(t, n) })
	}
}

func TestReconcile_aBackupIsRestored(t *testing.T) {
	for _, tt := range []struct {
		name         string
		told, polled bool // the edit that the backup does not have
	}{
		{"after an edit that a poll has found", false, true},
		{"after an edit that was told, and that a poll has seen", true, true},
		{"after an edit that was told, and that no poll has seen", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ofSizes(t, func(t *testing.T, n int) {
				s, cms := newWebsite(t), newPress(t)
				cms.posts(n)
				r := s.watchingPress(cms)
				r.untilDone(byItself)
				backup := cms.items[2]
				cms.edit(2, 0)
				if tt.told {
					r.told(cms, 2)
				}
				if tt.polled {
					r.untilDone(byItself)
				}
				cms.put(2, backup)
				r.finds(byItself, "changed post:2")
			})
		})
	}
}

func TestReconcile_whatABackupDoesNotHaveIsNotWaitedForAnyMore(t *testing.T) {
	ofSizes(t, func(t *testing.T, n int) {
		s, cms := newWebsite(t), newPress(t)
		cms.posts(n)
		r := s.watchingPress(cms)
		r.untilDone(byItself)
		backup := cms.items[2]
		cms.edit(2, 0)
		r.told(cms, 2)
		told := cms.version(2)
		cms.put(2, backup)
		r.finds(byItself, "changed post:2")
		if got := r.announced("post:2"); got != told {
			t.Errorf("announced is %q, want %q: the CMS may be behind", got, told)
		}
		r.cfg.Lag = 0 // it is over
		r.finds(byItself, "changed post:2")
		if got := r.announced("post:2"); got != cms.version(2) {
			t.Errorf("announced is %q, want %q", got, cms.version(2))
		}
		r.finds(byItself)
	})
}

func TestReconcile_aDryRunLeavesWhatIsAnnounced(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.finds(byItself)
	backup := cms.items[2]
	cms.edit(2, 0)
	r.told(cms, 2)
	told := cms.version(2)
	cms.put(2, backup)
	r.cfg.Lag = 0
	report, err := r.Reconcile(t.Context(), Reconciliation{Source: "cms", DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	wantFound(t, report, "changed post:2")
	if got := r.announced("post:2"); got != told {
		t.Errorf("announced is %q, want %q", got, told)
	}
}

// Whoever announces an edit may die before it is triggered.
func TestReconcile_whatIsAnnouncedAndNotTriggeredIsFound(t *testing.T) {
	for name, id := range map[string]int{"an edit": 2, "a new post": 1000} {
		t.Run(name, func(t *testing.T) {
			ofSizes(t, func(t *testing.T, n int) {
				s, cms := newWebsite(t), newPress(t)
				cms.posts(n)
				r := s.watchingPress(cms)
				r.untilDone(byItself)
				cms.edit(id, 0)
				item, what := Item{Tag: "post:2", Version: cms.version(id)}, "changed "
				if id != 2 {
					item.Tag, what = "post:1000", "new "
				}
				if err := r.announce(t.Context(), Trigger{Items: []Item{item}}); err != nil {
					t.Fatal(err)
				}
				r.finds(byItself, what+item.Tag)
				r.finds(byItself)
			})
		})
	}
}

func TestReconcile_whatWasToldIsNotAskedForByName(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(250)
	r := s.watchingPress(cms)
	r.untilDone(byItself)
	cms.edit(7, 0)
	r.told(cms, 7)
	cms.requests()
	r.finds(byItself)
	if n := len(cms.requests()); n != 7 {
		t.Errorf("it took %d requests, want those of a poll that finds nothing", n)
	}
}

func TestReconcile_whatAnotherCMSAnnouncesIsNoPost(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.finds(byItself)
	r.accept(Trigger{Items: []Item{{Tag: "post:6478ab", Version: time.Now().UTC().Format(modifiedForm)}}})
	r.finds(byItself)
	if n, err := r.Ledger.SeenCount(t.Context(), (&pollMemory{source: "cms"}).seen("posts")); n != 3 || err != nil {
		t.Errorf("%d posts are remembered, %v; want 3", n, err)
	}
}

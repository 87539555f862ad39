package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/redistest"
)

// A build reads a list of many pages, and takes them with what it has read.
func TestTake_WithWhatWasReadBefore(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	// begin reads the list.
	begin := func(f *fixture) Bulk {
		t.Helper()
		n := f.mustNumber()
		g0, err := f.Sequence(f.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return Bulk{Number: n, G0: g0}
	}

	t.Run("gives the run that number", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublish(p, "a")
		b := begin(f)
		f.mustTrigger(path(t, "/other"), Low)
		if run := f.mustTake(p, b); run.State != Claimed || run.G0 != b.G0 {
			t.Errorf("run = %s with g0 %d, want claimed with %d", run.State, run.G0, b.G0)
		}
	})

	// Each returns a bulk that has read its list before something newer.
	for name, older := range map[string]func(*fixture) Bulk{
		"a trigger": func(f *fixture) Bulk {
			b := begin(f)
			f.mustTrigger(p, Low)
			return b
		},
		"the failure of a newer trigger": func(f *fixture) Bulk {
			b := begin(f)
			f.mustFail(f.mustRun(p), Failed, 0)
			return b
		},
		"a run that was claimed before and has ended since": func(f *fixture) Bulk {
			run := f.mustRun(p)
			b := begin(f)
			f.mustFinish(run, Published, "newer than the list")
			return b
		},
		"a run that found that there is no such page": func(f *fixture) Bulk {
			b := begin(f)
			f.mustFinish(f.mustRun(p), Removed, "")
			return b
		},
		"a run that may have published and has died": func(f *fixture) Bulk {
			run := f.mustRun(p)
			b := begin(f)
			if err := run.Fence(f.ctx, false); err != nil {
				t.Fatal(err)
			}
			f.endLease(p)
			return b
		},
	} {
		t.Run("queues the page after "+name, func(t *testing.T) {
			f := newFixture(t, s)
			b := older(f)
			if run := f.mustTake(p, b); run.State != Busy {
				t.Fatalf("take = %s with g0 %d, want busy", run.State, run.G0)
			}
			f.elapse(2 * time.Second)
			run := f.mustClaim(*f.mustSweep(f.mustSuspect(), false))
			if run.G0 < b.Number {
				t.Errorf("the page's run has g0 %d, which does not meet %d", run.G0, b.Number)
			}
		})
	}

	t.Run("is rendered again when a label was triggered since, and even forgotten", func(t *testing.T) {
		for _, forgotten := range []bool{false, true} {
			f := newFixture(t, s)
			b := begin(f)
			w := f.mustWalk(Tag("post:1")) // which the page is to join
			f.mustEnd(w)
			if forgotten {
				f.elapse(f.keepLabel())
				f.mustSweep(f.mustSuspect(), false)
			}
			end := f.mustFinish(f.mustTake(p, b), Published, "from the list")
			if end.Token == nil {
				t.Fatalf("end = %+v (forgotten: %v), want a token", end, forgotten)
			}
			if run := f.mustClaim(*end.Token); run.G0 < w.Number {
				t.Errorf("the next run has g0 %d, which does not meet %d", run.G0, w.Number)
			}
		}
	})

	t.Run("repeated after a lost reply queues the page once", func(t *testing.T) {
		f := newFixture(t, s)
		b := begin(f)
		f.mustFail(f.mustRun(p), Failed, 0)
		for range 2 {
			if run, err := f.take(f.ctx, p, b, "owner"); err != nil || run.State != Busy {
				t.Fatalf("take = %+v, %v; want busy", run, err)
			}
		}
		if diff := cmp.Diff([]string{"owed:/news"}, f.keys("owed:*")); diff != "" {
			t.Errorf("owed (-want +got):\n%s", diff)
		}
		f.elapse(2 * time.Second)
		f.mustClaim(*f.mustSweep(f.mustSuspect(), false))
	})
}

package worker

import (
	"fmt"
	"testing"
	"time"
)

// wouldFind fails the test unless a dry run finds just that, and a real poll
// after it the same.
func (r *reconciled) wouldFind(want ...string) {
	r.t.Helper()
	for _, dry := range []bool{true, true, false} {
		report, err := r.Reconcile(r.t.Context(), Reconciliation{Source: r.Watches()[0], DryRun: dry, Full: true})
		if err != nil {
			r.t.Fatal(err)
		}
		wantFound(r.t, report, want...)
		if r.t.Failed() {
			r.t.Fatalf("a dry run: %t", dry)
		}
	}
}

func TestReconcile_aDryRunFindsWhatARealOneDoes(t *testing.T) {
	for name, n := range map[string]int{"few posts": 3, "many posts": 250} {
		t.Run(name+", one came and another went", func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			cms.posts(n)
			r := s.watchingPress(cms)
			r.published(map[string]string{"/2": "post:2"})
			r.untilDone(byItself)
			cms.edit(1000, 0)
			cms.remove(2)
			r.wouldFind("gone post:2", "new post:1000")
		})
		t.Run(name+", one came and went", func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			cms.posts(n)
			r := s.watchingPress(cms)
			r.untilDone(byItself)
			r.accept(Trigger{Items: []Item{{Tag: "post:1000", Version: time.Now().UTC().Format(modifiedForm)}}})
			r.published(map[string]string{"/short-lived": "post:1000"})
			r.wouldFind("gone post:1000")
		})
	}
}

func TestReconcileList_aDryRunCountsWhatIsNew(t *testing.T) {
	s, c := newWebsite(t), newShop(t, "stays")
	for i := range 12 {
		c.put(fmt.Sprintf("old%d", i), "v1")
	}
	r := s.watchingShop(c, "")
	r.finds(byItself)
	var want []string // twelve of thirteen would be doubted, twelve of 25 are not
	for i := range 12 {
		c.put(fmt.Sprintf("old%d", i), "")
		c.put(fmt.Sprintf("new%d", i), "v1")
		want = append(want, fmt.Sprintf("gone /articles/old%d", i), fmt.Sprintf("new /articles/new%d", i))
	}
	r.wouldFind(want...)
}

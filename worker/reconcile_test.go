package worker

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/ledger"
)

func TestReconcile_findsWhatNobodyTold(t *testing.T) {
	for name, n := range map[string]int{"few posts": 20, "many posts": 250} {
		t.Run(name, func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			cms.posts(n)
			r := s.watchingPress(cms)
			r.published(map[string]string{"/seven": "post:7", "/eight": "post:8"})
			r.untilDone(byItself)
			for _, c := range []struct {
				what string
				do   func()
				want []string
			}{
				{"edit", func() { cms.edit(7, 0) }, []string{"changed post:7"}},
				{"new", func() { cms.edit(1000, 0) }, []string{"new post:1000"}},
				{"unpublished, or erased", func() { cms.remove(7) }, []string{"gone post:7"}},
				{"one comes, another goes", func() { cms.edit(1001, 0); cms.remove(8) }, []string{"gone post:8", "new post:1001"}},
				{"its time has come, and it was written long before", func() {
					cms.put(900, pressItem{kind: "posts", date: time.Now(), modified: longAgo})
				}, []string{"new post:900"}},
				{"an old one is public again", func() {
					cms.put(901, pressItem{kind: "posts", date: longAgo.Add(-time.Hour), modified: longAgo})
				}, []string{"new post:901"}},
				{"one goes that no page shows", func() { cms.remove(9) }, nil},
				{"one comes that was written long before, another goes", func() {
					cms.put(902, pressItem{kind: "posts", date: time.Now(), modified: longAgo})
					cms.remove(900)
				}, []string{"new post:902"}},
			} {
				c.do()
				t.Log(c.what)
				r.finds(byItself, c.want...)
				r.finds(byItself)
			}
		})
	}
}

func TestReconcile_whatIsFoundIsRendered(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.run()
	s.tag("/seven", "post:2")
	r.publish("/seven", "old")
	r.finds(byItself)
	s.set("/seven", "new")
	cms.edit(2, 0)
	r.finds(byItself, "changed post:2")
	s.await("the page is public", func() bool { return s.served("/seven") == html("new") })
}

func TestReconcile_whatItsWebhookToldCostsNothing(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.finds(byItself)
	cms.edit(2, 0)
	r.told(cms, 2)
	before := r.triggered()
	r.finds(byItself)
	if diff := cmp.Diff(before, r.triggered()); diff != "" {
		t.Errorf("triggered besides (-want +got):\n%s", diff)
	}
	r.finds(byItself)
}

func TestReconcile_whatCameAndWentBetweenTwoPollsIsFound(t *testing.T) {
	for name, n := range map[string]int{"few posts": 3, "many posts": 250} {
		t.Run(name, func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			cms.posts(n)
			r := s.watchingPress(cms)
			r.untilDone(byItself)
			r.accept(Trigger{Items: []Item{{Tag: "post:1000", Version: time.Now().UTC().Format("2006-01-02T15:04:05")}}})
			r.published(map[string]string{"/short-lived": "post:1000"})
			r.finds(byItself, "gone post:1000")
			r.finds(byItself)
		})
	}
}

func TestReconcile_aNewItemThatWasTold(t *testing.T) {
	for _, tt := range []struct {
		name, kind string
		shown      bool
		want       []string
	}{
		{"and that a page shows", "posts", true, nil},
		{"and that no page shows, since the CMS was behind", "posts", false, []string{"new post:1000"}},
		{"and needs no page", "media", false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ofSizes(t, func(t *testing.T, n int) {
				s, cms := newWebsite(t), newPress(t)
				cms.media = true
				cms.posts(n)
				r := s.watchingPress(cms)
				r.untilDone(byItself)
				now := time.Now().UTC().Truncate(time.Second)
				cms.put(1000, pressItem{kind: tt.kind, date: now, modified: now})
				tag := strings.TrimSuffix(tt.kind, "s") + ":1000"
				r.accept(Trigger{Items: []Item{{Tag: tag, Version: cms.version(1000)}}})
				if tt.shown {
					r.published(map[string]string{"/new": tag})
				}
				r.finds(byItself, tt.want...)
				r.finds(byItself)
			})
		})
	}
}

// The CMS answers from a cache, and nothing tells an old name of a term from the
// new one.
func TestReconcile_whatHasNoVersionIsLookedAtAgain(t *testing.T) {
	for name, change := range map[string]func(cms *press){
		"a term":        func(cms *press) { cms.put(7, pressItem{kind: "categories", name: "stories"}) },
		"what has gone": func(cms *press) { cms.remove(7) },
	} {
		t.Run(name, func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			cms.posts(3)
			cms.put(7, pressItem{kind: "categories", name: "news"})
			r := s.watchingPress(cms)
			r.cfg.Recheck = 100 * time.Millisecond
			r.run()
			s.tag("/c", "category:7")
			r.publish("/c", "as it was")
			r.finds(byItself)
			before := s.renders("/c")
			change(cms)
			r.poll(byItself)
			s.await("it is looked at again", func() bool { return s.renders("/c") >= before+2 })
		})
	}
}

func TestReconcile_anEditAfterTheToldOneIsFound(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.finds(byItself)
	cms.edit(2, 0)
	r.accept(Trigger{Items: []Item{{Tag: "post:2", Version: cms.items[2].modified.Add(-time.Second).Format("2006-01-02T15:04:05")}}})
	r.finds(byItself, "changed post:2")
}

func TestReconcile_whatIsNotShownIsLeftOut(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.finds(byItself)
	for _, status := range []int{401, 403, 404} {
		cms.mu.Lock()
		cms.shut["users"] = status
		cms.mu.Unlock()
		cms.edit(2, time.Duration(500-status)*time.Second)
		report := r.poll(byItself)
		if len(report.Notes) != 1 || !strings.HasPrefix(report.Notes[0], "users: ") {
			t.Errorf("%d: notes: %q", status, report.Notes)
		}
		wantFound(t, report, "changed post:2")
	}
}

func TestReconcile_aCMSThatShowsNothingIsTold(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	for _, name := range []string{"posts", "pages", "categories", "users"} {
		cms.shut[name] = 401
	}
	r := s.watchingPress(cms)
	if _, err := r.Reconcile(t.Context(), Reconciliation{Source: "cms"}); !errors.Is(err, errNoAPI) {
		t.Errorf("it ends with %v", err)
	}
}

func TestReconcile_aCMSThatFailsIsAskedAgain(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.finds(byItself)
	cms.edit(2, 0)
	cms.mu.Lock()
	cms.shut["posts"] = 500
	cms.mu.Unlock()
	if _, _, err := r.reconcileDue(t.Context(), "cms", time.Minute, 0); !isTemporary(err) {
		t.Fatalf("the poll ends with %v", err)
	}
	states, err := r.Ledger.Polls(t.Context())
	if err != nil || len(states) != 1 || states[0].Error == "" {
		t.Errorf("nothing is told of it: %v %v", states, err)
	}
	cms.mu.Lock()
	delete(cms.shut, "posts")
	cms.mu.Unlock()
	r.finds(byItself, "changed post:2")
}

func TestReconcile_aDryRunChangesNothing(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(150)
	r := s.watchingPress(cms)
	r.published(map[string]string{"/7": "post:7"})
	r.untilDone(byItself)
	cms.edit(2, 0)
	cms.edit(1000, 0)
	cms.remove(7)
	want := []string{"changed post:2", "gone post:7", "new post:1000"}
	for range 2 {
		report, err := r.Reconcile(t.Context(), Reconciliation{Source: "cms", DryRun: true, Full: true})
		if err != nil {
			t.Fatal(err)
		}
		wantFound(t, report, want...)
	}
	if got := r.triggered(); len(got) > 0 {
		t.Errorf("triggered %v", got)
	}
	r.finds(byItself, want...)
}

func TestReconcile_unknownSource(t *testing.T) {
	r := newWebsite(t).watchingPress(newPress(t))
	if _, err := r.Reconcile(t.Context(), Reconciliation{Source: "shop"}); !errors.Is(err, ErrNotWatched) {
		t.Errorf("it ends with %v", err)
	}
}

func TestReconcile_waitsWhileTheSiteIsHeld(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	r := s.watchingPress(cms)
	if err := r.Hold(t.Context(), "ann", "an incident"); err != nil {
		t.Fatal(err)
	}
	var held *HeldError
	if _, err := r.Reconcile(t.Context(), Reconciliation{Source: "cms"}); !errors.As(err, &held) {
		t.Errorf("it ends with %v", err)
	}
	if _, _, err := r.reconcileDue(t.Context(), "cms", time.Minute, time.Minute); err != nil {
		t.Error(err)
	}
	if got := cms.requests(); len(got) > 0 {
		t.Errorf("the CMS was asked for %v", got)
	}
}

func TestReconcile_tellsOnceWhoseFailureItIsAndWhenItTriesAgain(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	r := s.watchingPress(cms)
	cms.shut["posts"] = 500
	if _, _, err := r.reconcileDue(t.Context(), "cms", 5*time.Minute, time.Minute); err == nil || strings.Contains(err.Error(), "reconcile") {
		t.Errorf("error %v, want it without what its log line and status say already", err)
	}
	states, err := r.Ledger.Polls(t.Context())
	if err != nil || len(states) != 1 {
		t.Fatalf("polls %v, %v", states, err)
	}
	if got := states[0].Next.Sub(states[0].At); got < 5*time.Minute || got > 6*time.Minute {
		t.Errorf("the next poll is told for %s after it, want five minutes and a little", got)
	}
}

func TestReconcile_oneProcessAtATime(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	one, other := s.watchingPress(cms), s.watchingPress(cms)
	wait, _, err := one.reconcileDue(t.Context(), "cms", time.Minute, time.Minute)
	if err != nil || wait < time.Minute {
		t.Fatalf("again in %s (%v)", wait, err)
	}
	n := len(cms.requests())
	if n == 0 {
		t.Fatal("the CMS was not asked")
	}
	if wait, _, err = other.reconcileDue(t.Context(), "cms", time.Minute, time.Minute); err != nil || wait < 50*time.Second {
		t.Errorf("again in %s (%v)", wait, err)
	}
	if got := cms.requests(); len(got) > 0 {
		t.Errorf("the CMS was asked for %v", got)
	}
}

func TestReconcile_aStopLeavesTheRestToTheNextStart(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.cfg.Reconcile = true
	asked := make(chan struct{})
	once := sync.OnceFunc(func() { close(asked) })
	cms.on = func(req *http.Request) {
		once()
		<-req.Context().Done()
	}
	r.run()
	<-asked
	r.stop()
	cms.mu.Lock()
	cms.on = nil
	cms.mu.Unlock()
	next := s.watchingPress(cms)
	if wait, _, err := next.reconcileDue(t.Context(), "cms", time.Minute, time.Minute); err != nil || wait < time.Minute {
		t.Errorf("again in %s (%v)", wait, err)
	}
	states, err := next.Ledger.Polls(t.Context())
	if err != nil || len(states) != 1 || states[0].Error != "" || states[0].Requests == 0 {
		t.Errorf("it did not go on: %v (%v)", states, err)
	}
}

func TestReconcile_isDoneByARunningWorker(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.cfg.Reconcile = true
	r.run()
	s.await("a poll has ended", func() bool {
		states, err := r.Ledger.Polls(t.Context())
		return err == nil && len(states) == 1 && states[0].Error == ""
	})
}

func TestReconcile_aStartDoesNotWaitForTheNextPoll(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	before := s.watchingPress(cms)
	if _, _, err := before.reconcileDue(t.Context(), "cms", time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	cms.requests()
	after := s.watchingPress(cms)
	after.cfg.Reconcile = true
	after.run()
	s.await("the CMS is asked again", func() bool { return len(cms.requests()) > 0 })
}

func TestReconcile_totalsAreAddedUp(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	r := s.watchingPress(cms)
	r.finds(byItself)
	for _, id := range []int{1, 2} {
		cms.edit(id, 0)
		r.poll(byItself)
	}
	got, err := r.Ledger.Polls(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := ledger.PollState{Source: "cms", At: got[0].At, Found: 1, Total: 2, Next: got[0].Next, Requests: got[0].Requests}
	if diff := cmp.Diff([]ledger.PollState{want}, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

package worker

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer"
	"rebake/renderer/source"
	"rebake/storage/ledger"
)

func TestReconcile_oneCollectionThatFailsKeepsNoOtherFromItsTurn(t *testing.T) {
	for _, status := range []int{400, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s, cms := newWebsite(t), newPress(t)
			cms.posts(250)
			r := s.watchingPress(cms)
			r.untilDone(byItself)
			cms.mu.Lock()
			cms.shut["pages"] = status
			cms.mu.Unlock()
			cms.edit(2, 0)
			report, err := r.Reconcile(t.Context(), Reconciliation{Source: "cms", Full: true})
			if err != nil {
				t.Fatal(err)
			}
			wantFound(t, report, "changed post:2")
			if report.Compared < 250 {
				t.Errorf("%d items were compared", report.Compared)
			}
			states, err := r.Ledger.Polls(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, told := range [][]string{report.Notes, {states[0].Error}} {
				if len(told) != 1 || !strings.HasPrefix(told[0], "pages: ") || !strings.Contains(told[0], fmt.Sprint(status)) {
					t.Errorf("it tells %q", told)
				}
			}
		})
	}
}

// A WordPress that is so slow, or has so many kinds, that a poll has time for one.
func TestReconcile_eachCollectionHasItsTurn(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	cms.put(7, pressItem{kind: "categories", name: "news"})
	cms.put(8, pressItem{kind: "users", name: "ann"})
	r := s.watchingPress(cms)
	r.finds(byItself)
	cms.edit(2, 0)
	cms.put(7, pressItem{kind: "categories", name: "stories"})
	cms.put(8, pressItem{kind: "users", name: "Ann"})
	one := byItself
	one.requests = 3 // two of them ask for the kinds
	for _, want := range [][]string{nil, {"changed post:2"}, {"changed category:7"}, {"changed user:8"}} {
		report := r.poll(one)
		wantFound(t, report, want...)
		if report.Open {
			t.Error("it is open")
		}
		if len(report.Notes) != 1 {
			t.Errorf("notes = %q", report.Notes)
		}
	}
}

// Some collections take all that a poll may ask, every time.
func TestReconcile_whatChangedLastLeavesTimeForTheComparison(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(250)
	for id := 1000; id < 1500; id++ {
		cms.put(id, pressItem{kind: "categories", name: fmt.Sprint(id)})
	}
	r := s.watchingPress(cms)
	limits := reconcileLimits{requests: 8, terms: 8, list: 1, time: 10 * time.Second}
	for range 10 {
		r.poll(limits)
		n, err := r.Ledger.SeenCount(t.Context(), ledger.Seen{Source: "cms", Collection: "posts"})
		if err != nil {
			t.Fatal(err)
		}
		if n == 250 {
			return
		}
	}
	t.Error("the posts are never compared")
}

// A list that takes longer than a poll may does not keep the others from theirs.
func TestReconcile_eachListHasItsTurn(t *testing.T) {
	s := newWebsite(t)
	var hangs atomic.Bool
	asked := make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		if hangs.Load() {
			<-r.Context().Done()
			return
		}
		answerJSON(w, []any{map[string]any{"slug": "a"}})
	}))
	t.Cleanup(srv.Close)
	cfg := source.DefaultConfig()
	cfg.URL = srv.URL
	src, err := source.New("shop", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	route := func(name string) renderer.RouteConfig {
		return renderer.RouteConfig{
			Path: "/" + name + "/{slug}", Template: "page.html",
			Data: map[string]renderer.FetchConfig{"it": {Source: "shop", Get: "/" + name + "/{slug}", One: true}},
			List: &renderer.ListConfig{Source: "shop", Get: "/" + name, Path: "/" + name + "/{slug}", As: "it"},
		}
	}
	r := s.watching(map[string]*source.Source{"shop": src}, route("slow"), route("other"))
	hangs.Store(true)
	limits := byItself
	limits.time = time.Second
	if first := r.poll(limits); first.Open || len(first.Notes) != 1 || first.Compared != 0 {
		t.Errorf("the first poll: %+v", first)
	}
	hangs.Store(false)
	if second := r.poll(byItself); second.Open || len(second.Notes) != 0 || second.Compared != 2 {
		t.Errorf("the second poll: %+v", second)
	}
	var got []string
	for len(asked) > 0 {
		got = append(got, <-asked)
	}
	if diff := cmp.Diff([]string{"/other", "/slow"}, got[max(0, len(got)-2):]); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestReconcile_aCMSThatIsAwayIsTriedSoonerThanUsual(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	r := s.watchingPress(cms)
	cms.shut["types"] = 503
	wait, polled, err := r.reconcileDue(t.Context(), "cms", 5*time.Minute, time.Minute)
	if err == nil || !polled || wait > 2*time.Minute {
		t.Errorf("again in %s, polled %t, %v; want an error, and a minute", wait, polled, err)
	}
}

func TestReconcile_theTurnOfADeadProcessIsNotTheFirstPollOfAnother(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	r := s.watchingPress(cms)
	if claim, err := r.Ledger.ClaimPoll(t.Context(), "cms", time.Minute, true); err != nil || claim.Turn == nil {
		t.Fatalf("claim = %+v, %v", claim, err)
	}
	_, polled, err := r.reconcileDue(t.Context(), "cms", 5*time.Minute, time.Minute)
	if err != nil || polled {
		t.Errorf("polled = %t, %v; want that it still has to", polled, err)
	}
}

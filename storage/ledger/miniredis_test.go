package ledger

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// The demo has its Redis in memory. Everything else is tested on a real one.
func TestLedger_WorksInMemory(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = rdb.Close() })
	f := openFixture(t, rdb, DefaultConfig(site))
	p := path(t, "/news")

	run := f.mustRun(p)
	if err := run.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := run.Fence(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	f.mustTrigger(p, Critical)
	end := f.mustFinish(run, Published, "a")
	if end.Token == nil || end.Token.Priority != Critical {
		t.Fatalf("end = %+v, want a token of priority critical", end)
	}
	f.mustFail(f.mustClaim(*end.Token), Retrying, 0)
	f.endLease(p)
	f.mustClaim(*f.mustSweep(f.mustSuspect(), false))
	f.endLease(p)
	dead := f.mustSuspect()
	f.mustFinish(f.mustClaim(*f.mustSweep(dead, false)), Removed, "")
	if got := f.mustState(p).Freshness; got != PageGone {
		t.Errorf("freshness = %s, want gone", got)
	}

	f.mustPublish(p, "b")
	for _, run := range f.walkAll(f.mustLabel(Tag("post:1"), Low).Token) {
		f.mustFinish(run, Published, "c")
	}
	if got := f.mustState(p).Freshness; got != PageFresh {
		t.Errorf("freshness after a walk = %s, want fresh", got)
	}

	f.mustRequest(path(t, "/c"), calm)
	if run := f.wake(f.mustToken(path(t, "/c"), Low)); run.State != Claimed {
		t.Errorf("claim of a page that is to wait no more = %s, want claimed", run.State)
	}
	f.mustLabelRequest(Item("post:1"), calm)
	f.mustLater(f.mustClaimWalk(*f.mustLabel(Item("post:1"), Low).Token), 0, "no answer")
	f.mustAnnounce("post:1", "2")
	f.mustAnnounce("post:1", "1")
	if got := f.announced("post:1")["post:1"].Version; got != "2" {
		t.Errorf("announced version = %q, want 2", got)
	}
	f.mustFinishLagging(path(t, "/b"), "old")
	f.mustPark(ParkedEvent{ID: "1"})
	if _, ok, err := f.TakeParked(f.ctx, "1"); !ok || err != nil {
		t.Errorf("take of a parked event = %v, %v", ok, err)
	}

	f.mustUnknown("timers", "recheck:query:post:42", 0)
	if list, err := f.DueTimers(f.ctx, 10); len(list) != 0 || err != nil {
		t.Errorf("due timers = %+v, %v; want none", list, err)
	}
	f.wantPostponed("timers", "recheck:query:post:42")

	events, _ := listen(t, f.Ledger)
	nextEvent(t, f, p, events)
}

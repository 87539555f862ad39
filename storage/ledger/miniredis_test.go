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

	events, _ := listen(t, f.Ledger)
	nextEvent(t, f, p, events)
}

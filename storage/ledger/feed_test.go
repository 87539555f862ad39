package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"rebake/storage"
	"rebake/storage/redistest"
)

// listen runs a feed of the ledger until the test ends or stop is called.
func listen(t *testing.T, l *Ledger) (events <-chan Event, stop func()) {
	t.Helper()
	feed := l.Feed()
	events, unsubscribe := feed.Subscribe(16)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := feed.Run(ctx); err != nil {
			t.Errorf("run feed: %v", err)
		}
	}()
	stop = func() {
		cancel()
		unsubscribe()
		<-done
	}
	t.Cleanup(stop)
	return events, stop
}

// nextEvent publishes the page again and again until one is told of: a feed only tells
// what happens after it has reached Redis.
func nextEvent(t *testing.T, f *fixture, p storage.Path, events <-chan Event) Event {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patient)
	for {
		select {
		case e := <-events:
			return e
		case <-tick.C:
			f.mustPublish(p, "a")
		case <-timeout:
			t.Fatal("no event")
		}
	}
}

func TestFeed_TellsOfEveryEnd(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	events, _ := listen(t, f.Ledger)
	nextEvent(t, f, path(t, "/first"), events)

	r := f.mustRequest(p, Request{Reason: "api"})
	f.mustFail(f.mustClaim(*r.Token), Retrying, 0)
	f.mustFinish(f.mustClaim(*r.Token), Published, "a")
	for _, outcome := range []Outcome{Unchanged, Removed} {
		f.mustFinish(f.mustRun(p), outcome, "a")
	}
	f.mustFail(f.mustRun(p), Refused, 0)
	f.mustFail(f.mustRun(p), Failed, 0)

	var kinds []Outcome
	for len(kinds) < 6 {
		select {
		case e := <-events:
			if e.Path != p {
				continue
			}
			if len(kinds) == 0 {
				want := Event{Kind: Retrying, Path: p, ID: r.ID, Reason: "api", Error: "no answer"}
				if diff := cmp.Diff(want, e, cmp.Comparer(samePath), cmpopts.IgnoreFields(Event{}, "At", "Ran", "Waited")); diff != "" {
					t.Errorf("event (-want +got):\n%s", diff)
				}
			}
			kinds = append(kinds, e.Kind)
		case <-time.After(patient):
			t.Fatalf("events = %v, then none", kinds)
		}
	}
	if diff := cmp.Diff([]Outcome{Retrying, Published, Unchanged, Removed, Refused, Failed}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func TestFeed_GoesOnAfterARestartOfRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	f := newFixture(t, s)
	p := path(t, "/news")
	events, _ := listen(t, f.Ledger)
	nextEvent(t, f, p, events)
	s.Kill()
	s.Restart()
	f.mustPublish(path(t, "/after"), "a")
	timeout := time.After(patient)
	for {
		select {
		case e := <-events:
			if e.Path.String() == "/after" {
				return
			}
		case <-timeout:
			t.Fatal("no event of after the restart")
		}
	}
}

func TestFeed_DoesNotWaitForASlowListener(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	feed := f.Feed()
	events, unsubscribe := feed.Subscribe(1)
	defer unsubscribe()
	feed.send(Event{ID: 1})
	feed.send(Event{ID: 2})
	if e := <-events; e.ID != 1 {
		t.Errorf("event %d, want the first", e.ID)
	}
}

// It is not parallel: goleak looks at the goroutines of the whole program.
func TestFeed_EndsWithItsContext(t *testing.T) {
	f := newFixture(t, redistest.Start(t))
	before := goleak.IgnoreCurrent()
	events, stop := listen(t, f.Ledger)
	nextEvent(t, f, path(t, "/news"), events)
	stop()
	goleak.VerifyNone(t, before)
}

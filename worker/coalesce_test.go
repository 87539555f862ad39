package worker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"rebake/storage/ledger"
)

// The promise that asynq's own dedup breaks.
func TestWorker_TriggerWhilePageRendersIsSeen(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/a", "old")
	first := s.block(t, "/a")
	p.trigger(ledger.Critical, "/a")
	<-first.started
	s.set("/a", "new")
	p.trigger(ledger.Critical, "/a")
	first.release()
	p.await("/a", ledger.PageFresh)
	s.wantServed("/a", "new")
}

func TestWorker_TriggersWhilePageRendersShareOneRender(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	first := s.block(t, "/a")
	p.trigger(ledger.Critical, "/a")
	<-first.started
	for range 100 {
		p.trigger(ledger.Critical, "/a")
	}
	first.release()
	p.await("/a", ledger.PageFresh)
	s.wantRenders("/a", 2)
}

func TestWorker_H117_StormIsCalm(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Recheck = 2 * time.Second })
	first := s.block(t, "/a")
	p.trigger(ledger.Critical, "/a")
	<-first.started
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 50 {
				p.accept(Trigger{Paths: onePath("/a"), Priority: ledger.Critical, Recheck: true})
			}
		})
	}
	wg.Wait()
	s.set("/a", "last")
	p.accept(Trigger{Paths: onePath("/a"), Priority: ledger.Critical, Recheck: true})
	first.release()
	s.await("the second look is over", func() bool {
		c, err := p.Ledger.Counts(t.Context())
		return err == nil && c == ledger.Counts{}
	})
	s.wantServed("/a", "last")
	const most = 3 + 1 // and the second look
	if n := s.renders("/a"); n > most {
		t.Errorf("1,000 triggers cost %d renders, want at most %d", n, most)
	}
}

func TestWorker_SecondLookComesOnce(t *testing.T) {
	s := newWebsite(t)
	soon := func(set *settings) { set.Recheck = 100 * time.Millisecond }
	p := s.running(soon)
	s.running(soon)
	p.accept(Trigger{Paths: onePath("/a"), Priority: ledger.Critical, Recheck: true})
	s.await("the second look is over", func() bool {
		c, err := p.Ledger.Counts(t.Context())
		return err == nil && c == ledger.Counts{}
	})
	s.wantRenders("/a", 2)
}

func TestWorker_SecondLookFindsWhatCameTooLate(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Recheck = 100 * time.Millisecond })
	s.on("/a", func(_ context.Context, n int, _ string) (string, error) { return fmt.Sprint("look ", n), nil })
	p.accept(Trigger{Paths: onePath("/a"), Priority: ledger.Critical, Recheck: true})
	s.await("the second look is published", func() bool { return s.served("/a") == html("look 2") })
}

func TestWorker_SecondLookOfATagFindsWhatCameTooLate(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Recheck = 100 * time.Millisecond })
	s.on("/a", func(_ context.Context, n int, _ string) (string, error) { return fmt.Sprint("look ", n), nil })
	s.tag("/a", "post:1")
	p.trigger(ledger.Critical, "/a")
	s.await("the page is published", func() bool { return s.served("/a") == html("look 1") })
	p.accept(Trigger{Labels: []ledger.Label{ledger.Tag("post:1")}, Priority: ledger.Critical, Recheck: true})
	s.await("the second look is published", func() bool { return s.served("/a") == html("look 3") })
}

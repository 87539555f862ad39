package worker

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rebake/storage/ledger"
)

func TestRun_SlowBulkLeavesASlotForAnEdit(t *testing.T) {
	for name, here := range map[string]bool{"accepted here": true, "accepted elsewhere": false} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running(func(set *settings) { set.Workers = 3 })
			var bulk []blocked
			for _, path := range []string{"/bulk/1", "/bulk/2"} {
				b := s.block(t, path)
				p.trigger(ledger.Low, path)
				<-b.started
				bulk = append(bulk, b)
			}
			accepts := p
			if !here {
				accepts = s.process()
			}
			accepts.trigger(ledger.Critical, "/edit")
			p.await("/edit", ledger.PageFresh)
			for _, b := range bulk {
				b.release()
			}
		})
	}
}

func TestRun_RendersNoMoreAtOnceThanItHasSlots(t *testing.T) {
	s := newWebsite(t)
	p := s.process(func(set *settings) { set.Workers = 3 })
	gate := make(chan struct{})
	paths := []string{"/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"}
	for _, path := range paths {
		s.on(path, func(ctx context.Context, _ int, text string) (string, error) {
			select {
			case <-gate:
			case <-ctx.Done():
			}
			return text, ctx.Err()
		})
	}
	p.trigger(ledger.Low, paths[:4]...) // through asynq
	p.run()
	p.trigger(ledger.Low, paths[4:]...) // and at once
	s.await("the slots are full", func() bool { return s.atOnceMost() == 2 })
	close(gate)
	for _, path := range paths {
		p.await(path, ledger.PageFresh)
	}
	if most := s.atOnceMost(); most != 2 {
		t.Errorf("%d low renders ran at once, want 2: 3 workers and one kept free", most)
	}
}

func TestRun_TakesWhatAnotherProcessAccepts(t *testing.T) {
	s := newWebsite(t)
	s.running().unswept()
	s.process().trigger(ledger.Critical, "/a")
	s.await("the page is served", func() bool { return s.served("/a") != "" })
}

// How soon that is depends on how often the worker looks. asynq's own pace is once
// a second.
func TestRun_LooksOftenForWhatOtherProcessesAccept(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	var looks atomic.Int64
	p.rdb.AddHook(refusing(func(words string) error {
		if strings.Contains(words, "asynq:{critical}:pending asynq:{critical}:paused") {
			looks.Add(1)
		}
		return nil
	}))
	started := time.Now()
	p.run()
	s.await("it has looked more often than a few times a second", func() bool {
		return float64(looks.Load()) > 10+5*time.Since(started).Seconds()
	})
}

func TestRun_TakesAtOnceWhatItAcceptsItself(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "old")
	if err := s.inspector().PauseQueue("critical"); err != nil { // so asynq brings nothing
		t.Fatal(err)
	}
	p.publish("/a", "new")
	s.wantServed("/a", "new")
}

// stopping begins a stop, and returns when nothing new is taken any more.
func stopping(p *process) {
	p.end()
	<-p.slots.closed
}

func TestRun_StopWaitsForRunsUnderWay(t *testing.T) {
	for name, here := range map[string]bool{"taken at once": true, "taken from asynq": false} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.set("/a", "done")
			first := s.block(t, "/a")
			acceptsFor(p, here).trigger(ledger.Critical, "/a")
			<-first.started
			stopping(p)
			first.release()
			<-p.over
			s.wantServed("/a", "done")
			if f := p.state("/a").Freshness; f != ledger.PageFresh {
				t.Errorf("the page is %s, want fresh", f)
			}
		})
	}
}

// acceptsFor returns p, or another process for whose triggers p has to work.
func acceptsFor(p *process, here bool) *process {
	if here {
		return p
	}
	return p.site.process()
}

func TestRun_StopGivesBackWhatTakesTooLong(t *testing.T) {
	for name, here := range map[string]bool{"taken at once": true, "taken from asynq": false} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running(func(set *settings) { set.Grace = 50 * time.Millisecond; set.ledger.Lease = notInTest })
			first := s.block(t, "/a")
			accepts := acceptsFor(p, here)
			accepts.trigger(ledger.Default, "/a")
			<-first.started
			p.stop()

			owed := p.state("/a").Owed
			if owed == nil || owed.Status != "queued" || owed.Attempts != 0 {
				t.Fatalf("the page is owed %+v, want queued and no attempt", owed)
			}
			if deaths, err := s.rdb.HGet(t.Context(), owedKey("/a"), "cl").Int(); err != nil || deaths != 0 {
				t.Errorf("silent deaths = %d, %v, want 0", deaths, err)
			}
			if q, err := s.inspector().GetQueueInfo("default"); err != nil || q.Failed != 0 {
				t.Errorf("asynq counts %+v, %v, want no failure", q, err)
			}
			s.running().unswept()
			p.await("/a", ledger.PageFresh) // and it waits for no lease
		})
	}
}

func TestRun_NothingIsTakenAfterTheStop(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.stop()
	p.trigger(ledger.Critical, "/a")
	if n := len(p.slots.general) + len(p.slots.reserve); n > 0 {
		t.Errorf("%d slots are free after the stop", n)
	}
	s.wantRenders("/a", 0)
}

func TestRun_StopWaitsForNothingWithoutWork(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Grace = notInTest })
	p.publish("/a", "done")
	p.end()
	select {
	case <-p.over:
	case <-time.After(patient):
		t.Error("an idle worker does not stop")
	}
}

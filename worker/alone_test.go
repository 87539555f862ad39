package worker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rebake/storage/ledger"
)

// killed stands for runs of the page that ended with their processes.
func (p *process) killed(path string, times int) {
	p.site.t.Helper()
	if err := p.site.rdb.HSet(p.site.t.Context(), owedKey(path), "cl", times).Err(); err != nil {
		p.site.t.Fatal(err)
	}
}

// H114: what kills the process takes nobody with it.
func TestRun_PageWhoseRunsDiedRunsAlone(t *testing.T) {
	s := newWebsite(t)
	p := s.process()
	crowd := []string{"/1", "/2", "/3", "/4", "/5", "/6"}
	for _, path := range crowd {
		p.token(path, ledger.Low)
	}
	p.token("/suspect", ledger.Low)
	p.killed("/suspect", 3)
	var beside int
	s.on("/suspect", func(context.Context, int, string) (string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		beside = s.now - 1
		return "clean", nil
	})
	first := s.block(t, "/1")
	second := s.block(t, "/2")
	for _, path := range append(crowd, "/suspect") {
		s.rdb.ZAddXX(t.Context(), "rebake:{"+host+"}:dirty", due(path))
	}
	p.run()
	<-first.started
	<-second.started
	s.await("the suspect waits for the others", func() bool {
		p.slots.mu.Lock()
		defer p.slots.mu.Unlock()
		return p.slots.quiet != nil
	})
	s.wantRenders("/suspect", 0)
	first.release()
	second.release()
	for _, path := range append(crowd, "/suspect") {
		p.await(path, ledger.PageFresh)
	}
	if beside != 0 {
		t.Errorf("%d renders ran beside the suspect, want none", beside)
	}
}

func TestRun_PageWhoseRunsDiedIsNotClaimedWhileItWaits(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	other := s.block(t, "/other")
	p.trigger(ledger.Low, "/other")
	<-other.started
	tok := p.token("/suspect", ledger.Low)
	p.killed("/suspect", 3)
	p.wake(t.Context(), &tok)
	s.await("the suspect waits for the other", func() bool { return p.slots.waits(tok.ID) })
	if owed := p.state("/suspect").Owed; owed == nil || owed.Status != "queued" {
		t.Errorf("the page is owed %+v while it waits, want queued: the other one may kill the process, too", owed)
	}
	other.release()
	p.await("/suspect", ledger.PageFresh)
}

func TestSweep_PoisonPageSaysWhyAndTheNextTriggerTriesAgain(t *testing.T) {
	s := newWebsite(t)
	p := s.running(quick)
	if _, err := p.Ledger.Claim(t.Context(), p.token("/poison", ledger.Low)); err != nil {
		t.Fatal(err)
	}
	p.killed("/poison", 5)
	p.await("/poison", ledger.PageFailed)
	if reason := p.state("/poison").Owed.Error; !strings.HasPrefix(reason, "poison page: 5 runs") {
		t.Errorf("the reason is %q, want that it is a poison page", reason)
	}
	s.wantRenders("/poison", 0)
	p.publish("/poison", "harmless now")
	s.wantServed("/poison", "harmless now")
}

func TestSlots_NobodyRunsBesideOneThatHasAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4)
		release, err := s.acquireAll(t.Context(), ledger.Token{ID: "1-x"})
		if err != nil {
			t.Fatal(err)
		}
		general, urgent := waiting(t.Context(), s, false), waiting(t.Context(), s, true)
		if len(general)+len(urgent) > 0 {
			t.Fatal("somebody runs beside the one that has all slots")
		}
		release()
		if err := errors.Join(<-general, <-urgent); err != nil {
			t.Error(err)
		}
	})
}

func TestSlots_TwoThatNeedAllComeOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4)
		release, err := s.acquireAll(t.Context(), ledger.Token{ID: "1-x"})
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan error, 1)
		go func() {
			_, err := s.acquireAll(t.Context(), ledger.Token{ID: "2-x"})
			got <- err
		}()
		synctest.Wait()
		if len(got) > 0 {
			t.Fatal("both have all slots")
		}
		release()
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
}

func TestSlots_AllAreHandedOnBeforeOthersAreLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4)
		release, err := s.acquireAll(t.Context(), ledger.Token{ID: "1-x"})
		if err != nil {
			t.Fatal(err)
		}
		run := waiting(t.Context(), s, true)
		next := make(chan func(), 1)
		go func() {
			release, err := s.acquireAll(t.Context(), ledger.Token{ID: "2-x"})
			if err != nil {
				t.Error(err)
			}
			next <- release
		}()
		synctest.Wait()
		release()
		last := <-next
		synctest.Wait()
		if len(run) > 0 {
			t.Error("a run was let in between two that need all slots")
		}
		last()
		if err := <-run; err != nil {
			t.Error(err)
		}
	})
}

func TestSlots_AllAreGivenBackWhenOthersHaveWaitedLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if !s.setQuiet(make(chan struct{})) {
			t.Fatal("somebody has all slots")
		}
		go func() { _, _ = s.acquireAll(ctx, ledger.Token{ID: "2-x"}) }()
		synctest.Wait()
		given := false
		s.handOn(all{giveBack: func() { given = true }, since: time.Now().Add(-handedOn)})
		if !given {
			t.Error("the slots were handed on although others have waited long enough")
		}
	})
}

func TestSlots_NobodyIsLetInBeforeOneThatNeedsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4)
		release := take(t, s, false)
		all := make(chan func(), 1)
		go func() {
			release, err := s.acquireAll(t.Context(), ledger.Token{ID: "1-x"})
			if err != nil {
				t.Error(err)
			}
			all <- release
		}()
		synctest.Wait()
		next := waiting(t.Context(), s, false)
		if len(next) > 0 {
			t.Error("a run was let in although another waits until it is alone")
		}
		release()
		(<-all)()
		if err := <-next; err != nil {
			t.Error(err)
		}
	})
}

func TestSlots_CloseSendsAwayWhoNeedsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(4)
		release := take(t, s, false)
		got := make(chan error, 1)
		go func() {
			_, err := s.acquireAll(t.Context(), ledger.Token{ID: "1-x"})
			got <- err
		}()
		synctest.Wait()
		s.close()
		if err := <-got; err != errStopping {
			t.Errorf("acquireAll = %v, want errStopping", err)
		}
		release()
		if err := s.drain(t.Context()); err != nil {
			t.Errorf("drain = %v, want all slots back", err)
		}
	})
}

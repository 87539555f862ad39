package worker

import (
	"context"
	"errors"
	"testing"

	"rebake/storage/ledger"
)

func (p *process) hold() {
	p.site.t.Helper()
	if err := p.Hold(p.site.t.Context(), "ann", "an incident"); err != nil {
		p.site.t.Fatal(err)
	}
}

func (p *process) resume() {
	p.site.t.Helper()
	if _, err := p.Ledger.Resume(p.site.t.Context()); err != nil {
		p.site.t.Fatal(err)
	}
}

func TestWorker_WhileHeldClaimsNothing(t *testing.T) {
	s := newWebsite(t)
	p, other := s.process(), s.process()
	if p.held(t.Context()) != nil {
		t.Fatal("held before anybody said so")
	}
	other.hold()
	tok := p.token("/a", ledger.Critical)
	again := new(later)
	if err := p.do(t.Context(), tok, p.Ledger.Claim); !errors.As(err, &again) || again.in <= 0 {
		t.Errorf("the wake-up ended with %v, want that it comes again later", err)
	}
	if st := p.state("/a").Owed; st == nil || st.Status != "queued" {
		t.Errorf("the page is owed %+v, want queued", st)
	}
	s.wantRenders("/a", 0)
}

func TestWorker_WhileHeldKeepsTriggersForLater(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/old", "before")
	p.hold()
	s.set("/old", "after")
	p.trigger(ledger.Critical, "/new")
	p.accept(Trigger{Labels: []ledger.Label{ledger.Site}, Priority: ledger.Low, Reason: "test"})
	err := p.take(t.Context(), mustMatch(t, p, "/other"), ledger.Bulk{Number: 1}, func(error) {}, func(*ledger.Run, error) {})
	if held := new(HeldError); !errors.As(err, &held) || held.Hold.Why != "an incident" {
		t.Errorf("a bulk ended with %v, want that publishing is held, and why", err)
	}
	s.wantServed("/old", "before")
	s.wantRenders("/new", 0)
	p.resume()
	p.await("/new", ledger.PageFresh)
	s.await("the walk has come to the old page", func() bool { return s.served("/old") == html("after") })
}

func TestWorker_StopsWhileHeld(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.hold()
	p.trigger(ledger.Critical, "/a", "/b", "/c")
	p.stop() // and the fixture fails when that hangs
	s.wantRenders("/a", 0)
}

func TestWorker_MissWhileHeldIsUnavailable(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.hold()
	if err := p.miss(context.Background(), mustMatch(t, p, "/a")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("miss = %v, want that the page is unavailable", err)
	}
}

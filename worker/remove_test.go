package worker

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

func mustMatch(t *testing.T, p *process, path string) renderer.Match {
	t.Helper()
	m, ok := p.Renderer.Match(mustPath(path))
	if !ok {
		t.Fatalf("no route matches %s", path)
	}
	return m
}

// rendering is how many renders run now.
func (s *website) rendering() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (p *process) remove(path string, keepGone bool) {
	p.site.t.Helper()
	err := p.Remove(p.site.t.Context(), Removal{Path: mustPath(path), Keep: keepGone, By: "ann", Reason: "legal asked"})
	if err != nil {
		p.site.t.Fatal(err)
	}
}

func TestWorker_RemoveTakesAPageAwayWithoutItsSource(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "text")
	p.remove("/a", false)
	s.wantServed("/a", "")
	s.wantRenders("/a", 1)
	if st := p.state("/a"); st.Freshness != ledger.PageGone || st.Page.Reason != "removed by ann: legal asked" {
		t.Errorf("the page is %s because %q", st.Freshness, st.Page.Reason)
	}
	p.publish("/a", "back")
	s.wantServed("/a", "back")
}

func TestWorker_RemoveWorksWhileHeld(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "text")
	p.hold()
	p.remove("/a", false)
	s.wantServed("/a", "")
}

func TestWorker_RemoveDuringARenderWins(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	b := s.block(t, "/a")
	s.set("/a", "secret")
	p.trigger(ledger.Critical, "/a")
	<-b.started
	p.remove("/a", true)
	b.release()
	s.await("the render has ended", func() bool { return s.rendering() == 0 })
	p.trigger(ledger.Critical, "/a") // its run comes after whatever is left of the first
	s.await("nothing is owed", func() bool { return p.state("/a").Owed == nil })
	s.wantServed("/a", "")
}

func TestWorker_KeptPageStaysAwayUntilItIsUnkept(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "text")
	p.remove("/a", true)
	for _, how := range []Trigger{
		{Paths: onePath("/a"), Priority: ledger.Critical},
		{Labels: []ledger.Label{ledger.Site}, Priority: ledger.Low},
	} {
		a, err := p.Accept(t.Context(), how)
		if err != nil {
			t.Fatal(err)
		}
		s.await("the trigger is met", func() bool {
			st := p.state("/a")
			return st.Freshness == ledger.PageGone && st.Page.G0 >= a.ID()
		})
	}
	s.wantServed("/a", "")
	s.wantRenders("/a", 1)
	if _, err := p.Ledger.Unkeep(t.Context(), mustPath("/a")); err != nil {
		t.Fatal(err)
	}
	p.publish("/a", "back")
	s.wantServed("/a", "back")
}

func TestWorker_KeptPathThatNeverWasAPageBecomesNone(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.remove("/a", true)
	s.set("/a", "text")
	p.trigger(ledger.Critical, "/a")
	s.await("nothing is owed", func() bool { return p.state("/a").Owed == nil })
	s.wantServed("/a", "")
	s.wantRenders("/a", 0)
}

func TestWorker_KeptPageIsRemovedWhenTheRemovalDiedHalfway(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "text")
	if err := p.Ledger.Keep(t.Context(), mustPath("/a"), "ann", ""); err != nil {
		t.Fatal(err)
	}
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageGone)
	s.wantServed("/a", "")
}

func TestWorker_RemoveLeavesForeignFilesAlone(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	if err := os.MkdirAll(filepath.Dir(s.file("/a")), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file("/a"), []byte("by hand"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := p.Remove(t.Context(), Removal{Path: mustPath("/a"), By: "ann"})
	if !errors.Is(err, storage.ErrForeign) || s.served("/a") != "by hand" {
		t.Errorf("remove = %v, the file is %q", err, s.served("/a"))
	}
}

func TestWorker_RemoveLeavesAForeignFileOfAnotherTypeAlone(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "text")
	foreign := filepath.Join(filepath.Dir(s.file("/a")), "index.json")
	if err := os.WriteFile(foreign, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.remove("/a", false)
	s.wantServed("/a", "")
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
}

func TestWorker_MissOfAKeptPageIsToldAsThat(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/a", "text")
	p.remove("/a", true)
	for range 2 { // the second is answered from memory
		if _, err := p.Miss(t.Context(), mustPath("/a")); !errors.Is(err, ErrKept) {
			t.Errorf("miss = %v, want that the page was removed for good", err)
		}
	}
	s.wantRenders("/a", 0)
}

func TestWorker_MissOfAPageThatIsKeptAfterItWasFoundAbsent(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	if _, err := p.Miss(t.Context(), mustPath("/a")); !errors.Is(err, ErrAbsent) {
		t.Fatalf("miss = %v, want that there is no such page", err)
	}
	p.remove("/a", true)
	if _, err := p.Miss(t.Context(), mustPath("/a")); !errors.Is(err, ErrKept) {
		t.Errorf("miss = %v, want that the page was removed for good, at once", err)
	}
}

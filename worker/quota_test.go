package worker

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/storage/output"
)

func TestWorker_H122_PagesBeyondTheQuota(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(c *settings) { c.Quota = 3 })
	for _, path := range []string{"/a", "/b", "/c"} {
		p.publish(path, "old")
	}
	// The ledger alone: a trigger that was accepted before the quota was full.
	p.offer(p.token("/owed", ledger.Critical))
	p.await("/owed", ledger.PageFailed)
	if got := p.state("/owed").Owed.Error; !strings.Contains(got, "gate quota: the site has all the 3 pages that quota.pages allows") {
		t.Errorf("reason = %q", got)
	}
	s.wantRenders("/owed", 0)
	s.wantServed("/owed", "")

	s.set("/a", "new")
	a, err := p.Accept(t.Context(), Trigger{Priority: ledger.Critical, Paths: []storage.Path{mustPath("/a"), mustPath("/d")}})
	if err != nil || len(a.Pages) != 1 || len(a.OverQuota) != 1 || a.OverQuota[0] != mustPath("/d") {
		t.Errorf("accepted %+v, %v; want /a owed and /d over the quota", a, err)
	}
	p.await("/a", ledger.PageFresh)
	s.wantServed("/a", "new")
	if owed := p.state("/d").Owed; owed != nil {
		t.Errorf("/d has left %+v in the ledger", owed)
	}
}

// A page that was removed counts, so it is no new one when it comes back.
func TestWorker_H122_PageComesBackThatTheQuotaHasRoomFor(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(c *settings) { c.Quota = 1 })
	p.publish("/a", "old")
	if err := p.Remove(t.Context(), Removal{Path: mustPath("/a"), By: "test"}); err != nil {
		t.Fatal(err)
	}
	p.publish("/a", "again")
	s.wantServed("/a", "again")
}

// Pages that turn out to be none must not use the quota up.
func TestWorker_H122_PagesThatAreNoneCountForNothing(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(c *settings) { c.Quota = 1 })
	gone := func(path string) {
		s.on(path, func(_ context.Context, _ int, _ string) (string, error) { return "", storage.ErrGone })
		p.trigger(ledger.Critical, path)
	}
	gone("/x")
	gone("/y")
	p.publish("/a", "here")
	s.wantServed("/a", "here")
}

// newPagesWait makes the worker's output one that has no room for new pages.
func (p *process) newPagesWait() {
	p.site.t.Helper()
	full, err := output.Open(output.Config{
		Dir: filepath.Join(p.site.dir, "public"), State: filepath.Join(p.site.dir, "state"), FreeSpace: "99.9%",
	})
	if err != nil {
		p.site.t.Fatal(err)
	}
	p.site.t.Cleanup(func() { _ = full.Close() })
	p.Output = full
}

func TestWorker_H96_NewPagesWaitWhileTheDiskIsNearlyFull(t *testing.T) {
	s := newWebsite(t)
	first := s.running()
	first.publish("/a", "old")
	first.stop()
	p := s.process()
	p.newPagesWait()
	p.run()
	s.set("/a", "new")
	p.trigger(ledger.Critical, "/a", "/b")
	p.await("/a", ledger.PageFresh)
	s.wantServed("/a", "new")
	p.await("/b", ledger.PageRetrying)
	if got := p.state("/b").Owed.Error; !strings.Contains(got, "new pages wait") {
		t.Errorf("reason = %q", got)
	}
	s.wantRenders("/b", 0)
}

func TestWorker_H101_OutputIsAwayForAWhile(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "old")
	p.publish("/gone", "old")
	public, away := filepath.Join(s.dir, "public"), filepath.Join(s.dir, "away")
	if err := os.Rename(public, away); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(public, 0o755); err != nil {
		t.Fatal(err)
	}
	s.set("/a", "new")
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageRetrying)
	if got := p.state("/a").Owed.Error; !strings.Contains(got, "is not the directory that rebake has opened") {
		t.Errorf("reason = %q", got)
	}
	s.wantRenders("/a", 1)
	if err := p.Remove(t.Context(), Removal{Path: mustPath("/gone"), By: "test"}); err == nil {
		t.Error("a page was removed from an output that is away")
	}
	if list, _ := os.ReadDir(public); len(list) > 0 {
		t.Errorf("the other directory holds %v", list)
	}
	if err := os.Remove(public); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, public); err != nil {
		t.Fatal(err)
	}
	s.wantServed("/gone", "old")
	p.await("/a", ledger.PageFresh)
	s.wantServed("/a", "new")
}

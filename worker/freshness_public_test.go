package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// These are about what a page that is public, or is not, has to do with one that
// is older than was announced.

func TestFreshness_NotOlderThanThePublicPageThoughMoreThanBefore(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(16 * time.Second)) // 2 s until more is good enough
	p.showing("/a", "post:1", 3)
	s.show("/a", "post:1", 1) // of the CMS' machines one is far behind
	accepted := time.Now()
	p.accepted(edited("/a", "post:1", 5))
	p.await("/a", ledger.PageRetrying)
	s.show("/a", "post:1", 2) // and one a little less
	before := s.renders("/a")
	s.await("it would be published if it were newer", func() bool {
		return time.Since(accepted) > 4*time.Second && s.renders("/a") > before
	})
	s.wantServed("/a", shown("post:1", 3))
	s.show("/a", "post:1", 4)
	s.awaitServed("/a", shown("post:1", 4))
}

func TestFreshness_LaggingPageIsNotReplacedByAnOlderOne(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(2 * time.Second))
	p.showing("/a", "post:1", 1)
	s.show("/a", "post:1", 3)
	accepted := time.Now()
	p.accepted(edited("/a", "post:1", 5))
	s.awaitServed("/a", shown("post:1", 3))
	s.await("the newest is waited for no more", func() bool { return time.Since(accepted) > 2*time.Second })
	p.quiet(t)
	s.show("/a", "post:1", 2)
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageRetrying)
	s.wantServed("/a", shown("post:1", 3))
	s.show("/a", "post:1", 4)
	s.awaitServed("/a", shown("post:1", 4))
}

func TestFreshness_AnotherProcessKnowsWhatThePublicPageShows(t *testing.T) {
	s := newWebsite(t)
	one := s.running(lag(32 * time.Second)) // 4 s until more is good enough
	one.showing("/a", "post:1", 1)
	accepted := time.Now()
	one.accepted(edited("/a", "post:1", 3))
	one.await("/a", ledger.PageRetrying)
	one.stop()
	s.show("/a", "post:1", 2)
	s.running(lag(32 * time.Second))
	s.awaitServed("/a", shown("post:1", 2))
	if took := time.Since(accepted); took > 25*time.Second {
		t.Errorf("published after %v, want little more than 4 s", took)
	}
}

func TestFreshness_OutageDoesNotCountAsWaitingForTheCMS(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(3 * time.Second))
	p.showing("/a", "post:1", 1)
	s.show("/a", "post:1", 2)
	p.accepted(edited("/a", "post:1", 2))
	s.awaitServed("/a", shown("post:1", 2))
	p.quiet(t)
	s.on("/a", func(context.Context, int, string) (string, error) {
		return "", storage.Temporary(errors.New("status 503"))
	})
	down := time.Now()
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageRetrying)
	s.await("a page that waited for its CMS would be published", func() bool { return time.Since(down) > 3*time.Second })
	s.show("/a", "post:1", 1)
	s.on("/a", nil)
	s.await("it waits", func() bool { o := p.state("/a").Owed; return o == nil || containsAll(o.Error, "waits for the CMS") })
	s.wantServed("/a", shown("post:1", 2))
}

func TestFreshness_NewPageThatHadFailedIsWaitedFor(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(20 * time.Second))
	s.on("/a", func(context.Context, int, string) (string, error) { return "", errors.New("a template that is wrong") })
	failed := time.Now()
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageFailed)
	do(t, s.rdb, "hset", "rebake:{"+host+"}:owed:/a", "since", failed.Add(-time.Hour).UnixMilli()) // somebody asked long ago
	s.on("/a", func(context.Context, int, string) (string, error) { return "", storage.ErrGone })
	p.accepted(edited("/a", "post:1", 2))
	s.await("it waits", func() bool {
		st := p.state("/a")
		return st.Owed == nil || containsAll(st.Owed.Error, "waits for the CMS to show the page")
	})
	s.show("/a", "post:1", 2)
	s.on("/a", nil)
	s.awaitServed("/a", shown("post:1", 2))
}

func TestFreshness_RemovedPageThatComesBackIsWaitedFor(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/a", "post:1", 1)
	gone := func(context.Context, int, string) (string, error) { return "", storage.ErrGone }
	s.on("/a", gone)
	p.accepted(Trigger{Known: onePath("/a"), Items: []Item{{Tag: "post:1"}}, Priority: ledger.Critical})
	p.await("/a", ledger.PageGone)
	p.quiet(t)
	p.accepted(edited("/a", "post:1", 3))
	p.await("/a", ledger.PageRetrying)
	s.show("/a", "post:1", 3)
	s.on("/a", nil)
	s.awaitServed("/a", shown("post:1", 3))
}

func TestFreshness_TwoWrongAnswersWithAPageBetweenRemoveNothing(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/a", "post:1", 1)
	before := s.renders("/a")
	s.on("/a", func(_ context.Context, n int, text string) (string, error) {
		if n == before+1 || n == before+3 {
			return "", storage.ErrGone
		}
		return text, nil // which is older than was announced
	})
	p.accepted(edited("/a", "post:1", 2))
	s.await("it is tried four times", func() bool { return s.renders("/a") >= before+4 || p.state("/a").Freshness == ledger.PageGone })
	s.wantServed("/a", shown("post:1", 1))
}

func TestFreshness_NewItemThatTheCMSDoesNotKnowYetIsAskedForAgain(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/new", "new")
	s.onResolve(func(_ context.Context, n int, _ string) (renderer.Resolved, error) {
		if n == 1 {
			return renderer.Resolved{}, nil // a cache
		}
		return renderer.Resolved{Paths: onePath("/new"), Version: version(1)}, nil
	})
	p.accepted(edited("", "post:1", 1))
	s.awaitServed("/new", "new")
}

func TestFreshness_ClockOfTheCMSMayBeAhead(t *testing.T) {
	s := newWebsite(t)
	p, r := s.runningOrigin()
	ahead := time.Now().Add(90 * time.Second)
	r.madeThen("/", "before", ahead.Add(-time.Hour))
	p.trigger(ledger.Critical, "/")
	p.await("/", ledger.PageFresh)
	r.madeThen("/", "from a cache", ahead.Add(-30*time.Minute))
	p.accepted(Trigger{Paths: onePath("/"), Priority: ledger.Critical, Edited: ahead})
	p.await("/", ledger.PageRetrying)
	s.wantServed("/", "before")
}

func TestFreshness_PageMadeInTheSecondOfItsEditMayBeOlder(t *testing.T) {
	s := newWebsite(t)
	p, r := s.runningOrigin()
	r.madeThen("/", "before", edit(1))
	p.trigger(ledger.Critical, "/")
	p.await("/", ledger.PageFresh)
	r.madeThen("/", "from a cache", edit(2).Add(100*time.Millisecond))
	p.accepted(Trigger{Paths: onePath("/"), Priority: ledger.Critical, Edited: edit(2).Add(900 * time.Millisecond)})
	p.await("/", ledger.PageRetrying)
	s.wantServed("/", "before")
}

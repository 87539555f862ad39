package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// lag makes the window of a process as short as a test wants it.
func lag(d time.Duration) func(*settings) { return func(set *settings) { set.Lag = d } }

func TestFreshness_OlderRenderIsTriedAgainUntilTheCMSShowsTheVersion(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/a", "post:1", 1)
	p.accepted(edited("/a", "post:1", 2))
	p.await("/a", ledger.PageRetrying)
	s.wantServed("/a", shown("post:1", 1))
	want := fmt.Sprintf("waits for the CMS to show version %s of post:1 (shows %s)", version(2), version(1))
	if got := p.state("/a").Owed.Error; got != want {
		t.Errorf("reason = %q, want %q", got, want)
	}
	s.show("/a", "post:1", 2)
	p.await("/a", ledger.PageFresh)
	s.wantServed("/a", shown("post:1", 2))
	if got := p.state("/a").Page.Lagging; got != "" {
		t.Errorf("the page is lagging: %s", got)
	}
}

func TestFreshness_PageIsPublishedAsLaggingAfterItsTime(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(1200 * time.Millisecond))
	p.showing("/a", "post:1", 1)
	s.set("/a", "older, and other than before")
	accepted := time.Now()
	p.accepted(edited("/a", "post:1", 2))
	s.awaitServed("/a", "older, and other than before")
	if took := time.Since(accepted); took < 1200*time.Millisecond {
		t.Errorf("published %v after the announcement, want 1.2 s", took)
	}
	if n := s.renders("/a") - 1; n > 5 { // at once, for its item too, and 1 and 3 s later
		t.Errorf("published after %d tries, want the first one after its time", n)
	}
	p.await("/a", ledger.PageFresh)
	if got := p.state("/a").Page.Lagging; !containsAll(got, "post:1", version(2), version(1)) {
		t.Errorf("lagging = %q, want the item and both versions", got)
	}
}

func TestFreshness_LaggingPageThatCatchesUpIsNotLaggingAnyMore(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(time.Millisecond))
	p.showing("/a", "post:1", 1)
	p.accepted(edited("/a", "post:1", 2))
	s.await("the page lags", func() bool { return p.state("/a").Page.Lagging != "" })
	s.show("/a", "post:1", 2)
	p.trigger(ledger.Critical, "/a")
	s.await("the page shows the new version", func() bool { return p.state("/a").Page.Lagging == "" })
	s.wantServed("/a", shown("post:1", 2))
}

func TestFreshness_NewerVersionThanAnnouncedIsPublished(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/a", "post:1", 1)
	s.show("/a", "post:1", 3)
	p.accepted(edited("/a", "post:1", 2))
	p.quiet(t)
	s.wantServed("/a", shown("post:1", 3))
}

func TestFreshness_AnnouncementsInTheWrongOrder(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/a", "post:1", 1)
	s.show("/a", "post:1", 2)
	p.accepted(edited("/a", "post:1", 3))
	p.accepted(edited("/a", "post:1", 2))
	p.await("/a", ledger.PageRetrying)
	s.wantServed("/a", shown("post:1", 1))
	s.show("/a", "post:1", 3)
	p.await("/a", ledger.PageFresh)
	s.wantServed("/a", shown("post:1", 3))
}

func TestFreshness_ListThatShowsAnOlderItemWaitsAsWell(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/a", "post:1", 1)
	p.showing("/", "post:1", 1)
	s.show("/a", "post:1", 2)
	p.accepted(edited("/a", "post:1", 2))
	p.await("/", ledger.PageRetrying)
	p.await("/a", ledger.PageFresh)
	s.wantServed("/", shown("post:1", 1))
	s.show("/", "post:1", 2)
	p.quiet(t)
	s.wantServed("/", shown("post:1", 2))
}

func TestFreshness_PageWithoutTheItemIsNotCompared(t *testing.T) {
	for name, of := range map[string]string{"shows another": "post:2", "shows none": ""} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			if of != "" {
				s.show("/b", of, 1)
			}
			s.set("/b", "text")
			s.resolvesTo(renderer.Resolved{Version: version(2)})
			p.accepted(edited("/b", "post:1", 2))
			p.quiet(t)
			s.wantServed("/b", "text")
			s.wantRenders("/b", 1)
		})
	}
}

func TestFreshness_VersionsThatCannotBeComparedAreNotWaitedFor(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.show("/a", "post:1", 1)
	p.accepted(Trigger{Paths: onePath("/a"), Items: []Item{{Tag: "post:1", Version: "rev-b"}}, Priority: ledger.Critical})
	p.quiet(t)
	s.wantServed("/a", shown("post:1", 1))
}

func TestFreshness_PageOfAWalkWaitsForItsItem(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/a", "post:1", 1)
	p.accepted(edited("", "post:1", 2)) // no path: the walk of the item comes to it
	p.await("/a", ledger.PageRetrying)
	s.show("/a", "post:1", 2)
	p.quiet(t)
	s.wantServed("/a", shown("post:1", 2))
}

func TestFreshness_NewPageThatTheCMSDoesNotHaveYet(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.on("/new", func(_ context.Context, n int, text string) (string, error) {
		if n == 1 {
			return "", fmt.Errorf("an empty list: %w", storage.ErrGone)
		}
		return text, nil
	})
	s.set("/new", "text")
	p.accepted(edited("/new", "post:1", 1))
	p.await("/new", ledger.PageRetrying)
	if got := p.state("/new").Owed.Error; !strings.Contains(got, "waits for the CMS") {
		t.Errorf("reason = %q, want that the page waits for the CMS", got)
	}
	p.await("/new", ledger.PageFresh)
	s.wantServed("/new", "text")
}

func TestFreshness_NewPageThatTheCMSNeverHas(t *testing.T) {
	s := newWebsite(t)
	const window = 2 * time.Second
	p := s.running(lag(window))
	tried := make(chan time.Time, 100)
	s.on("/new", func(context.Context, int, string) (string, error) {
		tried <- time.Now()
		return "", storage.ErrGone
	})
	began := time.Now()
	p.accepted(edited("/new", "post:1", 1))
	p.await("/new", ledger.PageUnknown)
	// On a slow machine its time may have been over at the first try.
	if n := s.renders("/new"); n < 2 && (<-tried).Sub(began) < window/2 {
		t.Errorf("the page was given up after %d tries", n)
	}
}

func TestFreshness_PageThatIsDeletedDoesNotWait(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(notInTest))
	p.showing("/a", "post:1", 1)
	s.on("/a", func(context.Context, int, string) (string, error) { return "", storage.ErrGone })
	p.accepted(edited("/a", "post:1", 2))
	p.await("/a", ledger.PageGone)
	s.wantRenders("/a", 3) // the page, and two readings that it is gone
}

func TestFreshness_VisitorOfANewPageThatLags(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.resolvesTo(renderer.Resolved{Version: version(2)})
	p.accepted(edited("", "post:1", 2))
	p.quiet(t)
	s.show("/a", "post:1", 1)
	err := p.miss(t.Context(), mustMatch(t, p, "/a"))
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "waits for the CMS") {
		t.Errorf("miss = %v, want that the page waits for the CMS", err)
	}
	s.wantServed("/a", "")
}

func TestFreshness_PageOfWhichSomethingIsAlwaysAnnouncedIsPublishedInTime(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(700 * time.Millisecond))
	p.showing("/", "post:1", 1)
	s.set("/", "older")
	first := time.Now()
	for n := 2; s.served("/") != html("older"); n++ {
		p.accepted(edited("/", "post:1", n))
		again := time.Now()
		s.await("some time has passed", func() bool { return time.Since(again) > 100*time.Millisecond })
		if time.Since(first) > patient {
			t.Fatal("the page is never published")
		}
	}
	if took := time.Since(first); took < 700*time.Millisecond {
		t.Errorf("the older page was published after %v", took)
	}
}

func TestFreshness_PageThatShowsMoreThanItDidIsPublishedSoonerAndStillWaitedFor(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(16 * time.Second)) // 2 s until more is good enough
	p.showing("/a", "post:1", 1)
	accepted := time.Now()
	p.accepted(edited("/a", "post:1", 3))
	p.await("/a", ledger.PageRetrying)
	s.show("/a", "post:1", 2)
	s.awaitServed("/a", shown("post:1", 2))
	if took := time.Since(accepted); took < 2*time.Second {
		t.Errorf("published after %v, want 2 s at least", took)
	}
	s.await("it is noted", func() bool { return containsAll(p.state("/a").Page.Lagging, version(3), version(2)) })
	s.show("/a", "post:1", 3)
	s.awaitServed("/a", shown("post:1", 3)) // nobody asks for it again
	s.await("the page lags no more", func() bool { return p.state("/a").Page.Lagging == "" })
}

func TestFreshness_PageThatShowsNoMoreThanItDidIsKeptBack(t *testing.T) {
	for name, then := range map[string]map[string]string{
		"the same":                       {"post:1": version(2), "post:2": version(2)},
		"more of one, and less of other": {"post:1": version(3), "post:2": version(1)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running(lag(20 * time.Second)) // more would be published after 2.5 s
			p.showing("/a", "post:1", 2)
			s.mu.Lock()
			s.versions["/a"] = map[string]string{"post:1": version(2), "post:2": version(2)}
			s.mu.Unlock()
			p.accepted(Trigger{Paths: onePath("/a"), Priority: ledger.Critical, Items: []Item{
				{Tag: "post:1", Version: version(9)}, {Tag: "post:2", Version: version(9)},
			}})
			p.await("/a", ledger.PageRetrying)
			s.set("/a", "not to be published")
			s.mu.Lock()
			s.versions["/a"] = then
			s.mu.Unlock()
			s.await("a try after that time has failed", func() bool { // it is tried at once, and 1 and 3 s later
				owed := p.state("/a").Owed
				return owed == nil || owed.Attempts >= 3
			})
			s.wantServed("/a", shown("post:1", 2))
		})
	}
}

func TestFreshness_PageMadeBeforeAnEditWaitsForOneMadeAfterIt(t *testing.T) {
	s := newWebsite(t)
	p, r := s.runningOrigin()
	for _, path := range []string{"/", "/new"} {
		r.madeAt(path, "before", 1)
		p.trigger(ledger.Critical, path)
		p.await(path, ledger.PageFresh)
	}
	r.madeAt("/", "older still", 1)
	r.madeAt("/new", "the new post", 2)
	news := edited("/new", "post:2", 2) // which is not on the home page yet
	news.Known, news.Edited = onePath("/"), edit(2)
	p.accepted(news)
	p.await("/new", ledger.PageFresh)
	s.wantServed("/new", "the new post")
	p.await("/", ledger.PageRetrying)
	if got := p.state("/").Owed.Error; !containsAll(got, "made", version(1), version(2)) {
		t.Errorf("reason = %q, want both times", got)
	}
	s.wantServed("/", "before")
	r.madeAt("/", "with the new post", 2)
	p.await("/", ledger.PageFresh)
	s.wantServed("/", "with the new post")
}

func TestFreshness_PagesOfAnEditWithoutAVersionAreMadeAfterIt(t *testing.T) {
	for name, edited := range map[string]Trigger{
		"an item":                     {Items: []Item{{Tag: "category:4"}}},
		"a tag":                       {Labels: []ledger.Label{ledger.Tag("category:4")}},
		"a prefix":                    {Labels: []ledger.Label{ledger.Prefix(mustPath("/blog"))}},
		"the site":                    {Labels: []ledger.Label{ledger.Site}},
		"what an item is resolved to": {Items: []Item{{Tag: "post:9"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p, r := s.runningOrigin()
			s.tag("/blog/a", "category:4", "list:cms/posts")
			s.resolvesTo(renderer.Resolved{Tags: []string{"list:cms/posts"}})
			r.madeAt("/blog/a", "before", 1)
			p.trigger(ledger.Critical, "/blog/a")
			p.await("/blog/a", ledger.PageFresh)
			r.madeAt("/blog/a", "from a cache", 1)
			edited.Priority, edited.Edited = ledger.Critical, edit(2)
			p.accepted(edited)
			p.await("/blog/a", ledger.PageRetrying)
			s.wantServed("/blog/a", "before")
			r.madeAt("/blog/a", "after", 2)
			p.await("/blog/a", ledger.PageFresh)
			s.wantServed("/blog/a", "after")
		})
	}
}

func TestFreshness_EditThatIsStillToComeHoldsNoPageBack(t *testing.T) {
	s := newWebsite(t)
	p, r := s.runningOrigin()
	r.madeAt("/", "text", 1)
	p.accepted(Trigger{Paths: onePath("/"), Priority: ledger.Critical, Edited: time.Now().Add(time.Hour)})
	p.await("/", ledger.PageFresh)
	s.wantServed("/", "text")
	s.wantRenders("/", 1)
}

func TestFreshness_TimeOfAnEditIsNotAnnouncedWherePagesAreMadeHere(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/", "text")
	p.accepted(Trigger{Paths: onePath("/"), Priority: ledger.Critical, Edited: edit(1)})
	p.await("/", ledger.PageFresh)
	name := madeAt + "/"
	if announced, err := p.Ledger.Announced(t.Context(), []string{name}); err != nil || len(announced) != 0 {
		t.Errorf("announced: %v, %v, want nothing", announced, err)
	}
}

func TestFreshness_NewerPageIsNotReplacedByAnOlderOneLongAfterItsEdit(t *testing.T) {
	s := newWebsite(t)
	p := s.running(lag(time.Second))
	p.showing("/a", "post:1", 1)
	s.show("/a", "post:1", 2)
	accepted := time.Now()
	p.accepted(edited("/a", "post:1", 2))
	s.awaitServed("/a", shown("post:1", 2))
	p.quiet(t)
	s.await("a page that waited for the edit would be published", func() bool { return time.Since(accepted) > 1100*time.Millisecond })
	s.show("/a", "post:1", 1) // one of the CMS' machines has an older copy
	p.trigger(ledger.Critical, "/a")
	p.await("/a", ledger.PageRetrying)
	s.wantServed("/a", shown("post:1", 2))
	s.show("/a", "post:1", 2)
	p.await("/a", ledger.PageFresh)
}

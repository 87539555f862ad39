package worker

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"rebake/renderer/source"
	"rebake/storage/ledger"
)

// stormPages are the pages of a source that is away for a while; more of them
// take REBAKE_STORM_PAGES=1000.
func stormPages(t *testing.T) int {
	t.Helper()
	text := os.Getenv("REBAKE_STORM_PAGES")
	if text == "" {
		return 100
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A source that is away takes its pages with it, and when it is back they are
// all fresh within 30 s though nobody triggers them again, and what it takes to
// render them. It is left alone meanwhile.
func TestUpstream_pagesOfASourceThatIsBackAreFreshSoon(t *testing.T) { // H53, H64
	for name, c := range map[string]struct {
		fault http.HandlerFunc
		most  int64 // requests during the outage
	}{
		"503":         {status(http.StatusServiceUnavailable), 40},
		"hangs":       {hangs, 40},
		"closes":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 80}, // Go tries a GET twice
		"retry after": {status(http.StatusTooManyRequests, "Retry-After", "6"), 20},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			a, b := newCMS(t, "a", func(c *source.Config) { c.Timeout = time.Second }), newCMS(t, "b")
			p := s.process().madeFrom(map[string]*cms{"a": a, "b": b})
			p.run()
			n := stormPages(t)
			paths := numbered("/a", n)
			p.trigger(ledger.Default, paths...)
			render := s.await("all pages are rendered for the first time", p.fresh)
			a.asked.Store(0)
			a.fail(c.fault)
			p.trigger(ledger.Default, paths...)
			s.await("every page has been told that its source is down", func() bool {
				for _, path := range paths {
					if st := p.state(path); st.Owed == nil || st.Owed.Error == "" {
						return false
					}
				}
				return true
			})
			// Long enough for the pauses to grow.
			outage := time.Now()
			s.await("the outage goes on", func() bool { return time.Since(outage) > 8*time.Second })
			if a.failed.Load() == 0 || len(a.source.Down()) == 0 {
				t.Fatalf("the fault did not fire: %d requests failed, down %v", a.failed.Load(), a.source.Down())
			}
			if down, err := p.Ledger.Down(t.Context()); err != nil || len(down) != 1 || down[0].Upstream != "source a" || down[0].Reason == "" {
				t.Errorf("the ledger was told %+v (%v), want that source a is down", down, err)
			}
			if got := a.asked.Load(); got > c.most {
				t.Errorf("the source that was down was asked %d times, want at most %d", got, c.most)
			}
			for _, path := range paths {
				if got := p.state(path).Owed.Attempts; got > 3 {
					t.Errorf("%s has %d attempts; those that were none do not count", path, got)
				}
			}
			a.version.Store(2)
			a.fail(nil)
			if took := s.await("all pages are fresh", p.fresh); took > 30*time.Second+3*render {
				t.Errorf("%d pages were fresh %v after the source was back, and rendered in %v before", n, took, render)
			}
			for _, path := range paths {
				if !s.shows(path, 2) {
					t.Errorf("%s serves %q", path, s.served(path))
				}
			}
			s.await("the ledger hears that the source is back", func() bool {
				down, err := p.Ledger.Down(t.Context())
				return err == nil && len(down) == 0
			})
		})
	}
}

func TestUpstream_editTriesASourceThatIsDownAtOnce(t *testing.T) {
	s := newWebsite(t)
	a := newCMS(t, "a")
	p := s.process().madeFrom(map[string]*cms{"a": a})
	p.run()
	var inPause atomic.Bool // the edit's page was asked for in a pause
	a.fail(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/edit" {
			inPause.Store(a.pause() > 0)
			_, _ = w.Write([]byte(`{"version": 1}`))
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	paths := numbered("/a", 20)
	p.trigger(ledger.Default, paths...)
	s.await("the pause is a long one", func() bool { return a.pause() > 7*time.Second })
	p.trigger(ledger.Critical, "/a/edit")
	s.await("the edit is public", func() bool { return s.shows("/a/edit", 1) })
	if !inPause.Load() {
		t.Error("the edit has waited for the end of the pause")
	}
}

func TestUpstream_waiterHearsThatTheSourceIsDown(t *testing.T) {
	s := newWebsite(t)
	a := newCMS(t, "a")
	p := s.process().madeFrom(map[string]*cms{"a": a})
	p.run()
	var asked atomic.Int64 // for the page that is waited for
	a.fail(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/new" {
			asked.Add(1)
		}
		w.WriteHeader(http.StatusBadGateway)
	})
	p.trigger(ledger.Default, numbered("/a", 20)...)
	s.await("the pause is a long one", func() bool { return a.pause() > 7*time.Second })
	err := p.wait(p.trigger(ledger.Default, "/a/new")[0], patient)
	if !errors.Is(err, ErrNotPublished) || !containsAll(fmt.Sprint(err), "a GET /new", "left alone", "status 502") {
		t.Errorf("the waiter was told %v, want that the source is left alone, and why", err)
	}
	if n := asked.Load(); n > 2 { // its turn to try the source may come
		t.Errorf("the source was asked %d times for it", n)
	}
}

// stuckSource is a site of two sources of which a hangs and has as many pages
// inside as it may.
func stuckSource(t *testing.T, change func(*source.Config)) (p *process, a, b *cms) {
	t.Helper()
	s := newWebsite(t)
	a, b = newCMS(t, "a", func(c *source.Config) { c.Timeout = notInTest; change(c) }), newCMS(t, "b")
	p = s.process(func(set *settings) {
		set.Render = notInTest
		set.ledger.MaxRun = 2 * notInTest
		set.Grace = time.Second
	})
	p.madeFrom(map[string]*cms{"a": a, "b": b})
	p.run()
	t.Cleanup(a.recover)
	a.fail(hangs)
	p.trigger(ledger.Default, numbered("/a", 300)...)
	s.await("a hangs", func() bool { return a.inside.Load() >= min(7, int64(a.source.Concurrency())) })
	return p, a, b
}

// wantStuck asserts that the fault is still there.
func wantStuck(t *testing.T, a *cms) {
	t.Helper()
	if a.inside.Load() < 7 || len(a.source.Down()) > 0 {
		t.Errorf("the fault did not last: %d requests hang, down %v", a.inside.Load(), a.source.Down())
	}
}

// A source that hangs holds no more slots than its concurrency allows, and
// never the last one.
func TestUpstream_sourceThatHangsTakesOnlyItsOwnPagesWithIt(t *testing.T) { // H64
	for name, concurrency := range map[string]int{"its share of the slots": 8, "more than there are slots": 64} {
		t.Run(name, func(t *testing.T) {
			p, a, b := stuckSource(t, func(c *source.Config) { c.Concurrency = concurrency })
			s := p.site
			for _, prio := range []ledger.Priority{ledger.Low, ledger.Default, ledger.Critical} {
				var paths []string
				for i := range 5 {
					paths = append(paths, fmt.Sprintf("/b/%s-%d", prio, i))
				}
				for _, path := range paths[:3] {
					p.trigger(prio, path)
					s.await(path+" is public", func() bool { return s.shows(path, 1) })
				}
				// Others than this process' own come through the queue.
				other := s.process().madeFrom(map[string]*cms{"a": a, "b": b})
				other.trigger(prio, paths[3:]...)
				s.await("those are public too", func() bool { return s.shows(paths[3], 1) && s.shows(paths[4], 1) })
			}
			wantStuck(t, a)
			if got := a.inside.Load(); got > int64(min(concurrency, DefaultConfig().Workers-1)) {
				t.Errorf("the source that hangs holds %d slots", got)
			}
		})
	}
}

func TestUpstream_bulkGoesOnBesideASourceThatHangs(t *testing.T) { // H64
	p, a, b := stuckSource(t, func(*source.Config) {})
	s := p.site
	paths := numbered("/b", 40)
	p.trigger(ledger.Default, paths...)
	all := func(version int) func() bool {
		return func() bool {
			return !slices.ContainsFunc(paths, func(path string) bool { return !s.shows(path, version) })
		}
	}
	s.await("all pages of b are public", all(1))
	b.version.Store(2)
	p.triggerLabel(ledger.Low, ledger.Site)
	s.await("the walk has rendered all pages of b", all(2))
	wantStuck(t, a)
}

func TestUpstream_visitorsOfOthersGoOnBesideASourceThatHangs(t *testing.T) { // H64
	p, a, _ := stuckSource(t, func(*source.Config) {})
	const visitors, most = 20, 8
	p.misses.most = most
	ended := make(chan error, visitors)
	for i := range visitors {
		go func() { ended <- p.visit(fmt.Sprintf("/a/visitor-%d", i)) }()
	}
	p.site.await("too many visitors wait for a", func() bool { return len(ended) > 0 })
	for i := range 5 {
		if err := p.visit(fmt.Sprintf("/b/visitor-%d", i)); err != nil {
			t.Fatalf("a visitor of b: %v", err)
		}
	}
	wantStuck(t, a)
	if left := visitors - len(ended); left < most {
		t.Errorf("%d visitors of a are left, want %d: those of b may have waited for them", left, most)
	}
	a.recover()
	for range visitors {
		<-ended // a render goes on when its visitor does not
	}
}

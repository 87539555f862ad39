package worker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

var errNonsense = errors.New("the answer is HTML or XML, not JSON")

// errorLog keeps what a process logs as errors. Safe for concurrent use.
type errorLog struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *errorLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// logging is a process that runs, and keeps its errors.
func (s *website) logging() (*process, *errorLog) {
	p, log := s.process(), new(errorLog)
	p.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError}))
	p.run()
	return p, log
}

// failing makes the CMS answer with an error for as often as is said, and then that
// the item makes /new.
func (f *fakeRenderer) failing(times int, err error) {
	f.onResolve(func(_ context.Context, n int, _ string) (renderer.Resolved, error) {
		if n <= times {
			return renderer.Resolved{}, err
		}
		return renderer.Resolved{Paths: onePath("/new")}, nil
	})
}

// walking returns the walk of the item, which has not ended.
func (p *process) walking(item string) (of ledger.Walking, ok bool) {
	p.site.t.Helper()
	walks, err := p.Ledger.Walks(p.site.t.Context())
	if err != nil {
		p.site.t.Fatal(err)
	}
	for _, w := range walks {
		if w.Label == ledger.Item(item) {
			return w, true
		}
	}
	return of, false
}

// hasFailed makes the item's walk, which waits after its first failure, one that
// has failed so often.
func (p *process) hasFailed(item string, times int) {
	p.site.t.Helper()
	p.site.await("the walk has failed", func() bool { w, ok := p.walking(item); return ok && w.Attempts == 1 })
	if err := p.rdb.HSet(p.site.t.Context(), walkKey(ledger.Item(item)), "att", times).Err(); err != nil {
		p.site.t.Fatal(err)
	}
}

func TestItem_CMSThatAnswersWithNonsenseOnceIsAskedAgain(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/old", "post:1")
	p.publish("/old", "old")
	s.set("/old", "new")
	s.set("/new", "new")
	s.failing(1, errNonsense)
	p.accepted(changed("post:1"))
	s.awaitServed("/old", "new") // what is known is not kept waiting
	p.quiet(t)
	s.wantServed("/new", "new")
}

func TestItem_CMSThatAlwaysAnswersWithNonsenseIsGivenUp(t *testing.T) {
	s := newWebsite(t)
	p, log := s.logging()
	s.failing(1000, errNonsense)
	p.accepted(changed("post:1"))
	p.hasFailed("post:1", mostNonsense)
	if strings.Contains(log.String(), "post:1") {
		t.Errorf("given up after the first try: %s", log)
	}
	s.await("it is given up", func() bool {
		w, ok := p.walking("post:1")
		return ok && w.Attempts > mostNonsense && strings.Contains(w.Error, errNonsense.Error())
	})
	if w, _ := p.walking("post:1"); time.Until(w.Due) < lastResolve-time.Minute || !strings.HasPrefix(w.Error, "given up for trigger ") {
		t.Errorf("the walk comes back at %v, and says %q; want in %v, and that it is given up", w.Due, w.Error, lastResolve)
	}
	if !containsAll(log.String(), "item not resolved", "item:post:1", errNonsense.Error()) {
		t.Errorf("log = %q, want the item and why", log)
	}
}

func TestItem_GivenUpIsAskedForOnceMore(t *testing.T) {
	for name, again := range map[string]bool{"and then not any more": false, "and again after another trigger": true} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.process()
			walk := &ledger.Walk{Label: ledger.Item("post:1"), Number: 7, Attempts: mostNonsense}
			back := p.askAgain(walk, errNonsense)
			if back == nil || back.in != lastResolve {
				t.Fatalf("comes back %+v, want in %v", back, lastResolve)
			}
			walk.Attempts, walk.Error = mostNonsense+1, back.reason.Error()
			if again {
				walk.Number++
			}
			if got := p.askAgain(walk, errNonsense); (got != nil) != again {
				t.Errorf("comes back %+v, want %t", got, again)
			}
		})
	}
}

func TestItem_CMSThatIsAwayIsNeverGivenUp(t *testing.T) {
	p := newWebsite(t).process()
	walk := &ledger.Walk{Label: ledger.Item("post:1"), Attempts: 1000}
	if back := p.askAgain(walk, storage.Temporary(errors.New("status 503"))); back == nil || back.in != time.Minute {
		t.Errorf("comes back %+v, want in a minute", back)
	}
}

func TestItem_CMSThatNeverAnswersInTimeIsGivenUp(t *testing.T) {
	s := newWebsite(t)
	p := s.process(func(set *settings) { set.Render = 50 * time.Millisecond })
	s.onResolve(func(ctx context.Context, _ int, _ string) (renderer.Resolved, error) {
		<-ctx.Done()
		return renderer.Resolved{}, storage.Temporary(ctx.Err())
	})
	_, err := p.askFor(t.Context(), s, "post:1", true)
	walk := &ledger.Walk{Label: ledger.Item("post:1"), Number: 7, Attempts: 2}
	if back := p.askAgain(walk, err); back == nil || back.in != 4*time.Second {
		t.Errorf("comes back %+v, want in 4 s", back)
	}
	walk.Attempts = mostNonsense
	if back := p.askAgain(walk, err); back == nil || back.in != lastResolve || !strings.Contains(back.reason.Error(), "not resolved in time") {
		t.Errorf("comes back %+v, want in %v, and that it took too long", back, lastResolve)
	}
}

// behind answers for a CMS that is behind for as often as is said: the item is at
// /old in its first version, and at /new in its second.
func (f *fakeRenderer) behind(times int) {
	f.onResolve(func(_ context.Context, n int, _ string) (renderer.Resolved, error) {
		if n <= times {
			return renderer.Resolved{Paths: onePath("/old"), Version: version(1)}, nil
		}
		return renderer.Resolved{Paths: onePath("/new"), Version: version(2)}, nil
	})
}

func TestItem_CMSThatTellsOfAnOlderVersionIsAskedAgain(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.showing("/old", "post:1", 1)
	s.set("/new", "new")
	s.behind(1)
	p.accepted(edited("", "post:1", 2))
	s.await("the walk waits for the CMS", func() bool {
		w, ok := p.walking("post:1")
		return ok && containsAll(w.Error, "waits for the CMS", version(2), version(1))
	})
	s.show("/old", "post:1", 2)
	p.quiet(t)
	s.wantServed("/new", "new")
}

func TestItem_CMSThatStaysBehindIsNotAskedForEver(t *testing.T) {
	s := newWebsite(t)
	const window = 2 * time.Second
	p := s.running(lag(window))
	s.set("/old", "text")
	answered := make(chan time.Time, 100)
	s.onResolve(func(context.Context, int, string) (renderer.Resolved, error) {
		answered <- time.Now()
		return renderer.Resolved{Paths: onePath("/old"), Version: version(1)}, nil
	})
	began := time.Now()
	p.accepted(edited("", "post:1", 2))
	p.quiet(t)
	s.wantServed("/old", "text")
	least := 2
	if (<-answered).Sub(began) > window/2 {
		least = 1 // the machine is so slow that its time may have been over
	}
	if n := s.asks(); n < least || n > 3 { // soon, and 1 and 3 s later
		t.Errorf("the CMS was asked %d times, want %d to 3", n, least)
	}
}

func TestItem_VersionThatWasAnnouncedOrIsNewerIsAskedForOnce(t *testing.T) {
	for name, announced := range map[string]int{"as announced": 2, "newer": 1} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.set("/new", "new")
			s.behind(0)
			p.accepted(edited("", "post:1", announced))
			p.quiet(t)
			s.wantServed("/new", "new")
			if n := s.asks(); n != 1 {
				t.Errorf("the CMS was asked %d times", n)
			}
		})
	}
}

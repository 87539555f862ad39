package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"rebake/storage"
	"rebake/storage/redistest"
)

// storm is what the editors, workers and sweepers of the test share.
type storm struct {
	*Ledger
	pages map[storage.Path]*stormPage
	paths []storage.Path
	tasks chan Token // a queue that loses a task now and then

	renders, lost, deaths atomic.Int64
}

type stormPage struct {
	content atomic.Int64 // version that the source has
	wanted  atomic.Int64 // version at the newest accepted trigger

	mu     sync.Mutex // the page's lock in the output
	served int64      // guarded by mu
}

// Real goroutines on a lease that is over before they are done: 8 editors, 6
// workers of which some die or sleep, a queue that loses tasks, a sweeper.
func TestStorm_LosesNoTrigger(t *testing.T) {
	cfg := DefaultConfig(site)
	cfg.Lease, cfg.CrowdDeaths, cfg.MaxDeaths = 30*time.Millisecond, 1000, 1000
	opts, err := redis.ParseURL(redistest.Start(t).Addr())
	if err != nil {
		t.Fatal(err)
	}
	opts.ReadTimeout = patient // what comes too late is another test
	rdb := redis.NewClient(opts)
	defer rdb.Close()
	f := openFixture(t, rdb, cfg)
	s := &storm{Ledger: f.Ledger, pages: make(map[storage.Path]*stormPage), tasks: make(chan Token, 100_000)}
	for i := range 20 {
		p := path(t, fmt.Sprintf("/%d", i))
		s.paths = append(s.paths, p)
		s.pages[p] = new(stormPage)
	}

	work, stopWork := context.WithTimeout(t.Context(), patient)
	defer stopWork()
	var workers errgroup.Group
	for range 6 {
		workers.Go(func() error { return s.work(work) })
	}
	workers.Go(func() error { return s.sweep(work) })

	var editors errgroup.Group
	storm, over := context.WithTimeout(t.Context(), 2*time.Second)
	defer over()
	for range 8 {
		editors.Go(func() error { return s.edit(storm, work) })
	}
	if err := editors.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := s.drained(work); err != nil {
		t.Errorf("wait for what is owed: %v", err)
	}
	stopWork()
	if err := workers.Wait(); err != nil {
		t.Error(err)
	}
	for _, p := range s.paths {
		page := s.pages[p]
		if page.served < page.wanted.Load() {
			t.Errorf("%s is served at version %d, and a trigger was accepted at %d", p, page.served, page.wanted.Load())
		}
	}
	t.Logf("%d renders, %d fenced off, %d deaths", s.renders.Load(), s.lost.Load(), s.deaths.Load())
	if !s.stormy() {
		t.Errorf("%d runs were fenced off and %d died, want some of each: else this shows little", s.lost.Load(), s.deaths.Load())
	}
}

// stormy reports whether the workers had what the test is about.
func (s *storm) stormy() bool { return s.lost.Load() > 0 && s.deaths.Load() > 0 }

// edit changes pages and triggers them until ctx is done and the storm was one: a
// machine that is busy takes longer for that. work is over when the test is.
func (s *storm) edit(ctx, work context.Context) error {
	for work.Err() == nil && (ctx.Err() == nil || !s.stormy()) {
		p := s.paths[rand.N(len(s.paths))]
		page := s.pages[p]
		version := page.content.Add(1)
		r, err := s.Trigger(work, p, Request{Priority: Priority(rand.N(3))})
		if err != nil {
			return err
		}
		s.enqueue(r.Token)
		for old := page.wanted.Load(); old < version && !page.wanted.CompareAndSwap(old, version); old = page.wanted.Load() {
		}
	}
	return nil
}

func (s *storm) enqueue(tok *Token) {
	if tok == nil || rand.N(20) == 0 {
		return
	}
	s.tasks <- *tok
}

func (s *storm) work(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case tok := <-s.tasks:
			if err := s.do(ctx, tok); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// do is a worker's way from a token to the end of its run.
func (s *storm) do(ctx context.Context, tok Token) error {
	run, err := s.Claim(ctx, tok)
	if err != nil || run.State != Claimed {
		return err // an early one comes again through the sweeper
	}
	page := s.pages[tok.Path]
	version := page.content.Load()
	switch n := s.renders.Add(1) % 40; {
	case n == 0:
		s.deaths.Add(1)
		return nil
	case n == 1:
		end, err := run.Fail(ctx, Retrying, time.Millisecond, "slow")
		s.enqueue(end.Token)
		return err
	case n < 6:
		pause(ctx, s.cfg.Lease*3)
	default:
		pause(ctx, rand.N(3*time.Millisecond))
	}
	err = page.publish(ctx, run, version)
	if errors.Is(err, storage.ErrLost) {
		s.lost.Add(1)
		return nil
	}
	if err != nil {
		return err
	}
	end, err := run.Finish(ctx, Published, storage.Page{Path: tok.Path}, time.Unix(1, 0))
	s.enqueue(end.Token)
	return err
}

// pause is a render: it takes time.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (p *stormPage) publish(ctx context.Context, run *Run, version int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := run.Fence(ctx, p.served > 0); err != nil {
		return err
	}
	if version < p.served {
		return fmt.Errorf("%s went backwards, from version %d to %d", run.Path, p.served, version)
	}
	p.served = version
	return nil
}

// sweep treats every task as missing, which is never wrong.
func (s *storm) sweep(ctx context.Context) error {
	for ctx.Err() == nil {
		list, next, err := s.Suspects(ctx, 10)
		if err != nil {
			return ignoreDone(ctx, err)
		}
		for _, suspect := range list {
			swept, err := s.Sweep(ctx, suspect, false)
			if err != nil {
				return ignoreDone(ctx, err)
			}
			s.enqueue(swept.Token)
		}
		pause(ctx, min(next, 5*time.Millisecond))
	}
	return nil
}

func ignoreDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// drained returns when nothing is owed.
func (s *storm) drained(ctx context.Context) error {
	for {
		c, err := s.Counts(ctx)
		if err != nil || c == (Counts{}) {
			return err
		}
		pause(ctx, 10*time.Millisecond)
	}
}

func TestStorm_H117_ThousandTriggersWhileAPageRendersCostAtMostThreeRenders(t *testing.T) {
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	run := f.mustRun(p)
	var newest atomic.Uint64
	var editors errgroup.Group
	for range 8 {
		editors.Go(func() error {
			for range 125 {
				r, err := f.Trigger(t.Context(), p, Request{Priority: Priority(rand.N(3))})
				if err != nil {
					return err
				}
				if r.Token != nil {
					return fmt.Errorf("trigger %d during the run made a token", r.ID)
				}
				for old := newest.Load(); old < r.ID && !newest.CompareAndSwap(old, r.ID); old = newest.Load() {
				}
			}
			return nil
		})
	}
	if err := editors.Wait(); err != nil {
		t.Fatal(err)
	}
	renders := 1
	for end := f.mustFinish(run, Published, "a"); end.Token != nil; renders++ {
		end = f.mustFinish(f.mustClaim(*end.Token), Published, "a")
	}
	if renders > 3 {
		t.Errorf("%d renders, want at most 3", renders)
	}
	if g0 := f.mustState(p).Page.G0; g0 < newest.Load() {
		t.Errorf("published with g0 %d, which does not meet trigger %d", g0, newest.Load())
	}
}

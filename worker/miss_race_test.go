package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"rebake/storage"
	"rebake/storage/ledger"
)

// visit asks for a page as Miss does for a path that it does not know.
func (p *process) visit(path string) error {
	m, _ := p.Renderer.Match(mustPath(path))
	return p.miss(p.site.t.Context(), m)
}

// removing calls f before the run of a page that was removed tells the ledger.
func (p *process) removing(f func(context.Context) error) {
	p.rdb.AddHook(interceptor{before: func(ctx context.Context, cmd redis.Cmder) error {
		if slices.Contains(cmd.Args(), any(string(ledger.Removed))) {
			return f(ctx)
		}
		return nil
	}})
}

// wantAgreement waits until nothing is owed, and says whether the page is
// there: the ledger and the files have to say the same.
func (p *process) wantAgreement(path string) (there bool) {
	p.site.t.Helper()
	var st ledger.State
	p.site.await("nothing is owed to "+path, func() bool { st = p.state(path); return st.Owed == nil })
	published := st.Page != nil && !st.Page.Gone
	if file := p.site.served(path) != ""; file != published {
		p.site.t.Errorf("%s has a file: %v; the ledger says %s", path, file, st.Freshness)
	}
	return published
}

func (p *process) wantNoPage(path string) {
	p.site.t.Helper()
	if p.wantAgreement(path) {
		p.site.t.Errorf("%s is there, want that it is not", path)
	}
}

func TestMiss_RemovalWhileThePageRenders(t *testing.T) {
	for name, keep := range map[string]bool{"for now": false, "for good": true} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.set("/a", "secret")
			b := s.block(t, "/a")
			visited := make(chan error, 1)
			go func() { visited <- p.visit("/a") }()
			<-b.started
			p.remove("/a", keep)
			b.release()
			if err := <-visited; err != nil {
				t.Errorf("visit = %v, want that it has ended", err)
			}
			s.await("the render has ended", func() bool { return s.rendering() == 0 })
			p.stop() // waits for what is left of the run
			p.wantNoPage("/a")
		})
	}
}

func TestMiss_BetweenTheTwoStepsOfARemoval(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "text")
	var r ledger.Receipt
	p.removing(func(ctx context.Context) error { // the file is away, and the ledger does not know
		state, receipt, err := p.Ledger.Miss(ctx, mustPath("/a"), "visitor")
		if state != ledger.MissOwed || receipt.Token != nil {
			t.Errorf("miss = %s, %+v; want that it waits for the removal", state, receipt)
		}
		r = receipt
		return err
	})
	p.remove("/a", false)
	if err := p.wait(AcceptedPage{Path: mustPath("/a"), ID: r.ID}, patient); err != nil {
		t.Errorf("wait for the miss: %v", err)
	}
	p.wantNoPage("/a")
	s.wantRenders("/a", 1)
}

func TestMiss_AfterARemoval(t *testing.T) {
	t.Run("of a page finds it gone", func(t *testing.T) {
		s := newWebsite(t)
		p := s.running()
		p.publish("/a", "text")
		p.remove("/a", false)
		if err := p.visit("/a"); !errors.Is(err, ErrAbsent) {
			t.Errorf("visit = %v, want that there is no such page", err)
		}
		p.wantNoPage("/a")
		s.wantRenders("/a", 1)
	})

	t.Run("of what never was a page may publish it", func(t *testing.T) {
		s := newWebsite(t)
		p := s.running()
		s.set("/a", "text")
		p.remove("/a", false)
		if err := p.visit("/a"); err != nil {
			t.Fatal(err)
		}
		p.wantAgreement("/a")
		s.wantServed("/a", "text")
	})

	t.Run("for good of what never was a page does not", func(t *testing.T) {
		s := newWebsite(t)
		p := s.running()
		p.remove("/a", true)
		if err := p.miss(t.Context(), mustMatch(t, p, "/a")); err != nil {
			t.Fatal(err)
		}
		p.wantNoPage("/a")
		s.wantRenders("/a", 0)
	})
}

// Whatever the order is: two processes, visitors and a person at once.
func TestMiss_RacingWithRemovals(t *testing.T) {
	s := newWebsite(t)
	procs := []*process{s.running(), s.running()}
	for _, p := range procs {
		p.listen() // or visitors wait for the next reading
	}
	const pages = 30
	var wg sync.WaitGroup
	for i := 0; i < pages; i += 3 {
		procs[0].publish(fmt.Sprint("/", i), "text")
	}
	for i := range pages {
		path := fmt.Sprint("/", i)
		s.set(path, "text")
		for _, p := range procs {
			wg.Go(func() { // a few find the slots of visitors taken
				if err := p.visit(path); err != nil && !errors.Is(err, ErrAbsent) && !errors.Is(err, ErrUnavailable) {
					t.Errorf("visit of %s: %v", path, err)
				}
			})
		}
		wg.Go(func() {
			r := Removal{Path: mustPath(path), Keep: i%2 == 0, By: "ann"}
			if err := procs[i%2].Remove(t.Context(), r); err != nil && !errors.Is(err, storage.ErrLost) {
				t.Errorf("remove %s: %v", path, err)
			}
		})
	}
	wg.Wait()
	there := 0
	for i := range pages {
		path := fmt.Sprint("/", i)
		if procs[0].wantAgreement(path) {
			there++
			if i%2 == 0 {
				t.Errorf("%s is to stay removed, and is there", path)
			}
		}
	}
	t.Logf("%d of %d pages are there", there, pages)
}

func TestMiss_FileDeletedByHandComesBack(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/a", "text")
	if err := os.Remove(s.file("/a")); err != nil {
		t.Fatal(err)
	}
	if err := p.visit("/a"); err != nil {
		t.Fatal(err)
	}
	p.wantAgreement("/a")
	s.wantServed("/a", "text")
}

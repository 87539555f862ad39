package output

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"rebake/storage"
)

// joined returns the tickets of so many publishers.
func joined(c *crowd, n int) []ticket {
	var all []ticket
	for range n {
		all = append(all, c.join())
	}
	return all
}

func TestCrowd_FewPublishersSyncTheirOwnFiles(t *testing.T) {
	c := &crowd{}
	for i, ticket := range joined(c, enough) {
		if want := i == enough-1; ticket.together != want {
			t.Errorf("publisher %d of %d syncs with others: %t", i+1, enough, ticket.together)
		}
	}
	c.leave()
	if c.join(); c.join().together != true {
		t.Error("a crowd that one has left and two have joined is none")
	}
	c.off = true
	if c.join().together {
		t.Error("they sync together where nobody tells of errors")
	}
}

func TestCrowd_OneSyncIsForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		syncs := 0
		open := make(chan struct{})
		c := &crowd{flush: func() error { syncs++; <-open; return nil }}
		var all sync.WaitGroup
		for _, ticket := range joined(c, 10) {
			all.Go(func() {
				if err := c.sync(ticket); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(open)
		all.Wait()
		if syncs > 2 { // who came first, and all who came meanwhile
			t.Errorf("%d syncs for 10 publishers, want 2 at most", syncs)
		}
	})
}

func TestCrowd_SyncThatFailsIsTheEndOfAllThatWasWritten(t *testing.T) {
	result := error(syscall.EIO)
	c := &crowd{flush: func() error { return result }}
	before := joined(c, 2)
	if err := c.sync(before[0]); !errors.Is(err, errSync) || !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v, want that of the disk", err)
	}
	result = nil // the kernel tells of an error once
	if err := c.sync(before[1]); !errors.Is(err, errSync) {
		t.Errorf("a file that was written before the sync that failed is taken for one on disk: %v", err)
	}
	if err := c.sync(c.join()); err != nil {
		t.Errorf("what is written after it: %v", err)
	}
}

func TestCrowd_SlowDiskIsNotWaitedForTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{flush: func() error { time.Sleep(2 * tooSlow); return nil }}
		if err := c.sync(joined(c, enough)[enough-1]); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if c.join().together {
			t.Error("the next ones sync together as well")
		}
		time.Sleep(quiet + 1)
		if !c.join().together {
			t.Error("a minute later they still sync alone")
		}
	})
}

func TestPublish_ManyAtOnce(t *testing.T) {
	s := newSite(t, "gzip")
	joined(s.crowd, enough) // others who publish all the time
	var mu sync.Mutex
	syncs, failing := 0, true
	flush := s.crowd.flush
	s.crowd.flush = func() error {
		mu.Lock()
		defer mu.Unlock()
		if syncs++; failing {
			return syscall.EIO
		}
		return flush()
	}
	publish := func() (failed int) {
		results := make(chan error, 64)
		for i := range cap(results) {
			go func() {
				_, err := s.Publish(t.Context(), page(fmt.Sprintf("/%d", i), text(i, 20_000)), storage.Published{}, allow)
				results <- err
			}()
		}
		for range cap(results) {
			if err := <-results; err != nil {
				if !errors.Is(err, errSync) {
					t.Error(err)
				}
				failed++
			}
		}
		return failed
	}
	if failed := publish(); failed == 0 || syncs == 0 {
		t.Fatalf("%d of 64 failed with a disk that fails, after %d common syncs", failed, syncs)
	}
	if n := s.staged(); n != 0 {
		t.Errorf("%d files stay in staging", n)
	}
	failing = false
	if failed := publish(); failed != 0 {
		t.Errorf("%d fail when the disk is well", failed)
	}
	for i := range 64 {
		if got := versionOf(s.read(fmt.Sprintf("%d/index.html", i))); got != i {
			t.Errorf("page %d holds version %d", i, got)
		}
	}
}

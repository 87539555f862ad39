package worker

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// walksLong has more items walked at once than there are places for edits, each
// with many pages that take their time, and returns the pages.
func (p *process) walksLong(each time.Duration) (paths []string) {
	p.site.t.Helper()
	for u := range editsAtOnce {
		for _, path := range numbered(fmt.Sprintf("/u%d", u), 3*editBatch) {
			p.site.tag(path, fmt.Sprintf("user:%d", u), "self:post:"+path)
			paths = append(paths, path)
		}
	}
	p.publishAll(0, paths...)
	for _, path := range paths {
		p.site.on(path, func(ctx context.Context, _ int, _ string) (string, error) {
			select {
			case <-time.After(each):
			case <-ctx.Done():
			}
			return "new", ctx.Err()
		})
	}
	for u := range editsAtOnce {
		p.accepted(changed(fmt.Sprintf("user:%d", u)))
	}
	return paths
}

func TestItem_EditDoesNotWaitForLongWalksOfOthers(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Workers = 4 })
	s.tag("/edit", "post:1", "self:post:1")
	p.publish("/edit", "old")
	s.set("/edit", "new")
	paths := p.walksLong(25 * time.Millisecond)
	s.await("all are walked", func() bool {
		for u := range editsAtOnce {
			if s.renders(paths[u*3*editBatch]) < 2 {
				return false
			}
		}
		return true
	})
	p.accepted(changed("post:1"))
	s.awaitServed("/edit", "new")
	left := 0
	for _, path := range paths {
		if s.renders(path) < 2 {
			left++
		}
	}
	if left < editBatch {
		t.Errorf("the edit was there when the others had %d pages left", left)
	}
	p.quiet(t)
	for _, path := range paths {
		s.wantServed(path, "new")
	}
}

func TestItem_StopWhileLongWalksWaitForOneAnother(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Workers = 32; set.Grace = 50 * time.Millisecond })
	paths := p.walksLong(25 * time.Millisecond)
	s.await("some wait", func() bool { return len(p.walker.waiting) > 0 })
	p.stop()
	for _, walk := range []string{"user:0", "user:1", "user:2", "user:3"} {
		if w, ok := p.walking(walk); ok && w.Due.IsZero() && s.rdb.HGet(t.Context(), walkKey(w.Label), "st").Val() == "running" {
			t.Errorf("the walk of %s is not given back at the stop", walk)
		}
	}
	other := s.running()
	other.quiet(t)
	for _, path := range paths {
		s.wantServed(path, "new")
	}
}

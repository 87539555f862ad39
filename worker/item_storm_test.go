package worker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rebake/renderer"
	"rebake/storage/ledger"
)

// slowly makes the CMS take some time to answer, and always answer the same.
func (f *fakeRenderer) slowly(d time.Duration, r renderer.Resolved) {
	f.onResolve(func(ctx context.Context, _ int, _ string) (renderer.Resolved, error) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		return r, ctx.Err()
	})
}

// settledOften is how often something may come of triggers that settle and come
// for some time. On a machine that is busy they come with pauses between them.
func settledOften(since time.Time, settle time.Duration) int {
	return 2 + int(time.Since(since)/settle)
}

func TestItem_ListsOfManyThatChangeAreRenderedFewTimes(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/list", "list:cms/posts")
	p.publish("/list", "old")
	p.publish("/", "old")
	s.slowly(20*time.Millisecond, renderer.Resolved{Known: onePath("/"), Tags: []string{"list:cms/posts"}})
	for _, path := range []string{"/list", "/"} {
		s.set(path, "new")
	}
	began := time.Now()
	for i := range 200 {
		tr := changed(fmt.Sprintf("post:%d", i))
		tr.Settle, tr.MaxWait = 500*time.Millisecond, 5*time.Second
		p.accepted(tr)
	}
	p.quiet(t)
	most := settledOften(began, listSettle)
	for _, path := range []string{"/list", "/"} {
		s.wantServed(path, "new")
		if n := s.renders(path) - 1; n > most {
			t.Errorf("%s was rendered %d times, want at most %d", path, n, most)
		}
	}
}

func TestItem_OtherPartsOfAnArchiveOfManyThatChange(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/archive", "archive:category:4")
	p.publish("/archive", "old")
	parts := numbered("/archive/page", 30)
	for i, path := range parts {
		s.tag(path, fmt.Sprintf("post:%d", i), "archive:category:4")
	}
	p.publishAll(ledger.Low, parts...)
	s.set("/archive", "new")
	s.slowly(20*time.Millisecond, renderer.Resolved{})
	began := time.Now()
	for i := range parts {
		p.accepted(changed(fmt.Sprintf("post:%d", i)))
	}
	p.quiet(t)
	s.wantServed("/archive", "new")
	if n, most := s.renders("/archive")-1, settledOften(began, listSettle); n > most {
		t.Errorf("the archive was rendered %d times, want at most %d", n, most)
	}
}

func TestItem_ListsAreThereSoonAfterAnEdit(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/list", "list:cms/posts")
	p.publish("/list", "old")
	p.publish("/", "old")
	s.set("/list", "new")
	s.set("/", "new")
	s.slowly(50*time.Millisecond, renderer.Resolved{Known: onePath("/"), Tags: []string{"list:cms/posts"}})
	p.byItself() // they settle and settle again: a second more each time is too much
	tr := changed("post:1")
	tr.Settle, tr.MaxWait = 500*time.Millisecond, notInTest
	p.accepted(tr)
	s.awaitServed("/list", "new")
	s.awaitServed("/", "new")
	p.quiet(t)
}

func TestItem_ItsOwnPagesDoNotSettle(t *testing.T) {
	s := newWebsite(t)
	p := s.process() // which walks nothing: a walk that has ended has no record
	for tag, settles := range map[string]bool{"self:post:2": false, "list:cms/posts": true} {
		walk := &ledger.Walk{Label: ledger.Item("post:1"), Priority: ledger.Critical}
		if err := p.askForOthers(t.Context(), walk, renderer.Resolved{Tags: []string{tag}}); err != nil {
			t.Fatal(err)
		}
		set, err := p.rdb.HExists(t.Context(), walkKey(ledger.Tag(tag)), "set").Result()
		if err != nil || set != settles {
			t.Errorf("%s settles: %t, %v; want %t", tag, set, err, settles)
		}
	}
}

func TestItem_StormOfTriggersThatDoNotSettle(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.slowly(30*time.Millisecond, renderer.Resolved{})
	began := time.Now()
	for range 500 {
		p.accepted(changed("post:1"))
	}
	p.quiet(t)
	if n, most := s.asks(), settledOften(began, itemSettle); n > most {
		t.Errorf("the CMS was asked %d times, want at most %d", n, most)
	}
}

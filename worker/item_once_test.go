package worker

import (
	"fmt"
	"testing"
	"time"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// An edit names its post, the plugin names the archives, and the CMS names them
// once more: they all are one trigger to a page.
func TestItem_ListThatIsNamedInManyWaysIsRenderedOnce(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.ledger.Lease = notInTest }) // no render is one too many because the first was slow
	s.tag("/list", "post:1", "list:cms/posts", "archive:user:1")
	s.tag("/other", "archive:category:4", "archive:date:2026", "list:cms/posts")
	p.publishAll(0, "/list", "/other")
	s.resolvesTo(renderer.Resolved{
		Known: []storage.Path{mustPath("/list"), mustPath("/other")},
		Tags:  []string{"list:cms/posts", "archive:user:1", "archive:category:4", "archive:date:2026"},
	})
	s.set("/list", "new")
	s.set("/other", "new")
	began := time.Now()
	p.accepted(Trigger{
		Items: []Item{{Tag: "post:1"}}, Known: []storage.Path{mustPath("/list"), mustPath("/other")},
		Priority: ledger.Critical, Settle: 100 * time.Millisecond, MaxWait: time.Second,
	})
	p.quiet(t)
	for _, path := range []string{"/list", "/other"} {
		s.wantServed(path, "new")
		// Two where the walk comes late, and not six.
		if n, most := s.renders(path)-1, settledOften(began, listMaxWait); n > most {
			t.Errorf("%s was rendered %d times after one edit, want at most %d", path, n, most)
		}
	}
}

func TestItem_ListThatShowsManyEditedItemsIsNotRenderedForEach(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	tags := []string{"list:cms/posts"}
	for i := range 20 {
		tags = append(tags, fmt.Sprintf("post:%d", i))
	}
	s.tag("/list", tags...)
	p.publish("/list", "old")
	s.set("/list", "new")
	s.resolvesTo(renderer.Resolved{Tags: []string{"list:cms/posts"}})
	began := time.Now()
	for i := range 20 {
		p.accepted(Trigger{Items: []Item{{Tag: fmt.Sprintf("post:%d", i)}}, Priority: ledger.Critical})
	}
	p.quiet(t)
	s.wantServed("/list", "new")
	if n, most := s.renders("/list")-1, settledOften(began, listSettle); n > most {
		t.Errorf("the list was rendered %d times after 20 edits at once, want at most %d", n, most)
	}
}

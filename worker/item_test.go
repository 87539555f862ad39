package worker

import (
	"context"
	"errors"
	"slices"
	"testing"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// resolvesTo makes the CMS answer the same for every item.
func (f *fakeRenderer) resolvesTo(r renderer.Resolved) {
	f.onResolve(func(context.Context, int, string) (renderer.Resolved, error) { return r, nil })
}

// changed is a trigger of an item whose version is not known.
func changed(item string) Trigger {
	return Trigger{Items: []Item{{Tag: item}}, Priority: ledger.Critical, Reason: "webhook"}
}

func TestItem_PagesThatShowedItAndThoseThatOughtTo(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/old", "post:1")
	s.tag("/list", "list:cms/posts")
	for _, path := range []string{"/old", "/list", "/known", "/other"} {
		p.publish(path, "old")
		s.set(path, "new")
	}
	s.set("/new", "new")
	s.resolvesTo(renderer.Resolved{
		Paths: onePath("/new"), Known: []storage.Path{mustPath("/known"), mustPath("/never"), mustPath("/unknown")}, Tags: []string{"list:cms/posts"},
	})
	p.accepted(changed("post:1"))
	p.quiet(t)
	for path, text := range map[string]string{"/old": "new", "/list": "new", "/known": "new", "/other": "old", "/new": "new", "/never": ""} {
		s.wantServed(path, text)
	}
}

func TestItem_PageThatTheTriggerNamesTooIsRenderedOnce(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/a", "post:1")
	p.publish("/a", "old")
	s.set("/a", "new")
	s.resolvesTo(renderer.Resolved{Paths: onePath("/a")})
	p.accepted(Trigger{Paths: onePath("/a"), Items: []Item{{Tag: "post:1"}}, Priority: ledger.Critical})
	p.quiet(t)
	s.wantServed("/a", "new")
	if n := s.renders("/a"); n > 3 { // the two triggers come one after the other
		t.Errorf("the page was rendered %d times after one edit", n-1)
	}
}

func TestItem_CMSThatCannotBeAskedIsAskedAgain(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/old", "post:1")
	p.publish("/old", "old")
	s.set("/old", "new")
	s.set("/new", "new")
	s.onResolve(func(_ context.Context, n int, _ string) (renderer.Resolved, error) {
		if n == 1 {
			return renderer.Resolved{}, storage.Temporary(errors.New("status 503"))
		}
		return renderer.Resolved{Paths: onePath("/new")}, nil
	})
	p.accepted(changed("post:1"))
	s.awaitServed("/old", "new") // what is known is not kept waiting
	s.awaitServed("/new", "new")
	p.quiet(t)
}

func TestItem_WhatOneOfSeveralCMSsKnowsIsNotLostByAnother(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/new", "new")
	s.onResolve(func(_ context.Context, n int, _ string) (renderer.Resolved, error) {
		if n == 1 {
			return renderer.Resolved{Paths: onePath("/new")}, storage.Temporary(errors.New("status 503"))
		}
		return renderer.Resolved{}, nil
	})
	p.accepted(changed("post:1"))
	s.awaitServed("/new", "new")
	p.quiet(t)
}

func TestItem_ManyItemsWaitForTheirTurn(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	var items []Item
	for _, path := range numbered("/p", 40) {
		s.set(path, "new")
		items = append(items, Item{Tag: "page" + path})
	}
	s.onResolve(func(_ context.Context, _ int, item string) (renderer.Resolved, error) {
		return renderer.Resolved{Paths: onePath(item[len("page"):])}, nil
	})
	a := p.accepted(Trigger{Items: items, Priority: ledger.Critical})
	if len(a.Labels) != len(items) {
		t.Errorf("%d labels accepted, want %d", len(a.Labels), len(items))
	}
	p.quiet(t)
	for _, path := range numbered("/p", 40) {
		s.wantServed(path, "new")
	}
}

func TestItem_ResolvingHoldsNoSlot(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Workers = 2 })
	asked, answer := make(chan struct{}), make(chan struct{})
	s.onResolve(func(ctx context.Context, _ int, _ string) (renderer.Resolved, error) {
		close(asked)
		select {
		case <-answer:
		case <-ctx.Done():
		}
		return renderer.Resolved{}, ctx.Err()
	})
	p.accepted(changed("post:1"))
	<-asked
	p.publishAll(ledger.Low, "/a", "/b", "/c")
	close(answer)
	p.quiet(t)
}

func TestAccept_KnownPagesAreTriggeredWhereTheyAre(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/was", "old")
	s.set("/was", "new")
	s.set("/never", "new")
	s.set("/both", "new")
	known := []storage.Path{mustPath("/was"), mustPath("/never"), mustPath("/both"), mustPath("/unknown")}
	a := p.accepted(Trigger{Paths: onePath("/both"), Known: known, Priority: ledger.Critical})
	p.quiet(t)
	var pages []string
	for _, page := range a.Pages {
		pages = append(pages, page.Path.String())
	}
	slices.Sort(pages)
	if !slices.Equal(pages, []string{"/both", "/was"}) || len(a.Unmatched) > 0 {
		t.Errorf("accepted %v, unmatched %v", pages, a.Unmatched)
	}
	s.wantServed("/was", "new")
	s.wantServed("/both", "new")
	s.wantServed("/never", "")
}

// The CMS does not know of what a deleted item was a part: the pages do, until
// they are rendered again.
func TestItem_OtherPartsOfTheArchivesThatShowedIt(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.tag("/category/a", "post:1", "archive:category:4")
	s.tag("/category/a/page/2", "post:2", "archive:category:4")
	s.tag("/category/b", "post:2", "archive:category:5")
	s.tag("/next", "near:/category")
	s.tag("/category", "self:post:1", "post:1")
	for _, path := range []string{"/category/a", "/category/a/page/2", "/category/b", "/next", "/category"} {
		p.publish(path, "old")
		s.set(path, "new")
	}
	s.tag("/category/a")
	p.accepted(changed("post:1"))
	p.quiet(t)
	for path, text := range map[string]string{"/category/a": "new", "/category/a/page/2": "new", "/category/b": "old", "/next": "new", "/category": "new"} {
		s.wantServed(path, text)
	}
}

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"
)

// Load sends triggers for random pages, from many senders at once, until it is
// stopped. Before each trigger the page's item gets its next version; when the
// trigger was answered with 200, the judge takes that down.
type Load struct {
	Source  *Source
	Judge   *Judge
	Senders int
	Pause   time.Duration // the longest between two triggers of a sender
	// Send sends a trigger for a page; nil when it was acknowledged.
	Send func(ctx context.Context, path string) error
}

// Start starts the senders. The load ends with stop, or with ctx.
func (l Load) Start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var senders sync.WaitGroup
	paths := l.Source.Paths()
	for range l.Senders {
		senders.Go(func() {
			for ctx.Err() == nil {
				path := paths[rand.IntN(len(paths))]
				l.One(ctx, path)
				_ = Sleep(ctx, rand.N(l.Pause+1))
			}
		})
	}
	return func() { cancel(); senders.Wait() }
}

// One edits a page and sends one trigger for it, and reports whether that was
// acknowledged.
func (l Load) One(ctx context.Context, path string) bool { return l.tell(ctx, path, l.Source.Bump) }

// Delete deletes a page's item and does the same.
func (l Load) Delete(ctx context.Context, path string) bool {
	return l.tell(ctx, path, l.Source.Delete)
}

// tell waits for a trigger that is on its way when ctx ends: it may be
// accepted.
func (l Load) tell(ctx context.Context, path string, change func(string) int) bool {
	version := change(path)
	if l.Send(context.WithoutCancel(ctx), path) != nil {
		return false
	}
	l.Judge.Acknowledged(map[string]int{path: version})
	return true
}

// Publish triggers every page once, and waits until all are there.
func (l Load) Publish(ctx context.Context, within time.Duration) error {
	var senders sync.WaitGroup
	queue := make(chan string)
	for range l.Senders {
		senders.Go(func() {
			for path := range queue {
				l.One(ctx, path)
			}
		})
	}
	for _, path := range l.Source.Paths() {
		queue <- path
	}
	close(queue)
	senders.Wait()
	_, wrong, err := l.Judge.Pay(ctx, l.Judge.Debt(), time.Now(), within)
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("publish the site at first: %d pages are not there within %s, such as %s", len(wrong), within, wrong[0])
	}
	return err
}

// toAny sends to one of several servers at random; those that are down refuse.
func toAny(servers ...*Server) func(context.Context, string) error {
	return func(ctx context.Context, path string) error {
		return servers[rand.IntN(len(servers))].Revalidate(ctx, url.Values{"path": {path}})
	}
}

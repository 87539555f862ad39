package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// raceCount is how many pages have a race at once, and in one round.
const raceCount = 100

// races send two triggers for a page: the second comes while the render of the
// first waits for an answer that was made before. Other systems answer both,
// and keep the older page for ever.
func races(ctx context.Context, lab *Lab) (Outcome, error) {
	redis, err := lab.NewRedis(ctx, "redis", lab.Path("redis"))
	if err != nil {
		return Outcome{}, err
	}
	r, err := lab.newRig(ctx, raceCount, redis, SiteOptions{})
	if err != nil {
		return Outcome{}, err
	}
	defer r.judge.Watch(ctx)()
	var met atomic.Int64
	rounds := lab.Size(1, 30)
	for i := range rounds {
		if err := raceAll(ctx, r.load, &met); err != nil {
			return Outcome{}, err
		}
		lab.Say("round %d of %d: %d races", i+1, rounds, met.Load())
	}
	outcome, err := r.judge.Verdict(ctx, settleTime)
	outcome.Faults = int(met.Load())
	return outcome, err
}

// raceAll has one race for every page, ten at a time: fewer than there are
// workers, so that each first trigger is rendered at once. met counts the
// second triggers that were acknowledged within the first one's render.
func raceAll(ctx context.Context, load Load, met *atomic.Int64) error {
	doors := newDoors()
	load.Source.OnRead(doors.wait)
	defer load.Source.OnRead(nil)
	queue := make(chan string)
	var racers sync.WaitGroup
	var late atomic.Bool
	for range 10 {
		racers.Go(func() {
			for path := range queue {
				reached, open := doors.shut(path)
				load.One(ctx, path)
				select {
				case <-reached:
					if load.One(ctx, path) {
						met.Add(1)
					}
				case <-time.After(settleTime):
					late.Store(true)
				case <-ctx.Done():
				}
				open()
			}
		})
	}
	for _, path := range load.Source.Paths() {
		queue <- path
	}
	close(queue)
	racers.Wait()
	if late.Load() {
		return errors.New("a trigger was acknowledged, and nobody reads its page")
	}
	return context.Cause(ctx)
}

// doors hold up the answers of the source about single pages. Safe for
// concurrent use.
type doors struct {
	mu  sync.Mutex
	all map[string]door // guarded by mu; those that are shut
}

type door struct {
	reached chan struct{} // closed by the first who stands before it
	open    chan struct{} // closed when it opens
}

func newDoors() *doors { return &doors{all: make(map[string]door)} }

// shut lets no answer about a page through until open is called.
func (d *doors) shut(path string) (reached <-chan struct{}, open func()) {
	one := door{make(chan struct{}), make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all[path] = one
	return one.reached, func() { close(one.open) }
}

// wait holds up one answer: the first that comes to a door. Whoever comes later
// is a later render.
func (d *doors) wait(path string) {
	d.mu.Lock()
	one, shut := d.all[path]
	delete(d.all, path)
	d.mu.Unlock()
	if shut {
		close(one.reached)
		<-one.open
	}
}

package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// measureEdits edits posts one after the other, by turns on each system so that
// what else the machine does hits all alike, and returns how long each edit
// took: from the trigger, sent when the source has the new text, to the new
// page at a visitor. A visitor looks after the trigger's answer, as callers do,
// and does not disturb a system that answers late.
func measureEdits(ctx context.Context, source *cms, edits int, systems ...*system) (map[*system][]time.Duration, error) {
	took := make(map[*system][]time.Duration)
	for i := range edits {
		n := i%source.len() + 1
		for j := range systems {
			s := systems[(i+j)%len(systems)] // each goes first as often
			want := source.edit(n)
			started := time.Now()
			if err := s.trigger(ctx, n, ""); err != nil {
				return nil, err
			}
			if ok, err := s.visible(ctx, n, want, time.Minute); err != nil {
				return nil, err
			} else if !ok {
				return nil, fmt.Errorf("%s: the page of post %d does not show %q after a minute", s.name, n, want)
			}
			took[s] = append(took[s], time.Since(started))
		}
	}
	for _, t := range took {
		slices.Sort(t)
	}
	return took, nil
}

// percentile is the nearest rank: a time that so many of a hundred did not
// exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1]
}

// measureCallers triggers every post, with so many callers at once who each
// wait for their answer, and returns how long all of them took.
func measureCallers(ctx context.Context, s *system, source *cms, callers int, query string) (time.Duration, error) {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	started := time.Now()
	for range callers {
		group.Go(func() error {
			for n := int(next.Add(1)); n <= source.len(); n = int(next.Add(1)) {
				if err := s.trigger(ctx, n, query); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return time.Since(started), err
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

const (
	raceLatency = 300 * time.Millisecond // of the source, during a race
	raceQuiet   = 5 * time.Second        // after both answers; then an edit that is not public is lost
)

// measureRaces edits a post twice, each time with a trigger; the second comes
// while the first one's render waits for an answer that was made before it.
// It returns how many of the second edits were not public so long after both
// answers.
func measureRaces(ctx context.Context, s *system, source *cms, races int, quiet time.Duration, query string) (lost int, err error) {
	reads := make(chan string, 64)
	source.slow(raceLatency, reads)
	defer source.slow(0, nil)
	for i := range races {
		n := i%source.len() + 1
		source.edit(n)
		first := make(chan error, 1)
		go func() { first <- s.trigger(ctx, n, query) }()
		for read := ""; read != slug(n); {
			select {
			case read = <-reads:
			case <-time.After(10 * time.Second):
				return lost, fmt.Errorf("%s: nobody reads post %d after its trigger", s.name, n)
			case <-ctx.Done():
				return lost, context.Cause(ctx)
			}
		}
		want := source.edit(n)
		if err := s.trigger(ctx, n, query); err != nil {
			return lost, err
		}
		if err := <-first; err != nil {
			return lost, err
		}
		ok, err := s.visible(ctx, n, want, quiet)
		if err != nil {
			return lost, err
		}
		if !ok {
			lost++
		}
	}
	return lost, nil
}
